//! The rows of the audit: the docroots of a server and the users without a docroot, each with the possible results of its uploads.

use std::collections::HashMap;
use std::rc::Rc;

use super::doubt::Doubt;
use super::facts::Facts;
use super::inheritance::{DocrootState, Inheritance, Level};
use super::possible::{Outcome, Possible};
use super::row::{Results, Rows, RowsBuilder};
use super::s3_docroot::S3Docroots;
use super::settled::Settled;
use crate::aspera::docroot::{
    AsperaConf, Block, BlockKind, DocrootElement, DocrootUri, Scope, Storage,
};
use crate::subject::with_subject;

/// Returns all rows of a server, in the order of `aspera.conf`, or no rows if that file could not be read.
pub fn rows<'f>(facts: &Facts<'f>) -> Rows<'f> {
    rows_with(facts, None).0
}

/// Returns all rows of a server, and the possible results of the uploads of a user, if `aspera.conf` does not name that user.
pub fn rows_with<'f>(facts: &Facts<'f>, user: Option<&str>) -> (Rows<'f>, Option<Rc<Possible>>) {
    let Some(conf) = facts.conf else {
        return (Rows::default(), None);
    };
    let reader = Reader::new(conf, facts);
    // There may be very many docroots, so each is read when it is needed, those of groups twice.
    let levels = |kind: BlockKind| -> Vec<Level> {
        let blocks = conf.blocks.iter();
        let blocks = blocks.filter(|block| block.owner.kind == kind);
        blocks.map(|block| reader.level(block)).collect()
    };
    let inheritance = Inheritance::new(
        levels(BlockKind::Group),
        levels(BlockKind::Global),
        &facts.accounts,
    );
    let mut finder = Finder {
        reader: &reader,
        facts,
        inheritance,
        has_unclear_name: conf.blocks.iter().any(|block| block.has_unclear_name),
        rows: RowsBuilder::new(conf),
    };
    for (index, block) in conf.blocks.iter().enumerate() {
        let scope = conf.scope(block);
        with_subject(&scope, || finder.add_block(index, block, &scope));
    }
    let user = user.map(|user| Scope::User(user.to_owned()));
    let unnamed = user.filter(|user| conf.blocks.iter().all(|block| conf.scope(block) != *user));
    let of_unnamed = unnamed.map(|user| finder.on_server(finder.next_level(&user)).possible);
    (finder.rows.build(), of_unnamed)
}

/// Reads the docroots of a file.
struct Reader<'r, 'f> {
    conf: &'f AsperaConf<'f>,
    s3_docroots: S3Docroots<'r>,
    /// What objects have settled, by the owner of the docroot.
    settled: HashMap<&'r Scope, Vec<&'r Settled>>,
}

struct Element {
    storage: Storage,
    has_peer_ip: bool,
    possible: Rc<Possible>,
}

impl<'r, 'f> Reader<'r, 'f> {
    fn new(conf: &'f AsperaConf<'f>, facts: &'r Facts<'f>) -> Self {
        let mut settled: HashMap<&Scope, Vec<&Settled>> = HashMap::new();
        for one in &facts.settled {
            settled.entry(&one.scope).or_default().push(one);
        }
        Self {
            conf,
            s3_docroots: S3Docroots::new(facts),
            settled,
        }
    }

    fn elements(&self, block: &Block) -> impl Iterator<Item = Element> {
        let docroots = self.conf.docroots(block).iter();
        // Names are read out of the file only if an object has settled something.
        let settled = (!self.settled.is_empty()).then(|| self.settled.get(&self.conf.scope(block)));
        let settled = settled.flatten().map(Vec::as_slice).unwrap_or_default();
        docroots.map(|docroot| self.element(docroot, settled))
    }

    /// Reads a docroot. `settled` is about the docroots of its owner.
    fn element(&self, docroot: &DocrootElement, settled: &[&Settled]) -> Element {
        let text = self.conf.text_with_blanks(docroot);
        let uri = DocrootUri::new(text.trim_ascii());
        let mut possible = match uri.storage() {
            Storage::Unset => Rc::default(),
            Storage::Empty | Storage::Local | Storage::Other(_) => {
                Rc::new(Possible::certainly(Outcome::NotS3))
            }
            Storage::S3 => {
                let mut possible = self.s3_docroots.possible(&uri);
                let is_about = |settled: &&&Settled| {
                    settled.peer_ip == docroot.peer_ip(self.conf.bytes)
                        && settled.uri == uri.masked(None)
                };
                if let Some(settled) = settled.iter().find(is_about) {
                    settled.settle(Rc::make_mut(&mut possible));
                }
                possible
            }
            Storage::MisspelledS3 => {
                let mut possible = Possible::certainly(Outcome::NotS3);
                possible.leave_unproven(Doubt::SchemeInCapitals);
                possible.merge((*self.s3_docroots.possible(&uri)).clone());
                Rc::new(possible)
            }
            Storage::Unknown => Rc::new(Possible::anything(Doubt::UnknownDocroot)),
        };
        // After the last option, the blanks would be part of its value.
        if possible.requests().next().is_some() && uri.text().len() < text.len() {
            Rc::make_mut(&mut possible).leave_unproven(Doubt::BlanksAroundDocroot);
        }
        if docroot.has_misc {
            Rc::make_mut(&mut possible).leave_unproven(Doubt::CommentInDocroot);
        }
        Element {
            storage: uri.storage(),
            has_peer_ip: docroot.has_peer_ip,
            possible,
        }
    }

