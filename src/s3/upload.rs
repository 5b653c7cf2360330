//! Writing an object, in one piece or in parts, and taking it away again.

use super::encryption::{Algorithm, ObjectEncryption};
use super::refusal::Refusal;
use super::store::Store;
use crate::http::{Element, Method, Response};

/// What S3 says of an object that it has taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Its version, in a bucket that keeps versions.
    pub version: Option<String>,
    pub encryption: ObjectEncryption,
}

/// The most open uploads that are counted.
const COUNTED: &str = "100";

impl Store<'_> {
    /// Writes an object with an encryption.
    pub fn put(
        &self,
        key: &str,
        encryption: &ObjectEncryption,
        body: &[u8],
    ) -> Result<Written, Refusal> {
        let answer = self.ask(Method::Put, key, &[], &headers(encryption), body)?;
        Written::of(&answer).ok_or_else(|| Refusal::of(&answer))
    }

    /// Begins an upload in parts with an encryption, and returns its id.
    pub fn begin_upload(
        &self,
        key: &str,
        encryption: &ObjectEncryption,
    ) -> Result<String, Refusal> {
        let answer = self.ask(
            Method::Post,
            key,
            &[("uploads", "")],
            &headers(encryption),
            b"",
        )?;
        if answer.status != 200 {
            return Err(Refusal::of(&answer));
        }
        let root = Element::parse(&answer.body).map_err(|_| Refusal::NotS3)?;
        let id = root.text_at(&["UploadId"]).filter(|id| !id.is_empty());
        id.map(str::to_owned).ok_or(Refusal::NotS3)
    }

    /// Writes the only part of an upload, and completes it.
    pub fn finish_upload(&self, key: &str, id: &str, body: &[u8]) -> Result<Written, Refusal> {
        let part = [("partNumber", "1"), ("uploadId", id)];
        let answer = self.ask(Method::Put, key, &part, &[], body)?;
        let tag = answer.header("etag").filter(|_| answer.status == 200);
        let tag = tag.ok_or_else(|| Refusal::of(&answer))?;
        let tag = tag.replace('&', "&amp;").replace('<', "&lt;");
        let list = format!(
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{tag}</ETag></Part></CompleteMultipartUpload>"
        );
        let answer = self.ask(Method::Post, key, &[("uploadId", id)], &[], list.as_bytes())?;
        // S3 may begin to answer with 200 before it knows, and end with an error.
        let root = Element::parse(&answer.body).map_err(|_| Refusal::of(&answer))?;
        match Written::of(&answer) {
            Some(written) if root.name == "CompleteMultipartUploadResult" => Ok(written),
            _ => Err(Refusal::of(&answer)),
        }
    }

    /// Takes an upload away that was begun and not finished.
    pub fn abort_upload(&self, key: &str, id: &str) -> Result<(), Refusal> {
        let answer = self.ask(Method::Delete, key, &[("uploadId", id)], &[], b"")?;
        (answer.status == 204)
            .then_some(())
            .ok_or_else(|| Refusal::of(&answer))
    }

    /// Takes an object away: this version, if it has one.
    pub fn delete(&self, key: &str, version: Option<&str>) -> Result<(), Refusal> {
        let version: Vec<(&str, &str)> = version
            .map(|version| ("versionId", version))
            .into_iter()
            .collect();
        let answer = self.ask(Method::Delete, key, &version, &[], b"")?;
        let is_gone = matches!(answer.status, 200 | 204);
        is_gone.then_some(()).ok_or_else(|| Refusal::of(&answer))
    }

    /// Returns how many uploads in parts are open whose keys have a prefix, up to 100.
    pub fn open_uploads(&self, prefix: &str) -> Result<usize, Refusal> {
        let parameters = [
            ("uploads", ""),
            ("prefix", prefix),
            ("max-uploads", COUNTED),
        ];
        let answer = self.ask(Method::Get, "", &parameters, &[], b"")?;
        if answer.status != 200 {
            return Err(Refusal::of(&answer));
        }
        let root = Element::parse(&answer.body).map_err(|_| Refusal::NotS3)?;
        if root.name != "ListMultipartUploadsResult" {
            return Err(Refusal::NotS3);
        }
        Ok(root.all("Upload").count())
    }
}

impl Written {
    /// Reads an answer, or returns nothing if the object was not taken.
    pub fn of(answer: &Response) -> Option<Self> {
        (answer.status == 200).then(|| Self {
            version: answer.header("x-amz-version-id").map(str::to_owned),
            encryption: ObjectEncryption::of(answer),
        })
    }
}

fn headers(encryption: &ObjectEncryption) -> Vec<(&'static str, String)> {
    let algorithm = encryption
        .algorithm
        .name()
        .filter(|_| encryption.algorithm != Algorithm::None);
    let algorithm = algorithm.map(|name| ("x-amz-server-side-encryption", name.to_owned()));
    let key = encryption.kms_key.clone();
    let key = key.map(|key| ("x-amz-server-side-encryption-aws-kms-key-id", key));
    algorithm.into_iter().chain(key).collect()
}
