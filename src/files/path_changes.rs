//! When a path came to lead to another file: a deployment switches a link, or moves another folder into place, and the file there has an old time.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::error::FileError;
use super::location::{find, walk};

/// The times of the latest changes of what leads to a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PathChanges {
    /// A link or folder on the way was made then.
    pub made: Option<SystemTime>,
    /// A folder on the way was renamed then, or its owner or permissions changed. The kernel notes only one time for both.
    pub renamed: Option<SystemTime>,
    /// The innermost folder that exists got or lost an entry then.
    pub entries: Option<SystemTime>,
}

/// Returns the changes of what leads to a file: of all links, and of the folders from a root on. The file may be missing.
///
/// A mount on the way has no time and is not noticed.
pub fn path_changes(path: &Path, root: &Path) -> Result<PathChanges, FileError> {
    let root = match find(root) {
        Err(FileError::Missing(_)) => root.to_owned(),
        place => place?.real,
    };
    let mut changes = PathChanges::default();
    let walked = walk(path, |place, metadata| {
        let is_above_root = root.starts_with(place) && root != place;
        if metadata.is_symlink() {
            changes.made = changes.made.max(inode_change(metadata));
        } else if metadata.is_dir() {
            changes.entries = metadata.modified().ok();
            if !is_above_root {
                changes.add_folder(metadata);
            }
        }
    });
    match walked {
        Ok(_) | Err(FileError::Missing(_)) => Ok(changes),
        Err(error) => Err(error),
    }
}

impl PathChanges {
    fn add_folder(&mut self, metadata: &Metadata) {
        self.made = self.made.max(metadata.created().ok());
        // A new or removed entry changes both times at once.
        let is_of_entries =
            (metadata.ctime(), metadata.ctime_nsec()) == (metadata.mtime(), metadata.mtime_nsec());
        if !is_of_entries {
            self.renamed = self.renamed.max(inode_change(metadata));
        }
    }
}

fn inode_change(metadata: &Metadata) -> Option<SystemTime> {
    let seconds = Duration::from_secs(metadata.ctime().try_into().ok()?);
    let nanoseconds = Duration::from_nanos(metadata.ctime_nsec().try_into().ok()?);
    UNIX_EPOCH.checked_add(seconds)?.checked_add(nanoseconds)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;

    use tempfile::TempDir;

    use super::*;

    /// An installation with a folder and a file in it, and the time when all of that was there.
    struct Installation {
        folder: TempDir,
        ready: SystemTime,
    }

    impl Installation {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            fs::create_dir_all(folder.path().join("root/etc")).unwrap();
            fs::create_dir_all(folder.path().join("new/etc")).unwrap();
            for file in ["root/etc/f", "new/etc/f"] {
                fs::write(folder.path().join(file), "").unwrap();
            }
            let mut installation = Self {
                folder,
                ready: UNIX_EPOCH,
            };
            installation.ready = installation.next_tick();
            installation
        }

        fn path(&self, below: &str) -> PathBuf {
            self.folder.path().join(below)
        }

        /// Waits until the clock of the file system has gone on. Returns its time.
        fn next_tick(&self) -> SystemTime {
            let now = || {
                let probe = self.path("probe");
                fs::write(&probe, "").unwrap();
                fs::metadata(probe).unwrap().modified().unwrap()
            };
            let before = now();
            loop {
                let after = now();
                if after > before {
                    return after;
                }
            }
        }

        fn changes(&self) -> PathChanges {
            path_changes(&self.path("root/etc/f"), &self.path("root")).unwrap()
        }

        fn is_new(&self, time: Option<SystemTime>) -> bool {
            time.is_some_and(|time| time >= self.ready)
        }
    }

    #[test]
    fn another_file_in_the_folder_changes_only_its_entries() {
        let installation = Installation::new();
        let before = installation.changes();
        fs::write(installation.path("root/etc/f.bak"), "").unwrap();
        let after = installation.changes();
        assert_eq!((after.made, after.renamed), (before.made, before.renamed));
        assert!(!installation.is_new(before.entries));
        assert!(installation.is_new(after.entries));
    }

    #[test]
    fn a_link_that_is_switched_is_new_wherever_it_is() {
        for link in ["root", "root/etc", "root/etc/f"] {
            let installation = Installation::new();
            assert!(!installation.is_new(installation.changes().made), "{link}");
            let place = installation.path(link);
            fs::rename(&place, installation.path("old")).unwrap();
            symlink(installation.path(&link.replace("root", "new")), &place).unwrap();
            assert!(installation.is_new(installation.changes().made), "{link}");
        }
    }

    #[test]
    fn a_folder_that_was_moved_into_place_is_noticed() {
        for folder in ["root", "root/etc"] {
            let installation = Installation::new();
            assert!(
                !installation.is_new(installation.changes().renamed),
                "{folder}"
            );
            let place = installation.path(folder);
            fs::rename(&place, installation.path("old")).unwrap();
            fs::rename(installation.path(&folder.replace("root", "new")), &place).unwrap();
            assert!(
                installation.is_new(installation.changes().renamed),
                "{folder}"
            );
        }
    }

    /// Where the file system notes when a folder was made.
    #[test]
    fn a_new_folder_is_noticed_after_another_file_was_written_in_it() {
        let installation = Installation::new();
        let place = installation.path("root/etc");
        fs::rename(&place, installation.path("old")).unwrap();
        fs::create_dir(&place).unwrap();
        fs::write(place.join("f"), "").unwrap();
        let is_noted = fs::metadata(&place).unwrap().created().is_ok();
        let changes = installation.changes();
        assert_eq!(installation.is_new(changes.made), is_noted);
    }

    #[test]
    fn folders_above_the_root_do_not_count() {
        let installation = Installation::new();
        let before = installation.changes();
        fs::rename(installation.path("new"), installation.path("other")).unwrap();
        let after = installation.changes();
        assert_eq!((after.made, after.renamed), (before.made, before.renamed));
    }

    #[test]
    fn a_missing_file_or_folder_leaves_the_innermost_folder() {
        let installation = Installation::new();
        fs::remove_file(installation.path("root/etc/f")).unwrap();
        assert!(installation.is_new(installation.changes().entries));
        let installation = Installation::new();
        fs::remove_dir_all(installation.path("root/etc")).unwrap();
        assert!(installation.is_new(installation.changes().entries));
    }
}
