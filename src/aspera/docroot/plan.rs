//! The edits that give docroots their encryption.

use super::change::{InsteadOfS3, Plan, PlanError};
use super::conf::{AsperaConf, Block, DocrootElement};
use super::draft::{Decided, Docroot, Draft, QueryFindings};
use super::owner::Owner;
use super::planned::{SkipReason, UriChange};
use super::request::{Request, Selection, by_scope};
use super::scope::{Scope, some_of};
use super::self_check::check;
use super::uri::{DocrootUri, Storage};
use crate::subject::with_subject;

/// Plans the edits for all requests at once: one reading, one set of edits.
pub fn plan(bytes: &[u8], requests: &[Request]) -> Result<Plan, PlanError> {
    let plan = decide(bytes, requests)?.for_file(bytes);
    check(bytes, &plan)?;
    Ok(plan)
}

fn decide(bytes: &[u8], requests: &[Request]) -> Result<Decided, PlanError> {
    let conf = AsperaConf::parse(bytes)?;
    let mut planner = Planner {
        conf: &conf,
        draft: Draft::new(&conf),
        key_not_named: Vec::new(),
    };
    for (request, blocks) in requests.iter().zip(matching_blocks(&conf, requests)) {
        planner.plan_request(request, &blocks)?;
    }
    if !planner.key_not_named.is_empty() {
        return Err(PlanError::KeyNotNamed(some_of(&planner.key_not_named)));
    }
    Ok(planner.draft.finish())
}

/// Returns the blocks that each request selects, found in one pass over the blocks.
fn matching_blocks<'c>(conf: &'c AsperaConf, requests: &[Request]) -> Vec<Vec<&'c Block>> {
    let by_scope = by_scope(requests);
    let mut matching = vec![Vec::new(); requests.len()];
    for block in &conf.blocks {
        let key = block.owner.key(conf.bytes);
        let place = by_scope.binary_search_by(|(scope, _)| scope.key().cmp(&key));
        if let Ok(place) = place {
            matching[by_scope[place].1].push(block);
        }
    }
    for (request, blocks) in requests.iter().zip(&mut matching) {
        if request.selection == Selection::All {
            *blocks = conf.blocks.iter().collect();
        }
    }
    matching
}

struct Planner<'c> {
    conf: &'c AsperaConf<'c>,
    draft: Draft<'c>,
    /// The scopes that have a key and whose requests do not name one.
    key_not_named: Vec<Scope>,
}

