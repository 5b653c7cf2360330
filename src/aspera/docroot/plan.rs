//! The edits that give docroots their encryption.

use super::block;
use super::change::{Change, Fate, InsteadOfS3, Plan, PlanError, PlannedDocroot, SkipReason};
use super::conf::{AsperaConf, Block, DocrootElement};
use super::request::{Request, Selection, by_scope};
use super::scope::{Scope, some_of};
use super::self_check::check;
use super::uri::{DocrootUri, Storage};
use crate::aspera::setting::{EncryptionSetting, FoundSetting};
use crate::subject::with_subject;
use crate::text::splice::{Edit, Edits, by_place};
use crate::text::xml::{Content, escape_text};

/// Plans the edits for all requests at once: one reading, one set of edits.
pub fn plan(bytes: &[u8], requests: &[Request]) -> Result<Plan, PlanError> {
    let conf = AsperaConf::parse(bytes)?;
    let mut planner = Planner {
        conf: &conf,
        edits: Vec::new(),
        docroots: Vec::new(),
        changes: Vec::new(),
        created: Vec::new(),
        not_found: Vec::new(),
    };
    for (request, blocks) in requests.iter().zip(matching_blocks(&conf, requests)) {
        planner.plan_request(request, &blocks)?;
    }
    let plan = planner.finish();
    check(bytes, &plan)?;
    Ok(plan)
}

/// The blocks for each request, found in one pass over the blocks.
fn matching_blocks<'c>(conf: &'c AsperaConf, requests: &[Request]) -> Vec<Vec<&'c Block>> {
    let by_scope = by_scope(requests);
    let mut matching = vec![Vec::new(); requests.len()];
    for block in &conf.blocks {
        let key = conf.scope_key(block);
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

/// A docroot of the file, read once.
struct Docroot<'c> {
    element: &'c DocrootElement,
    content: Content,
    uri: DocrootUri,
}

impl<'c> Docroot<'c> {
    fn read(conf: &AsperaConf, element: &'c DocrootElement) -> Self {
        let content = conf.content(element);
        Self {
            uri: DocrootUri::new(content.text.trim_ascii()),
            element,
            content,
        }
    }

    /// Where the URI starts in the content, behind blanks.
    fn uri_start(&self) -> usize {
        self.content.text.len() - self.content.text.trim_ascii_start().len()
    }

    /// Refuses what cannot be edited option by option.
    fn refuse_uneditable(&self, scope: &Scope) -> Result<(), PlanError> {
        if self.element.has_misc {
            return Err(PlanError::Misc(scope.clone()));
        }
        if self.uri.has_question_mark_in_credentials() {
            return Err(PlanError::QuestionMark(scope.clone()));
        }
        Ok(())
    }
}

