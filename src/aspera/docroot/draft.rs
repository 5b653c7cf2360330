//! A plan in the making.

use std::rc::Rc;

use super::block;
use super::change::{Change, Plan, PlanError};
use super::conf::{AsperaConf, Block, DocrootElement};
use super::owner::Owner;
use super::planned::{Fate, Origin, PlannedDocroot, SkipReason, UriChange, Wish};
use super::request::{Request, Selection};
use super::scope::{Scope, some_of};
use super::uncovered::Uncovered;
use super::uri::DocrootUri;
use crate::subject::with_subject;
use crate::text::splice::{Edit, Edits, by_place};
use crate::text::xml::{Content, escape_text};

/// A docroot of the file, read once.
pub(super) struct Docroot<'c> {
    owner: Owner,
    pub(super) element: &'c DocrootElement,
    content: Content,
    pub(super) uri: DocrootUri,
}

impl<'c> Docroot<'c> {
    pub(super) fn read(conf: &AsperaConf, owner: Owner, element: &'c DocrootElement) -> Self {
        let content = conf.content(element);
        Self {
            owner,
            uri: DocrootUri::new(content.text.trim_ascii()),
            element,
            content,
        }
    }

    /// Returns the offset of the URI in the content, after the blanks.
    fn uri_start(&self) -> usize {
        self.content.text.len() - self.content.text.trim_ascii_start().len()
    }

    /// Returns an error if the docroot cannot be edited option by option.
    pub(super) fn refuse_uneditable(&self, scope: &Scope) -> Result<(), PlanError> {
        if self.element.has_misc {
            return Err(PlanError::Misc(scope.clone()));
        }
        if self.uri.has_question_mark_in_credentials() {
            return Err(PlanError::QuestionMark(scope.clone()));
        }
        Ok(())
    }

    /// Converts edits of the URI into edits of the file.
    pub(super) fn edits(&self, bytes: &[u8], uri_edits: &Edits) -> Vec<Edit> {
        let start = self.uri_start();
        let edits = uri_edits.iter().flat_map(|edit| {
            let range = start + edit.range.start..start + edit.range.end;
            let text = String::from_utf8_lossy(&edit.replacement);
            self.content.splice(bytes, range, &text)
        });
        edits.collect()
    }

    /// Returns the edits that replace its URI with another one.
    pub(super) fn whole_uri(&self, bytes: &[u8], after: &DocrootUri) -> Vec<Edit> {
        let element = &self.element.element;
        if element.is_empty_tag(bytes) {
            let end = element.start_tag().end;
            return vec![Edit {
                range: end - 2..end,
                replacement: format!(">{}</absolute>", escape_text(after.text())).into(),
            }];
        }
        let start = self.uri_start();
        let range = start..start + self.uri.text().len();
        self.content.splice(bytes, range, after.text())
    }
}

/// The findings in the query of a docroot that lead to warnings.
#[derive(Clone, Copy)]
pub(super) struct QueryFindings {
    pub(super) repeated: bool,
    pub(super) loses_key: bool,
}

/// The decisions for a file. They do not need the model of the file any more, which takes as much memory as the file.
pub(super) struct Decided {
    edits: Edits,
    docroots: Vec<PlannedDocroot>,
    changes: Vec<Change>,
    not_found: Vec<Selection>,
    uncovered: Vec<Uncovered>,
}

impl Decided {
    /// Returns the plan for the file.
    pub(super) fn for_file(self, bytes: &[u8]) -> Plan {
        Plan {
            after: (!self.edits.is_empty()).then(|| self.edits.apply(bytes)),
            edits: self.edits,
            docroots: self.docroots,
            changes: self.changes,
            not_found: self.not_found,
            uncovered: self.uncovered,
        }
    }
}

/// The decisions so far.
pub(super) struct Draft<'c> {
    conf: &'c AsperaConf<'c>,
    pub(super) edits: Vec<Edit>,
    pub(super) not_found: Vec<Selection>,
    docroots: Vec<PlannedDocroot>,
    changes: Vec<Change>,
    /// The indexes of the docroots whose blocks must be created.
    created: Vec<usize>,
    last_wish: Option<Rc<Wish>>,
}

