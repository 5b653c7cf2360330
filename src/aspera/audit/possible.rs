//! What may become of an upload: the set of results over all readings and all that is not known.

use std::fmt;

use super::doubt::Doubt;
use crate::aspera::setting::{Encryption, FoundValue};

/// The encryption and the key that Aspera asks S3 for, as the texts that were found.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Request {
    /// The encryption; `None` asks for nothing.
    pub encryption: Option<String>,
    /// The key.
    pub kms_key: Option<String>,
}

/// Where a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// The query of the docroot.
    Docroot,
    /// `s3.properties`.
    Trapd,
    /// It is set nowhere.
    Nowhere,
}

/// What one reading comes to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The upload does not go to S3.
    NotS3,
    /// The upload goes to S3 with this request.
    S3(Request, Source),
}

/// All that may become of an upload.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Possible {
    /// The results of the readings, the most plausible first.
    pub outcomes: Vec<Outcome>,
    /// Whether other results are possible as well.
    pub unbounded: bool,
    /// Whether something stands against calling even the listed results right.
    pub unproven: bool,
    /// The reasons, in the order in which they were found.
    pub doubts: Vec<Doubt>,
}

impl Request {
    /// Whether it asks for `AWS_KMS`.
    pub fn is_kms(&self) -> bool {
        self.encryption.as_deref() == Some(Encryption::AwsKms.as_str())
    }

    /// Whether it asks for any encryption or names a key.
    pub fn is_empty(&self) -> bool {
        self.encryption.is_none() && self.kms_key.is_none()
    }

    /// It in words, as it may be shown.
    pub fn words(&self) -> String {
        let encryption = self.shown_encryption();
        let encryption = encryption.unwrap_or_else(|| "no encryption".to_owned());
        match self.shown_kms_key() {
            Some(key) => format!("{encryption} with {key}"),
            None => encryption,
        }
    }

    /// The encryption as it may be shown.
    pub fn shown_encryption(&self) -> Option<String> {
        let found = self.encryption.as_deref().map(FoundValue::encryption);
        found.map(|value| value.shown().to_owned())
    }

    /// The key as it may be shown.
    pub fn shown_kms_key(&self) -> Option<String> {
        let found = self.kms_key.as_deref();
        let found = found.map(|text| FoundValue::kms_key(text, None));
        found.map(|value| value.shown().to_owned())
    }
}

/// Only what may be shown: a text in the wrong place may be a secret.
impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = (self.shown_encryption(), self.shown_kms_key());
        fmt::Debug::fmt(&shown, formatter)
    }
}

impl Outcome {
    /// An upload to S3 that asks for nothing.
    pub fn nothing() -> Self {
        Self::S3(Request::default(), Source::Nowhere)
    }

    /// The request, if the upload goes to S3.
    pub fn request(&self) -> Option<&Request> {
        match self {
            Self::NotS3 => None,
            Self::S3(request, _) => Some(request),
        }
    }

    /// Whether both come to the same, wherever it comes from.
    fn is_same(&self, other: &Self) -> bool {
        self.request() == other.request()
    }
}

impl Possible {
    /// One outcome and no other.
    pub fn certainly(outcome: Outcome) -> Self {
        Self {
            outcomes: vec![outcome],
            ..Self::default()
        }
    }

    /// Anything, for a reason.
    pub fn anything(doubt: Doubt) -> Self {
        let mut possible = Self::default();
        possible.unbound(doubt);
        possible
    }

    /// Whether exactly one outcome is possible and nothing stands against it.
    pub fn is_certain(&self) -> bool {
        !self.unbounded && !self.unproven && self.outcomes.len() == 1
    }

    /// Whether an upload to S3 is among the outcomes.
    pub fn may_be_s3(&self) -> bool {
        self.unbounded || self.requests().next().is_some()
    }

    /// The requests of those outcomes that go to S3.
    pub fn requests(&self) -> impl Iterator<Item = &Request> {
        self.outcomes.iter().filter_map(Outcome::request)
    }

    /// Adds an outcome, unless it is there already. Returns whether it was new.
    pub fn add(&mut self, outcome: Outcome) -> bool {
        let is_new = !self.outcomes.iter().any(|known| known.is_same(&outcome));
        if is_new {
            self.outcomes.push(outcome);
        }
        is_new
    }

    /// Adds an outcome of another reading; the doubt is a reason only where that makes a difference.
    pub fn add_for(&mut self, outcome: Outcome, doubt: Doubt) {
        if self.add(outcome) {
            self.note(doubt);
        }
    }

    /// Adds all that another set allows. Returns whether anything was new.
    pub fn merge(&mut self, other: Self) -> bool {
        let mut is_new = (other.unbounded && !self.unbounded) || (other.unproven && !self.unproven);
        for outcome in other.outcomes {
            is_new |= self.add(outcome);
        }
        self.unbounded |= other.unbounded;
        self.unproven |= other.unproven;
        for doubt in other.doubts {
            self.note(doubt);
        }
        is_new
    }

    /// Adds what another reading allows; the doubt is a reason only where that makes a difference.
    pub fn merge_for(&mut self, other: Self, doubt: Doubt) {
        if self.merge(other) {
            self.note(doubt);
        }
    }

    /// Allows anything else, for a reason.
    pub fn unbound(&mut self, doubt: Doubt) {
        self.unbounded = true;
        self.note(doubt);
    }

    /// Calls nothing right any more, for a reason.
    pub fn leave_unproven(&mut self, doubt: Doubt) {
        self.unproven = true;
        self.note(doubt);
    }

    /// Adds a reason.
    pub fn note(&mut self, doubt: Doubt) {
        if !self.doubts.contains(&doubt) {
            self.doubts.push(doubt);
        }
    }
}
