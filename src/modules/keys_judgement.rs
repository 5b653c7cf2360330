//! The judgement of the access keys of a node.

use std::rc::Rc;

use super::keys_storage::storage;
use crate::aspera::audit::{
    Doubt, Expectation, Facts, Judged, KeyStorage, Outcome, Possible, Request, Rows, Source,
    Verdict, judge, rows_with, with_access_key,
};
use crate::aspera::docroot::Scope;
use crate::node::AccessKey;

/// What is known of the node, if it is this host.
pub(super) struct ThisHost<'a> {
    pub(super) facts: &'a Facts<'a>,
    /// The rows of the audit.
    rows: Rows<'a>,
    /// The results of uploads of the transfer user, if `aspera.conf` does not name that user.
    of_unnamed: Option<Rc<Possible>>,
    transfer_user: Option<Scope>,
}

/// An access key with the results that an upload with it may have.
pub(super) struct JudgedKey {
    pub(super) possible: Rc<Possible>,
    /// Whether uploads go to the docroot of the transfer user.
    pub(super) is_of_user: bool,
    /// The judgement, if an entry names it.
    pub(super) judged: Option<Judged>,
}

impl JudgedKey {
    /// Returns the index of the entry that judges it, from 0.
    pub(super) fn entry(&self) -> Option<usize> {
        self.judged.as_ref().map(|judged| judged.entry)
    }

    /// Returns whether uploads with it are judged and may go to S3.
    pub(super) fn is_judged_in_s3(&self) -> bool {
        let verdict = self.judged.as_ref().map(|judged| judged.verdict);
        verdict.is_some_and(|verdict| verdict != Verdict::NotS3)
    }
}

impl<'a> ThisHost<'a> {
    /// Reads what the docroots of this host are.
    pub(super) fn new(facts: &'a Facts<'a>, transfer_user: Option<&str>) -> Self {
        let (rows, of_unnamed) = rows_with(facts, transfer_user);
        Self {
            facts,
            rows,
            of_unnamed,
            transfer_user: transfer_user.map(|name| Scope::User(name.to_owned())),
        }
    }

    /// Returns the results of uploads to the docroots of the transfer user.
    fn of_user(&self) -> Possible {
        let Some(user) = &self.transfer_user else {
            return Possible::anything(Doubt::NoTransferUser);
        };
        let mut possible = Possible::default();
        let of_rows = self.rows.iter().filter(|row| row.scope() == *user);
        for one in of_rows.map(|row| row.possible()).chain(&self.of_unnamed) {
            possible.merge((**one).clone());
        }
        // The user has access keys in place of a docroot, and this one says nothing either.
        if possible.doubts.contains(&Doubt::AccessKeys) {
            return Possible::anything(Doubt::NoStorage);
        }
        // Without aspera.conf, there is no row.
        if possible == Possible::default() {
            possible.unbound(Doubt::UnknownDocroot);
        }
        possible
    }

    /// Returns the places of the audit that are not known there only because access keys decide, and about which these say that all is as
    /// expected. There must be no other access key of the user.
    pub(super) fn settled(&self, keys: &[JudgedKey], expectations: &[Expectation]) -> Vec<String> {
        let of_keys = [Doubt::AccessKeys];
        let is_fine = |key: &JudgedKey| {
            let verdict = key.judged.as_ref().map(|judged| judged.verdict);
            matches!(verdict, Some(Verdict::Met | Verdict::NotS3))
        };
        if keys.is_empty() || !keys.iter().all(is_fine) {
            return Vec::new();
        }
        let rows = || {
            let rows = self.rows.iter().enumerate();
            rows.filter(|(_, row)| Some(row.scope()) == self.transfer_user)
        };
        // Where a user has several rows, they have one name.
        let is_of_keys = |possible: &Possible| {
            possible.doubts == of_keys && possible.requests().next().is_none()
        };
        if !rows().all(|(_, row)| is_of_keys(row.possible())) {
            return Vec::new();
        }
        let judgement = judge(self.facts, &self.rows, expectations);
        let meets = |entry: usize, key: &JudgedKey| {
            let wanted = &expectations[entry].wanted;
            let version = self.facts.version.as_ref();
            let judged = Judged::new(entry, wanted, &key.possible, version);
            matches!(judged.verdict, Verdict::Met | Verdict::NotS3)
        };
        let meet = rows().filter(|(index, _)| match judgement.of_row(*index) {
            None => true,
            Some(judged) => keys.iter().all(|key| meets(judged.entry, key)),
        });
        meet.map(|(_, row)| row.place()).collect()
    }
}

/// Judges access keys, on this host or on another.
pub(super) fn judge_keys(
    keys: &[AccessKey],
    this_host: Option<&ThisHost>,
    expectations: Option<&[Expectation]>,
    elsewhere: &Facts,
) -> Vec<JudgedKey> {
    let mut of_user = None;
    let facts = this_host.map_or(elsewhere, |this_host| this_host.facts);
    let judged = keys.iter().map(|key| {
        let storage = storage(key);
        let possible = match (storage, this_host) {
            (Some(storage), Some(_)) => Rc::new(with_access_key(storage, facts)),
            (Some(storage), None) => Rc::new(on_other_host(storage)),
            (None, Some(this_host)) => {
                Rc::clone(of_user.get_or_insert_with(|| Rc::new(this_host.of_user())))
            }
            (None, None) => Rc::new(Possible::anything(Doubt::OtherHost)),
        };
        let id = key.id.text().unwrap_or_default();
        let mut entries = expectations.unwrap_or_default().iter();
        let entry = entries.position(|entry| entry.names_access_key(id));
        let judged = entry.zip(expectations).map(|(entry, expectations)| {
            let wanted = &expectations[entry].wanted;
            Judged::new(entry, wanted, &possible, facts.version.as_ref())
        });
        JudgedKey {
            possible,
            is_of_user: storage.is_none(),
            judged,
        }
    });
    judged.collect()
}

/// Returns the results of an upload with an access key of another host. Its `s3.properties` may win.
fn on_other_host(storage: KeyStorage) -> Possible {
    match storage {
        KeyStorage::NotS3 => Possible::certainly(Outcome::NotS3),
        KeyStorage::Unclear => Possible::anything(Doubt::UnclearStorage),
        KeyStorage::S3 {
            encryption,
            kms_key,
            ..
        } => {
            let request = Request::new(encryption.map(str::to_owned), kms_key.map(str::to_owned));
            let source = if request.is_empty() {
                Source::Nowhere
            } else {
                Source::Docroot
            };
            let mut possible = Possible::certainly(Outcome::S3(request, source));
            possible.unbound(Doubt::OtherHost);
            possible
        }
    }
}