struct Planner<'c> {
    conf: &'c AsperaConf<'c>,
    edits: Vec<Edit>,
    docroots: Vec<PlannedDocroot>,
    changes: Vec<Change>,
    /// Those of the docroots whose blocks are to be made, by their indexes.
    created: Vec<usize>,
    not_found: Vec<Selection>,
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
            let docroots = self.conf.docroots(block);
            found |= with_subject(&scope, || self.plan_s3_docroots(request, &scope, docroots))?;
        }
        if !found {
            self.not_found.push(Selection::All);
        }
        Ok(())
    }

    /// Plans for those docroots of a block that lead to S3; whether there is one.
    fn plan_s3_docroots(
        &mut self,
        request: &Request,
        scope: &Scope,
        docroots: &[DocrootElement],
    ) -> Result<bool, PlanError> {
        let mut found = false;
        for docroot in docroots {
            let docroot = Docroot::read(self.conf, docroot);
            match docroot.uri.storage() {
                Storage::S3 => {
                    found = true;
                    self.plan_options(request, scope, docroot)?;
                }
                Storage::MisspelledS3 => self.skip(scope, docroot, SkipReason::MisspelledS3),
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
                self.not_found.push(request.selection.clone());
                return Ok(());
            }
            return Err(PlanError::Unknown(scope.clone(), self.known_names(scope)));
        }
        let docroots: Vec<Docroot> = blocks
            .iter()
            .flat_map(|block| self.conf.docroots(block))
            .map(|docroot| Docroot::read(self.conf, docroot))
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
        for docroot in docroots {
            match skip_reason(docroot.uri.storage()) {
                None => self.plan_options(request, scope, docroot)?,
                Some(reason) => self.skip(scope, docroot, reason),
            }
        }
        Ok(())
    }

    /// Sets the options in the query of a docroot.
    fn plan_options(
        &mut self,
        request: &Request,
        scope: &Scope,
        docroot: Docroot,
    ) -> Result<(), PlanError> {
        let before = &docroot.uri;
        let uri_edits = before.edits(request.desired.as_ref(), request.encoding);
        let declares_no_key = request
            .desired
            .as_ref()
            .is_some_and(|desired| desired.kms_key().is_none());
        let repeated = before.repeats_a_setting();
        let loses_key = declares_no_key && before.found_setting(None).kms_key.is_some();
        if !uri_edits.is_empty() {
            docroot.refuse_uneditable(scope)?;
        }
        let start = docroot.uri_start();
        for edit in &uri_edits {
            let range = start + edit.range.start..start + edit.range.end;
            let text = String::from_utf8_lossy(&edit.replacement);
            let content = &docroot.content;
            self.edits
                .extend(content.splice(self.conf.bytes, range, &text));
        }
        // Where its last option goes, blanks before that stand around the docroot now, and are not part of it.
        let after = (!uri_edits.is_empty())
            .then(|| DocrootUri::new(before.text_with(&uri_edits).trim_ascii_end()));
        let query = QueryFindings {
            repeated,
            loses_key,
        };
        self.set(request, scope, docroot, after, query);
        Ok(())
    }

    /// Sets the whole URI of a docroot, and makes what is missing.
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
        let docroots = blocks.iter().flat_map(|block| self.conf.docroots(block));
        let docroots: Vec<&DocrootElement> = docroots.collect();
        let after = wanted.with(&wanted.edits(request.desired.as_ref(), request.encoding));
        match (docroots.as_slice(), blocks.first()) {
            ([], None) => {
                let created = self.add_new(request, scope, after);
                self.created.push(created);
            }
            ([], Some(block)) => {
                let edit = block::complete(self.conf, block, after.text());
                let offset = edit.range.start;
                self.edits.push(edit);
                let docroot = self.add_new(request, scope, after);
                self.changes.push(Change::of_new(docroot, offset));
            }
            ([docroot], _) if docroot.peer_ip.is_some() => {
                return Err(PlanError::OnlyForAddress(scope.clone()));
            }
            ([docroot], _) => {
                let docroot = Docroot::read(self.conf, docroot);
                if docroot.uri.storage() == Storage::S3
                    && docroot.uri.text_without_setting() == wanted.text_without_setting()
                {
                    return self.plan_options(request, scope, docroot);
                }
                if docroot.uri != after {
                    if docroot.element.has_misc {
                        return Err(PlanError::Misc(scope.clone()));
                    }
                    self.edits.extend(self.whole_uri(&docroot, &after));
                }
                self.set(
                    request,
                    scope,
                    docroot,
                    Some(after),
                    QueryFindings::default(),
                );
            }
            _ => return Err(PlanError::SeveralDocroots(scope.clone())),
        }
        Ok(())
    }

    fn whole_uri(&self, docroot: &Docroot, after: &DocrootUri) -> Vec<Edit> {
        let element = &docroot.element.element;
        if element.is_empty_tag {
            let end = element.start_tag.end;
            return vec![Edit {
                range: end - 2..end,
                replacement: format!(">{}</absolute>", escape_text(after.text())).into(),
            }];
        }
        let start = docroot.uri_start();
        let range = start..start + docroot.uri.text().len();
        docroot.content.splice(self.conf.bytes, range, after.text())
    }

    /// Puts a docroot of the file among the planned ones, and among the changes if it changes. `after` is its URI, if that was edited.
    fn set(
        &mut self,
        request: &Request,
        scope: &Scope,
        docroot: Docroot,
        after: Option<DocrootUri>,
        query: QueryFindings,
    ) {
        let setting = request.desired.clone();
        let known_key = setting.as_ref().and_then(EncryptionSetting::kms_key);
        let previous = docroot.uri.found_setting(known_key);
        let after = after.filter(|after| *after != docroot.uri);
        let changed = after.is_some();
        let uri = match after {
            Some(after) => {
                self.changes.push(Change {
                    docroot: self.docroots.len(),
                    element: Some(docroot.element.clone()),
                    before: docroot.uri,
                    offset: docroot.element.element.start_tag.start,
                });
                after
            }
            None => docroot.uri,
        };
        self.docroots.push(PlannedDocroot {
            scope: scope.clone(),
            peer_ip: docroot.element.peer_ip.clone(),
            uri,
            previous,
            fate: Fate::Set {
                setting,
                changed,
                repeated: query.repeated,
                loses_key: query.loses_key,
            },
        });
    }

    /// Puts a docroot that does not exist among the planned ones. Returns its index.
    fn add_new(&mut self, request: &Request, scope: &Scope, after: DocrootUri) -> usize {
        self.docroots.push(PlannedDocroot {
            scope: scope.clone(),
            peer_ip: None,
            uri: after,
            previous: FoundSetting::default(),
            fate: Fate::Set {
                setting: request.desired.clone(),
                changed: true,
                repeated: false,
                loses_key: false,
            },
        });
        self.docroots.len() - 1
    }

    fn skip(&mut self, scope: &Scope, docroot: Docroot, reason: SkipReason) {
        self.docroots.push(PlannedDocroot {
            scope: scope.clone(),
            peer_ip: docroot.element.peer_ip.clone(),
            uri: docroot.uri,
            previous: FoundSetting::default(),
            fate: Fate::Skipped(reason),
        });
    }

    fn known_names(&self, like: &Scope) -> Vec<String> {
        let scopes = self.conf.blocks.iter().map(|block| self.conf.scope(block));
        let alike = scopes.filter(|scope| scope.kind() == like.kind());
        alike
            .filter_map(|scope| scope.name().map(str::to_owned))
            .collect()
    }

    fn finish(mut self) -> Plan {
        self.make_blocks();
        let edits = Edits::new(self.edits);
        Plan {
            after: edits.apply(self.conf.bytes),
            edits,
            docroots: self.docroots,
            changes: by_place(self.changes, |change| (change.offset, 0)),
            not_found: self.not_found,
        }
    }

    /// Makes all blocks that are missing at once: several may go into one element.
    fn make_blocks(&mut self) {
        if self.created.is_empty() {
            return;
        }
        let created = self.created.iter().map(|&index| &self.docroots[index]);
        let scopes: Vec<Scope> = created
            .clone()
            .map(|docroot| docroot.scope.clone())
            .collect();
        let blocks: Vec<(&Scope, &str)> = created
            .map(|docroot| (&docroot.scope, docroot.uri.text()))
            .collect();
        let new_blocks = with_subject(some_of(&scopes), || block::create(self.conf, &blocks));
        for (&docroot, scope) in self.created.iter().zip(&scopes) {
            let made = new_blocks
                .iter()
                .find(|blocks| blocks.kinds.contains(&scope.block_kind()));
            let offset = made.map_or(0, |blocks| blocks.edit.range.start);
            self.changes.push(Change::of_new(docroot, offset));
        }
        let edits = new_blocks.into_iter().map(|blocks| blocks.edit);
        self.edits.extend(edits);
    }
}

/// What is to be said of the query of a docroot.
#[derive(Clone, Copy, Default)]
struct QueryFindings {
    repeated: bool,
    loses_key: bool,
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
    use crate::aspera::setting::Encryption;
    use crate::subject::faults::named_after_a_panic_at;

    const CONF: &[u8] = b"<CONF><default><file_system><access><paths><path><absolute>s3://h/d</absolute></path></paths></access></file_system>\
        </default><aaa><realms><realm><users><user><name>a</name><file_system><access><paths><path><absolute>s3://h/a</absolute></path></paths>\
        </access></file_system></user><user><name>b</name><file_system><access><paths><path><absolute>s3://k:DUMMY-SECRET@h/b</absolute></path>\
        </paths></access></file_system></user></users></realm></realms></aaa></CONF>";

    fn request(selection: Selection, docroot: Option<&str>) -> Request {
        Request {
            selection,
            desired: Some(EncryptionSetting::new(Encryption::Aes256, None).unwrap()),
            encoding: None,
            docroot: docroot.map(DocrootUri::new),
        }
    }

    /// What an answer names if the first work on a docroot panics, each with the requests that lead to it.
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
