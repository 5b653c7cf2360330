//! The rows of the audit, as they are kept: there may be very many, so the texts stay in the file, and rows with equal results share them.

use std::collections::HashMap;
use std::num::NonZero;
use std::rc::Rc;

use super::possible::{Outcome, Possible};
use crate::aspera::docroot::{AsperaConf, Block, BlockKind, DocrootElement, DocrootUri, Scope};

/// The rows of a server, in the order of `aspera.conf`.
#[derive(Debug, Default)]
pub struct Rows<'f> {
    conf: Option<&'f AsperaConf<'f>>,
    entries: Vec<Entry>,
    results: Vec<Results>,
}

/// A row, as it is kept.
#[derive(Debug)]
struct Entry {
    /// The index of its block.
    block: u32,
    /// The number of its docroot in the block, from 1, or `None` if the scope has no docroot of its own.
    docroot: Option<NonZero<u32>>,
    /// The index of its results.
    results: u32,
}

/// What may come of the uploads of a row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Results {
    /// The possible results of an upload.
    pub possible: Rc<Possible>,
    /// The scope that the docroot is inherited from, or `None` if the scope has its own docroot or several are possible.
    pub inherited_from: Option<Rc<Scope>>,
}

/// A docroot, or a user, group or default whose docroot is set elsewhere.
#[derive(Clone, Copy)]
pub struct Row<'r> {
    conf: &'r AsperaConf<'r>,
    entry: &'r Entry,
    results: &'r Results,
}

impl Rows<'_> {
    /// Returns the number of rows.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the row with an index.
    ///
    /// # Panics
    /// If there is none.
    pub fn get(&self, index: usize) -> Row<'_> {
        self.row(&self.entries[index]).expect("a row of a file")
    }

    pub fn iter(&self) -> impl Iterator<Item = Row<'_>> + Clone {
        self.entries.iter().filter_map(|entry| self.row(entry))
    }

    fn row<'r>(&'r self, entry: &'r Entry) -> Option<Row<'r>> {
        Some(Row {
            conf: self.conf?,
            entry,
            results: &self.results[entry.results as usize],
        })
    }
}

impl<'r> Row<'r> {
    /// Returns the kind of the scope that owns the docroot.
    pub fn kind(&self) -> BlockKind {
        self.block().owner.kind
    }

    /// Returns the scope that owns the docroot.
    pub fn scope(&self) -> Scope {
        self.conf.scope(self.block())
    }

    /// Returns the client address that the docroot applies to, or `None` if it applies to all clients.
    pub fn peer_ip(&self) -> Option<String> {
        self.docroot()?.peer_ip(self.conf.bytes)
    }

    /// Returns the docroot, or `None` if the scope has no docroot of its own.
    pub fn uri(&self) -> Option<DocrootUri> {
        Some(DocrootUri::new(self.conf.text(self.docroot()?)))
    }

    /// Returns the scope that the docroot is inherited from, or `None` if the scope has its own docroot or several are possible.
    pub fn inherited_from(&self) -> Option<&'r Scope> {
        self.results.inherited_from.as_deref()
    }

    /// Returns the possible results of an upload.
    pub fn possible(&self) -> &'r Rc<Possible> {
        &self.results.possible
    }

    /// Returns the index of its results, which are equal for rows with equal indexes.
    pub(super) fn results_index(&self) -> u32 {
        self.entry.results
    }

    /// Returns the place of the row, such as `user xfer for 192.0.2.1`.
    pub fn place(&self) -> String {
        self.scope().place(self.peer_ip().as_deref())
    }

    /// Returns whether no upload of this row goes to S3.
    pub fn is_not_s3(&self) -> bool {
        let possible = self.possible();
        possible.is_certain() && possible.outcomes == [Outcome::NotS3]
    }

    fn block(&self) -> &'r Block {
        &self.conf.blocks[self.entry.block as usize]
    }

    fn docroot(&self) -> Option<&'r DocrootElement> {
        let number = self.entry.docroot?.get() as usize;
        self.conf.docroots(self.block()).get(number - 1)
    }
}

/// Rows in the making.
pub struct RowsBuilder<'f> {
    rows: Rows<'f>,
    /// The indexes of the results so far.
    known: HashMap<Results, u32>,
}

impl<'f> RowsBuilder<'f> {
    /// Begins the rows of a file.
    pub fn new(conf: &'f AsperaConf<'f>) -> Self {
        Self {
            rows: Rows {
                conf: Some(conf),
                ..Rows::default()
            },
            known: HashMap::new(),
        }
    }

    /// Adds the row of a block, by its index, or of one of its docroots, by its index there.
    pub fn push(&mut self, block: usize, docroot: Option<usize>, mut results: Results) {
        let next = small(self.rows.results.len());
        let known = self.known.get(&results).copied();
        let results = known.unwrap_or_else(|| {
            Rc::make_mut(&mut results.possible).outcomes.shrink_to_fit();
            self.known.insert(results.clone(), next);
            self.rows.results.push(results);
            next
        });
        self.rows.entries.push(Entry {
            block: small(block),
            docroot: docroot.and_then(|index| NonZero::new(small(index) + 1)),
            results,
        });
    }

    pub fn build(self) -> Rows<'f> {
        self.rows
    }
}

/// Files are limited to far less than 4 GiB, and each of these takes several bytes.
fn small(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
