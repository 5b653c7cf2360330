//! A file as it was read.

use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat, fstatat};

use super::content;
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
        let Some((mut file, stat)) = open_regular(folder, name, path)? else {
            return Ok(None);
        };
        let bytes = read_all(&mut file, &stat, path)?;
        Ok(Some(Self { file, stat, bytes }))
    }

    /// Whether the same file still stands at its place, and nobody touched it.
    ///
    /// The content is compared too: two changes within one tick of the clock have the same times.
    pub(super) fn is_current(
        &self,
        folder: impl AsFd,
        name: &Path,
        path: &Path,
    ) -> Result<bool, FileError> {
        match open_regular(folder, name, path)? {
            Some((file, stat)) if identity(&self.stat) == identity(&stat) => {
                content::is(&file, &self.bytes).during(Step::Read, path)
            }
            _ => Ok(false),
        }
    }
}

/// Whether there is nothing at a place. `path` is for messages.
pub(super) fn is_missing(folder: impl AsFd, name: &Path, path: &Path) -> Result<bool, FileError> {
    Ok(open_regular(folder, name, path)?.is_none())
}

/// Opens a file for reading if it is a regular one, without waiting for anybody; nothing if it is missing. `path` is for messages.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that opens a file to read it"
)]
pub(super) fn open_regular(
    folder: impl AsFd,
    name: &Path,
    path: &Path,
) -> Result<Option<(File, FileStat)>, FileError> {
    let stat = match fstatat(&folder, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
        Err(Errno::ENOENT) => return Ok(None),
        stat => stat.during(Step::Open, path)?,
    };
    // Looked at before it is opened: opening a device may do things.
    check_kind(&stat, path)?;
    let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    let file = match openat(&folder, name, flags, Mode::empty()) {
        Err(Errno::ENOENT) => return Ok(None),
        file => File::from(file.during(Step::Open, path)?),
    };
    let stat = fstat(&file).during(Step::Read, path)?;
    check_kind(&stat, path)?;
    Ok(Some((file, stat)))
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

/// Refuses everything but a regular file. `path` is for messages.
pub(super) fn check_kind(stat: &FileStat, path: &Path) -> Result<(), FileError> {
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
