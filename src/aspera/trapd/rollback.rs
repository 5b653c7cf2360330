//! The edits that bring back an earlier `s3.properties`, if only our two settings differ.
//!
//! A backup does not say what was written after it was made. So the content says whether somebody else changed the file since: apart from the lines of the two
//! settings, commented or not, the file and the backup must have the same lines.

use std::ops::Range;

use super::display::{changed_places, is_line_of_ours};
use super::file::{PlanError, open};
use super::plan::{Plan, found_setting};
use crate::text::lines::{self, NaturalLine};
use crate::text::properties::Document;
use crate::text::splice::{Edit, Edits};

/// The reason why a backup is not brought back, as the rest of a sentence.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RollbackError {
    /// The file cannot be read.
    #[error("{0}")]
    File(PlanError),
    /// The backup cannot be read.
    #[error("The backup cannot be restored: {0}")]
    Backup(PlanError),
    #[error(
        "line {0} differs from the backup, and it is not one of the encryption settings: it has been changed since then. Compare the two files, and copy \
         what is right by hand."
    )]
    ChangedSince(usize),
}

/// Plans the edits that make the file equal to the backup.
pub fn rollback(bytes: &[u8], backup: &[u8]) -> Result<Plan, RollbackError> {
    let current = open(bytes).map_err(RollbackError::File)?;
    let earlier = open(backup).map_err(RollbackError::Backup)?;
    let (others, others_earlier) = (others(&current), others(&earlier));
    let mut edits = Vec::new();
    let (mut from, mut from_earlier) = (0, 0);
    for index in 0..=others.len().max(others_earlier.len()) {
        let (line, line_earlier) = match (others.get(index), others_earlier.get(index)) {
            (None, None) => {
                let rest = (from..bytes.len(), from_earlier..backup.len());
                edits.extend(edit(bytes, backup, rest));
                break;
            }
            (Some(line), Some(earlier)) if is_same(bytes, line, backup, earlier) => (line, earlier),
            (line, _) => {
                let place = line.map_or(bytes.len(), |line| line.content.start);
                return Err(RollbackError::ChangedSince(lines::line_number(
                    bytes, place,
                )));
            }
        };
        let before = (
            from..line.content.start,
            from_earlier..line_earlier.content.start,
        );
        edits.extend(edit(bytes, backup, before));
        // The last line of a file may have no ending.
        let has_same_ending = bytes[line.content.end..line.next]
            == backup[line_earlier.content.end..line_earlier.next];
        (from, from_earlier) = if has_same_ending {
            (line.next, line_earlier.next)
        } else {
            (line.content.end, line_earlier.content.end)
        };
    }
    let edits = Edits::new(edits);
    Ok(Plan {
        previous: found_setting(&current, None),
        uses_aws_managed_key_instead: false,
        places: changed_places(&current, &edits, &earlier, None),
        after: backup.to_owned(),
        warnings: Vec::new(),
        edits,
    })
}

/// Returns the lines that belong to neither setting.
fn others(document: &Document) -> Vec<NaturalLine> {
    lines::lines(document.bytes, 0..document.bytes.len())
        .filter(|line| !is_line_of_ours(document, &line.content))
        .collect()
}

/// Returns whether two lines are equal. An ending may be missing at the end of a file.
fn is_same(bytes: &[u8], line: &NaturalLine, backup: &[u8], earlier: &NaturalLine) -> bool {
    let ending = &bytes[line.content.end..line.next];
    let ending_earlier = &backup[earlier.content.end..earlier.next];
    bytes[line.content.clone()] == backup[earlier.content.clone()]
        && (ending == ending_earlier || ending.is_empty() || ending_earlier.is_empty())
}

fn edit(
    bytes: &[u8],
    backup: &[u8],
    (range, earlier): (Range<usize>, Range<usize>),
) -> Option<Edit> {
    let replacement = &backup[earlier];
    (bytes[range.clone()] != *replacement).then(|| Edit {
        range,
        replacement: replacement.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::plan;
    use super::*;
    use crate::aspera::setting::{Encryption, EncryptionSetting, KmsKey};

    fn settings() -> [Option<EncryptionSetting>; 3] {
        let key = KmsKey::parse("alias/a").unwrap();
        [
            None,
            EncryptionSetting::new(Encryption::Aes256, None).ok(),
            EncryptionSetting::new(Encryption::AwsKms, Some(key)).ok(),
        ]
    }

    #[test]
    fn each_setting_is_brought_back_from_each_other_one() {
        for file in [
            "a=1\n# server-side-encryption=NONE\n\n# server-side-encryption-aws-kms-key-id\nb=2\n",
            "a=1\r\nb=2\r\n",
            "a=1\nb=2",
            "",
            "server-side-encryption=NONE\nserver-side-encryption \\\n  AES256\n#end",
        ] {
            for before in settings() {
                let old = plan(file.as_bytes(), before.as_ref()).unwrap().after;
                for after in settings() {
                    let new = plan(&old, after.as_ref()).unwrap().after;
                    let planned = rollback(&new, &old).unwrap();
                    assert_eq!(planned.after, old);
                    assert_eq!(planned.edits.apply(&new), old, "{file:?}");
                    assert_eq!(planned.edits.is_empty(), new == old);
                    assert_eq!(planned.places.is_empty(), new == old);
                }
            }
        }
    }

    #[test]
    fn a_file_that_was_changed_since_is_refused() {
        let old = "a=1\n# server-side-encryption=NONE\nb=2\n";
        let new = "a=1\nserver-side-encryption=AES256\nb=2\n";
        for (changed, line) in [
            (new.replace("a=1", "a=2"), 1),
            (new.replace("a=1\n", "a=1\nc=3\n"), 2),
            (new.replace("a=1\n", ""), 2),
            (new.replace('\n', "\r\n"), 1),
            (format!("{new}c=3\n"), 4),
            (new.replace("b=2\n", ""), 3),
            (new.replace("b=2", "# b=2"), 3),
        ] {
            let refused = rollback(changed.as_bytes(), old.as_bytes()).unwrap_err();
            assert_eq!(refused, RollbackError::ChangedSince(line), "{changed:?}");
        }
        let malformed = rollback(new.as_bytes(), b"a=\\u12").unwrap_err();
        assert!(matches!(malformed, RollbackError::Backup(_)));
    }
}
