//! The worlds in which S3 would show another encryption of an object than it did are not the real one.

use super::docroot::Outcome;
use super::judge::{is_name_of_a_key, is_same};
use super::worlds::Readings;
use crate::configuration::Settled;

/// What an object disproves that S3 has taken: nobody refused it, and the store did what it was asked.
const DISPROVED: [&str; 5] = [
    "none_in_docroot",
    "not_amazon",
    "key_of_another_region",
    "https_not_forced",
    "key_without_kms",
];

/// Takes the worlds away in which S3 would have shown something else.
pub fn leave_what_is_shown(uploads: &mut Readings<Outcome>, shown: &Settled) {
    if uploads.results.contains(&Outcome::Anything) {
        return;
    }
    uploads.results.retain(|outcome| may_show(outcome, shown));
    uploads.against.retain(|reason| !DISPROVED.contains(reason));
    uploads.reasons.retain(|reason| !DISPROVED.contains(reason));
    if uploads.results.is_empty() {
        uploads.results.insert(Outcome::Anything);
        uploads.reasons.insert("object_differs");
    }
}

/// The default of the bucket is not what the object has.
pub fn may_show(outcome: &Outcome, shown: &Settled) -> bool {
    let (Outcome::Asks(encryption, key) | Outcome::AsksAt(encryption, key, _)) = outcome else {
        return false;
    };
    let may_be =
        |key: &str, shown: &str| !is_name_of_a_key(key) || is_same(key, shown) != Ok(false);
    match (encryption.unwrap_or("NONE"), key, &shown.key) {
        ("NONE", _, _) => false,
        ("AES256" | "AWS_KMS", _, _) if *encryption != Some(&*shown.encryption) => false,
        ("AES256" | "AWS_KMS", Some(key), Some(shown)) => may_be(key, shown),
        _ => true,
    }
}
