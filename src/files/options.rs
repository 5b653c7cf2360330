//! What a caller may ask of an edit.

use super::metadata::NewFile;
use super::snapshot::SIZE_LIMIT;

/// Options of an edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EditOptions {
    /// The largest file that is edited, in bytes.
    pub size_limit: u64,
    /// Plan, but write nothing.
    pub check_only: bool,
    /// Keep a copy of the old file beside it.
    pub backup: bool,
    /// Write into the file if it cannot be replaced. This is not safe against interruptions.
    pub allow_in_place: bool,
    /// Owner and mode of the file if it is missing and the plan makes it.
    pub new_file: Option<NewFile>,
}

impl Default for EditOptions {
    fn default() -> Self {
        Self {
            size_limit: SIZE_LIMIT,
            check_only: false,
            backup: false,
            allow_in_place: false,
            new_file: None,
        }
    }
}