    /// Returns a group or default as a level of inheritance.
    fn level(&self, block: &Block) -> Level {
        let scope = self.conf.scope(block);
        with_subject(&scope, || {
            let mut possible: Option<Rc<Possible>> = None;
            let mut state = DocrootState::Unset;
            let (mut has_docroot, mut has_empty) = (false, false);
            let (mut for_one_address, mut for_all) = (0_usize, 0_usize);
            for element in self.elements(block) {
                state = state.max(element.state());
                has_docroot |= element.is_set();
                has_empty |= element.storage == Storage::Empty;
                match element.storage {
                    Storage::Unset => {}
                    _ if element.has_peer_ip => for_one_address += 1,
                    _ => for_all += 1,
                }
                match &mut possible {
                    None => possible = Some(element.possible),
                    Some(possible) => {
                        Rc::make_mut(possible).merge((*element.possible).clone());
                    }
                }
            }
            let mut possible = possible.unwrap_or_default();
            for (doubt, is_open) in [
                (Doubt::EmptyDocroot, has_empty),
                (Doubt::ClientAddress, for_one_address > 0),
                (Doubt::SeveralDocroots, for_all > 1),
            ] {
                if is_open {
                    Rc::make_mut(&mut possible).note(doubt);
                }
            }
            Level {
                scope: scope.clone(),
                state,
                possible,
                has_restriction: block.has_restriction,
                has_docroot,
                precedence: block.precedence,
            }
        })
    }
}

impl Element {
    fn is_set(&self) -> bool {
        !matches!(self.storage, Storage::Unset | Storage::Empty)
    }

    /// Returns what it means for clients at any address.
    fn state(&self) -> DocrootState {
        match self.storage {
            _ if self.has_peer_ip => DocrootState::Unset,
            Storage::Unset => DocrootState::Unset,
            Storage::Empty => DocrootState::Empty,
            _ => DocrootState::Set,
        }
    }
}

/// Finds the rows of a file.
struct Finder<'r, 'f> {
    reader: &'r Reader<'r, 'f>,
    facts: &'r Facts<'f>,
    inheritance: Inheritance<'r>,
    has_unclear_name: bool,
    rows: RowsBuilder<'f>,
}

impl Finder<'_, '_> {
    /// Adds the rows of a block.
    fn add_block(&mut self, index: usize, block: &Block, scope: &Scope) {
        // Only restrictions make a difference to the other docroots of a block.
        let has_docroot =
            block.has_restriction && self.reader.elements(block).any(|element| element.is_set());
        let restriction = block.has_restriction.then_some(if has_docroot {
            Doubt::RestrictionsAndDocroot
        } else {
            Doubt::AccessKeys
        });
        let mut unset = Possible::default();
        let mut state = DocrootState::Unset;
        for (docroot, element) in self.reader.elements(block).enumerate() {
            state = state.max(element.state());
            if element.storage == Storage::Unset {
                unset.merge((*element.possible).clone());
                continue;
            }
            let mut possible = element.possible;
            if element.storage == Storage::Empty {
                let next = (*self.next_level(scope).possible).clone();
                Rc::make_mut(&mut possible).merge_for(next, Doubt::EmptyDocroot);
            }
            if let Some(doubt) = restriction {
                Rc::make_mut(&mut possible).unbound(doubt);
            }
            self.add(index, Some(docroot), Results::of_own(possible));
        }
        let is_user = block.owner.kind == BlockKind::User;
        if is_user && state == DocrootState::Unset {
            let mut results = self.next_level(scope);
            if unset != Possible::default() {
                Rc::make_mut(&mut results.possible).merge(unset);
            }
            if block.has_restriction {
                Rc::make_mut(&mut results.possible).unbound(Doubt::AccessKeys);
            }
            self.add(index, None, results);
        } else if !is_user && block.has_restriction && !has_docroot {
            let possible = Rc::new(Possible::anything(Doubt::AccessKeys));
            self.add(index, None, Results::of_own(possible));
        }
    }

    /// Returns the results of the level that counts for a block if its own docroot does not.
    fn next_level(&self, scope: &Scope) -> Results {
        match scope {
            Scope::User(name) => self.inheritance.of_user(name),
            Scope::Group(_) => self.inheritance.of_default(),
            Scope::Global => Results::of_own(Rc::new(self.inheritance.beyond(false))),
        }
    }

    fn add(&mut self, block: usize, docroot: Option<usize>, results: Results) {
        let results = self.on_server(results);
        self.rows.push(block, docroot, results);
    }

    /// Adds the doubts that the whole server leaves.
    fn on_server(&self, mut results: Results) -> Results {
        let possible = &mut results.possible;
        let facts = self.facts;
        if facts.noded_runs_older_file || facts.trapd_runs_older_file && possible.may_be_s3() {
            Rc::make_mut(possible).unbound(Doubt::OlderFile);
        }
        // The docroots of that user or group may be those of any other.
        if self.has_unclear_name {
            Rc::make_mut(possible).leave_unproven(Doubt::UnclearName);
        }
        if possible.is_certain() && !possible.doubts.is_empty() {
            Rc::make_mut(possible).doubts.clear();
        }
        results
    }
}

impl Results {
    /// Returns the results of a docroot that is not inherited.
    fn of_own(possible: Rc<Possible>) -> Self {
        Self {
            possible,
            inherited_from: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::faults::named_after_a_panic_at;

    #[test]
    fn a_panic_names_the_docroot_or_the_user_without_one() {
        let conf = b"<CONF><aaa><realms><realm><users><user><name>a</name><file_system><access><paths><path><absolute>s3://h/a</absolute></path>\
            </paths></access></file_system></user><user><name>b</name></user></users></realm></realms></aaa></CONF>";
        let conf = AsperaConf::parse(conf).unwrap();
        let facts = Facts::of(Some(&conf));
        for name in ["user a", "user b"] {
            assert_eq!(
                named_after_a_panic_at(name, || rows(&facts)).as_deref(),
                Some(name)
            );
        }
    }
}
