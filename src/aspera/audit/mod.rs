//! The judgement: which encryption each upload of a server is stored with, and whether that is what somebody expects.
//!
//! Pure: in go the parsed files, the accounts and what is known of services and version ([`Facts`]), and the expectations; out come [`Row`]s and a
//! [`Judgement`]. Where the vendor's documentation leaves something open, every reading of it is kept ([`Doubt`]). What holds under all readings is
//! known, and nothing else is. `docs/judgement.md` has the rules in words.

mod accounts;
mod doubt;
mod endpoint;
mod expectation;
mod facts;
mod inheritance;
mod judgement;
mod possible;
mod query;
mod rows;
mod s3_docroot;

pub use accounts::Accounts;
pub use doubt::Doubt;
pub use expectation::{Difference, Expectation, ScopePattern, Wanted};
pub use facts::{Facts, SystemFile};
pub use judgement::{Judgement, Place, RowVerdict, Unknown, Verdict, Violation, judge};
pub use possible::{Outcome, Possible, Request, Source};
pub use rows::{Row, rows};
pub use s3_docroot::doubts_of_setting;
