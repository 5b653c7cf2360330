//! The folder of a file: its lock, and what an earlier run may have left in it.

use std::ffi::OsStr;
use std::fs::{File, TryLockError};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::dir::Dir;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::{FileStat, Mode};
use nix::unistd::{UnlinkatFlags, fsync, geteuid, unlinkat};

use super::error::{During, Problem, Step};
use super::location::Place;
use super::snapshot::open_regular;

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
    /// Opens and locks the folder of a file that was found.
    #[expect(
        clippy::disallowed_methods,
        reason = "the folder that was found, and nothing else by O_DIRECTORY"
    )]
    pub(super) fn open(place: &Place) -> Result<Self, Problem> {
        let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let handle = openat(&place.folder, ".", flags, Mode::empty());
        let handle = File::from(handle.during(Step::OpenFolder)?);
        let name = place.real.parent().unwrap_or(&place.real);
        let warning = lock(&handle, name, LOCK_PATIENCE);
        Ok(Self { handle, warning })
    }

    /// Brings renames in the folder to the disk.
    pub(super) fn sync(&self) -> nix::Result<()> {
        fsync(&self.handle)
    }

    /// Returns the names in the folder, or no names if it cannot be read.
    #[expect(
        clippy::disallowed_methods,
        reason = "the folder itself, which is open already"
    )]
    pub(super) fn names(&self) -> Vec<PathBuf> {
        let folder = Dir::openat(&self.handle, ".", OFlag::O_CLOEXEC, Mode::empty());
        let Ok(mut folder) = folder else {
            return Vec::new();
        };
        let entries = folder.iter().flatten();
        entries
            .map(|entry| PathBuf::from(OsStr::from_bytes(entry.file_name().to_bytes())))
            .collect()
    }

    /// Removes temporary files that a killed run left: of our name, locked by nobody, and of our user, or of the file's own owner if the run had
    /// come so far as to give it to him.
    pub(super) fn sweep(&self, prefix: &str, file_owner: Option<u32>) {
        if self.warning.is_some() {
            return;
        }
        for name in self.names() {
            let is_ours = name.as_os_str().as_bytes().starts_with(prefix.as_bytes());
            if is_ours && self.is_stale(&name, file_owner) {
                let _ = unlinkat(&self.handle, &name, UnlinkatFlags::NoRemoveDir);
            }
        }
    }

    fn is_stale(&self, name: &Path, file_owner: Option<u32>) -> bool {
        match open_regular(&self.handle, name) {
            Ok(Some((file, stat))) => {
                is_left_by(&stat, geteuid().as_raw(), file_owner) && file.try_lock().is_ok()
            }
            _ => false,
        }
    }
}

/// Whether a regular file of our name may come from an earlier run of a user.
fn is_left_by(stat: &FileStat, user: u32, file_owner: Option<u32>) -> bool {
    let is_owner = stat.st_uid == user || Some(stat.st_uid) == file_owner;
    is_owner && stat.st_nlink == 1
}

