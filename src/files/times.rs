//! When a file got its present content, as far as its times tell, and when its path came to lead to it: a deployment switches a link, or moves another
//! folder into place, and the file there has an old time.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::error::{At, FileError, Problem};
use super::location::{find, walk};
use super::snapshot::check_kind;

/// The times of a file, and of what leads to it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FileTimes {
    /// Those of the file, or `None` if it does not exist.
    pub file: Option<OwnTimes>,
    /// A link or folder on the way was made then.
    pub made: Option<SystemTime>,
    /// A folder on the way was renamed then, or its owner or permissions changed. The kernel notes only one time for both.
    pub renamed: Option<SystemTime>,
    /// The innermost folder that exists got or lost an entry then.
    pub entries: Option<SystemTime>,
}

/// The times of a file itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnTimes {
    /// When its content changed last (`st_mtime`), or `None` if that is no time. A program can set it to any time.
    pub modified: Option<SystemTime>,
    /// When its content, metadata or name changed last (`st_ctime`), or `None` if that is no time. Only the clock of the host sets it.
    pub touched: Option<SystemTime>,
    /// When it was made (`stx_btime`), or `None` if the file system does not note that.
    pub created: Option<SystemTime>,
}

/// Returns the times of a file, of all links that lead to it, and of the folders on the way from a root on. The file may be missing.
///
/// A mount on the way has no time and is not noticed.
pub fn file_times(path: &Path, root: &Path) -> Result<FileTimes, FileError> {
    let root = match find(root) {
        Err(error) if error.problem == Problem::Missing => root.to_owned(),
        place => place?.real,
    };
    let mut times = FileTimes::default();
    let mut last = None;
    let walked = walk(path, |place, metadata| {
        let is_above_root = root.starts_with(place) && root != place;
        if metadata.is_symlink() {
            times.made = times.made.max(touched(metadata));
        } else if metadata.is_dir() {
            times.entries = metadata.modified().ok();
            if !is_above_root {
                times.add_folder(metadata);
            }
        }
        last = Some((place.to_owned(), metadata.clone()));
    });
    match (walked, last) {
        (Ok(place), Some((found, metadata))) if found == place.real => {
            check_kind(metadata.mode()).at(path)?;
            times.file = Some(OwnTimes::of(&metadata));
            Ok(times)
        }
        (Err(error), _) if error.problem != Problem::Missing => Err(error),
        _ => Ok(times),
    }
}

impl FileTimes {
    fn add_folder(&mut self, metadata: &Metadata) {
        self.made = self.made.max(metadata.created().ok());
        // A new or removed entry changes both times at once.
        let is_of_entries =
            (metadata.ctime(), metadata.ctime_nsec()) == (metadata.mtime(), metadata.mtime_nsec());
        if !is_of_entries {
            self.renamed = self.renamed.max(touched(metadata));
        }
    }
}

impl OwnTimes {
    fn of(metadata: &Metadata) -> Self {
        Self {
            modified: metadata.modified().ok(),
            touched: touched(metadata),
            created: metadata.created().ok(),
        }
    }
}

fn touched(metadata: &Metadata) -> Option<SystemTime> {
    let seconds = Duration::from_secs(metadata.ctime().try_into().ok()?);
    let nanoseconds = Duration::from_nanos(metadata.ctime_nsec().try_into().ok()?);
    UNIX_EPOCH.checked_add(seconds)?.checked_add(nanoseconds)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
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

        fn times(&self) -> FileTimes {
            file_times(&self.path("root/etc/f"), &self.path("root")).unwrap()
        }

        fn is_new(&self, time: Option<SystemTime>) -> bool {
            time.is_some_and(|time| time >= self.ready)
        }
    }

    #[test]
    fn another_file_in_the_folder_changes_only_its_entries() {
        let installation = Installation::new();
        let before = installation.times();
        fs::write(installation.path("root/etc/f.bak"), "").unwrap();
        let after = installation.times();
        assert_eq!((after.made, after.renamed), (before.made, before.renamed));
        assert!(!installation.is_new(before.entries));
        assert!(installation.is_new(after.entries));
    }

    #[test]
    fn a_link_that_is_switched_is_new_wherever_it_is() {
        for link in ["root", "root/etc", "root/etc/f"] {
            let installation = Installation::new();
            assert!(!installation.is_new(installation.times().made), "{link}");
            let place = installation.path(link);
            fs::rename(&place, installation.path("old")).unwrap();
            symlink(installation.path(&link.replace("root", "new")), &place).unwrap();
            assert!(installation.is_new(installation.times().made), "{link}");
        }
    }

    #[test]
    fn a_folder_that_was_moved_into_place_is_noticed() {
        for folder in ["root", "root/etc"] {
            let installation = Installation::new();
            assert!(
                !installation.is_new(installation.times().renamed),
                "{folder}"
            );
            let place = installation.path(folder);
            fs::rename(&place, installation.path("old")).unwrap();
            fs::rename(installation.path(&folder.replace("root", "new")), &place).unwrap();
            assert!(
                installation.is_new(installation.times().renamed),
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
        let times = installation.times();
        assert_eq!(installation.is_new(times.made), is_noted);
    }

    #[test]
    fn folders_above_the_root_do_not_count() {
        let installation = Installation::new();
        let before = installation.times();
        fs::rename(installation.path("new"), installation.path("other")).unwrap();
        let after = installation.times();
        assert_eq!((after.made, after.renamed), (before.made, before.renamed));
    }

    #[test]
    fn a_missing_file_or_folder_leaves_the_innermost_folder() {
        let installation = Installation::new();
        fs::remove_file(installation.path("root/etc/f")).unwrap();
        assert!(installation.is_new(installation.times().entries));
        let installation = Installation::new();
        fs::remove_dir_all(installation.path("root/etc")).unwrap();
        assert!(installation.is_new(installation.times().entries));
    }

    #[test]
    fn the_times_of_the_file_are_its_own() {
        let installation = Installation::new();
        let path = installation.path("root/etc/f");
        let old = installation.times().file.unwrap();
        assert!(!installation.is_new(old.touched) && !installation.is_new(old.modified));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let times = installation.times().file.unwrap();
        assert!(installation.is_new(times.touched));
        assert_eq!((times.modified, times.created), (old.modified, old.created));
        fs::write(&path, "new").unwrap();
        let times = installation.times().file.unwrap();
        assert!(installation.is_new(times.modified) && times.created == old.created);
        fs::remove_file(&path).unwrap();
        assert_eq!(installation.times().file, None);
        fs::create_dir(&path).unwrap();
        let found = file_times(&path, &installation.path("root"));
        assert_eq!(found, Err(Problem::NotRegular("a directory").at(&path)));
    }
}