impl<'c> Draft<'c> {
    pub(super) fn new(conf: &'c AsperaConf<'c>) -> Self {
        Self {
            conf,
            edits: Vec::new(),
            not_found: Vec::new(),
            docroots: Vec::new(),
            changes: Vec::new(),
            created: Vec::new(),
            last_wish: None,
        }
    }

    /// Adds a new block with a docroot.
    pub(super) fn create_block(&mut self, request: &Request, scope: &Scope) {
        let created = self.add_new(request, scope);
        self.created.push(created);
    }

    /// Adds a docroot to a block that has none.
    pub(super) fn complete_block(
        &mut self,
        request: &Request,
        scope: &Scope,
        block: &Block,
        uri: &DocrootUri,
    ) {
        let edit = block::complete(self.conf, block, uri.text());
        let offset = edit.range.start;
        self.edits.push(edit);
        let docroot = self.add_new(request, scope);
        self.changes.push(Change { docroot, offset });
    }

    /// Adds a docroot of the file to the planned ones, and to the changes if it changes.
    pub(super) fn set(
        &mut self,
        request: &Request,
        docroot: &Docroot,
        change: Option<UriChange>,
        query: QueryFindings,
    ) {
        if change.is_some() {
            self.changes.push(Change {
                docroot: self.docroots.len(),
                offset: docroot.element.element.start_tag().start,
            });
        }
        let fate = Fate::Set {
            change,
            repeated: query.repeated,
            loses_key: query.loses_key,
        };
        self.add_found(request, docroot, fate);
    }

    /// Adds a docroot of the file that is left alone.
    pub(super) fn skip(&mut self, request: &Request, docroot: &Docroot, reason: SkipReason) {
        self.add_found(request, docroot, Fate::Skipped(reason));
    }

    fn add_found(&mut self, request: &Request, docroot: &Docroot, fate: Fate) {
        let origin = Origin::Found(docroot.owner, *docroot.element);
        self.add(request, origin, fate);
    }

    /// Adds a docroot that does not exist to the planned ones. Returns its index.
    fn add_new(&mut self, request: &Request, scope: &Scope) -> usize {
        let fate = Fate::Set {
            change: Some(UriChange::Whole),
            repeated: false,
            loses_key: false,
        };
        self.add(request, Origin::Nowhere(Box::new(scope.clone())), fate);
        self.docroots.len() - 1
    }

    fn add(&mut self, request: &Request, origin: Origin, fate: Fate) {
        let wish = match &self.last_wish {
            Some(wish) if wish.is_of(request) => Rc::clone(wish),
            _ => Rc::new(Wish::of(request)),
        };
        self.last_wish = Some(Rc::clone(&wish));
        self.docroots.push(PlannedDocroot { origin, wish, fate });
    }

    pub(super) fn finish(mut self) -> Decided {
        self.make_blocks();
        Decided {
            edits: Edits::new(self.edits),
            docroots: self.docroots,
            changes: by_place(self.changes, |change| (change.offset, 0)),
            not_found: self.not_found,
            uncovered: self.conf.uncovered.clone(),
        }
    }

    /// Creates all missing blocks at once, because several may go into one element.
    fn make_blocks(&mut self) {
        if self.created.is_empty() {
            return;
        }
        let file = self.conf.bytes;
        let created = || self.created.iter().map(|&index| &self.docroots[index]);
        let scopes: Vec<Scope> = created().map(|docroot| docroot.scope(file)).collect();
        let uris: Vec<DocrootUri> = created().map(|docroot| docroot.uri(file)).collect();
        let uris = uris.iter().map(DocrootUri::text);
        let blocks: Vec<(&Scope, &str)> = scopes.iter().zip(uris).collect();
        let new_blocks = with_subject(some_of(&scopes), || block::create(self.conf, &blocks));
        for (&docroot, scope) in self.created.iter().zip(&scopes) {
            let made = new_blocks
                .iter()
                .find(|blocks| blocks.kinds.contains(&scope.block_kind()));
            let offset = made.map_or(0, |blocks| blocks.edit.range.start);
            self.changes.push(Change { docroot, offset });
        }
        let edits = new_blocks.into_iter().map(|blocks| blocks.edit);
        self.edits.extend(edits);
    }
}
