//! The possible results of an upload: the set of results over all readings and over all facts that are not known.

use std::fmt;

use super::doubt::Doubt;
use super::endpoint::Endpoint;
use crate::aspera::setting::{Encryption, FoundValue, KmsKey};

/// The encryption and the key that Aspera requests from S3, as the texts in the configuration.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Request {
    /// The encryption, or `None` if no encryption is requested.
    pub encryption: Option<String>,
    /// The key, or `None` if no key is named.
    pub kms_key: Option<String>,
    /// The endpoint that gets the request. Only a bare key id depends on it: it names a key in the region of the request. Otherwise this is the default.
    pub endpoint: Endpoint,
}

/// The source of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// The query of the docroot.
    Docroot,
    /// The system-wide setting in `s3.properties`.
    Trapd,
    /// No source: nothing sets an encryption.
    Nowhere,
}

/// The result of an upload under one reading.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The upload does not go to S3.
    NotS3,
    /// The upload goes to S3 with this request.
    S3(Request, Source),
}

/// The possible results of an upload.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Possible {
    /// The results of the readings, the most plausible first.
    pub outcomes: Vec<Outcome>,
    /// Whether other results are possible as well.
    pub unbounded: bool,
    /// The reasons not to call even the listed results right. They are among `doubts`, too.
    pub against: Vec<Doubt>,
    /// The reasons, in the order in which they were found.
    pub doubts: Vec<Doubt>,
}

impl Request {
    /// Creates a request to an endpoint that is not known.
    pub fn new(encryption: Option<String>, kms_key: Option<String>) -> Self {
        Self {
            encryption,
            kms_key,
            endpoint: Endpoint::default(),
        }
    }

    /// Returns the request as one to an endpoint.
    fn at(self, endpoint: &Endpoint) -> Self {
        let key = self.kms_key.as_deref().map(KmsKey::parse);
        let is_bare_id = key.is_some_and(|key| key.is_ok_and(|key| key.is_bare_id()));
        Self {
            endpoint: if is_bare_id {
                endpoint.clone()
            } else {
                Endpoint::default()
            },
            ..self
        }
    }

    /// Returns whether S3 refuses the key that it names: it requires `aws:kms` for a key (`InvalidArgument`).
    pub fn has_key_without_kms(&self) -> bool {
        self.kms_key.is_some() && !self.is_kms()
    }

    /// Returns whether it requests `AWS_KMS`.
    pub fn is_kms(&self) -> bool {
        self.encryption.as_deref() == Some(Encryption::AwsKms.as_str())
    }

    /// Returns whether it neither requests an encryption nor names a key.
    pub fn is_empty(&self) -> bool {
        self.encryption.is_none() && self.kms_key.is_none()
    }

    /// Returns the request as text that may be shown.
    pub fn words(&self) -> String {
        let is_blank = |text: &String| text.trim_ascii().is_empty();
        let encryption = match self.shown_encryption() {
            None => "no encryption".to_owned(),
            Some(text) if is_blank(&text) => "an empty encryption".to_owned(),
            Some(text) => text,
        };
        match self.shown_kms_key() {
            None => encryption,
            Some(key) if is_blank(&key) => format!("{encryption} with an empty key name"),
            Some(key) => format!("{encryption} with {key}"),
        }
    }

    /// Returns the encryption as text that may be shown.
    pub fn shown_encryption(&self) -> Option<String> {
        let found = self.encryption.as_deref().map(FoundValue::encryption);
        found.map(|value| value.shown().to_owned())
    }

    /// Returns the key as text that may be shown.
    pub fn shown_kms_key(&self) -> Option<String> {
        let found = self.kms_key.as_deref();
        let found = found.map(|text| FoundValue::kms_key(text, None));
        found.map(|value| value.shown().to_owned())
    }
}

/// Writes only text that may be shown: a value that is not recognised may be a secret in the wrong place.
impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = (self.shown_encryption(), self.shown_kms_key());
        fmt::Debug::fmt(&shown, formatter)
    }
}

impl Outcome {
    /// Returns an upload to S3 that requests no encryption.
    pub fn nothing() -> Self {
        Self::S3(Request::default(), Source::Nowhere)
    }

    /// Returns the request, if the upload goes to S3.
    pub fn request(&self) -> Option<&Request> {
        match self {
            Self::NotS3 => None,
            Self::S3(request, _) => Some(request),
        }
    }

