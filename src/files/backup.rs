//! Copies of a file as it was.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use nix::unistd::{UnlinkatFlags, unlinkat};

use super::error::{At, During, FileError, Problem, Step};
use super::folder::Folder;
use super::location::find;
use super::metadata;
use super::snapshot::{Snapshot, open_regular};
use super::temporary::Temporary;
use crate::utc::Utc;

/// A backup that stays only if the replacement it was made for succeeds.
pub(super) struct Backup<'f> {
    folder: &'f Folder,
    name: PathBuf,
    is_kept: bool,
}

impl<'f> Backup<'f> {
    /// Makes a whole copy, with the same metadata, beside the file.
    pub(super) fn make(folder: &'f Folder, old: &Snapshot, target: &Path) -> Result<Self, Problem> {
        let name = name(target, SystemTime::now());
        let mut copy = Temporary::create(folder, target).map_err(as_backup)?;
        metadata::copy(old, &copy.file).map_err(as_backup)?;
        copy.fill(&old.bytes).map_err(as_backup)?;
        copy.rename_to(&name).during(Step::Backup)?;
        Ok(Self {
            folder,
            name,
            is_kept: false,
        })
    }

    /// Keeps the backup; its name.
    pub(super) fn keep(mut self) -> PathBuf {
        self.is_kept = true;
        self.name.clone()
    }
}

impl Drop for Backup<'_> {
    fn drop(&mut self) {
        if !self.is_kept {
            let _ = unlinkat(&self.folder.handle, &self.name, UnlinkatFlags::NoRemoveDir);
        }
    }
}

/// Removes the older backups of a file, so that the newest ones are left, up to a number. `newest` was made just now, and stays whatever its name says of
/// the time. Returns warnings about those that could not be removed.
pub fn remove_older_backups(
    path: &Path,
    newest: &Path,
    kept: usize,
) -> Result<Vec<String>, FileError> {
    let place = find(path)?;
    let folder = Folder::open(&place).at(path)?;
    let mut older: Vec<(String, PathBuf)> = folder
        .names()
        .into_iter()
        .filter(|name| Some(name.as_os_str()) != newest.file_name())
        .filter_map(|name| Some((time_in_name(&place.name, &name)?, name)))
        .filter(|(_, name)| matches!(open_regular(&folder.handle, name), Ok(Some(_))))
        .collect();
    older.sort();
    let left = older.len().saturating_sub(kept.saturating_sub(1));
    let mut warnings: Vec<String> = Vec::new();
    for (_, name) in older.drain(..left) {
        if let Err(errno) = unlinkat(&folder.handle, &name, UnlinkatFlags::NoRemoveDir) {
            warnings.push(format!(
                "The old backup {} could not be removed: {}. Remove it by hand; it may hold credentials.",
                path.with_file_name(&name).display(),
                errno.desc()
            ));
        }
    }
    warnings.extend(folder.warning);
    Ok(warnings)
}

/// Returns the newest backup of a file, by the time in its name, or `None` if there is none.
pub fn newest_backup(path: &Path) -> Result<Option<PathBuf>, FileError> {
    let place = find(path)?;
    let folder = Folder::open(&place).at(path)?;
    let backups = folder.names().into_iter();
    let newest = backups
        .filter_map(|name| Some((time_in_name(&place.name, &name)?, name)))
        .filter(|(_, name)| matches!(open_regular(&folder.handle, name), Ok(Some(_))))
        .max();
    Ok(newest.map(|(_, name)| path.with_file_name(name)))
}

/// Returns whether a path has the form of one of a backup of a file.
pub fn is_backup_of(path: &Path, backup: &Path) -> bool {
    let names = path.file_name().zip(backup.file_name());
    let is_named = names
        .is_some_and(|(name, backup)| time_in_name(Path::new(name), Path::new(backup)).is_some());
    is_named && path.parent() == backup.parent()
}

/// Returns the time in the name of a backup of a file, in a form that sorts as the time does, or `None` for any other name.
fn time_in_name(target: &Path, name: &Path) -> Option<String> {
    let rest = name.to_str()?.strip_prefix(target.to_str()?)?;
    let (pid, time) = rest.strip_prefix('.')?.split_once('.')?;
    let time = time.strip_suffix('~')?;
    let is_pid = !pid.is_empty() && pid.bytes().all(|byte| byte.is_ascii_digit());
    let has_form = time.len() == TIME.len()
        && time
            .bytes()
            .zip(TIME.bytes())
            .all(|(byte, form)| match form {
                b'0' => byte.is_ascii_digit(),
                other => byte == other,
            });
    (is_pid && has_form).then(|| time.to_owned())
}

