//! The encryption that a bucket gives to objects for which none is asked (`GetBucketEncryption`).

use super::encryption::{Algorithm, ObjectEncryption};
use super::refusal::Refusal;
use super::store::Store;
use crate::http::{Element, Method, Response};

/// The default encryption of a bucket.
pub type DefaultEncryption = ObjectEncryption;

impl Store<'_> {
    /// Returns the default encryption of the bucket.
    pub fn default_encryption(&self) -> Result<DefaultEncryption, Refusal> {
        let answer = self.ask(Method::Get, "", &[("encryption", "")], &[], b"")?;
        DefaultEncryption::of_bucket(&answer)
    }
}

impl DefaultEncryption {
    /// Reads an answer about a bucket.
    pub fn of_bucket(answer: &Response) -> Result<Self, Refusal> {
        if answer.status != 200 {
            return Err(Refusal::of(answer));
        }
        let root = Element::parse(&answer.body).map_err(|_| Refusal::NotS3)?;
        // Stores without this operation answer with a listing.
        if root.name != "ServerSideEncryptionConfiguration" {
            return Err(Refusal::NotImplemented);
        }
        let rule = root.at(&["Rule"]).ok_or(Refusal::NoDefault)?;
        let setting = rule
            .at(&["ApplyServerSideEncryptionByDefault"])
            .ok_or(Refusal::NoDefault)?;
        Ok(ObjectEncryption {
            algorithm: Algorithm::of_header(setting.text_at(&["SSEAlgorithm"])),
            kms_key: setting.text_at(&["KMSMasterKeyID"]).map(str::to_owned),
            bucket_key: rule.text_at(&["BucketKeyEnabled"]) == Some("true"),
        })
    }
}
