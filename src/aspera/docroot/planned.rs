//! A docroot with the change that is planned for it.

use std::rc::Rc;

use super::conf::DocrootElement;
use super::owner::Owner;
use super::request::Request;
use super::scope::Scope;
use super::uri::DocrootUri;
use super::uri_edits::KeyEncoding;
use crate::aspera::setting::{EncryptionSetting, FoundSetting, KmsKey};
use crate::text::xml::Content;

/// A docroot with the change that is planned for it.
///
/// There may be very many, so it keeps no text of the file: `file` is always the file before the change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedDocroot {
    pub(super) origin: Origin,
    pub(super) wish: Rc<Wish>,
    pub fate: Fate,
}

/// Where a planned docroot is before the change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// The file has the docroot.
    Found(Owner, DocrootElement),
    /// Nowhere: it is created.
    Nowhere(Box<Scope>),
}

/// What a request wants. Its docroots share it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wish {
    /// The setting, or `None` for no encryption option in the URI.
    pub(super) setting: Option<EncryptionSetting>,
    pub(super) encoding: Option<KeyEncoding>,
    /// The whole URI with its options, or `None` to keep the URI that exists.
    pub(super) uri: Option<DocrootUri>,
}

/// The planned change to a docroot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The docroot is left alone.
    Skipped(SkipReason),
    /// The docroot gets the setting or already has it.
    Set {
        /// What changes, or `None` if nothing does.
        change: Option<UriChange>,
        /// Whether one of its options occurred more than once in its query.
        repeated: bool,
        /// Whether a key is removed from its query because the encryption uses none.
        loses_key: bool,
    },
}

/// The part of a URI that changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UriChange {
    /// The options in its query.
    Options,
    Whole,
}

/// The reason why a docroot is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SkipReason {
    /// The docroot is empty.
    Empty,
    /// The docroot is `AS_NULL`.
    Unset,
    /// The scheme of the docroot is `S3`.
    MisspelledS3,
    /// The docroot leads to something other than S3.
    NotS3,
}

impl Wish {
    pub(super) fn of(request: &Request) -> Self {
        let with_options =
            |uri: &DocrootUri| uri.with(&uri.edits(request.desired.as_ref(), request.encoding));
        Self {
            setting: request.desired.clone(),
            encoding: request.encoding,
            uri: request.docroot.as_ref().map(with_options),
        }
    }

    /// Returns whether it is that of a request. Most requests want the same as the one before.
    pub(super) fn is_of(&self, request: &Request) -> bool {
        request.docroot.is_none()
            && self.uri.is_none()
            && self.setting == request.desired
            && self.encoding == request.encoding
    }
}

impl PlannedDocroot {
    /// Returns the scope that owns the docroot.
    pub fn scope(&self, file: &[u8]) -> Scope {
        match &self.origin {
            Origin::Found(owner, _) => owner.scope(file),
            Origin::Nowhere(scope) => (**scope).clone(),
        }
    }

    /// Returns the element, or `None` if the docroot is created.
    pub fn element(&self) -> Option<&DocrootElement> {
        match &self.origin {
            Origin::Found(_, element) => Some(element),
            Origin::Nowhere(_) => None,
        }
    }

    /// Returns the client address that the docroot applies to, or `None` if it applies to all clients.
    pub fn peer_ip(&self, file: &[u8]) -> Option<String> {
        self.element()?.peer_ip(file)
    }

    /// Returns the URI before the change, or an empty one if the docroot is created.
    pub fn uri_before(&self, file: &[u8]) -> DocrootUri {
        let text = |element: &DocrootElement| {
            let text = Content::text_of(file, &element.element.content());
            text.trim_ascii().to_owned()
        };
        DocrootUri::new(self.element().map(text).unwrap_or_default())
    }

    /// Returns the URI after the change.
    pub fn uri(&self, file: &[u8]) -> DocrootUri {
        self.uri_after(self.uri_before(file))
    }

    /// Returns the URI after the change from that before it.
    pub fn uri_after(&self, before: DocrootUri) -> DocrootUri {
        match (self.change(), &self.wish.uri) {
            (None, _) => before,
            (Some(UriChange::Whole), Some(uri)) => uri.clone(),
            (Some(_), _) => before.with_setting(self.wish.setting.as_ref(), self.wish.encoding),
        }
    }

    /// Returns the setting before the change, from the URI before it. A docroot that is left alone has none here.
    pub fn previous(&self, before: &DocrootUri) -> FoundSetting {
        match self.fate {
            Fate::Skipped(_) => FoundSetting::default(),
            Fate::Set { .. } => before.found_setting(self.known_key()),
        }
    }

    /// Returns the setting that the docroot gets or already has.
    pub fn setting(&self) -> Option<&EncryptionSetting> {
        match self.fate {
            Fate::Set { .. } => self.wish.setting.as_ref(),
            Fate::Skipped(_) => None,
        }
    }

    /// Returns whether the docroot changes.
    pub fn changed(&self) -> bool {
        self.change().is_some()
    }

    /// Returns the key that may be shown because the task names it.
    pub fn known_key(&self) -> Option<&KmsKey> {
        self.setting().and_then(EncryptionSetting::kms_key)
    }

    fn change(&self) -> Option<UriChange> {
        match self.fate {
            Fate::Set { change, .. } => change,
            Fate::Skipped(_) => None,
        }
    }
}
