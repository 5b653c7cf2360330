//! A file as it was read.

use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat, fstatat};

use super::content;
use super::error::{During, Problem, Step};

/// The largest file that is read, in bytes, where a caller does not know of a lower limit.
pub const SIZE_LIMIT: u64 = 67_108_864;

/// What was read, and from which file.
pub(super) struct Snapshot {
    pub(super) file: File,
    pub(super) stat: FileStat,
    pub(super) bytes: Vec<u8>,
}

impl Snapshot {
    /// Reads a file; nothing if it is missing. A file that is larger than the limit is refused.
    pub(super) fn read(
        folder: impl AsFd,
        name: &Path,
        limit: u64,
    ) -> Result<Option<Self>, Problem> {
        let Some((mut file, stat)) = open_regular(folder, name)? else {
            return Ok(None);
        };
        let bytes = read_all(&mut file, &stat, limit)?;
        Ok(Some(Self { file, stat, bytes }))
    }

    /// Whether the same file still stands at its place, and nobody touched it.
    ///
    /// The content is compared too: two changes within one tick of the clock have the same times.
    pub(super) fn is_current(&self, folder: impl AsFd, name: &Path) -> Result<bool, Problem> {
        match open_regular(folder, name)? {
            Some((file, stat)) if identity(&self.stat) == identity(&stat) => {
                content::matches(&file, &self.bytes).during(Step::Read)
            }
            _ => Ok(false),
        }
    }
}

/// Whether there is nothing at a place.
pub(super) fn is_missing(folder: impl AsFd, name: &Path) -> Result<bool, Problem> {
    Ok(open_regular(folder, name)?.is_none())
}

/// Opens a file for reading if it is a regular one, without waiting for anybody; nothing if it is missing.
pub(super) fn open_regular(
    folder: impl AsFd,
    name: &Path,
) -> Result<Option<(File, FileStat)>, Problem> {
    let stat = match fstatat(&folder, name, AtFlags::AT_SYMLINK_NOFOLLOW) {
        Err(Errno::ENOENT) => return Ok(None),
        stat => stat.during(Step::Open)?,
    };
    // Looked at before it is opened: opening a device may do things.
    check_kind(stat.st_mode)?;
    open_checked(folder, name)
}

