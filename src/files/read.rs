//! Reading a file without a wish to change it.

use std::path::Path;

use nix::fcntl::AT_FDCWD;

use super::error::FileError;
use super::location::resolve;
use super::snapshot::Snapshot;

/// The content of a regular file; nothing if there is none.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>, FileError> {
    match resolve(path) {
        Err(FileError::Missing(_)) => Ok(None),
        real => Ok(Snapshot::read(AT_FDCWD, &real?, path)?.map(|read| read.bytes)),
    }
}
