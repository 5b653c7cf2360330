//! The encryption of an object, held against an expectation.

use crate::aspera::audit::{self, Difference, Doubt, Request, Wanted};
use crate::aspera::setting::{Encryption, KmsKey};

/// The encryption of an object, in the words of S3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenEncryption<'o> {
    /// The algorithm, or `None` if S3 names none.
    pub algorithm: Option<&'o str>,
    /// The key, if S3 names one.
    pub kms_key: Option<&'o str>,
}

/// The comparison of an object with an expectation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// The object is as expected.
    Meets,
    Differs(Difference),
    /// `NONE` is expected, which no object can show: S3 encrypts all of them.
    NothingToShow,
    /// A key is expected, and S3 does not name the key of the object.
    KeyNotNamed,
    /// The answer depends on something that only AWS knows.
    Unknown(Doubt),
}

/// Compares the encryption of an object with an expectation.
pub fn compare(wanted: &Wanted, seen: SeenEncryption) -> Comparison {
    let Wanted::Encryption(encryption, keys) = wanted else {
        return Comparison::NothingToShow;
    };
    let found = match seen.algorithm {
        _ if *encryption == Encryption::None => return Comparison::NothingToShow,
        None => None,
        Some("AES256") => Some(Encryption::Aes256),
        Some("aws:kms") => Some(Encryption::AwsKms),
        // Stronger or other than all that Aspera can ask for.
        Some(_) => return Comparison::Differs(Difference::OtherEncryption),
    };
    let is_about_key =
        *encryption == Encryption::AwsKms && found == Some(Encryption::AwsKms) && !keys.is_empty();
    match seen.kms_key.map(KmsKey::parse) {
        None if is_about_key => return Comparison::KeyNotNamed,
        Some(Err(_)) if is_about_key => return Comparison::Differs(Difference::NotAKey),
        _ => {}
    }
    let request = Request::new(
        found.map(|found| found.as_str().to_owned()),
        seen.kms_key.map(str::to_owned),
    );
    match wanted.compare(&request) {
        audit::Comparison::Meets => Comparison::Meets,
        audit::Comparison::Differs(difference) => Comparison::Differs(difference),
        audit::Comparison::Unknown(doubt) => Comparison::Unknown(doubt),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

    #[test]
    fn the_table_of_objects_and_expectations() {
        use Comparison as C;
        let other = "arn:aws:kms:us-east-1:111122223333:key/00000000-12ab-34cd-56ef-1234567890ab";
        let elsewhere = ARN.replace("us-east-1", "eu-west-1");
        let id = "1234abcd-12ab-34cd-56ef-1234567890ab";
        let multi = "arn:aws:kms:us-east-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab";
        let (kms, aes) = (Encryption::AwsKms, Encryption::Aes256);
        let is_other = C::Differs(Difference::OtherEncryption);
        let is_other_key = C::Differs(Difference::OtherKey);
        for (wanted, keys, algorithm, key, expected) in [
            (kms, &[ARN] as &[&str], Some("aws:kms"), Some(ARN), C::Meets),
            (kms, &[other, ARN], Some("aws:kms"), Some(ARN), C::Meets),
            (kms, &[id], Some("aws:kms"), Some(ARN), C::Meets),
            (kms, &[ARN], Some("aws:kms"), Some(id), C::Meets),
            (kms, &[], Some("aws:kms"), Some(ARN), C::Meets),
            (kms, &[], Some("aws:kms"), None, C::Meets),
            (aes, &[], Some("AES256"), None, C::Meets),
            (kms, &[ARN], Some("aws:kms"), Some(other), is_other_key),
            (kms, &[ARN], Some("aws:kms"), Some(&elsewhere), is_other_key),
            (kms, &[ARN], Some("AES256"), None, is_other),
            (kms, &[ARN], Some("aws:kms:dsse"), Some(ARN), is_other),
            (kms, &[], Some("aws:fsx"), None, is_other),
            (kms, &[], None, None, is_other),
            (aes, &[], None, None, is_other),
            (aes, &[], Some("aws:kms"), Some(ARN), is_other),
            (
                kms,
                &[ARN],
                Some("aws:kms"),
                Some("not a key"),
                C::Differs(Difference::NotAKey),
            ),
            (kms, &[ARN], Some("aws:kms"), None, C::KeyNotNamed),
            (
                kms,
                &["alias/media"],
                Some("aws:kms"),
                Some(ARN),
                C::Unknown(Doubt::Alias),
            ),
            (
                kms,
                &["alias/aws/s3"],
                Some("aws:kms"),
                Some(ARN),
                C::Unknown(Doubt::Alias),
            ),
            (
                kms,
                &["mrk-1234abcd12ab34cd56ef1234567890ab"],
                Some("aws:kms"),
                Some(multi),
                C::Unknown(Doubt::MultiRegionKey),
            ),
            (
                Encryption::None,
                &[],
                Some("AES256"),
                None,
                C::NothingToShow,
            ),
            (
                Encryption::None,
                &[],
                Some("aws:kms"),
                Some(ARN),
                C::NothingToShow,
            ),
        ] {
            let keys: Vec<KmsKey> = keys.iter().map(|key| KmsKey::parse(key).unwrap()).collect();
            let seen = SeenEncryption {
                algorithm,
                kms_key: key,
            };
            let found = compare(&Wanted::Encryption(wanted, keys.clone()), seen);
            assert_eq!(found, expected, "{wanted} {keys:?} {seen:?}");
        }
        let seen = SeenEncryption {
            algorithm: None,
            kms_key: None,
        };
        assert_eq!(compare(&Wanted::Absent, seen), C::NothingToShow);
    }
}
