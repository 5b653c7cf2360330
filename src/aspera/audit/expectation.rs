//! The expectations, and whether one possible result meets them.

use std::rc::Rc;

use super::doubt::Doubt;
use super::possible::Request;
use crate::aspera::docroot::Scope;
use crate::aspera::setting::{Encryption, FoundValue, KmsKey, OnlyAwsKnows};

/// One entry of the list of expectations. The first entry that names a docroot judges it.
#[derive(Debug, Clone)]
pub struct Expectation {
    /// The expected setting. Every violation of it refers to it.
    pub wanted: Rc<Wanted>,
    /// The scopes that the entry applies to. An empty list means every docroot.
    pub scopes: Vec<ScopePattern>,
    /// Whether docroots that no entry names must not set anything else than `s3.properties`. Goes with [`ScopePattern::System`].
    pub docroots_follow: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// An encryption with one of the keys. An empty list means any key, including the one that AWS manages.
    Encryption(Encryption, Vec<KmsKey>),
    /// No setting. Only `s3.properties` can be expected to have none.
    Absent,
}

/// A scope that an expectation names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ScopePattern {
    /// `s3.properties`, as a setting of its own.
    System,
    /// All users that have a row of their own.
    Users,
    Groups,
    /// One user, one group or the default.
    One(Scope),
    /// All access keys of the Node API.
    AccessKeys,
    /// The access key with this id.
    AccessKey(String),
}

impl Expectation {
    /// Returns whether it names an access key.
    pub fn names_access_key(&self, id: &str) -> bool {
        let names = |pattern: &ScopePattern| match pattern {
            ScopePattern::AccessKeys => true,
            ScopePattern::AccessKey(one) => one == id,
            _ => false,
        };
        self.scopes.is_empty() || self.scopes.iter().any(names)
    }
}

impl ScopePattern {
    /// Returns the one scope that it names, if it names one.
    pub fn scope(&self) -> Option<&Scope> {
        match self {
            Self::One(scope) => Some(scope),
            _ => None,
        }
    }

    /// Returns whether it names access keys.
    pub fn is_of_access_keys(&self) -> bool {
        matches!(self, Self::AccessKeys | Self::AccessKey(_))
    }
}

/// The comparison of one possible result with an expectation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// The result meets the expectation.
    Meets,
    /// The result differs from the expectation.
    Differs(Difference),
    /// It is not known whether the result meets the expectation.
    Unknown(Doubt),
}

/// A difference between a result and an expectation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    OtherEncryption,
    /// No key where one is expected.
    NoKey,
    /// A value of the key setting that is not a key name.
    NotAKey,
    OtherKey,
    /// A setting where none is expected.
    NotAbsent,
    /// A docroot with a setting of its own beside the one of the whole server.
    OwnSetting,
    /// A version of Aspera without `AWS_KMS`.
    VersionTooOld,
}

impl Difference {
    /// Returns the difference as a sentence without a full stop.
    pub fn why(self) -> &'static str {
        match self {
            Self::OtherEncryption => "another encryption is in effect",
            Self::NoKey => "no key is named, so S3 uses the key that AWS manages",
            Self::NotAKey => "the value of the key is not the name of a KMS key",
            Self::OtherKey => "another key is used",
            Self::NotAbsent => "a setting is in force where none is expected",
            Self::OwnSetting => {
                "the docroot has a setting of its own beside that of the whole server, and which of the two wins is not documented"
            }
            Self::VersionTooOld => "this version of Aspera does not support AWS_KMS",
        }
    }
}

impl Wanted {
    /// Returns the expectation as text for messages.
    pub fn words(&self) -> String {
        let Self::Encryption(encryption, keys) = self else {
            return "no setting".to_owned();
        };
        // A bare id may be a password in the wrong place.
        let keys = keys
            .iter()
            .map(|key| FoundValue::kms_key(key.as_str(), None));
        let keys: Vec<String> = keys.map(|key| key.shown().to_owned()).collect();
        match keys.as_slice() {
            [] => encryption.to_string(),
            [key] => format!("{encryption} with {key}"),
            keys => format!("{encryption} with one of {}", keys.join(", ")),
        }
    }

    /// Returns whether it expects `AWS_KMS`.
    pub fn is_kms(&self) -> bool {
        matches!(self, Self::Encryption(Encryption::AwsKms, _))
    }

    /// Compares one possible result with the expectation.
    pub fn compare(&self, request: &Request) -> Comparison {
        match self {
            Self::Absent if request.is_empty() => Comparison::Meets,
            Self::Absent => Comparison::Differs(Difference::NotAbsent),
            Self::Encryption(encryption, keys) => compare(*encryption, keys, request),
        }
    }
}

fn compare(wanted: Encryption, keys: &[KmsKey], request: &Request) -> Comparison {
    let encryption = match request.encryption.as_deref().map(Encryption::parse) {
        None => Encryption::None,
        Some(Ok(encryption)) => encryption,
        Some(Err(_)) => return Comparison::Unknown(Doubt::UndocumentedValue),
    };
    if encryption != wanted {
        return Comparison::Differs(Difference::OtherEncryption);
    }
    if keys.is_empty() {
        return Comparison::Meets;
    }
    let Some(text) = request.kms_key.as_deref() else {
        // Without a key, S3 uses this one.
        if keys.iter().any(|key| key.as_str() == "alias/aws/s3") {
            return Comparison::Meets;
        }
        return Comparison::Differs(Difference::NoKey);
    };
    if text.contains("$(") {
        return Comparison::Unknown(Doubt::Substitution);
    }
    let Ok(found) = KmsKey::parse(text) else {
        // The other characters may be removed before the name reaches S3, or they may not.
        return if KmsKey::parse(text.trim_matches(|c: char| !c.is_ascii_alphanumeric())).is_ok() {
            Comparison::Unknown(Doubt::BlanksAroundKey)
        } else {
            Comparison::Differs(Difference::NotAKey)
        };
    };
    let mut doubt = None;
    for key in keys {
        match key.is_same(&found) {
            Ok(true) if is_elsewhere(key, request) => {
                doubt = doubt.or(Some(Doubt::KeyOfAnotherRegion));
            }
            Ok(true) => return Comparison::Meets,
            Ok(false) => {}
            Err(why) => doubt = doubt.or(Some(why.into())),
        }
    }
    doubt.map_or(
        Comparison::Differs(Difference::OtherKey),
        Comparison::Unknown,
    )
}

/// Returns whether a key is of another region or partition than the endpoint that looks up the bare id of a request.
fn is_elsewhere(key: &KmsKey, request: &Request) -> bool {
    let place = key.partition_and_region();
    place.is_some_and(|(partition, region)| request.endpoint.refuses_key_of(partition, region))
}

impl From<OnlyAwsKnows> for Doubt {
    fn from(why: OnlyAwsKnows) -> Self {
        match why {
            OnlyAwsKnows::Alias => Self::Alias,
            OnlyAwsKnows::MultiRegion => Self::MultiRegionKey,
            OnlyAwsKnows::LetterCase => Self::LetterCase,
        }
    }
}
