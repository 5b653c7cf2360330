//! The file that is filled beside the target, to take its place.

use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat, renameat};
use nix::sys::stat::Mode;
use nix::unistd::{UnlinkatFlags, fsync, unlinkat};

use super::content;
use super::error::{During, Problem, Step};
use super::folder::Folder;

/// How many names are tried. One is enough, unless someone foresees random numbers.
const ATTEMPTS: usize = 100;

/// A temporary file, removed unless it takes another name.
pub(super) struct Temporary<'f> {
    pub(super) file: File,
    folder: &'f Folder,
    name: PathBuf,
    /// Whether it has taken its final name.
    renamed: bool,
}

/// How the names of all temporary files for a target start.
pub(super) fn prefix(target: &Path) -> String {
    format!(".{}.{}-", target.display(), env!("CARGO_PKG_NAME"))
}

impl<'f> Temporary<'f> {
    /// Creates an empty file that only we can read, for a target.
    #[expect(
        clippy::disallowed_methods,
        reason = "a new file, which O_EXCL creates or fails"
    )]
    pub(super) fn create(folder: &'f Folder, target: &Path) -> Result<Self, Problem> {
        // O_EXCL follows no link either.
        let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_CLOEXEC;
        let mode = Mode::S_IRUSR | Mode::S_IWUSR;
        let mut created = Err(Errno::EEXIST);
        let mut name = PathBuf::new();
        for _ in 0..ATTEMPTS {
            let random = RandomState::new().hash_one(std::process::id());
            name = PathBuf::from(format!("{}{random:016x}", prefix(target)));
            created = openat(&folder.handle, &name, flags, mode);
            if !matches!(created, Err(Errno::EEXIST)) {
                break;
            }
        }
        let file = File::from(created.during(Step::CreateTemporary)?);
        // Tells a run that sweeps that this file is in use. Where there are no locks, nothing sweeps either.
        let _ = file.try_lock();
        Ok(Self {
            file,
            folder,
            name,
            renamed: false,
        })
    }

    /// Writes all bytes, brings them to the disk, and reads them back.
    pub(super) fn fill(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        self.file.write_all(bytes).during(Step::Write)?;
        fsync(&self.file).during(Step::Sync)?;
        self.check(bytes)
    }

    /// Takes its final name, in the place of what has it now.
    pub(super) fn rename_to(mut self, target: &Path) -> Result<(), Errno> {
        renameat(&self.folder.handle, &self.name, &self.folder.handle, target)?;
        self.renamed = true;
        Ok(())
    }

    fn check(&self, bytes: &[u8]) -> Result<(), Problem> {
        if content::matches(&self.file, bytes).during(Step::ReadBack)? {
            Ok(())
        } else {
            Err(Problem::NotWritten)
        }
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        if !self.renamed {
            let _ = unlinkat(&self.folder.handle, &self.name, UnlinkatFlags::NoRemoveDir);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    use super::*;

    fn folder() -> (tempfile::TempDir, Folder) {
        let folder = tempfile::tempdir().unwrap();
        let opened = Folder::at(folder.path());
        (folder, opened)
    }

    fn names(folder: &tempfile::TempDir) -> Vec<String> {
        let entries = fs::read_dir(folder.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect()
    }

    #[test]
    fn it_is_empty_locked_and_for_us_alone_and_goes_if_it_takes_no_other_name() {
        let (folder, opened) = folder();
        let new = Temporary::create(&opened, Path::new("f")).unwrap();
        let (name,) = match names(&folder).as_slice() {
            [name] => (name.clone(),),
            names => panic!("{names:?}"),
        };
        assert!(name.starts_with(".f.aspera-sse-"), "{name}");
        let metadata = fs::metadata(folder.path().join(&name)).unwrap();
        assert_eq!((metadata.len(), metadata.mode() & 0o7777), (0, 0o600));
        let flags = nix::fcntl::fcntl(&new.file, nix::fcntl::FcntlArg::F_GETFD).unwrap();
        assert_eq!(flags, nix::libc::FD_CLOEXEC);
        let other = File::open(folder.path().join(&name)).unwrap();
        assert!(other.try_lock().is_err());
        drop(new);
        assert!(names(&folder).is_empty());
    }

    #[test]
    fn it_takes_its_final_name_and_stays() {
        let (folder, opened) = folder();
        let mut new = Temporary::create(&opened, Path::new("f")).unwrap();
        new.fill(b"new").unwrap();
        new.rename_to(Path::new("f")).unwrap();
        assert_eq!(names(&folder), ["f"]);
        assert_eq!(fs::read(folder.path().join("f")).unwrap(), b"new");
    }

    #[test]
    fn what_does_not_read_back_is_refused() {
        let (_folder, opened) = folder();
        let mut new = Temporary::create(&opened, Path::new("f")).unwrap();
        // As a disk that adds a byte of its own.
        new.file.write_all(b"x").unwrap();
        let error = new.fill(b"new").err();
        assert_eq!(error, Some(Problem::NotWritten));
    }

    #[test]
    fn what_cannot_be_synced_is_refused() {
        let (folder, opened) = folder();
        let mut new = Temporary::create(&opened, Path::new("f")).unwrap();
        let fifo = folder.path().join("fifo");
        nix::unistd::mkfifo(&fifo, Mode::S_IRWXU).unwrap();
        // What is written into a FIFO can be on no disk.
        new.file = File::options().read(true).write(true).open(&fifo).unwrap();
        match new.fill(b"new") {
            Err(Problem::Io(step, errno)) => {
                assert_eq!((step, errno), (Step::Sync, Errno::EINVAL));
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_folder_that_takes_no_file_is_named_at_once() {
        let (folder, opened) = folder();
        drop(folder);
        match Temporary::create(&opened, Path::new("f")) {
            Err(Problem::Io(step, errno)) => {
                assert_eq!((step, errno), (Step::CreateTemporary, Errno::ENOENT));
            }
            other => panic!("{:?}", other.map(|_| "created")),
        }
    }
}
