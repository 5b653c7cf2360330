//! What becomes of docroots and of the file that holds them.

use super::conf::{ConfError, DocrootElement};
use super::request::Selection;
use super::scope::Scope;
use super::uri::{DocrootUri, Storage};
use crate::aspera::setting::{EncryptionSetting, FoundSetting, KmsKey};
use crate::text::splice::Edits;

/// The edits of a file, and what they do.
#[derive(Debug)]
pub struct Plan {
    /// The edits; none if all is as desired.
    pub edits: Edits,
    /// The file after the edits; nothing if there are none.
    pub after: Option<Vec<u8>>,
    /// The docroots that were asked for.
    pub docroots: Vec<PlannedDocroot>,
    /// The changed places, in the order of the file.
    pub changes: Vec<Change>,
    /// What was asked for, without there being any such docroot.
    pub not_found: Vec<Selection>,
}

/// What becomes of a docroot.
#[derive(Debug, PartialEq, Eq)]
pub struct PlannedDocroot {
    /// Whose it is.
    pub scope: Scope,
    /// The client address for which it is, if it is for one.
    pub peer_ip: Option<String>,
    /// The URI afterwards.
    pub uri: DocrootUri,
    /// The setting before.
    pub previous: FoundSetting,
    /// What is done with it.
    pub fate: Fate,
}

/// What is done with a docroot.
#[derive(Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is left alone.
    Skipped(SkipReason),
    /// It gets a setting, or has it.
    Set {
        /// The setting; nothing where none is desired.
        setting: Option<EncryptionSetting>,
        /// Whether that changes it.
        changed: bool,
        /// Whether one of its options stood more than once in its query.
        repeated: bool,
        /// Whether a key in its query goes because none is declared.
        loses_key: bool,
    },
}

/// Why a docroot is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SkipReason {
    /// It is empty.
    Empty,
    /// It is `AS_NULL`.
    Unset,
    /// Its scheme is `S3`.
    MisspelledS3,
    /// It leads to something else than S3.
    NotS3,
}

impl PlannedDocroot {
    /// The setting that it gets or has.
    pub fn setting(&self) -> Option<&EncryptionSetting> {
        match &self.fate {
            Fate::Set { setting, .. } => setting.as_ref(),
            Fate::Skipped(_) => None,
        }
    }

    /// Whether it changes.
    pub fn changed(&self) -> bool {
        matches!(self.fate, Fate::Set { changed: true, .. })
    }

    /// The key that may be shown, since the task names it.
    pub fn known_key(&self) -> Option<&KmsKey> {
        self.setting().and_then(EncryptionSetting::kms_key)
    }
}

/// A changed place of the file.
#[derive(Debug)]
pub struct Change {
    /// Which of the planned docroots it is, by its index.
    pub docroot: usize,
    /// The element as it is, or nothing if it is new.
    pub element: Option<DocrootElement>,
    /// The URI before; empty if there was none.
    pub before: DocrootUri,
    /// Where in the file it is.
    pub offset: usize,
}

impl Change {
    /// A docroot that comes where there was none.
    pub(super) fn of_new(docroot: usize, offset: usize) -> Self {
        Self {
            docroot,
            element: None,
            before: DocrootUri::new(""),
            offset,
        }
    }
}

/// Why there is no plan. Every message names the docroot, and none holds its URI.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The file cannot be read.
    #[error("{0}")]
    Conf(#[from] ConfError),
    /// There is no such user or group.
    #[error("has no {0}. Check the name, or give docroot to create it.")]
    Unknown(Scope, Vec<String>),
    /// There is no S3 docroot to put an option into.
    #[error("has no S3 docroot for {scope}: {found}.")]
    NoS3Docroot {
        /// Whose.
        scope: Scope,
        /// What is there instead, and what to do.
        found: InsteadOfS3,
    },
    /// A docroot was given for a place that has several.
    #[error(
        "has several docroots (absolute elements) for {0}, so that docroot cannot say which to set. Edit them by hand, or leave docroot out."
    )]
    SeveralDocroots(Scope),
    /// A docroot was given for a place that has one for some client only.
    #[error(
        "has a docroot for {0} that is for one client address only (peer_ip), so that docroot would not be set for all others. Edit it by hand, or leave docroot out."
    )]
    OnlyForAddress(Scope),
    /// A docroot was given beside restrictions.
    #[error(
        "has restrictions for {0}, as access keys need them; the vendor does not support a docroot beside them. Leave docroot out, or remove the restrictions."
    )]
    Restricted(Scope),
    /// A comment stands inside the text.
    #[error(
        "has a comment or processing instruction inside the docroot of {0}. Move it out of the absolute element first."
    )]
    Misc(Scope),
    /// It cannot be told where the query starts.
    #[error(
        "has a ? before the @ in the docroot of {0}, so that it cannot be told where its options start. Percent-encode the credentials (? is %3F) first."
    )]
    QuestionMark(Scope),
    /// The edited file would not read as intended.
    #[error(
        "would not read back as intended after the planned edit. This is a bug of ours, please report it."
    )]
    NotAsIntended,
}

/// What is in the place of an S3 docroot, and what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InsteadOfS3 {
    /// No docroot.
    #[error("there is no docroot. Give docroot to set one")]
    Nothing,
    /// Restrictions, and no docroot.
    #[error(
        "there are restrictions and no docroot, as access keys need it. Such transfers take the encryption from the access key's storage, \
         or from s3.properties"
    )]
    Restrictions,
    /// An empty docroot.
    #[error("the docroot is empty, which means the whole file system. Give docroot to set one")]
    Empty,
    /// `AS_NULL`.
    #[error("the docroot is AS_NULL, which means unset. Give docroot to set one")]
    Unset,
    /// `S3://` and the like.
    #[error(
        "the scheme of the docroot is not spelled s3:// in lower case, and Aspera takes it for something else. Correct it"
    )]
    MisspelledS3,
    /// Another storage, by its scheme.
    #[error("the docroot is {0}://, and the options for encryption are S3's. Leave this one out")]
    Other(&'static str),
    /// Nothing that is documented.
    #[error(
        "the docroot is neither a path nor a URI of a storage that the vendor describes. Correct it"
    )]
    Unknown,
    /// A path.
    #[error("the docroot is a local path. Leave this one out")]
    Local,
}

impl InsteadOfS3 {
    /// By what the first docroot leads to, if there is one, and whether there are restrictions.
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
