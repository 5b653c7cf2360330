//! The edits that bring back an earlier `aspera.conf`, if only the encryption in docroots differs.
//!
//! A backup does not say what was written after it was made. So the content says whether somebody else changed the file since: apart from the two options in
//! docroots, the file and the backup must be the same, byte for byte.

use std::rc::Rc;

use super::change::{Change, Plan};
use super::conf::{AsperaConf, ConfError, DocrootElement};
use super::owner::Owner;
use super::planned::{Fate, Origin, PlannedDocroot, UriChange, Wish};
use super::uri::DocrootUri;
use crate::aspera::setting::{Encryption, EncryptionSetting, FoundValue, KmsKey};
use crate::subject::with_subject;
use crate::text::lines;
use crate::text::splice::{Edit, Edits};

/// The reason why a backup is not brought back, as the rest of a sentence after the name of the file.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RollbackError {
    /// The file cannot be read.
    #[error("{0}")]
    File(ConfError),
    /// The backup cannot be read.
    #[error("has a backup that cannot be restored: it {0}")]
    Backup(ConfError),
    #[error(
        "differs from the backup in or after line {0}, and not only in the encryption of docroots: it has been changed since then, or by a task that set more. Compare \
         the two files, and copy what is right by hand."
    )]
    ChangedSince(usize),
}

/// Plans the edits that make the file equal to the backup.
pub fn rollback(bytes: &[u8], backup: &[u8]) -> Result<Plan, RollbackError> {
    let current = AsperaConf::parse(bytes).map_err(RollbackError::File)?;
    let earlier = AsperaConf::parse(backup).map_err(RollbackError::Backup)?;
    let (docroots, docroots_earlier) = (in_order(&current), in_order(&earlier));
    let changed_since =
        |place: usize| RollbackError::ChangedSince(lines::line_number(bytes, place));
    let mut plan = Plan {
        edits: Edits::new(Vec::new()),
        after: None,
        docroots: Vec::new(),
        changes: Vec::new(),
        not_found: Vec::new(),
        uncovered: Vec::new(),
    };
    let mut edits = Vec::new();
    let (mut from, mut from_earlier) = (0, 0);
    for ((owner, docroot), (_, docroot_earlier)) in docroots.iter().zip(&docroots_earlier) {
        let place = docroot.element.content();
        let place_earlier = docroot_earlier.element.content();
        if bytes[from..place.start] != backup[from_earlier..place_earlier.start] {
            return Err(changed_since(from));
        }
        if bytes[place.clone()] != backup[place_earlier.clone()] {
            let uris = [
                DocrootUri::new(current.text(docroot)),
                DocrootUri::new(earlier.text(docroot_earlier)),
            ];
            let [before, after] = uris;
            let is_encryption = with_subject(owner.scope(bytes), || {
                before != after && without_setting(&before) == without_setting(&after)
            });
            if !is_encryption || docroot.has_misc || docroot_earlier.has_misc {
                return Err(changed_since(place.start));
            }
            edits.push(Edit {
                range: place.clone(),
                replacement: backup[place_earlier.clone()].to_owned(),
            });
            plan.add(*owner, **docroot, after);
        }
        (from, from_earlier) = (place.end, place_earlier.end);
    }
    if docroots.len() != docroots_earlier.len() || bytes[from..] != backup[from_earlier..] {
        return Err(changed_since(from));
    }
    plan.after = (!edits.is_empty()).then(|| backup.to_owned());
    plan.edits = Edits::new(edits);
    Ok(plan)
}

impl Plan {
    fn add(&mut self, owner: Owner, docroot: DocrootElement, after: DocrootUri) {
        self.changes.push(Change {
            docroot: self.docroots.len(),
            offset: docroot.element.start_tag().start,
        });
        self.docroots.push(PlannedDocroot {
            origin: Origin::Found(owner, docroot),
            wish: Rc::new(Wish {
                setting: setting(&after),
                encoding: None,
                uri: Some(after),
            }),
            fate: Fate::Set {
                change: Some(UriChange::Whole),
                repeated: false,
                loses_key: false,
            },
        });
    }
}

