//! The edits that give docroots their encryption.

use std::collections::BTreeMap;

use super::block;
use super::conf::{AsperaConf, Block, ConfError, DocrootElement};
use super::scope::Scope;
use super::self_check::check;
use super::uri::{DocrootUri, KeyEncoding, Storage};
use crate::aspera::audit::{Doubt, doubts_of_setting};
use crate::aspera::setting::{EncryptionSetting, FoundSetting, KmsKey};
use crate::subject::with_subject;
use crate::text::splice::{Edit, Edits, by_place};
use crate::text::xml::{Content, escape_text};

/// What is to become of some docroots.
#[derive(Debug, Clone)]
pub struct Request {
    /// Which ones.
    pub selection: Selection,
    /// Their encryption; none for no option of it in the URI.
    pub desired: Option<EncryptionSetting>,
    /// How the key is to be spelled, if that matters.
    pub encoding: Option<KeyEncoding>,
    /// The whole URI, if it is to be set too.
    pub docroot: Option<DocrootUri>,
}

/// Which docroots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// Those of one user, one group, or the default.
    Of(Scope),
    /// All that lead to S3.
    All,
}

/// The edits of a file, and what is to be said about them.
#[derive(Debug)]
pub struct Plan {
    /// The edits; none if all is as desired.
    pub edits: Edits,
    /// The file after the edits.
    pub after: Vec<u8>,
    /// The docroots that were asked for.
    pub docroots: Vec<PlannedDocroot>,
    /// The changed places, in the order of the file.
    pub changes: Vec<Change>,
    /// Sentences for the user.
    pub warnings: Vec<String>,
}

/// What becomes of a docroot. Its URI is masked.
#[derive(Debug, PartialEq, Eq)]
pub struct PlannedDocroot {
    /// Whose it is.
    pub scope: Scope,
    /// The client address for which it is, if it is for one.
    pub peer_ip: Option<String>,
    /// The URI afterwards.
    pub masked_uri: String,
    /// The setting before.
    pub previous: FoundSetting,
    /// The setting afterwards.
    pub setting: Option<EncryptionSetting>,
    /// Whether it changes.
    pub changed: bool,
    /// Why it is left alone.
    pub skipped: Option<&'static str>,
}

/// A changed place of the file.
#[derive(Debug)]
pub struct Change {
    /// Whose docroot it is.
    pub scope: Scope,
    /// The element as it is, or nothing if it is new.
    pub element: Option<DocrootElement>,
    /// The URI before; empty if there was none.
    pub before: DocrootUri,
    /// The URI afterwards.
    pub after: DocrootUri,
    /// The key that may be shown.
    pub kms_key: Option<KmsKey>,
    /// Where in the file it is.
    pub offset: usize,
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
        found: String,
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
    Aside(Scope),
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

/// Plans the edits for all requests at once: one reading, one set of edits.
pub fn plan(bytes: &[u8], requests: &[Request]) -> Result<Plan, PlanError> {
    let conf = AsperaConf::parse(bytes)?;
    let mut planner = Planner {
        conf: &conf,
        edits: Vec::new(),
        created: Vec::new(),
        docroots: Vec::new(),
        changes: Vec::new(),
        warnings: Vec::new(),
        repeated: Vec::new(),
        doubts: BTreeMap::new(),
        without_key: Vec::new(),
    };
    for (request, blocks) in requests.iter().zip(matching_blocks(&conf, requests)) {
        planner.plan_request(request, &blocks)?;
    }
    let mut plan = planner.finish();
    drop(conf);
    if !plan.edits.is_empty() {
        plan.after = plan.edits.apply(bytes);
    }
    check(bytes, &plan)?;
    Ok(plan)
}

/// The requests for one scope each, with their index, in the order of the scopes.
pub fn by_scope(requests: &[Request]) -> Vec<(&Scope, usize)> {
    let scopes = requests.iter().map(|request| match &request.selection {
        Selection::Of(scope) => Some(scope),
        Selection::All => None,
    });
    sorted(
        scopes
            .zip(0..)
            .filter_map(|(scope, index)| Some((scope?, index))),
    )
}

/// Scopes with their index, in the order of the scopes.
pub(super) fn in_order_of_scopes<'s>(
    scopes: impl Iterator<Item = &'s Scope>,
) -> Vec<(&'s Scope, usize)> {
    sorted(scopes.zip(0..))
}

