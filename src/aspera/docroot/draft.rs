//! A plan in the making.

use std::rc::Rc;

use super::block;
use super::change::{Change, Fate, Plan, PlanError, PlannedDocroot, SkipReason};
use super::conf::{AsperaConf, Block, DocrootElement, Uncovered};
use super::request::{Request, Selection};
use super::scope::{Scope, some_of};
use super::uri::DocrootUri;
use crate::aspera::setting::{EncryptionSetting, FoundSetting};
use crate::subject::with_subject;
use crate::text::splice::{Edit, Edits, by_place};
use crate::text::xml::{Content, escape_text};

/// A docroot of the file, read once.
pub(super) struct Docroot<'c> {
    pub(super) element: &'c DocrootElement,
    content: Content,
    pub(super) uri: DocrootUri,
}

impl<'c> Docroot<'c> {
    pub(super) fn read(conf: &AsperaConf, element: &'c DocrootElement) -> Self {
        let content = conf.content(element);
        Self {
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
        if element.is_empty_tag {
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
    last_setting: Option<Rc<EncryptionSetting>>,
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
            last_setting: None,
        }
    }

    /// Adds a new block with a docroot.
    pub(super) fn create_block(&mut self, request: &Request, scope: &Scope, uri: DocrootUri) {
        let created = self.add_new(request, scope, uri);
        self.created.push(created);
    }

    /// Adds a docroot to a block that has none.
    pub(super) fn complete_block(
        &mut self,
        request: &Request,
        scope: &Scope,
        block: &Block,
        uri: DocrootUri,
    ) {
        let edit = block::complete(self.conf, block, uri.text());
        let offset = edit.range.start;
        self.edits.push(edit);
        let docroot = self.add_new(request, scope, uri);
        self.changes.push(Change::of_new(docroot, offset));
    }

    /// Adds a docroot of the file to the planned ones, and to the changes if it changes. `after` is its URI, if that was edited.
    pub(super) fn set(
        &mut self,
        request: &Request,
        scope: &Scope,
        docroot: Docroot,
        after: Option<DocrootUri>,
        query: QueryFindings,
    ) {
        let setting = self.shared_setting(request);
        let known_key = request.desired.as_ref();
        let known_key = known_key.and_then(EncryptionSetting::kms_key);
        let previous = docroot.uri.found_setting(known_key);
        let after = after.filter(|after| *after != docroot.uri);
        let changed = after.is_some();
        let uri = match after {
            Some(after) => {
                self.changes.push(Change {
                    docroot: self.docroots.len(),
                    element: Some(docroot.element.clone()),
                    offset: docroot.element.element.start_tag().start,
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

    /// Adds a docroot that does not exist to the planned ones. Returns its index.
    fn add_new(&mut self, request: &Request, scope: &Scope, after: DocrootUri) -> usize {
        let setting = self.shared_setting(request);
        self.docroots.push(PlannedDocroot {
            scope: scope.clone(),
            peer_ip: None,
            uri: after,
            previous: FoundSetting::default(),
            fate: Fate::Set {
                setting,
                changed: true,
                repeated: false,
                loses_key: false,
            },
        });
        self.docroots.len() - 1
    }

    /// Returns the setting of a request. Most docroots get the same as the one before.
    fn shared_setting(&mut self, request: &Request) -> Option<Rc<EncryptionSetting>> {
        if self.last_setting.as_deref() != request.desired.as_ref() {
            self.last_setting = request.desired.clone().map(Rc::new);
        }
        self.last_setting.clone()
    }

    pub(super) fn skip(&mut self, scope: &Scope, docroot: Docroot, reason: SkipReason) {
        self.docroots.push(PlannedDocroot {
            scope: scope.clone(),
            peer_ip: docroot.element.peer_ip.clone(),
            uri: docroot.uri,
            previous: FoundSetting::default(),
            fate: Fate::Skipped(reason),
        });
    }

    /// Completes the planning.
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
