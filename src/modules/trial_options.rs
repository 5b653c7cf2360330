//! The options of `aspera_s3_trial_upload`, and what they say is to be tried in which docroot.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use anyhow::Result;
use serde::Deserialize;

use super::docroot_options::{Entry, named_requests};
use super::objects_docroots::{Docroot, Found};
use super::s3_options::{Access, AccessOptions, ScopeOptions, failure};
use super::setting::{self, State};
use crate::aspera::docroot::{DocrootUri, Request, Scope, Selection};
use crate::aspera::host::Installation;
use crate::aspera::objects::S3Place;
use crate::aspera::setting::{Encryption, EncryptionSetting, FoundSetting, FoundValue};

#[derive(Deserialize)]
pub(super) struct Options {
    aspera_root: PathBuf,
    path: Option<PathBuf>,
    #[serde(flatten)]
    scope: ScopeOptions,
    docroots: Option<Vec<Entry>>,
    server_side_encryption: Option<String>,
    kms_key_id: Option<String>,
    validate_kms_key_id: bool,
    system_wide: bool,
    unless_set: bool,
    multipart: bool,
    #[serde(flatten)]
    access: AccessOptions,
}

/// What the task asks.
pub(super) struct Question {
    pub(super) conf_path: PathBuf,
    pub(super) properties_path: PathBuf,
    /// The scope of which the docroots are wanted, or `None` for all.
    pub(super) scope: Option<Scope>,
    /// What is to be set in single docroots.
    named: Option<Vec<Request>>,
    /// What is to be tried in all others.
    others: Option<EncryptionSetting>,
    /// Whether what is tried in all others is to be set for the whole server.
    is_system_wide: bool,
    unless_set: bool,
    pub(super) in_parts: bool,
    pub(super) access: Access,
}

impl Options {
    /// Checks all options. `task` holds those that an element of `docroots` may have too.
    pub(super) fn question(self, task: &Entry) -> Result<Question> {
        let scope = self.scope.scope()?;
        let named = self.docroots.as_deref();
        if named.is_some() && (scope.is_some() || self.scope.is_all()) {
            return failure(
                "The option docroots names the docroots itself. Leave out user, group, global and all.",
            );
        }
        if self.server_side_encryption.is_none() && named.is_none() {
            return failure(
                "The option server_side_encryption is missing. Set it to AES256 or AWS_KMS, or name docroots with what to try in each.",
            );
        }
        if self.server_side_encryption.is_none() && self.kms_key_id.is_some() {
            return failure(
                "kms_key_id goes with server_side_encryption AWS_KMS. Set both, or leave out both.",
            );
        }
        let others = match &self.server_side_encryption {
            None => None,
            Some(encryption) => {
                let key = self.kms_key_id.as_deref();
                setting::desired(
                    State::Present,
                    Some(encryption),
                    key,
                    false,
                    self.validate_kms_key_id,
                )?
            }
        };
        let is_none = |setting: &EncryptionSetting| setting.encryption() == Encryption::None;
        if others.as_ref().is_some_and(is_none) {
            return failure(
                "server_side_encryption is NONE, which asks S3 for nothing. There is nothing to try.",
            );
        }
        let named = named.map(|entries| named_requests(entries, task, self.validate_kms_key_id));
        let installation = Installation::at(&self.aspera_root);
        Ok(Question {
            conf_path: self
                .path
                .clone()
                .unwrap_or_else(|| installation.aspera_conf()),
            properties_path: installation.s3_properties(),
            scope,
            named: named.transpose()?,
            // Without it, the option is for the elements of docroots that have none.
            others: others.filter(|_| self.docroots.is_none() || self.system_wide),
            is_system_wide: self.system_wide,
            unless_set: self.unless_set,
            in_parts: self.multipart,
            access: self.access.access()?,
        })
    }
}

