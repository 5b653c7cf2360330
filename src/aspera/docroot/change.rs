//! The plan for a file, or the reason why there is none.

use super::conf::ConfError;
use super::planned::PlannedDocroot;
use super::request::Selection;
use super::scope::Scope;
use super::uncovered::Uncovered;
use super::uri::Storage;
use crate::text::splice::Edits;

/// The edits of a file, and what they do.
#[derive(Debug)]
pub struct Plan {
    /// The edits. There are none if everything is as desired.
    pub edits: Edits,
    /// The file after the edits, or `None` if there are none.
    pub after: Option<Vec<u8>>,
    pub docroots: Vec<PlannedDocroot>,
    /// The changed places, in the order of the file.
    pub changes: Vec<Change>,
    /// The selections that match no docroot.
    pub not_found: Vec<Selection>,
    /// The places of the file that may matter for uploads, and that no plan covers.
    pub uncovered: Vec<Uncovered>,
}

/// A changed place in the file.
#[derive(Debug)]
pub struct Change {
    /// The index of the planned docroot.
    pub docroot: usize,
    /// The offset in the file.
    pub offset: usize,
}

/// The reason why there is no plan. Every message names the docroot, and none contains its URI.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The file cannot be read.
    #[error("{0}")]
    Conf(#[from] ConfError),
    /// The task selects a user or group that does not exist.
    #[error("has no {0}. Check the name, or give docroot to create it.")]
    Unknown(Scope, Vec<String>),
    /// The scope has no S3 docroot to put an option into.
    #[error("has no S3 docroot for {scope}: {found}.")]
    NoS3Docroot {
        scope: Scope,
        /// The storage or state found instead, and what to do.
        found: InsteadOfS3,
    },
    /// The task gives a docroot for a scope that has several.
    #[error(
        "has several docroots (absolute elements) for {0}, so docroot does not say which one to set. Edit them by hand, or leave docroot out."
    )]
    SeveralDocroots(Scope),
    /// The task gives a docroot for a scope that has one for a single client address only.
    #[error(
        "has a docroot for {0} that applies to one client address only (peer_ip), so the other clients would not get docroot. Edit it by hand, or leave docroot out."
    )]
    OnlyForAddress(Scope),
    /// The task gives a docroot for a scope that has restrictions.
    #[error(
        "has restrictions for {0}, which access keys need. The vendor does not support restrictions and a docroot in the same block. Leave docroot out, or remove the restrictions."
    )]
    Restricted(Scope),
    /// There is a comment inside the text.
    #[error(
        "has a comment or processing instruction inside the docroot of {0}. Move it out of the absolute element first."
    )]
    Misc(Scope),
    /// The start of the query is ambiguous.
    #[error(
        "has a ? before the @ in the docroot of {0}, so the start of its options is ambiguous. Percent-encode the credentials (? is %3F) first."
    )]
    QuestionMark(Scope),
    /// Docroots have a key, and the task names none.
    #[error(
        "has a KMS key in the docroot of {0}, and the task names none. Name it in kms_key_id, or set aws_managed_key: true if uploads are to use the key \
         that AWS manages (aws/s3)."
    )]
    KeyNotNamed(String),
    /// The edited file would not read as intended.
    #[error(
        "would not read back as intended after the planned edit. This is a bug in this module. Please report it."
    )]
    NotAsIntended,
}

/// The storage or state found instead of an S3 docroot, and what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InsteadOfS3 {
    #[error("there is no docroot. Give docroot to set one")]
    Nothing,
    /// Restrictions without a docroot.
    #[error(
        "there are restrictions and no docroot, which is the setup for access keys. Such transfers take the encryption from the access key's storage, \
         or from s3.properties"
    )]
    Restrictions,
    #[error("the docroot is empty, which means the whole file system. Give docroot to set one")]
    Empty,
    /// The value `AS_NULL`, which means unset.
    #[error("the docroot is AS_NULL, which means unset. Give docroot to set one")]
    Unset,
    /// `S3://` instead of `s3://`.
    #[error(
        "the scheme of the docroot is not s3:// in lower case, and Aspera does not recognise it as S3. Correct it"
    )]
    MisspelledS3,
    /// Another storage, by its scheme.
    #[error(
        "the docroot is {0}://, and the encryption options apply to S3 only. Leave this docroot out"
    )]
    Other(&'static str),
    /// Text in a form that the vendor does not document.
    #[error(
        "the docroot is neither a path nor a URI of a storage that the vendor describes. Correct it"
    )]
    Unknown,
    /// A path of the local file system.
    #[error("the docroot is a local path. Leave this docroot out")]
    Local,
}

impl InsteadOfS3 {
    /// Builds the value from the storage of the first docroot, if there is one, and from whether there are restrictions.
    pub(super) fn new(first: Option<Storage>, is_restricted: bool) -> Self {
        match first {
            None if is_restricted => Self::Restrictions,
            None => Self::Nothing,
            Some(Storage::Empty) => Self::Empty,
            Some(Storage::Unset) => Self::Unset,
            Some(Storage::MisspelledS3) => Self::MisspelledS3,
            Some(Storage::Other(scheme)) => Self::Other(scheme),
            Some(Storage::Unknown) => Self::Unknown,
            Some(Storage::S3 | Storage::Local) => Self::Local,
        }
    }
}
