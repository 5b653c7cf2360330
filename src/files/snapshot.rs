//! A file as it was read.

use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat, fstatat};

use super::error::{During, FileError, Step};

/// The largest file that we edit, in bytes. The format's limits are lower by far.
const SIZE_LIMIT: u64 = 64 * 1024 * 1024;

/// What was read, and from which file.
pub(super) struct Snapshot {
    pub(super) file: File,
    pub(super) stat: FileStat,
    pub(super) bytes: Vec<u8>,
}

impl Snapshot {
    /// Reads a file; nothing if it is missing. `path` is for messages.
    pub(super) fn read(
        folder: impl AsFd,
        name: &Path,
        path: &Path,
    ) -> Result<Option<Self>, FileError> {
        let stat = match fstatat(&folder, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
            Err(Errno::ENOENT) => return Ok(None),
            stat => stat.during(Step::Open, path)?,
        };
        // Looked at before it is opened: opening a device may do things.
        check_kind(&stat, path)?;
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let mut file = match openat(&folder, name, flags, Mode::empty()) {
            Err(Errno::ENOENT) => return Ok(None),
            file => File::from(file.during(Step::Open, path)?),
        };
        let stat = fstat(&file).during(Step::Read, path)?;
        check_kind(&stat, path)?;
        let bytes = read_all(&mut file, &stat, path)?;
        Ok(Some(Self { file, stat, bytes }))
    }

    /// Whether the same file with the same content still stands at its place.
    pub(super) fn is_current(
        &self,
        folder: impl AsFd,
        name: &Path,
        path: &Path,
    ) -> Result<bool, FileError> {
        let now = Self::read(folder, name, path)?;
        Ok(now.is_some_and(|now| self.is_same(&now)))
    }

    /// Whether two readings are of one file that nobody touched between them.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        identity(&self.stat) == identity(&other.stat) && self.bytes == other.bytes
    }
}

/// All that changes when a file is replaced, written, or given another owner, mode or attribute.
fn identity(stat: &FileStat) -> impl PartialEq {
    (
        (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mode),
        (stat.st_uid, stat.st_gid),
        (stat.st_mtime, stat.st_mtime_nsec),
        (stat.st_ctime, stat.st_ctime_nsec),
    )
}

fn check_kind(stat: &FileStat, path: &Path) -> Result<(), FileError> {
    let kind = match SFlag::from_bits_truncate(stat.st_mode & SFlag::S_IFMT.bits()) {
        SFlag::S_IFREG => return Ok(()),
        SFlag::S_IFDIR => "a directory",
        SFlag::S_IFIFO => "a FIFO",
        SFlag::S_IFSOCK => "a socket",
        SFlag::S_IFLNK => "a symbolic link",
        _ => "a device",
    };
    Err(FileError::NotRegular {
        path: path.to_owned(),
        kind,
    })
}

fn read_all(file: &mut File, stat: &FileStat, path: &Path) -> Result<Vec<u8>, FileError> {
    let expected = u64::try_from(stat.st_size).unwrap_or(0);
    if expected > SIZE_LIMIT {
        return Err(FileError::TooLarge(path.to_owned()));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or(0) + 1);
    let length = file
        .take(SIZE_LIMIT + 1)
        .read_to_end(&mut bytes)
        .during(Step::Read, path)?;
    if length as u64 > SIZE_LIMIT {
        return Err(FileError::TooLarge(path.to_owned()));
    }
    Ok(bytes)
}