fn sorted<'s>(scopes: impl Iterator<Item = (&'s Scope, usize)>) -> Vec<(&'s Scope, usize)> {
    let mut scopes: Vec<_> = scopes.collect();
    scopes.sort_unstable();
    scopes
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

struct Planner<'c> {
    conf: &'c AsperaConf<'c>,
    edits: Vec<Edit>,
    /// Docroots whose blocks are to be made.
    created: Vec<Change>,
    docroots: Vec<PlannedDocroot>,
    changes: Vec<Change>,
    warnings: Vec<String>,
    /// Whose docroots named an option more than once.
    repeated: Vec<Scope>,
    /// Whose docroots named a key that goes, because none is declared.
    without_key: Vec<Scope>,
    /// What may keep the encryption of a docroot from working, and whose docroots that is true of.
    doubts: BTreeMap<Doubt, Vec<Scope>>,
}

impl Planner<'_> {
    fn plan_request(&mut self, request: &Request, blocks: &[&Block]) -> Result<(), PlanError> {
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
            self.warnings
                .push("There is no S3 docroot in this file.".to_owned());
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
            let content = self.conf.content(docroot);
            let uri = uri(&content);
            match uri.storage() {
                Storage::S3 => {
                    found = true;
                    self.plan_docroot(request, scope, docroot, &content)?;
                }
                Storage::MisspelledS3 => {
                    self.skip(scope, docroot, &uri, "not s3: the scheme is case-sensitive");
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
        blocks: &[&Block],
    ) -> Result<(), PlanError> {
        let is_absent = request.desired.is_none();
        if blocks.is_empty() && *scope != Scope::Global {
            if is_absent {
                self.warnings.push(format!(
                    "There is no {scope} in this file, so no option to remove."
                ));
                return Ok(());
            }
            return Err(PlanError::Unknown(scope.clone(), self.known_names(scope)));
        }
        let docroots: Vec<(&DocrootElement, Content)> = blocks
            .iter()
            .flat_map(|block| self.conf.docroots(block))
            .map(|docroot| (docroot, self.conf.content(docroot)))
            .collect();
        let has_s3 = docroots
            .iter()
            .any(|(_, content)| uri(content).storage() == Storage::S3);
        if !has_s3 && !is_absent {
            let is_restricted = blocks.iter().any(|block| block.has_restriction);
            return Err(PlanError::NoS3Docroot {
                scope: scope.clone(),
                found: what_is_there(&docroots, is_restricted),
            });
        }
        for (docroot, content) in &docroots {
            let uri = uri(content);
            match skip_reason(&uri.storage()) {
                None => self.plan_docroot(request, scope, docroot, content)?,
                Some(reason) => self.skip(scope, docroot, &uri, reason),
            }
        }
        Ok(())
    }

    /// Sets the options in the query of a docroot.
    fn plan_docroot(
        &mut self,
        request: &Request,
        scope: &Scope,
        docroot: &DocrootElement,
        content: &Content,
    ) -> Result<(), PlanError> {
        let before = uri(content);
        let uri_edits = before.edits(request.desired.as_ref(), request.encoding);
        if before.repeats_a_setting() {
            self.repeated.push(scope.clone());
        }
        let declares_no_key = request
            .desired
            .as_ref()
            .is_some_and(|desired| desired.kms_key().is_none());
        if declares_no_key && before.found_setting(None).kms_key.is_some() {
            self.without_key.push(scope.clone());
        }
        if !uri_edits.is_empty() {
            refuse_uneditable(scope, docroot, &before)?;
        }
        let bytes = self.conf.bytes;
        let start = trimmed_start(content);
        for edit in &uri_edits {
            let range = start + edit.range.start..start + edit.range.end;
            let text = String::from_utf8_lossy(&edit.replacement);
            self.edits.extend(content.splice(bytes, range, &text));
        }
        // Where its last option goes, blanks before that stand around the docroot now, and are not part of it.
        let after = DocrootUri::new(before.with(&uri_edits).text().trim_ascii_end());
        let change = self.note(request, scope, Some(docroot), &before, after);
        self.add_change(change, docroot.element.start_tag.start);
        Ok(())
    }

    /// Sets the whole URI of a docroot, and makes what is missing.
    fn plan_uri(
        &mut self,
        request: &Request,
        scope: &Scope,
        wanted: &DocrootUri,
        blocks: &[&Block],
    ) -> Result<(), PlanError> {
        let docroots: Vec<&DocrootElement> = blocks
            .iter()
            .flat_map(|block| self.conf.docroots(block))
            .collect();
        if blocks.iter().any(|block| block.has_restriction) {
            return Err(PlanError::Restricted(scope.clone()));
        }
        let after = wanted.with(&wanted.edits(request.desired.as_ref(), request.encoding));
        let nothing = DocrootUri::new("");
        match (docroots.as_slice(), blocks.first()) {
            ([], None) => {
                // Where it goes is known when all new blocks are.
                let change = self.note(request, scope, None, &nothing, after);
                self.created.extend(change);
            }
            ([], Some(block)) => {
                let edit = block::complete(self.conf, block, after.text());
                let offset = edit.range.start;
                self.edits.push(edit);
                let change = self.note(request, scope, None, &nothing, after);
                self.add_change(change, offset);
            }
            ([docroot], _) if docroot.peer_ip.is_some() => {
                return Err(PlanError::OnlyForAddress(scope.clone()));
            }
            ([docroot], _) => {
                let content = self.conf.content(docroot);
                let before = uri(&content);
                let without_setting = |uri: &DocrootUri| uri.with(&uri.edits(None, None));
                if before.storage() == Storage::S3
                    && without_setting(&before) == without_setting(wanted)
                {
                    return self.plan_docroot(request, scope, docroot, &content);
                }
                if before != after {
                    if docroot.has_aside {
                        return Err(PlanError::Aside(scope.clone()));
                    }
                    self.edits.extend(self.whole_uri(docroot, &content, &after));
                }
                let change = self.note(request, scope, Some(docroot), &before, after);
                self.add_change(change, docroot.element.start_tag.start);
            }
            _ => return Err(PlanError::SeveralDocroots(scope.clone())),
        }
        Ok(())
    }

    fn whole_uri(
        &self,
        docroot: &DocrootElement,
        content: &Content,
        after: &DocrootUri,
    ) -> Vec<Edit> {
        if docroot.element.is_empty_tag {
            let end = docroot.element.start_tag.end;
            return vec![Edit {
                range: end - 2..end,
                replacement: format!(">{}</absolute>", escape_text(after.text())).into(),
            }];
        }
        let start = trimmed_start(content);
        let range = start..start + content.text.trim_ascii().len();
        content.splice(self.conf.bytes, range, after.text())
    }

    /// Puts a docroot among those that are reported; the change of it, if it changes.
    fn note(
        &mut self,
        request: &Request,
        scope: &Scope,
        docroot: Option<&DocrootElement>,
        before: &DocrootUri,
        after: DocrootUri,
    ) -> Option<Change> {
        let kms_key = request
            .desired
            .as_ref()
            .and_then(EncryptionSetting::kms_key);
        let changed = docroot.is_none() || *before != after;
        if let Some(setting) = &request.desired {
            for doubt in doubts_of_setting(&after, setting) {
                self.doubts.entry(doubt).or_default().push(scope.clone());
            }
        }
        self.docroots.push(PlannedDocroot {
            scope: scope.clone(),
            peer_ip: docroot.and_then(|docroot| docroot.peer_ip.clone()),
            masked_uri: after.masked(kms_key),
            previous: before.found_setting(kms_key),
            setting: request.desired.clone(),
            changed,
            skipped: None,
        });
        changed.then(|| Change {
            scope: scope.clone(),
            element: docroot.cloned(),
            before: before.clone(),
            after,
            kms_key: kms_key.cloned(),
            offset: 0,
        })
    }

    fn add_change(&mut self, change: Option<Change>, offset: usize) {
        self.changes
            .extend(change.map(|change| Change { offset, ..change }));
    }

    fn skip(
        &mut self,
        scope: &Scope,
        docroot: &DocrootElement,
        uri: &DocrootUri,
        reason: &'static str,
    ) {
        self.docroots.push(PlannedDocroot {
            scope: scope.clone(),
            peer_ip: docroot.peer_ip.clone(),
            masked_uri: uri.masked(None),
            previous: FoundSetting::default(),
            setting: None,
            changed: false,
            skipped: Some(reason),
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
        if !self.repeated.is_empty() {
            self.warnings.push(format!(
                "An option of the encryption stood more than once in the docroot of {}; which one Aspera takes is not documented. At most one is left.",
                some_of(&self.repeated)
            ));
        }
        for (doubt, scopes) in &self.doubts {
            self.warnings.push(format!(
                "The docroot of {}: {}. {}",
                some_of(scopes),
                doubt.why(),
                doubt.fix()
            ));
        }
        if !self.without_key.is_empty() {
            self.warnings.push(format!(
                "No kms_key_id is given, so the one in the docroot of {} is removed: with AWS_KMS, uploads use the key that AWS manages (aws/s3).",
                some_of(&self.without_key)
            ));
        }
        let created = std::mem::take(&mut self.created);
        let created_scopes: Vec<Scope> =
            created.iter().map(|change| change.scope.clone()).collect();
        let blocks: Vec<(&Scope, &str)> = created
            .iter()
            .map(|change| (&change.scope, change.after.text()))
            .collect();
        let new_blocks = if created.is_empty() {
            Vec::new()
        } else {
            with_subject(some_of(&created_scopes), || {
                block::create(self.conf, &blocks)
            })
        };
        for change in created {
            let kind = change.scope.kind();
            let blocks = new_blocks
                .iter()
                .find(|blocks| blocks.kinds.contains(&kind));
            let offset = blocks.map_or(0, |blocks| blocks.edit.range.start);
            self.add_change(Some(change), offset);
        }
        self.edits
            .extend(new_blocks.into_iter().map(|blocks| blocks.edit));
        Plan {
            edits: Edits::new(self.edits),
            after: Vec::new(),
            docroots: self.docroots,
            changes: by_place(self.changes, |change| (change.offset, 0)),
            warnings: self.warnings,
        }
    }
}

/// Refuses what cannot be edited option by option.
fn refuse_uneditable(
    scope: &Scope,
    docroot: &DocrootElement,
    uri: &DocrootUri,
) -> Result<(), PlanError> {
    if docroot.has_aside {
        return Err(PlanError::Aside(scope.clone()));
    }
    if uri.has_question_mark_in_credentials() {
        return Err(PlanError::QuestionMark(scope.clone()));
    }
    Ok(())
}

/// Some scopes by name, and how many more there are.
fn some_of(scopes: &[Scope]) -> String {
    const NAMED: usize = 5;
    let names: Vec<String> = scopes.iter().take(NAMED).map(ToString::to_string).collect();
    let names = names.join(", ");
    match scopes.len().saturating_sub(NAMED) {
        0 => names,
        more => format!("{names} and {more} more"),
    }
}

/// The URI in an element, without the blanks around it.
pub(super) fn uri(content: &Content) -> DocrootUri {
    DocrootUri::new(content.text.trim_ascii())
}

fn trimmed_start(content: &Content) -> usize {
    content.text.len() - content.text.trim_ascii_start().len()
}

fn skip_reason(storage: &Storage) -> Option<&'static str> {
    match storage {
        Storage::S3 => None,
        Storage::Empty => Some("empty"),
        Storage::Unset => Some("unset (AS_NULL)"),
        Storage::MisspelledS3 => Some("not s3: the scheme is case-sensitive"),
        Storage::Other(_) | Storage::Local | Storage::Unknown => Some("not s3"),
    }
}

fn what_is_there(docroots: &[(&DocrootElement, Content)], is_restricted: bool) -> String {
    let Some((_, content)) = docroots.first() else {
        return if is_restricted {
            "there are restrictions and no docroot, as access keys need it. Such transfers take the encryption from the access key's storage, \
             or from s3.properties"
                .to_owned()
        } else {
            "there is no docroot. Give docroot to set one".to_owned()
        };
    };
    match uri(content).storage() {
        Storage::Empty => "the docroot is empty, which means the whole file system. Give docroot to set one".to_owned(),
        Storage::Unset => "the docroot is AS_NULL, which means unset. Give docroot to set one".to_owned(),
        Storage::MisspelledS3 => {
            "the scheme of the docroot is not spelled s3:// in lower case, and Aspera takes it for something else. Correct it".to_owned()
        }
        Storage::Other(scheme) => {
            format!("the docroot is {scheme}://, and the options for encryption are S3's. Leave this one out")
        }
        Storage::Unknown => {
            "the docroot is neither a path nor a URI of a storage that the vendor describes. Correct it".to_owned()
        }
        Storage::S3 | Storage::Local => "the docroot is a local path. Leave this one out".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aspera::docroot::changed_places;
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
