//! The judgement of the objects of one docroot.

use super::objects_cause::Cause;
use super::objects_found::{Findings, Seen};
use crate::aspera::audit::{Difference, Wanted};
use crate::aspera::objects::{Comparison, SeenEncryption, compare};
use crate::s3::{Algorithm, ObjectEncryption};

/// The judgement of a docroot.
#[derive(Debug)]
pub(super) struct Verdict<'l> {
    /// Whether its objects are as expected, or `None` if that is not known.
    pub(super) compliant: Option<bool>,
    /// The objects that differ.
    pub(super) differing: Vec<(&'l Seen, Difference)>,
    /// Why it is not known, with the number of objects, which is 0 where it is about the docroot as a whole.
    pub(super) unknown: Vec<(Cause, usize)>,
}

/// Judges what was seen. Only if everything in question was looked at and nothing differs, a docroot is compliant.
pub(super) fn judge<'l>(look: &'l Findings, wanted: &Wanted) -> Verdict<'l> {
    let some_are_marked = look.seen.iter().any(|seen| seen.object.is_marked);
    let mut verdict = Verdict {
        compliant: None,
        differing: Vec::new(),
        unknown: look.unseen.clone(),
    };
    for seen in &look.seen {
        let cause = match compare(wanted, in_words(&seen.object.encryption)) {
            Comparison::Meets => continue,
            Comparison::Differs(_) if some_are_marked && !seen.object.is_marked => {
                Cause::PerhapsNotAspera
            }
            Comparison::Differs(_) if seen.is_near_since => Cause::NearSince,
            Comparison::Differs(difference) => {
                verdict.differing.push((seen, difference));
                continue;
            }
            Comparison::NothingToShow => Cause::NothingToShow,
            Comparison::KeyNotNamed => Cause::KeyNotNamed,
            Comparison::Unknown(doubt) => Cause::Doubt(doubt),
        };
        match verdict
            .unknown
            .iter_mut()
            .find(|(known, _)| *known == cause)
        {
            Some((_, count)) => *count += 1,
            None => verdict.unknown.push((cause, 1)),
        }
    }
    if look.seen.is_empty() && verdict.unknown.is_empty() {
        verdict.unknown.push((Cause::NoObjects, 0));
    }
    verdict.compliant = match (verdict.differing.is_empty(), verdict.unknown.is_empty()) {
        (false, _) => Some(false),
        (true, true) => Some(true),
        (true, false) => None,
    };
    verdict
}

/// Returns whether the default encryption of the bucket alone would give all objects the encryption that they have, or `None` if that is not known.
pub(super) fn is_explained_by_default(look: &Findings) -> Option<bool> {
    let Some(Ok(default)) = &look.bucket_default else {
        return None;
    };
    if look.seen.is_empty() {
        return None;
    }
    let mut is_known = true;
    for seen in &look.seen {
        match is_default(&seen.object.encryption, default) {
            Some(true) => {}
            Some(false) => return Some(false),
            None => is_known = false,
        }
    }
    is_known.then_some(true)
}

/// Returns whether an encryption is the one that the bucket gives by default, or `None` if that is not known.
pub(super) fn is_default(found: &ObjectEncryption, default: &ObjectEncryption) -> Option<bool> {
    if found.algorithm != default.algorithm {
        return Some(false);
    }
    match (&found.kms_key, &default.kms_key) {
        _ if !matches!(found.algorithm, Algorithm::Kms | Algorithm::KmsDsse) => Some(true),
        // Without a key, the default means the one that AWS manages, which the key ARN of an object does not tell.
        (_, None) | (None, _) => None,
        (Some(found), Some(default)) if found == default => Some(true),
        (Some(found), Some(default)) if default.contains("alias/") || found.contains("alias/") => {
            None
        }
        (Some(found), Some(default)) => {
            let id = |key: &str| key.rsplit('/').next().unwrap_or_default().to_owned();
            // A bare id is the end of its ARN.
            let is_bare = !found.contains('/') || !default.contains('/');
            Some(is_bare && id(found) == id(default))
        }
    }
}