impl<'c> Planner<'c> {
    fn plan_request(&mut self, request: &Request, blocks: &[&'c Block]) -> Result<(), PlanError> {
        match (&request.selection, &request.docroot) {
            (Selection::All, _) => self.plan_all(request, blocks),
            (Selection::Of(scope), Some(uri)) => {
                with_subject(scope, || self.plan_uri(request, scope, uri, blocks))
            }
            (Selection::Of(scope), None) => {
                with_subject(scope, || self.plan_scope(request, scope, blocks))
            }
        }
    }

    fn plan_all(&mut self, request: &Request, blocks: &[&Block]) -> Result<(), PlanError> {
        let mut found = false;
        for block in blocks {
            let scope = self.conf.scope(block);
            found |= with_subject(&scope, || self.plan_s3_docroots(request, &scope, block))?;
        }
        if !found {
            self.draft.not_found.push(Selection::All);
        }
        Ok(())
    }

    /// Plans the S3 docroots of a block. Returns whether it has any.
    fn plan_s3_docroots(
        &mut self,
        request: &Request,
        scope: &Scope,
        block: &Block,
    ) -> Result<bool, PlanError> {
        let mut found = false;
        for docroot in self.conf.docroots(block) {
            let docroot = Docroot::read(self.conf, block.owner, docroot);
            match docroot.uri.storage() {
                Storage::S3 => {
                    found = true;
                    self.plan_options(request, scope, &docroot)?;
                }
                Storage::MisspelledS3 => {
                    self.draft.skip(request, &docroot, SkipReason::MisspelledS3);
                }
                _ => {}
            }
        }
        Ok(found)
    }

    fn plan_scope(
        &mut self,
        request: &Request,
        scope: &Scope,
        blocks: &[&'c Block],
    ) -> Result<(), PlanError> {
        let is_absent = request.desired.is_none();
        if blocks.is_empty() && *scope != Scope::Global {
            if is_absent {
                self.draft.not_found.push(request.selection.clone());
                return Ok(());
            }
            return Err(PlanError::Unknown(scope.clone(), self.known_names(scope)));
        }
        let docroots: Vec<Docroot> = self
            .docroots(blocks)
            .into_iter()
            .map(|(owner, docroot)| Docroot::read(self.conf, owner, docroot))
            .collect();
        let has_s3 = docroots
            .iter()
            .any(|docroot| docroot.uri.storage() == Storage::S3);
        if !has_s3 && !is_absent {
            let is_restricted = blocks.iter().any(|block| block.has_restriction);
            let first = docroots.first().map(|docroot| docroot.uri.storage());
            return Err(PlanError::NoS3Docroot {
                scope: scope.clone(),
                found: InsteadOfS3::new(first, is_restricted),
            });
        }
        for docroot in &docroots {
            match skip_reason(docroot.uri.storage()) {
                None => self.plan_options(request, scope, docroot)?,
                Some(reason) => self.draft.skip(request, docroot, reason),
            }
        }
        Ok(())
    }

    /// Sets the options in the query of a docroot.
    fn plan_options(
        &mut self,
        request: &Request,
        scope: &Scope,
        docroot: &Docroot,
    ) -> Result<(), PlanError> {
        let before = &docroot.uri;
        let uri_edits = before.edits(request.desired.as_ref(), request.encoding);
        let query = QueryFindings {
            repeated: before.repeats_a_setting(),
            loses_key: self.loses_key(request, scope, before),
        };
        let mut change = None;
        if !uri_edits.is_empty() {
            docroot.refuse_uneditable(scope)?;
            self.draft
                .edits
                .extend(docroot.edits(self.conf.bytes, &uri_edits));
            let is_new = before.text_with(&uri_edits).trim_ascii_end() != before.text();
            change = is_new.then_some(UriChange::Options);
        }
        self.draft.set(request, docroot, change, query);
        Ok(())
    }

    /// Returns the docroots of some blocks with their owners.
    fn docroots(&self, blocks: &[&'c Block]) -> Vec<(Owner, &'c DocrootElement)> {
        let of_block = |block: &&'c Block| {
            let (conf, owner) = (self.conf, block.owner);
            let docroots = conf.docroots(block).iter();
            docroots.map(move |docroot| (owner, docroot))
        };
        blocks.iter().flat_map(of_block).collect()
    }

    /// Returns whether a docroot has a key that the desired encryption does not use. Notes the scope if it uses the key that AWS manages instead, and
    /// the request does not say that this is meant.
    fn loses_key(&mut self, request: &Request, scope: &Scope, before: &DocrootUri) -> bool {
        let Some(desired) = &request.desired else {
            return false;
        };
        if desired.kms_key().is_some() || !before.names_a_key() {
            return false;
        }
        if desired.is_aws_managed_key() && !request.aws_managed_key {
            self.key_not_named.push(scope.clone());
        }
        !desired.is_aws_managed_key()
    }

    /// Sets the whole URI of a docroot, and creates missing elements.
    fn plan_uri(
        &mut self,
        request: &Request,
        scope: &Scope,
        wanted: &DocrootUri,
        blocks: &[&'c Block],
    ) -> Result<(), PlanError> {
        if blocks.iter().any(|block| block.has_restriction) {
            return Err(PlanError::Restricted(scope.clone()));
        }
        let docroots = self.docroots(blocks);
        let after = wanted.with(&wanted.edits(request.desired.as_ref(), request.encoding));
        match (docroots.as_slice(), blocks.first()) {
            ([], None) => self.draft.create_block(request, scope),
            ([], Some(block)) => self.draft.complete_block(request, scope, block, &after),
            ([(_, docroot)], _) if docroot.has_peer_ip => {
                return Err(PlanError::OnlyForAddress(scope.clone()));
            }
            ([(owner, docroot)], _) => {
                let docroot = Docroot::read(self.conf, *owner, docroot);
                if docroot.uri.storage() == Storage::S3
                    && docroot.uri.text_without_setting() == wanted.text_without_setting()
                {
                    return self.plan_options(request, scope, &docroot);
                }
                let change = (docroot.uri != after).then_some(UriChange::Whole);
                if change.is_some() {
                    if docroot.element.has_misc {
                        return Err(PlanError::Misc(scope.clone()));
                    }
                    let edits = docroot.whole_uri(self.conf.bytes, &after);
                    self.draft.edits.extend(edits);
                }
                let query = QueryFindings {
                    repeated: false,
                    loses_key: docroot.uri.storage() == Storage::S3
                        && self.loses_key(request, scope, &docroot.uri),
                };
                self.draft.set(request, &docroot, change, query);
            }
            _ => return Err(PlanError::SeveralDocroots(scope.clone())),
        }
        Ok(())
    }

    fn known_names(&self, like: &Scope) -> Vec<String> {
        let scopes = self.conf.blocks.iter().map(|block| self.conf.scope(block));
        let alike = scopes.filter(|scope| scope.kind() == like.kind());
        alike
            .filter_map(|scope| scope.name().map(str::to_owned))
            .collect()
    }
}

fn skip_reason(storage: Storage) -> Option<SkipReason> {
    match storage {
        Storage::S3 => None,
        Storage::Empty => Some(SkipReason::Empty),
        Storage::Unset => Some(SkipReason::Unset),
        Storage::MisspelledS3 => Some(SkipReason::MisspelledS3),
        Storage::Other(_) | Storage::Local | Storage::Unknown => Some(SkipReason::NotS3),
    }
}

#[cfg(test)]
mod tests {
    use super::super::display::changed_places;
    use super::*;
    use crate::aspera::setting::{Encryption, EncryptionSetting};
    use crate::subject::faults::named_after_a_panic_at;

    const CONF: &[u8] = b"<CONF><default><file_system><access><paths><path><absolute>s3://h/d</absolute></path></paths></access></file_system>\
        </default><aaa><realms><realm><users><user><name>a</name><file_system><access><paths><path><absolute>s3://h/a</absolute></path></paths>\
        </access></file_system></user><user><name>b</name><file_system><access><paths><path><absolute>s3://k:DUMMY-SECRET@h/b</absolute></path>\
        </paths></access></file_system></user></users></realm></realms></aaa></CONF>";

    fn request(selection: Selection, docroot: Option<&str>) -> Request {
        Request {
            selection,
            desired: Some(EncryptionSetting::new(Encryption::Aes256, None).unwrap()),
            aws_managed_key: false,
            encoding: None,
            docroot: docroot.map(DocrootUri::new),
        }
    }

    /// Checks the name that an answer contains if the work on a docroot panics first there, with the requests that lead to it.
    #[test]
    fn a_panic_names_the_docroot() {
        let user = |name: &str| Selection::Of(Scope::User(name.to_owned()));
        let all = || vec![request(Selection::All, None)];
        let several = || vec![request(user("a"), None), request(user("b"), None)];
        for (requests, named) in [
            (all(), vec!["user a", "user b", "the global default"]),
            (several(), vec!["user a", "user b"]),
            (vec![request(user("b"), Some("s3://h/new"))], vec!["user b"]),
            (
                vec![
                    request(user("new"), Some("s3://h/new")),
                    request(user("newer"), Some("s3://h/newer")),
                ],
                vec!["user new", "user newer", "user new, user newer"],
            ),
        ] {
            for name in named {
                let found = named_after_a_panic_at(name, || plan(CONF, &requests));
                assert_eq!(found.as_deref(), Some(name));
            }
            assert_eq!(
                named_after_a_panic_at("user c", || plan(CONF, &requests)),
                None
            );
        }
    }

    #[test]
    fn a_panic_in_the_check_or_the_diff_names_the_docroot() {
        let plan = plan(CONF, &[request(Selection::All, None)]).unwrap();
        let named = named_after_a_panic_at("user b", || check(CONF, &plan));
        assert_eq!(named.as_deref(), Some("user b"));
        let named = named_after_a_panic_at("user b", || changed_places(CONF, &plan, 9));
        assert_eq!(named.as_deref(), Some("user b"));
    }
}
