//! Changing a file so that every reader, at any moment and after any accident, finds the old one or the new one, whole.
//!
//! What is not promised: against a program that writes into the file in place at the same time, without our lock, only that it is noticed up to
//! the rename. Knows nothing of Ansible or Aspera.

#![warn(missing_docs)]

mod backup;
mod content;
mod edit;
mod edit_by_program;
mod error;
mod folder;
mod location;
mod metadata;
mod options;
mod read;
mod replace;
mod snapshot;
mod temporary;
mod times;
mod trust;

pub use backup::{is_backup_of, newest_backup, remove_older_backups};
pub use edit::{EditError, Edited, Proposal, edit};
pub use edit_by_program::{EditedByProgram, edit_by_program};
pub use error::{FileError, Problem, Step};
pub use metadata::NewFile;
pub use options::EditOptions;
pub use read::{Metadata, is_folder, metadata, owner, read, read_start, read_up_to, real_path};
pub use snapshot::SIZE_LIMIT;
pub use times::{FileTimes, OwnTimes, file_times};
pub use trust::{Changeable, Trust, trust};