impl Question {
    /// Returns the docroots with what is to be tried in each. `system` is the setting in `s3.properties`, if that could be read.
    pub(super) fn trials(
        &self,
        found: &mut Found,
        system: Option<&FoundSetting>,
    ) -> Vec<(Docroot, EncryptionSetting)> {
        let requests = self.requests();
        let mut seen = HashSet::new();
        let mut trials = Vec::new();
        for docroot in std::mem::take(&mut found.docroots) {
            let Some((scope, request)) = requests.get_key_value(&docroot.scope) else {
                trials.extend(self.trial_by_others(docroot, false, system));
                continue;
            };
            seen.insert(*scope);
            trials.extend(match &request.desired {
                None => self.trial_by_others(docroot, true, system),
                Some(setting) => {
                    let (docroot, is_moved) = docroot.moved(request.docroot.as_ref());
                    self.trial(docroot, is_moved, setting)
                }
            });
        }
        for request in self.named.iter().flatten() {
            let Selection::Of(scope) = &request.selection else {
                continue;
            };
            match (&request.docroot, &request.desired) {
                _ if seen.contains(scope) => {}
                (Some(uri), Some(setting)) => {
                    let docroot = Docroot {
                        scope: scope.clone(),
                        access_key: None,
                        peer_ip: None,
                        uri: uri.clone(),
                    };
                    trials.extend(self.trial(docroot, true, setting));
                }
                (None, Some(_)) => found.note_no_docroot(scope),
                (_, None) => {}
            }
        }
        trials
    }

    fn requests(&self) -> HashMap<&Scope, &Request> {
        let named = self.named.iter().flatten();
        let of_scope = named.filter_map(|request| match &request.selection {
            Selection::Of(scope) => Some((scope, request)),
            Selection::All => None,
        });
        of_scope.collect()
    }

    /// Returns the trial in a docroot of what it is to have, unless that asks S3 for nothing or is there already.
    fn trial(
        &self,
        docroot: Docroot,
        is_moved: bool,
        setting: &EncryptionSetting,
    ) -> Option<(Docroot, EncryptionSetting)> {
        let is_set = !is_moved && docroot.uri.holds(Some(setting));
        let is_due = setting.encryption() != Encryption::None && !(self.unless_set && is_set);
        is_due.then(|| (docroot, setting.clone()))
    }

    /// Returns the trial in a docroot of what all others are to have. `loses_own` says that the setting in it goes.
    fn trial_by_others(
        &self,
        docroot: Docroot,
        loses_own: bool,
        system: Option<&FoundSetting>,
    ) -> Option<(Docroot, EncryptionSetting)> {
        let setting = self.others.as_ref()?;
        if self.is_system_wide {
            let has_own = docroot.uri.found_setting(None).encryption.is_some();
            let follows_already = !has_own && system == Some(&found(setting));
            if has_own && !loses_own || self.unless_set && follows_already {
                return None;
            }
            return Some((docroot, setting.clone()));
        }
        self.trial(docroot, false, setting)
    }
}

/// Returns a setting as it is found where it is in force.
fn found(setting: &EncryptionSetting) -> FoundSetting {
    let key = setting.kms_key();
    FoundSetting {
        encryption: Some(FoundValue::encryption(setting.encryption().as_str())),
        kms_key: key.map(|key| FoundValue::kms_key(key.as_str(), None)),
    }
}

impl Docroot {
    /// Returns the docroot as it is after the request, and whether it leads elsewhere then. One for a client address stays where it is.
    fn moved(self, uri: Option<&DocrootUri>) -> (Self, bool) {
        let Some(uri) = uri.filter(|_| self.peer_ip.is_none()) else {
            return (self, false);
        };
        let place = |uri: &DocrootUri| S3Place::of(uri, &self.scope).ok();
        let is_new = place(uri).is_none() || place(uri) != place(&self.uri);
        let uri = if is_new { uri.clone() } else { self.uri };
        (Self { uri, ..self }, is_new)
    }
}