fn in_words(encryption: &ObjectEncryption) -> SeenEncryption<'_> {
    SeenEncryption {
        algorithm: encryption.algorithm.name(),
        kms_key: encryption.kms_key.as_deref(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aspera::setting::{Encryption, KmsKey};
    use crate::s3::{Object, Refusal};

    const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

    fn seen(algorithm: Algorithm, key: Option<&str>) -> Seen {
        Seen {
            key: "k".to_owned(),
            object: Object {
                encryption: ObjectEncryption {
                    algorithm,
                    kms_key: key.map(str::to_owned),
                    bucket_key: false,
                },
                version: None,
                last_modified: None,
                is_marked: false,
            },
            is_near_since: false,
        }
    }

    fn marked(mut seen: Seen) -> Seen {
        seen.object.is_marked = true;
        seen
    }

    fn near(mut seen: Seen) -> Seen {
        seen.is_near_since = true;
        seen
    }

    fn result(seen: Vec<Seen>, unseen: Vec<(Cause, usize)>) -> (Option<bool>, Vec<&'static str>) {
        let look = Findings {
            seen,
            unseen,
            ..Findings::default()
        };
        let wanted = Wanted::Encryption(Encryption::AwsKms, vec![KmsKey::parse(KEY).unwrap()]);
        let verdict = judge(&look, &wanted);
        let unknown = verdict.unknown.iter().map(|(cause, _)| cause.name());
        (verdict.compliant, unknown.collect())
    }

    #[test]
    fn only_what_was_all_seen_and_fits_is_compliant() {
        let good = || seen(Algorithm::Kms, Some(KEY));
        let bad = || seen(Algorithm::Aes256, None);
        let denied = || (Cause::Refused(Refusal::Denied), 1);
        for (objects, unseen, compliant, unknown) in [
            (vec![good(), good()], vec![], Some(true), vec![]),
            (vec![good(), bad()], vec![], Some(false), vec![]),
            (
                vec![good(), bad()],
                vec![denied()],
                Some(false),
                vec!["denied"],
            ),
            (vec![good()], vec![denied()], None, vec!["denied"]),
            (
                vec![good()],
                vec![(Cause::NotAllListed, 0)],
                None,
                vec!["not_all_listed"],
            ),
            (
                vec![good()],
                vec![(Cause::NotAllLookedAt, 5)],
                None,
                vec!["not_all_looked_at"],
            ),
            (vec![], vec![], None, vec!["no_objects"]),
            (vec![good(), near(bad())], vec![], None, vec!["near_since"]),
            (vec![near(good())], vec![], Some(true), vec![]),
            (
                vec![marked(good()), bad()],
                vec![],
                None,
                vec!["perhaps_not_aspera"],
            ),
            (vec![good(), marked(bad())], vec![], Some(false), vec![]),
            (
                vec![seen(Algorithm::Kms, None)],
                vec![],
                None,
                vec!["key_not_named"],
            ),
        ] {
            assert_eq!(result(objects, unseen), (compliant, unknown));
        }
    }

    #[test]
    fn the_default_of_the_bucket_may_explain_what_is_seen() {
        let encryption = |algorithm, key: Option<&str>| seen(algorithm, key).object.encryption;
        let explained = |objects: Vec<Seen>, default: ObjectEncryption| {
            is_explained_by_default(&Findings {
                seen: objects,
                bucket_default: Some(Ok(default)),
                ..Findings::default()
            })
        };
        let kms = || seen(Algorithm::Kms, Some(KEY));
        let id = KEY.rsplit('/').next();
        for (default, expected) in [
            (encryption(Algorithm::Kms, Some(KEY)), Some(true)),
            (encryption(Algorithm::Kms, id), Some(true)),
            (
                encryption(
                    Algorithm::Kms,
                    Some("arn:aws:kms:us-east-1:111122223333:key/x"),
                ),
                Some(false),
            ),
            (encryption(Algorithm::Kms, Some("alias/media")), None),
            (encryption(Algorithm::Kms, None), None),
            (encryption(Algorithm::Aes256, None), Some(false)),
        ] {
            assert_eq!(
                explained(vec![kms()], default.clone()),
                expected,
                "{default:?}"
            );
        }
        let aes = encryption(Algorithm::Aes256, None);
        assert_eq!(
            explained(vec![seen(Algorithm::Aes256, None)], aes.clone()),
            Some(true)
        );
        assert_eq!(
            explained(vec![seen(Algorithm::Aes256, None), kms()], aes.clone()),
            Some(false)
        );
        assert_eq!(explained(vec![], aes), None);
        assert_eq!(is_explained_by_default(&Findings::default()), None);
    }
}