    /// Returns whether both are the same result, regardless of its source.
    fn is_same(&self, other: &Self) -> bool {
        self.request() == other.request()
    }
}

impl Possible {
    /// Returns a set with exactly one outcome.
    pub fn certainly(outcome: Outcome) -> Self {
        Self {
            outcomes: vec![outcome],
            ..Self::default()
        }
    }

    /// Returns a set in which anything is possible, for a reason.
    pub fn anything(doubt: Doubt) -> Self {
        let mut possible = Self::default();
        possible.unbound(doubt);
        possible
    }

    /// Returns whether exactly one outcome is possible and there is no reason to doubt it.
    pub fn is_certain(&self) -> bool {
        !self.unbounded && !self.is_unproven() && self.outcomes.len() == 1
    }

    /// Returns whether an upload to S3 is among the outcomes.
    pub fn may_be_s3(&self) -> bool {
        self.unbounded || self.requests().next().is_some()
    }

    /// Returns the requests of the outcomes that go to S3.
    pub fn requests(&self) -> impl Iterator<Item = &Request> {
        self.outcomes.iter().filter_map(Outcome::request)
    }

    /// Returns the same results of uploads to an endpoint.
    #[must_use]
    pub fn at(&self, endpoint: &Endpoint) -> Self {
        let outcomes = self.outcomes.iter().map(|outcome| match outcome {
            Outcome::NotS3 => Outcome::NotS3,
            Outcome::S3(request, source) => Outcome::S3(request.clone().at(endpoint), *source),
        });
        Self {
            outcomes: outcomes.collect(),
            ..self.clone()
        }
    }

    /// Adds an outcome unless it is in the set already. Returns whether it was new.
    pub fn add(&mut self, outcome: Outcome) -> bool {
        let is_new = !self.outcomes.iter().any(|known| known.is_same(&outcome));
        if is_new {
            self.outcomes.push(outcome);
        }
        is_new
    }

    /// Adds an outcome of another reading. The doubt becomes a reason only if the outcome is new.
    pub fn add_for(&mut self, outcome: Outcome, doubt: Doubt) {
        if self.add(outcome) {
            self.note(doubt);
        }
    }

    /// Adds everything that another set allows. Returns whether anything was new.
    pub fn merge(&mut self, other: Self) -> bool {
        let mut is_new =
            (other.unbounded && !self.unbounded) || (other.is_unproven() && !self.is_unproven());
        for outcome in other.outcomes {
            is_new |= self.add(outcome);
        }
        self.unbounded |= other.unbounded;
        for doubt in other.against {
            self.stand_against(doubt);
        }
        for doubt in other.doubts {
            self.note(doubt);
        }
        is_new
    }

    /// Adds everything that another reading allows. The doubt becomes a reason only if anything is new.
    pub fn merge_for(&mut self, other: Self, doubt: Doubt) {
        if self.merge(other) {
            self.note(doubt);
        }
    }

    /// Allows any other result, for a reason.
    pub fn unbound(&mut self, doubt: Doubt) {
        self.unbounded = true;
        self.note(doubt);
    }

    /// Marks all results as unproven, for a reason.
    pub fn leave_unproven(&mut self, doubt: Doubt) {
        self.stand_against(doubt);
        self.note(doubt);
    }

    /// Returns whether there is a reason not to call even the listed results right.
    pub fn is_unproven(&self) -> bool {
        !self.against.is_empty()
    }

    fn stand_against(&mut self, doubt: Doubt) {
        if !self.against.contains(&doubt) {
            self.against.push(doubt);
        }
    }

    pub fn note(&mut self, doubt: Doubt) {
        if !self.doubts.contains(&doubt) {
            self.doubts.push(doubt);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_request_name_what_is_empty_and_hide_what_may_be_secret() {
        for (encryption, kms_key, words) in [
            (None, None, "no encryption"),
            (Some("AES256"), None, "AES256"),
            (Some("AWS_KMS"), Some("alias/a"), "AWS_KMS with alias/a"),
            (Some("AWS_KMS"), Some(" "), "AWS_KMS with an empty key name"),
            (Some(""), None, "an empty encryption"),
            (
                Some("SECRET"),
                Some("SE+CRET"),
                "(unrecognised value) with (unrecognised value)",
            ),
        ] {
            let request = Request::new(encryption.map(str::to_owned), kms_key.map(str::to_owned));
            assert_eq!(request.words(), words);
        }
    }
}
