//! The rows of the audit: the docroots of a server and the users without a docroot, each with the possible results of its uploads.

use std::collections::HashMap;
use std::rc::Rc;

use super::doubt::Doubt;
use super::facts::Facts;
use super::inheritance::{Inheritance, Level, State};
use super::possible::{Outcome, Possible};
use super::s3_docroot::S3Docroots;
use super::settled::Settled;
use crate::aspera::docroot::{AsperaConf, Block, DocrootElement, DocrootUri, Scope, Storage};
use crate::subject::with_subject;

/// A docroot, or a user, group or default whose docroot is set elsewhere.
#[derive(Debug)]
pub struct Row {
    /// The scope that owns the docroot.
    pub scope: Scope,
    /// The client address that the docroot applies to, or `None` if it applies to all clients.
    pub peer_ip: Option<Box<str>>,
    /// The docroot, or `None` if the scope has no docroot of its own.
    pub uri: Option<DocrootUri>,
    /// The scope that the docroot is inherited from, or `None` if the scope has its own docroot or several are possible.
    pub inherited_from: Option<Rc<Scope>>,
    /// The possible results of an upload. There are many rows, but few different results.
    pub possible: Rc<Possible>,
}

/// Returns all rows of a server, in the order of `aspera.conf`, or no rows if that file could not be read.
pub fn rows(facts: &Facts) -> Vec<Row> {
    rows_with(facts, None)
}

/// Returns all rows of a server, with one for a user whom `aspera.conf` need not name.
pub fn rows_with(facts: &Facts, user: Option<&str>) -> Vec<Row> {
    let Some(conf) = facts.conf else {
        return Vec::new();
    };
    let s3_docroots = S3Docroots::new(facts);
    let mut settled: HashMap<&Scope, Vec<&Settled>> = HashMap::new();
    for one in facts.settled {
        settled.entry(&one.scope).or_default().push(one);
    }
    let elements = |block| -> Vec<Element> {
        let scope = conf.scope(block);
        let docroots = conf.docroots(block).iter();
        let settled = settled.get(&scope).map(Vec::as_slice).unwrap_or_default();
        let read = |docroot| Element::read(conf, docroot, &s3_docroots, settled);
        with_subject(&scope, || docroots.map(read).collect())
    };
    // There may be very many blocks, so the elements of each are read when they are needed, those of groups twice.
    let levels = |is_wanted: fn(&Scope) -> bool| -> Vec<Level> {
        let blocks = conf.blocks.iter().filter(|block| !conf.is_user(block));
        let levels = blocks.map(|block| level(conf, block, &elements(block)));
        levels.filter(|level| is_wanted(&level.scope)).collect()
    };
    let groups = levels(|scope| matches!(scope, Scope::Group(_)));
    let defaults = levels(|scope| matches!(scope, Scope::Global));
    let inheritance = Inheritance::new(groups, defaults, facts.accounts);
    let mut rows = Vec::with_capacity(conf.blocks.len());
    for block in &conf.blocks {
        let elements = elements(block);
        let level = level(conf, block, &elements);
        with_subject(&level.scope, || {
            add_rows(&mut rows, &level, elements, &inheritance);
        });
    }
    let unnamed = user.map(|user| Scope::User(user.to_owned()));
    if let Some(scope) = unnamed.filter(|scope| rows.iter().all(|row| row.scope != *scope)) {
        let next = next_level(&scope, &inheritance);
        rows.push(Row::without_docroot(&scope, next.from, next.possible));
    }
    let has_unclear_name = conf.blocks.iter().any(|block| block.has_unclear_name);
    for row in &mut rows {
        row.add_doubts_of_services(facts);
        // The docroots of that user or group may be those of any other.
        if has_unclear_name {
            Rc::make_mut(&mut row.possible).leave_unproven(Doubt::UnclearName);
        }
        if row.possible.is_certain() && !row.possible.doubts.is_empty() {
            Rc::make_mut(&mut row.possible).doubts.clear();
        }
    }
    rows
}

/// A docroot element.
struct Element {
    peer_ip: Option<Box<str>>,
    uri: DocrootUri,
    possible: Rc<Possible>,
}