/// Returns the docroots with their owners, in the order of the file.
fn in_order<'c>(conf: &'c AsperaConf) -> Vec<(Owner, &'c DocrootElement)> {
    let blocks = conf.blocks.iter();
    let mut docroots: Vec<(Owner, &DocrootElement)> = blocks
        .flat_map(|block| {
            let docroots = conf.docroots(block).iter();
            docroots.map(|docroot| (block.owner, docroot))
        })
        .collect();
    docroots.sort_by_key(|(_, docroot)| docroot.element.content().start);
    docroots
}

/// Returns the text without encryption options. An empty query may be left of options that were removed.
fn without_setting(uri: &DocrootUri) -> String {
    uri.text_without_setting()
        .trim_end_matches(['?', '&'])
        .to_owned()
}

/// Returns the setting of a docroot, as far as it is one that a task could set.
fn setting(uri: &DocrootUri) -> Option<EncryptionSetting> {
    let found = uri.found_setting(None);
    let text = |value: &FoundValue| value.shown().to_owned();
    let encryption = Encryption::parse(&text(found.encryption.as_ref()?)).ok()?;
    let key = found.kms_key.as_ref().map(|key| KmsKey::parse(&text(key)));
    EncryptionSetting::new(encryption, key.transpose().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::super::{KeyEncoding, Request, Selection, changed_places, plan};
    use super::*;

    const CONF: &str = "<CONF>\n<default><file_system><access><paths><path><absolute>s3://h/d?</absolute></path></paths></access></file_system></default>\n\
        <aaa><realms><realm><users>\n<user><name>a</name><file_system><access><paths><path><absolute>s3://k:DUMMY@h/a?x=1&amp;y=2</absolute></path></paths>\
        </access></file_system></user>\n</users></realm></realms></aaa></CONF>\n";

    fn set(file: &[u8], desired: Option<EncryptionSetting>) -> Vec<u8> {
        let request = Request {
            selection: Selection::All,
            desired,
            aws_managed_key: true,
            encoding: Some(KeyEncoding::Percent),
            docroot: None,
        };
        plan(file, &[request])
            .unwrap()
            .after
            .unwrap_or(file.to_owned())
    }

    #[test]
    fn each_setting_is_brought_back_from_each_other_one() {
        let key = KmsKey::parse("arn:aws:kms:us-east-1:111122223333:key/a").unwrap();
        let settings = [
            None,
            EncryptionSetting::new(Encryption::Aes256, None).ok(),
            EncryptionSetting::new(Encryption::AwsKms, Some(key)).ok(),
        ];
        for before in &settings {
            let old = set(CONF.as_bytes(), before.clone());
            for after in &settings {
                let new = set(&old, after.clone());
                let planned = rollback(&new, &old).unwrap();
                assert_eq!(planned.edits.apply(&new), old);
                assert_eq!(planned.after, (new != old).then(|| old.clone()));
                let places = changed_places(&new, &planned, 9);
                assert_eq!(places.is_empty(), new == old);
                assert!(!format!("{places:?}").contains("DUMMY"));
            }
        }
    }

    #[test]
    fn a_file_that_was_changed_since_is_refused() {
        let old = CONF;
        let new = String::from_utf8(set(
            CONF.as_bytes(),
            EncryptionSetting::new(Encryption::Aes256, None).ok(),
        ))
        .unwrap();
        for changed in [
            new.replace("<CONF>", "<CONF><!-- c -->"),
            new.replace("</CONF>\n", "</CONF>"),
            new.replace("h/a", "h/b"),
            new.replace("DUMMY", "OTHER"),
            new.replace("x=1", "x=3"),
            new.replace("y=2", "y%3D2"),
            new.replace("<name>a</name>", "<name>b</name>"),
            new.replace("<user>", "<user><name>z</name><file_system><access><paths><path><absolute>s3://h/z</absolute></path></paths></access></file_system></user><user>"),
            new.replace("h/d?", "h/d?<!-- c -->"),
        ] {
            assert_ne!(changed, new);
            let refused = rollback(changed.as_bytes(), old.as_bytes());
            assert!(matches!(refused, Err(RollbackError::ChangedSince(_))), "{changed}");
        }
        let malformed = rollback(new.as_bytes(), b"<CONF>").unwrap_err();
        assert!(matches!(malformed, RollbackError::Backup(_)));
    }
}
