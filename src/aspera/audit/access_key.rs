//! The possible results of an upload with an access key of the Node API.
//!
//! "IBM Aspera Node API" 4.4.6 documents the two settings in the storage of an access key, with the values that docroots have. A docroot is what the
//! server makes of a storage, so the same points are open: whether `s3.properties` wins, and whether HTTPS is used. That `pvcl_cloud` honours the
//! settings is not open here: it is what serves S3 in the version whose documentation has them.

use super::doubt::Doubt;
use super::endpoint::Endpoint;
use super::facts::Facts;
use super::possible::{Outcome, Possible};
use super::query::OptionValues;
use super::s3_docroot::{self, Served};

/// The storage of an access key, as far as it matters for the encryption of uploads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyStorage<'s> {
    /// A bucket at a host.
    S3 {
        /// The host with its port.
        host: &'s str,
        /// The encryption, if one is set.
        encryption: Option<&'s str>,
        /// The KMS key, if one is set.
        kms_key: Option<&'s str>,
    },
    /// Another kind of storage.
    NotS3,
    /// One of a form that is not documented.
    Unclear,
}

/// Returns the possible results of an upload with an access key that has a storage of its own.
pub fn with_access_key(storage: KeyStorage, facts: &Facts) -> Possible {
    let KeyStorage::S3 {
        host,
        encryption,
        kms_key,
    } = storage
    else {
        return match storage {
            KeyStorage::NotS3 => Possible::certainly(Outcome::NotS3),
            _ => Possible::anything(Doubt::UnclearStorage),
        };
    };
    let texts = |text: Option<&str>| text.map(str::to_owned).into_iter().collect();
    let values = OptionValues {
        encryptions: texts(encryption),
        kms_keys: texts(kms_key),
    };
    let mut possible = s3_docroot::served(&values, facts, Served::AccessKey);
    s3_docroot::add_doubts_of_values(&mut possible);
    let endpoint = Endpoint::parse(host);
    possible = possible.at(&endpoint);
    s3_docroot::add_doubts_of_endpoint(&mut possible, &endpoint);
    s3_docroot::add_doubts_of_transport(&mut possible, facts);
    let file = facts.system.as_ref();
    if file.is_some_and(|file| file.has_other_endpoint) {
        s3_docroot::add_doubts_of_other_endpoint(&mut possible);
        possible.add(Outcome::nothing());
    }
    // Without options of its own, the upload may get those of the file.
    if facts.trapd_runs_older_file {
        possible.unbound(Doubt::OlderFile);
    }
    possible
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::super::{Judged, Request, SystemFile, Verdict, Wanted};
    use super::*;
    use crate::aspera::setting::{Encryption, KmsKey};
    use crate::aspera::version::Version;

    const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    const HOST: &str = "s3.us-east-1.amazonaws.com";

    /// Returns the verdict and the names of the doubts.
    fn judged(
        storage: KeyStorage,
        system: Option<SystemFile>,
        trapd: bool,
    ) -> (Verdict, Vec<&'static str>) {
        let facts = Facts {
            system,
            trapd_enabled: Some(trapd),
            version: Version::from_ascp_output("ascp version 4.4.6.1646"),
            ..Facts::of(None)
        };
        let possible = Rc::new(with_access_key(storage, &facts));
        let key = KmsKey::parse(KEY).unwrap();
        let wanted = Rc::new(Wanted::Encryption(Encryption::AwsKms, vec![key]));
        let judged = Judged::new(0, &wanted, &possible, facts.version.as_ref());
        let doubts = judged.doubts.iter().map(|doubt| doubt.name()).collect();
        (judged.verdict, doubts)
    }

    fn s3<'s>(
        host: &'s str,
        encryption: Option<&'s str>,
        kms_key: Option<&'s str>,
    ) -> KeyStorage<'s> {
        KeyStorage::S3 {
            host,
            encryption,
            kms_key,
        }
    }

    #[test]
    fn the_table_of_storages() {
        use Verdict::{Met, NotS3, Unknown};
        let kms = || s3(HOST, Some("AWS_KMS"), Some(KEY));
        let differs = |verdict| matches!(verdict, Verdict::Violated(_));
        let nothing = || Some(SystemFile::default());
        let other = KEY.replace("1234abcd", "00000000");
        // A cloud node: pvcl_cloud serves, and s3.properties sets nothing.
        assert_eq!(judged(kms(), nothing(), false), (Met, vec![]));
        assert!(differs(judged(s3(HOST, None, None), nothing(), false).0));
        assert!(differs(
            judged(s3(HOST, Some("AES256"), None), nothing(), false).0
        ));
        assert!(differs(
            judged(s3(HOST, Some("AWS_KMS"), None), nothing(), false).0
        ));
        assert!(differs(
            judged(s3(HOST, Some("AWS_KMS"), Some(&other)), nothing(), false).0
        ));
        let doubt = |storage| {
            let (verdict, doubts) = judged(storage, nothing(), false);
            assert_eq!(verdict, Unknown);
            doubts
        };
        assert_eq!(
            doubt(s3("minio.example:9000", Some("AWS_KMS"), Some(KEY))),
            ["not_amazon"]
        );
        let elsewhere = s3("s3.eu-west-1.amazonaws.com", Some("AWS_KMS"), Some(KEY));
        assert_eq!(doubt(elsewhere), ["key_of_another_region"]);
        assert_eq!(
            doubt(s3(HOST, Some("aws:kms"), Some(KEY))),
            ["undocumented_value", "key_without_kms"]
        );
        assert_eq!(doubt(s3(HOST, Some("AWS_KMS"), Some("alias/a"))), ["alias"]);
        assert_eq!(doubt(KeyStorage::Unclear), ["unclear_storage"]);
        assert_eq!(judged(KeyStorage::NotS3, nothing(), false), (NotS3, vec![]));
    }

    #[test]
    fn the_file_of_trapd_may_win_or_fill_in() {
        use Verdict::{Met, Unknown};
        let file = |encryption: &str, key: Option<&str>| {
            Some(SystemFile {
                request: Request::new(Some(encryption.to_owned()), key.map(str::to_owned)),
                https_only: true,
                ..SystemFile::default()
            })
        };
        let kms = || s3(HOST, Some("AWS_KMS"), Some(KEY));
        assert_eq!(
            judged(kms(), file("AWS_KMS", Some(KEY)), true),
            (Met, vec![])
        );
        assert_eq!(
            judged(kms(), file("AES256", None), true),
            (Unknown, vec!["docroot_and_file", "key_without_kms"])
        );
        // A storage without a setting gets that of the file, if trapd serves it.
        let plain = || s3(HOST, None, None);
        assert_eq!(
            judged(plain(), file("AWS_KMS", Some(KEY)), true),
            (Met, vec![])
        );
        assert_eq!(
            judged(plain(), file("AWS_KMS", Some(KEY)), false).0,
            Unknown
        );
        assert_eq!(judged(kms(), None, true).0, Unknown);
        // trapd without HTTPS.
        let bare = Some(SystemFile::default());
        assert_eq!(
            judged(kms(), bare, true),
            (Unknown, vec!["https_not_forced"])
        );
    }
}