fn lock(handle: &File, folder: &Path, patience: Duration) -> Option<String> {
    let deadline = Instant::now() + patience;
    loop {
        match handle.try_lock() {
            Ok(()) => return None,
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => sleep(LOCK_INTERVAL),
            Err(TryLockError::WouldBlock) => {
                return Some(format!(
                    "Another program has held the lock on {} for {} seconds; continued without the lock.",
                    folder.display(),
                    patience.as_secs()
                ));
            }
            Err(TryLockError::Error(error)) => {
                return Some(format!(
                    "Could not lock {} ({}); continued without the lock.",
                    folder.display(),
                    error.kind()
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use nix::errno::Errno;
    use nix::fcntl::open;
    use nix::sys::stat::stat;

    use super::*;

    const PREFIX: &str = ".f.aspera-sse-";

    #[test]
    fn only_what_an_earlier_run_may_have_left_is_swept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        fs::write(&path, "").unwrap();
        let left = stat(&path).unwrap();
        let (owner, other, third) = (left.st_uid, left.st_uid + 1, left.st_uid + 2);
        assert!(is_left_by(&left, owner, None));
        assert!(is_left_by(&left, owner, Some(other)));
        assert!(is_left_by(&left, other, Some(owner)));
        assert!(!is_left_by(&left, other, None));
        assert!(!is_left_by(&left, other, Some(third)));
        fs::hard_link(&path, folder.path().join("g")).unwrap();
        assert!(!is_left_by(&stat(&path).unwrap(), owner, None));
    }

    #[test]
    fn a_folder_that_is_not_locked_is_not_swept() {
        let folder = tempfile::tempdir().unwrap();
        let left = folder.path().join(format!("{PREFIX}0123456789abcdef"));
        fs::write(&left, "").unwrap();
        let mut opened = Folder::at(folder.path());
        opened.warning = Some("not locked".to_owned());
        opened.sweep(PREFIX, None);
        assert!(left.exists());
        opened.warning = None;
        opened.sweep(PREFIX, None);
        assert!(!left.exists());
    }

    #[test]
    fn links_and_folders_of_our_name_are_not_swept() {
        let folder = tempfile::tempdir().unwrap();
        let named = |end: &str| folder.path().join(format!("{PREFIX}{end}"));
        fs::create_dir(named("folder")).unwrap();
        std::os::unix::fs::symlink("f", named("link")).unwrap();
        fs::write(named("1"), "").unwrap();
        fs::hard_link(named("1"), named("2")).unwrap();
        Folder::at(folder.path()).sweep(PREFIX, None);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4);
    }

    #[test]
    fn no_program_that_is_started_gets_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let opened = Folder::at(folder.path());
        let flags = nix::fcntl::fcntl(&opened.handle, nix::fcntl::FcntlArg::F_GETFD).unwrap();
        assert_eq!(flags, nix::libc::FD_CLOEXEC);
    }

    #[test]
    fn a_folder_is_locked_as_long_as_it_is_open() {
        let folder = tempfile::tempdir().unwrap();
        let other = File::open(folder.path()).unwrap();
        let opened = Folder::at(folder.path());
        assert_eq!(opened.warning, None);
        assert!(other.try_lock().is_err());
        drop(opened);
        assert!(other.try_lock().is_ok());
    }

    #[test]
    fn a_lock_that_is_given_back_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let holder = File::open(folder.path()).unwrap();
        holder.lock().unwrap();
        let (ready, is_ready) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                let handle = File::open(folder.path()).unwrap();
                ready.send(()).unwrap();
                lock(&handle, folder.path(), Duration::from_mins(10))
            });
            is_ready.recv().unwrap();
            // So that it finds the lock held; if it comes later, it still gets it.
            sleep(10 * LOCK_INTERVAL);
            holder.unlock().unwrap();
            assert_eq!(waiting.join().unwrap(), None);
        });
    }

    #[test]
    fn a_lock_that_stays_held_is_passed_over_with_a_warning() {
        let folder = tempfile::tempdir().unwrap();
        let holder = File::open(folder.path()).unwrap();
        holder.lock().unwrap();
        let handle = File::open(folder.path()).unwrap();
        let warning = lock(&handle, folder.path(), Duration::from_millis(50)).unwrap();
        assert!(warning.starts_with("Another program has held the lock on "));
        holder.unlock().unwrap();
        assert_eq!(lock(&handle, folder.path(), Duration::ZERO), None);
        // Locked now: nobody else gets it.
        assert!(holder.try_lock().is_err());
    }

    #[test]
    fn a_folder_that_cannot_be_locked_is_used_with_a_warning() {
        // A descriptor that only names the folder takes no lock.
        let (_folder, opened) = only_named();
        let warning = lock(&opened.handle, Path::new("/f"), Duration::ZERO).unwrap();
        assert!(warning.starts_with("Could not lock /f ("), "{warning}");
    }

    #[test]
    fn a_folder_that_cannot_be_synced_says_so() {
        let (_folder, opened) = only_named();
        assert_eq!(opened.sync(), Err(Errno::EBADF));
        let (folder, _) = only_named();
        assert!(Folder::at(folder.path()).sync().is_ok());
    }

    fn only_named() -> (tempfile::TempDir, Folder) {
        let folder = tempfile::tempdir().unwrap();
        let opened = Folder::only_named(folder.path());
        (folder, opened)
    }

    impl Folder {
        /// The one at a path.
        pub(in crate::files) fn at(path: &Path) -> Self {
            let place = super::super::location::find(&path.join("f")).unwrap();
            Self::open(&place).unwrap()
        }

        /// One in which files can be made and renamed, and that can be neither locked nor synced.
        pub(in crate::files) fn only_named(path: &Path) -> Self {
            let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
            let handle = open(path, flags, Mode::empty()).unwrap();
            Self {
                handle: File::from(handle),
                warning: None,
            }
        }
    }
}
