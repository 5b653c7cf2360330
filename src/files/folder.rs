//! The folder of a file: its lock, and what an earlier run may have left in it.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::dir::Dir;
use nix::fcntl::{AtFlags, OFlag, open, openat};
use nix::sys::stat::{Mode, SFlag, fstat};
use nix::unistd::{UnlinkatFlags, fsync, geteuid, unlinkat};

use super::error::{During, FileError, Step};

/// How long another run is waited for. Any local user can hold the lock, so that it is no reason to fail.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);
const LOCK_INTERVAL: Duration = Duration::from_millis(20);

/// An open folder, locked against other runs of ours as long as it is open.
pub(super) struct Folder {
    pub(super) handle: File,
    /// Why it is not locked after all.
    pub(super) warning: Option<String>,
}

impl Folder {
    /// Opens and locks the folder of a file.
    #[expect(
        clippy::disallowed_methods,
        reason = "a folder that was resolved, and nothing else by O_DIRECTORY"
    )]
    pub(super) fn open(folder: &Path, path: &Path) -> Result<Self, FileError> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let handle = open(folder, flags, Mode::empty()).during(Step::OpenFolder, path)?;
        let handle = File::from(handle);
        let warning = lock(&handle, folder);
        Ok(Self { handle, warning })
    }

    /// Brings renames in the folder to the disk.
    pub(super) fn sync(&self) -> nix::Result<()> {
        fsync(&self.handle)
    }

    /// Removes temporary files that a killed run left: of our name, locked by nobody, and of our user, or of the file's own owner if the run had
    /// come so far as to give it to him.
    #[expect(
        clippy::disallowed_methods,
        reason = "the folder itself, which is open already"
    )]
    pub(super) fn sweep(&self, prefix: &str, file_owner: Option<u32>) {
        if self.warning.is_some() {
            return;
        }
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let Ok(mut entries) = Dir::openat(&self.handle, ".", flags, Mode::empty()) else {
            return;
        };
        for entry in entries.iter().flatten() {
            let name = entry.file_name();
            if name.to_bytes().starts_with(prefix.as_bytes()) && self.is_stale(name, file_owner) {
                let _ = unlinkat(&self.handle, name, UnlinkatFlags::NoRemoveDir);
            }
        }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "regular files only, and without waiting"
    )]
    fn is_stale(&self, name: &std::ffi::CStr, file_owner: Option<u32>) -> bool {
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let stat = nix::sys::stat::fstatat(&self.handle, name, AtFlags::AT_SYMLINK_NOFOLLOW);
        let is_regular = |mode| mode & SFlag::S_IFMT.bits() == SFlag::S_IFREG.bits();
        if !stat.is_ok_and(|stat| is_regular(stat.st_mode)) {
            return false;
        }
        let Ok(file) = openat(&self.handle, name, flags, Mode::empty()).map(File::from) else {
            return false;
        };
        let is_owner = |owner| owner == geteuid().as_raw() || Some(owner) == file_owner;
        let is_ours = fstat(&file).is_ok_and(|stat| {
            is_regular(stat.st_mode) && is_owner(stat.st_uid) && stat.st_nlink == 1
        });
        is_ours && file.try_lock().is_ok()
    }
}

fn lock(handle: &File, folder: &Path) -> Option<String> {
    let deadline = Instant::now() + LOCK_PATIENCE;
    loop {
        match handle.try_lock() {
            Ok(()) => return None,
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => sleep(LOCK_INTERVAL),
            Err(TryLockError::WouldBlock) => {
                return Some(format!(
                    "Another program holds the lock on {} for {} seconds now; went on without it.",
                    folder.display(),
                    LOCK_PATIENCE.as_secs()
                ));
            }
            Err(TryLockError::Error(error)) => {
                return Some(format!(
                    "Could not lock {} ({}); went on without the lock.",
                    folder.display(),
                    error.kind()
                ));
            }
        }
    }
}
