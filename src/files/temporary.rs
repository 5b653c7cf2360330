//! The file that is filled beside the target, to take its place.

use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat, renameat};
use nix::sys::stat::Mode;
use nix::unistd::{UnlinkatFlags, fsync, unlinkat};

use super::error::{During, FileError, Step};
use super::folder::Folder;

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
    pub(super) fn create(
        folder: &'f Folder,
        target: &Path,
        path: &Path,
    ) -> Result<Self, FileError> {
        let flags =
            OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        loop {
            let random = RandomState::new().hash_one(std::process::id());
            let name = PathBuf::from(format!("{}{random:016x}", prefix(target)));
            let mode = Mode::S_IRUSR | Mode::S_IWUSR;
            let file = match openat(&folder.handle, &name, flags, mode) {
                Err(Errno::EEXIST) => continue,
                file => File::from(file.during(Step::CreateTemporary, path)?),
            };
            // Tells a run that sweeps that this file is in use. Where there are no locks, nothing sweeps either.
            let _ = file.try_lock();
            return Ok(Self {
                file,
                folder,
                name,
                unnamed: true,
            });
        }
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
        let length = self.file.metadata().during(Step::ReadBack, path)?.len();
        let mut offset = 0;
        let mut chunk = vec![0; bytes.len().min(64 * 1024)];
        for expected in bytes.chunks(chunk.len().max(1)) {
            let found = &mut chunk[..expected.len()];
            self.file
                .read_exact_at(found, offset)
                .during(Step::ReadBack, path)?;
            if found != expected {
                return Err(FileError::NotWritten(path.to_owned()));
            }
            offset += expected.len() as u64;
        }
        if length == offset {
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
