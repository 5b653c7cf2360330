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
use super::error::{During, FileError, Step};
use super::folder::Folder;

/// How many names are tried. One is enough, unless someone foresees random numbers.
const ATTEMPTS: usize = 100;

/// A temporary file, removed unless it takes another name.
pub(super) struct Temporary<'f> {
    pub(super) file: File,
    folder: &'f Folder,
    name: PathBuf,
    /// Whether it still has only its own name.
    unnamed: bool,
}

/// How the names of all temporary files for a target start.
pub(super) fn prefix(target: &Path) -> String {
    format!(".{}.{}-", target.display(), env!("CARGO_PKG_NAME"))
}

impl<'f> Temporary<'f> {
    /// Creates an empty file that only we can read, for a target of which `path` is for messages.
    #[expect(
        clippy::disallowed_methods,
        reason = "a new file, which O_EXCL creates or fails"
    )]
    pub(super) fn create(
        folder: &'f Folder,
        target: &Path,
        path: &Path,
    ) -> Result<Self, FileError> {
        let flags =
            OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
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
        let file = File::from(created.during(Step::CreateTemporary, path)?);
        // Tells a run that sweeps that this file is in use. Where there are no locks, nothing sweeps either.
        let _ = file.try_lock();
        Ok(Self {
            file,
            folder,
            name,
            unnamed: true,
        })
    }

    /// Writes all bytes, brings them to the disk, and reads them back.
    pub(super) fn fill(&mut self, bytes: &[u8], path: &Path) -> Result<(), FileError> {
        self.file.write_all(bytes).during(Step::Write, path)?;
        fsync(&self.file).during(Step::Sync, path)?;
        self.check(bytes, path)
    }

    /// Takes its final name, in the place of what has it now.
    pub(super) fn rename_to(mut self, target: &Path) -> Result<(), Errno> {
        renameat(&self.folder.handle, &self.name, &self.folder.handle, target)?;
        self.unnamed = false;
        Ok(())
    }

    fn check(&self, bytes: &[u8], path: &Path) -> Result<(), FileError> {
        if content::is(&self.file, bytes).during(Step::ReadBack, path)? {
            Ok(())
        } else {
            Err(FileError::NotWritten(path.to_owned()))
        }
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        if self.unnamed {
            let _ = unlinkat(&self.folder.handle, &self.name, UnlinkatFlags::NoRemoveDir);
        }
    }
}
