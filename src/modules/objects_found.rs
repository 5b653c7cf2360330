//! What to look at in a docroot, and what was found there.

use std::time::SystemTime;

use super::objects_cause::Cause;
use super::objects_identity::Source;
use super::objects_options::Which;
use crate::http::Counts;
use crate::s3::{DefaultEncryption, Object, Place, Refusal};

/// What to look at.
pub(super) struct Wanted<'w> {
    pub(super) place: Place,
    /// The start of all keys of the docroot.
    pub(super) folder: &'w str,
    pub(super) which: &'w Which,
    pub(super) list_limit: usize,
    pub(super) head_limit: usize,
    pub(super) since: Option<SystemTime>,
}

/// What was found in one docroot.
#[derive(Debug, Clone, Default)]
pub(super) struct Findings {
    pub(super) identity: Option<Source>,
    pub(super) region: Option<String>,
    pub(super) listing: Option<Listing>,
    pub(super) seen: Vec<Seen>,
    /// The objects in question that were not seen, by reason. A reason without objects is about the whole docroot.
    pub(super) unseen: Vec<(Cause, usize)>,
    pub(super) bucket_default: Option<Result<DefaultEncryption, Cause>>,
    pub(super) clock_ahead: Option<i64>,
    pub(super) requests: Counts,
}

/// A listing, in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Listing {
    pub(super) keys: usize,
    pub(super) is_complete: bool,
    /// What is no upload: folder markers and unfinished files.
    pub(super) skipped: usize,
    /// The objects that are older than `since`.
    pub(super) older: usize,
    pub(super) in_question: usize,
}

/// An object that was looked at.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    /// The key below the docroot.
    pub(super) key: String,
    pub(super) object: Object,
    /// Whether it may be older than `since`.
    pub(super) is_near_since: bool,
}

impl Findings {
    /// A look that could not even begin.
    pub(super) fn failed(cause: Cause) -> Self {
        Self {
            unseen: vec![(cause, 0)],
            ..Self::default()
        }
    }

    /// Returns whether S3 denied something to the identity.
    pub(super) fn is_denied(&self) -> bool {
        let denied = Cause::Refused(Refusal::Denied);
        self.unseen.iter().any(|(cause, _)| *cause == denied)
    }

    /// Notes a reason why some objects were not seen.
    pub(super) fn note(&mut self, cause: Cause, objects: usize) {
        match self.unseen.iter_mut().find(|(known, _)| *known == cause) {
            Some((_, count)) => *count += objects,
            None => self.unseen.push((cause, objects)),
        }
    }
}