/// The form of the time in the name of a backup.
const TIME: &str = "0000-00-00@00:00:00";

/// The name that administrators know from other tools: that of the file, the process, and the time in UTC.
fn name(target: &Path, time: SystemTime) -> PathBuf {
    let utc = Utc::from(time);
    let mut name = target.as_os_str().to_owned();
    name.push(format!(
        ".{}.{:04}-{:02}-{:02}@{:02}:{:02}:{:02}~",
        std::process::id(),
        utc.year,
        utc.month,
        utc.day,
        utc.hour,
        utc.minute,
        utc.second
    ));
    PathBuf::from(name)
}

fn as_backup(problem: Problem) -> Problem {
    match problem {
        Problem::Io(_, errno) => Problem::Io(Step::Backup, errno),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::time::{Duration, UNIX_EPOCH};

    use nix::errno::Errno;
    use nix::fcntl::AT_FDCWD;

    use super::super::snapshot::SIZE_LIMIT;
    use super::*;

    #[test]
    fn a_backup_stays_only_if_it_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let old = Snapshot::read(AT_FDCWD, &path, SIZE_LIMIT)
            .unwrap()
            .unwrap();
        let opened = Folder::at(folder.path());
        let backups = || fs::read_dir(folder.path()).unwrap().count() - 1;
        let make = || Backup::make(&opened, &old, Path::new("f")).unwrap();
        let backup = make();
        assert_eq!(backups(), 1);
        drop(backup);
        assert_eq!(backups(), 0);
        let kept = folder.path().join(make().keep());
        assert_eq!(backups(), 1);
        assert_eq!(fs::read(&kept).unwrap(), b"old");
        let mode = fs::metadata(&kept).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o640);
    }

    #[test]
    fn the_newest_backups_are_left_and_nothing_else_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        let backups = [
            "f.9.2026-11-24@12:00:09~",
            "f.100.2026-11-24@12:00:10~",
            "f.8.2026-12-01@00:00:00~",
        ];
        let others = [
            "f",
            "f~",
            "f.1.2026-11-24@12:00:09",
            "f.x.2026-11-24@12:00:09~",
            "f.1.2026-11-24 12:00:09~",
            "g.1.2020-11-24@12:00:09~",
            "f.f.1.2020-11-24@12:00:09~",
        ];
        for name in backups.iter().chain(&others) {
            fs::write(folder.path().join(name), "").unwrap();
        }
        fs::create_dir(folder.path().join("f.1.2020-01-01@00:00:00~")).unwrap();
        symlink(&path, folder.path().join("f.2.2020-01-01@00:00:00~")).unwrap();
        let left = || -> Vec<&str> {
            let exists = |name: &&str| folder.path().join(name).exists();
            backups.into_iter().filter(exists).collect()
        };
        let remove = |newest: &str, kept| remove_older_backups(&path, Path::new(newest), kept);
        let newest = newest_backup(&path).unwrap();
        assert_eq!(newest, Some(folder.path().join(backups[2])));
        for name in backups {
            assert!(is_backup_of(&path, &folder.path().join(name)), "{name}");
            assert!(!is_backup_of(&path, Path::new(name)), "{name}");
        }
        for name in others {
            assert!(!is_backup_of(&path, &folder.path().join(name)), "{name}");
        }
        assert_eq!(remove(backups[2], 4).unwrap(), Vec::<String>::new());
        assert_eq!(left(), backups);
        // The clock was set back: the newest one has not the latest time.
        remove(backups[0], 2).unwrap();
        assert_eq!(left(), [backups[0], backups[2]]);
        remove(backups[2], 1).unwrap();
        assert_eq!(left(), [backups[2]]);
        let count = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(count, 1 + others.len() + 2);
    }

    #[test]
    fn its_name_tells_the_process_and_the_time() {
        let time = UNIX_EPOCH + Duration::from_secs(1_795_521_609);
        let expected = format!("f.{}.2026-11-24@12:00:09~", std::process::id());
        assert_eq!(name(Path::new("f"), time), Path::new(&expected));
    }

    #[test]
    fn an_error_on_the_way_is_one_of_the_backup() {
        let error = |step| Problem::Io(step, Errno::ENOSPC);
        assert_eq!(as_backup(error(Step::Write)), error(Step::Backup));
        assert_eq!(as_backup(Problem::NotWritten), Problem::NotWritten);
    }
}
