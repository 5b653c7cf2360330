//! The uploaded objects: where a docroot puts them, and whether the encryption that one has meets an expectation.

mod comparison;
mod place;

pub use comparison::{Comparison, SeenEncryption, compare};
pub use place::{GivenCredentials, S3Place, Unclear};
