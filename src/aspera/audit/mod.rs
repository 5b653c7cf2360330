//! The judgement: the encryption with which each upload of a server is stored, and whether it meets the expectations.
//!
//! The code is pure. Its input is the parsed files, the accounts, the known facts about services and version ([`Facts`]), and the expectations. Its
//! output is [`Rows`] and a [`Judgement`]. Where the vendor's documentation leaves something open, every reading of it is kept ([`Doubt`]). A result
//! is known only if it holds under all readings. `docs/judgement.md` explains the rules.

mod access_key;
mod accounts;
mod doubt;
mod endpoint;
mod entries;
mod expectation;
mod facts;
mod inheritance;
mod judgement;
mod overriding;
mod possible;
mod query;
mod row;
mod rows;
mod s3_docroot;
mod settled;
mod unfounded;
mod verdict;

pub use access_key::{KeyStorage, with_access_key};
pub use accounts::Accounts;
pub use doubt::Doubt;
pub use endpoint::Endpoint;
pub use expectation::{Comparison, Difference, Expectation, ScopePattern, Wanted};
pub use facts::{Facts, SystemFile};
pub use judgement::{Judgement, judge};
pub use possible::{Outcome, Possible, Request, Source};
pub use row::{Results, Row, Rows, RowsBuilder};
pub use rows::{rows, rows_with};
pub use s3_docroot::{doubts_of_setting, possible_of};
pub use settled::Settled;
pub use unfounded::Unfounded;
pub use verdict::{Judged, Place, Verdict, Violation};
