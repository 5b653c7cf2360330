//! Looking at an object (`HeadObject`).

use std::time::SystemTime;

use super::encryption::ObjectEncryption;
use super::refusal::Refusal;
use super::store::Store;
use crate::http::{Method, Response};
use crate::utc::Utc;

/// An object, as S3 describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    pub encryption: ObjectEncryption,
    /// Its version, in a bucket that keeps versions.
    pub version: Option<String>,
    /// When it was last modified.
    pub last_modified: Option<SystemTime>,
    /// Whether it has the user metadata that was asked about, with that value.
    pub is_marked: bool,
}

impl Store<'_> {
    /// Looks at an object. `mark` is a name of user metadata with a value.
    ///
    /// No checksum is asked for, so that S3 needs no `kms:Decrypt`.
    pub fn head(&self, key: &str, mark: (&str, &str)) -> Result<Object, Refusal> {
        let answer = self.ask(Method::Head, key, &[], &[], b"")?;
        Object::of(&answer, mark)
    }
}

impl Object {
    /// Reads an answer. `mark` is a name of user metadata with a value.
    pub fn of(answer: &Response, mark: (&str, &str)) -> Result<Self, Refusal> {
        if answer.status != 200 {
            return Err(Refusal::of(answer));
        }
        Self::of_headers(answer, mark).ok_or(Refusal::NotS3)
    }

    fn of_headers(answer: &Response, (name, value): (&str, &str)) -> Option<Self> {
        // Every store sends both, and a page that stands in for the store neither.
        answer.header("etag")?;
        if ObjectEncryption::is_ambiguous(answer) {
            return None;
        }
        let last_modified = answer.header("last-modified").and_then(Utc::parse_http)?;
        Some(Self {
            encryption: ObjectEncryption::of(answer),
            version: answer.header("x-amz-version-id").map(str::to_owned),
            last_modified: Some(last_modified),
            is_marked: answer.header(&format!("x-amz-meta-{name}")) == Some(value),
        })
    }
}
