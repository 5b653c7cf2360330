//! Reading a file without changing it: the only ways in which the program opens files of a host.
//!
//! The owner of a folder of an installation can put anything in the place of a file: a link to a secret, a FIFO on which a reader waits for ever, a
//! device that acts when it is opened, a file without end. None of these is opened.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags};
use nix::sys::stat::{FileStat, SFlag, fstatat};

use super::error::{At, During, FileError, Problem, Step};
use super::location::{Place, find};
use super::snapshot::{self, SIZE_LIMIT, Snapshot};

/// Returns the content of a regular file, or `None` if there is no file.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>, FileError> {
    read_up_to(path, SIZE_LIMIT)
}

/// Returns the content of a regular file up to a limit in bytes, or `None` if there is no file. A larger file is an error.
pub fn read_up_to(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, FileError> {
    let Some(place) = existing(path)? else {
        return Ok(None);
    };
    let read = Snapshot::read(&place.folder, &place.name, limit).at(path)?;
    Ok(read.map(|read| read.bytes))
}

/// Returns the first bytes of a file that the kernel generates, in `/proc` or `/sys`, or `None` if there is no file. Its size is not known before it
/// is read.
pub fn read_start(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, FileError> {
    let Some((file, _)) = snapshot::open_regular(AT_FDCWD, path).at(path)? else {
        return Ok(None);
    };
    let mut bytes = Vec::new();
    match File::take(file, limit).read_to_end(&mut bytes) {
        // The process ended meanwhile.
        Err(error) if error.raw_os_error() == Some(Errno::ESRCH as i32) => Ok(None),
        read => read.during(Step::Read).at(path).map(|_| Some(bytes)),
    }
}

/// The metadata of a regular file, read without opening it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metadata {
    /// The user id of its owner.
    pub owner: u32,
    /// The group id of its group.
    pub group: u32,
    /// The permission bits, without the type of the file.
    pub mode: u32,
}

/// Returns the metadata of a regular file, or `None` if there is no file.
pub fn metadata(path: &Path) -> Result<Option<Metadata>, FileError> {
    let Some(stat) = stat(path)? else {
        return Ok(None);
    };
    snapshot::check_kind(stat.st_mode).at(path)?;
    Ok(Some(Metadata {
        owner: stat.st_uid,
        group: stat.st_gid,
        mode: stat.st_mode & 0o777,
    }))
}

/// Returns whether a path leads to a folder.
pub fn is_folder(path: &Path) -> bool {
    stat(path).is_ok_and(|stat| {
        stat.is_some_and(|stat| stat.st_mode & SFlag::S_IFMT.bits() == SFlag::S_IFDIR.bits())
    })
}

/// Returns the owner of a file or folder, or `None` if it does not exist.
pub fn owner(path: &Path) -> Result<Option<u32>, FileError> {
    Ok(stat(path)?.map(|stat| stat.st_uid))
}

/// Returns the real path of a file, through links of nobody but root and the user that this program runs as.
pub fn real_path(path: &Path) -> Result<PathBuf, FileError> {
    find(path).map(|place| place.real)
}

fn stat(path: &Path) -> Result<Option<FileStat>, FileError> {
    let Some(place) = existing(path)? else {
        return Ok(None);
    };
    match fstatat(&place.folder, &place.name, AtFlags::AT_SYMLINK_NOFOLLOW) {
        Err(Errno::ENOENT) => Ok(None),
        stat => stat.during(Step::Open).at(path).map(Some),
    }
}

/// Returns the place of a file, or `None` if there is no folder for it.
fn existing(path: &Path) -> Result<Option<Place>, FileError> {
    match find(path) {
        Err(error) if error.problem == Problem::Missing => Ok(None),
        place => place.map(Some),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_read_and_a_missing_one_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        assert_eq!(read(&path), Ok(None));
        assert_eq!(read(&folder.path().join("none/f")), Ok(None));
        fs::write(&path, "text").unwrap();
        assert_eq!(read(&path), Ok(Some(b"text".to_vec())));
        let error = read(folder.path()).unwrap_err();
        assert!(matches!(error.problem, Problem::NotRegular(_)), "{error}");
    }

    #[test]
    fn the_owner_is_that_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let own = nix::unistd::geteuid().as_raw();
        assert_eq!(owner(folder.path()), Ok(Some(own)));
        assert_eq!(owner(&folder.path().join("none")), Ok(None));
    }

    #[test]
    fn only_a_process_that_has_ended_is_none() {
        // The first page of a process is never mapped: reading it is an error of another kind.
        let memory = Path::new("/proc/self/mem");
        let error = read_start(memory, 10).unwrap_err();
        assert_eq!(error.problem, Problem::Io(Step::Read, Errno::EIO));
        let start = read_start(Path::new("/proc/self/stat"), 3)
            .unwrap()
            .unwrap();
        assert_eq!(start.len(), 3);
    }
}