impl Element {
    /// Reads a docroot. `settled` is about the docroots of its owner.
    fn read(
        conf: &AsperaConf,
        docroot: &DocrootElement,
        s3_docroots: &S3Docroots,
        settled: &[&Settled],
    ) -> Self {
        let text = conf.text_with_blanks(docroot);
        let uri = DocrootUri::new(text.trim_ascii());
        let mut possible = match uri.storage() {
            Storage::Unset => Rc::default(),
            Storage::Empty | Storage::Local | Storage::Other(_) => {
                Rc::new(Possible::certainly(Outcome::NotS3))
            }
            Storage::S3 => {
                let mut possible = s3_docroots.possible(&uri);
                let is_about = |settled: &&&Settled| {
                    settled.peer_ip.as_deref() == docroot.peer_ip.as_deref()
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
                possible.merge((*s3_docroots.possible(&uri)).clone());
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
        Self {
            peer_ip: docroot.peer_ip.clone(),
            uri,
            possible,
        }
    }

    fn is_set(&self) -> bool {
        !matches!(self.uri.storage(), Storage::Unset | Storage::Empty)
    }

    fn state(&self) -> State {
        match self.uri.storage() {
            _ if self.peer_ip.is_some() => State::Unset,
            Storage::Unset => State::Unset,
            Storage::Empty => State::Empty,
            _ => State::Set,
        }
    }
}

fn level(conf: &AsperaConf, block: &Block, elements: &[Element]) -> Level {
    let mut possible = merged(elements);
    let mut note = |doubt| Rc::make_mut(&mut possible).note(doubt);
    if elements
        .iter()
        .any(|element| element.uri.storage() == Storage::Empty)
    {
        note(Doubt::EmptyDocroot);
    }
    let is_for_one_address =
        |element: &Element| element.peer_ip.is_some() && element.uri.storage() != Storage::Unset;
    if elements.iter().any(is_for_one_address) {
        note(Doubt::ClientAddress);
    }
    let is_for_all =
        |element: &&Element| element.peer_ip.is_none() && element.uri.storage() != Storage::Unset;
    if elements.iter().filter(is_for_all).count() > 1 {
        note(Doubt::SeveralDocroots);
    }
    let has = |state| elements.iter().any(|element| element.state() == state);
    Level {
        scope: conf.scope(block),
        state: match (has(State::Set), has(State::Empty)) {
            (true, _) => State::Set,
            (_, true) => State::Empty,
            _ => State::Unset,
        },
        possible,
        has_restriction: block.has_restriction,
        has_docroot: elements.iter().any(Element::is_set),
        precedence: block.precedence,
    }
}

/// Returns the results of all elements.
fn merged(elements: &[Element]) -> Rc<Possible> {
    if let [element] = elements {
        return Rc::clone(&element.possible);
    }
    let mut possible = Possible::default();
    for element in elements {
        possible.merge((*element.possible).clone());
    }
    Rc::new(possible)
}

fn add_rows(rows: &mut Vec<Row>, level: &Level, elements: Vec<Element>, inheritance: &Inheritance) {
    let scope = &level.scope;
    let mut unset = Possible::default();
    for element in elements {
        if element.uri.storage() == Storage::Unset {
            unset.merge((*element.possible).clone());
            continue;
        }
        let mut possible = element.possible;
        if element.uri.storage() == Storage::Empty {
            let next = (*next_level(scope, inheritance).possible).clone();
            Rc::make_mut(&mut possible).merge_for(next, Doubt::EmptyDocroot);
        }
        if let Some(doubt) = level.doubt_of_restriction() {
            Rc::make_mut(&mut possible).unbound(doubt);
        }
        rows.push(Row {
            scope: scope.clone(),
            peer_ip: element.peer_ip,
            uri: Some(element.uri),
            inherited_from: None,
            possible,
        });
    }
    let is_user = matches!(scope, Scope::User(_));
    if is_user && level.state == State::Unset {
        let next = next_level(scope, inheritance);
        let mut possible = next.possible;
        if unset != Possible::default() {
            Rc::make_mut(&mut possible).merge(unset);
        }
        if level.has_restriction {
            Rc::make_mut(&mut possible).unbound(Doubt::AccessKeys);
        }
        rows.push(Row::without_docroot(scope, next.from, possible));
    } else if !is_user && level.has_restriction && !level.has_docroot {
        let possible = Rc::new(Possible::anything(Doubt::AccessKeys));
        rows.push(Row::without_docroot(scope, None, possible));
    }
}

/// Returns the level that counts for a block if its own docroot does not.
fn next_level(scope: &Scope, inheritance: &Inheritance) -> NextLevel {
    match scope {
        Scope::User(name) => {
            let inherited = inheritance.of_user(name);
            NextLevel {
                possible: Rc::clone(&inherited.possible),
                from: inherited.from.clone(),
            }
        }
        Scope::Group(_) => {
            let inherited = inheritance.of_default();
            NextLevel {
                possible: inherited.possible,
                from: inherited.from,
            }
        }
        Scope::Global => NextLevel {
            possible: Rc::new(inheritance.beyond(false)),
            from: None,
        },
    }
}

struct NextLevel {
    possible: Rc<Possible>,
    from: Option<Rc<Scope>>,
}

impl Row {
    /// Returns the place of the row, such as `user xfer for 192.0.2.1`.
    pub fn place(&self) -> String {
        self.scope.place(self.peer_ip.as_deref())
    }

    /// Returns whether no upload of this row goes to S3.
    pub fn is_not_s3(&self) -> bool {
        self.possible.is_certain() && self.possible.outcomes == [Outcome::NotS3]
    }

    fn without_docroot(
        scope: &Scope,
        inherited_from: Option<Rc<Scope>>,
        possible: Rc<Possible>,
    ) -> Self {
        Self {
            scope: scope.clone(),
            peer_ip: None,
            uri: None,
            inherited_from,
            possible,
        }
    }

    fn add_doubts_of_services(&mut self, facts: &Facts) {
        let may_be_s3 = self.possible.may_be_s3();
        if facts.noded_runs_older_file || facts.trapd_runs_older_file && may_be_s3 {
            Rc::make_mut(&mut self.possible).unbound(Doubt::OlderFile);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aspera::audit::Accounts;
    use crate::subject::faults::named_after_a_panic_at;

    #[test]
    fn a_panic_names_the_docroot_or_the_user_without_one() {
        let conf = b"<CONF><aaa><realms><realm><users><user><name>a</name><file_system><access><paths><path><absolute>s3://h/a</absolute></path>\
            </paths></access></file_system></user><user><name>b</name></user></users></realm></realms></aaa></CONF>";
        let conf = AsperaConf::parse(conf).unwrap();
        let accounts = Accounts::default();
        let facts = Facts::of(Some(&conf), &accounts);
        for name in ["user a", "user b"] {
            assert_eq!(
                named_after_a_panic_at(name, || rows(&facts)).as_deref(),
                Some(name)
            );
        }
    }
}