/// Opens a file and looks again: another one may have taken its place since the look by name.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that opens a file to read it"
)]
fn open_checked(folder: impl AsFd, name: &Path) -> Result<Option<(File, FileStat)>, Problem> {
    let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
    let file = match openat(&folder, name, flags, Mode::empty()) {
        Err(Errno::ENOENT) => return Ok(None),
        file => File::from(file.during(Step::Open)?),
    };
    let stat = fstat(&file).during(Step::Read)?;
    check_kind(stat.st_mode)?;
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

/// Refuses the mode of everything but a regular file.
pub(super) fn check_kind(mode: u32) -> Result<(), Problem> {
    let kind = match SFlag::from_bits_truncate(mode & SFlag::S_IFMT.bits()) {
        SFlag::S_IFREG => return Ok(()),
        SFlag::S_IFDIR => "a directory",
        SFlag::S_IFIFO => "a FIFO",
        SFlag::S_IFSOCK => "a socket",
        SFlag::S_IFLNK => "a symbolic link",
        _ => "a device",
    };
    Err(Problem::NotRegular(kind))
}

fn read_all(file: &mut File, stat: &FileStat, limit: u64) -> Result<Vec<u8>, Problem> {
    let expected = u64::try_from(stat.st_size).unwrap_or(0);
    if expected > limit {
        return Err(Problem::TooLarge(limit));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or(0) + 1);
    let length = file
        .take(limit + 1)
        .read_to_end(&mut bytes)
        .during(Step::Read)?;
    if length as u64 > limit {
        return Err(Problem::TooLarge(limit));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use nix::fcntl::AT_FDCWD;
    use nix::unistd::mkfifo;
    use tempfile::TempDir;

    use super::*;

    fn file(content: &[u8]) -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        fs::write(&path, content).unwrap();
        (folder, path)
    }

    fn read(path: &Path) -> Snapshot {
        Snapshot::read(AT_FDCWD, path, SIZE_LIMIT).unwrap().unwrap()
    }

    fn is_current(snapshot: &Snapshot, path: &Path) -> bool {
        snapshot.is_current(AT_FDCWD, path).unwrap()
    }

    /// What a snapshot would hold if two changes fell into one tick of the clock: the old content with the new times.
    fn with_times_of_now(old: Snapshot) -> Snapshot {
        Snapshot {
            stat: fstat(&old.file).unwrap(),
            ..old
        }
    }

    #[test]
    fn a_file_that_nobody_touched_is_current() {
        for content in [&b""[..], b"old\n"] {
            let (_folder, path) = file(content);
            assert!(is_current(&read(&path), &path));
        }
    }

    #[test]
    fn new_content_within_one_tick_of_the_clock_is_noticed() {
        let (_folder, path) = file(b"old\n");
        let old = read(&path);
        fs::write(&path, b"new\n").unwrap();
        let old = with_times_of_now(old);
        assert!(!is_current(&old, &path));
        fs::write(&path, b"old\n").unwrap();
        assert!(is_current(&with_times_of_now(old), &path));
    }

    #[test]
    fn every_part_of_the_identity_counts() {
        let (_folder, path) = file(b"old\n");
        let changes: [fn(&mut FileStat); 10] = [
            |stat| stat.st_dev ^= 1,
            |stat| stat.st_ino ^= 1,
            |stat| stat.st_size ^= 1,
            |stat| stat.st_mode ^= 1,
            |stat| stat.st_uid ^= 1,
            |stat| stat.st_gid ^= 1,
            |stat| stat.st_mtime ^= 1,
            |stat| stat.st_mtime_nsec ^= 1,
            |stat| stat.st_ctime ^= 1,
            |stat| stat.st_ctime_nsec ^= 1,
        ];
        for (index, change) in changes.into_iter().enumerate() {
            let mut old = read(&path);
            change(&mut old.stat);
            assert!(!is_current(&old, &path), "change {index}");
        }
    }

    #[test]
    fn a_file_that_is_gone_or_became_something_else_is_not_current() {
        let (folder, path) = file(b"old\n");
        let old = read(&path);
        assert!(!is_missing(AT_FDCWD, &path).unwrap());
        fs::remove_file(&path).unwrap();
        assert!(!is_current(&old, &path));
        assert!(is_missing(AT_FDCWD, &path).unwrap());
        fs::create_dir(&path).unwrap();
        assert!(old.is_current(AT_FDCWD, &path).is_err());
        assert!(is_missing(AT_FDCWD, &path).is_err());
        drop(folder);
    }

    #[test]
    fn a_fifo_that_takes_the_place_of_the_file_before_it_is_opened_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        mkfifo(&path, Mode::S_IRWXU).unwrap();
        // After the look by name, in which the file was a regular one.
        match open_checked(AT_FDCWD, &path) {
            Err(Problem::NotRegular(kind)) => assert_eq!(kind, "a FIFO"),
            other => panic!("{:?}", other.map(|_| "opened")),
        }
    }

    #[test]
    fn a_link_that_takes_the_place_of_the_file_before_it_is_opened_is_refused() {
        let (folder, path) = file(b"");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        match open_checked(AT_FDCWD, &link) {
            Err(Problem::Io(step, errno)) => {
                assert_eq!((step, errno), (Step::Open, Errno::ELOOP));
            }
            other => panic!("{:?}", other.map(|_| "opened")),
        }
        let opened = open_checked(AT_FDCWD, &path).unwrap().unwrap();
        let flags = nix::fcntl::fcntl(opened.0, nix::fcntl::FcntlArg::F_GETFD).unwrap();
        assert_eq!(flags, nix::libc::FD_CLOEXEC);
    }

    #[test]
    fn a_file_that_goes_before_it_is_opened_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        assert!(open_checked(AT_FDCWD, &path).unwrap().is_none());
        let below = path.join("g");
        assert!(open_checked(AT_FDCWD, &below).unwrap().is_none());
    }

    #[test]
    fn a_file_as_large_as_the_limit_is_read_and_a_larger_one_is_not() {
        let (_folder, path) = file(b"");
        let file = File::options().write(true).open(&path).unwrap();
        file.set_len(SIZE_LIMIT).unwrap();
        assert_eq!(read(&path).bytes.len() as u64, SIZE_LIMIT);
        file.set_len(SIZE_LIMIT + 1).unwrap();
        let error = Snapshot::read(AT_FDCWD, &path, SIZE_LIMIT).err();
        assert_eq!(error, Some(Problem::TooLarge(SIZE_LIMIT)));
    }

    #[test]
    fn a_file_that_grows_beyond_the_limit_while_it_is_read_is_refused() {
        let (_folder, path) = file(b"");
        let stat = nix::sys::stat::stat(&path).unwrap();
        File::options()
            .write(true)
            .open(&path)
            .and_then(|file| file.set_len(SIZE_LIMIT + 1))
            .unwrap();
        let mut grown = File::open(&path).unwrap();
        let error = read_all(&mut grown, &stat, SIZE_LIMIT).err();
        assert_eq!(error, Some(Problem::TooLarge(SIZE_LIMIT)));
    }

    #[test]
    fn a_file_that_is_refused_by_its_size_is_not_read() {
        let (_folder, path) = file(b"");
        let mut stat = nix::sys::stat::stat(&path).unwrap();
        stat.st_size = i64::try_from(SIZE_LIMIT).unwrap() + 1;
        let mut empty = File::open(&path).unwrap();
        let error = read_all(&mut empty, &stat, SIZE_LIMIT).err();
        assert_eq!(error, Some(Problem::TooLarge(SIZE_LIMIT)));
    }

    #[test]
    fn each_kind_of_file_has_its_name() {
        let (_folder, path) = file(b"");
        let mut stat = nix::sys::stat::stat(&path).unwrap();
        for (kind, expected) in [
            (SFlag::S_IFREG, None),
            (SFlag::S_IFDIR, Some("a directory")),
            (SFlag::S_IFIFO, Some("a FIFO")),
            (SFlag::S_IFSOCK, Some("a socket")),
            (SFlag::S_IFLNK, Some("a symbolic link")),
            (SFlag::S_IFCHR, Some("a device")),
            (SFlag::S_IFBLK, Some("a device")),
        ] {
            stat.st_mode = kind.bits() | 0o644;
            let found = match check_kind(stat.st_mode) {
                Err(Problem::NotRegular(kind)) => Some(kind),
                Err(other) => panic!("{other:?}"),
                Ok(()) => None,
            };
            assert_eq!(found, expected);
        }
    }
}
