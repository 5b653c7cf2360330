//! Copies of a file as it was.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use nix::unistd::{UnlinkatFlags, unlinkat};

use super::error::{During, FileError, Step};
use super::folder::Folder;
use super::metadata;
use super::snapshot::Snapshot;
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
    pub(super) fn make(
        folder: &'f Folder,
        old: &Snapshot,
        target: &Path,
        path: &Path,
    ) -> Result<Self, FileError> {
        let name = name(target, SystemTime::now());
        let mut copy = Temporary::create(folder, target, path).map_err(as_backup)?;
        metadata::equal_to(old, &copy.file, path).map_err(as_backup)?;
        copy.fill(&old.bytes, path).map_err(as_backup)?;
        copy.rename_to(&name).during(Step::Backup, path)?;
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

/// The name as Ansible's modules form it (`backup_local` in `ansible/module_utils/basic.py`), in UTC.
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

fn as_backup(error: FileError) -> FileError {
    match error {
        FileError::Io { path, errno, .. } => FileError::Io {
            step: Step::Backup,
            path,
            errno,
        },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;
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
        let old = Snapshot::read(AT_FDCWD, &path, &path, SIZE_LIMIT)
            .unwrap()
            .unwrap();
        let opened = Folder::at(folder.path());
        let backups = || fs::read_dir(folder.path()).unwrap().count() - 1;
        let make = || Backup::make(&opened, &old, Path::new("f"), &path).unwrap();
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
    fn its_name_tells_the_process_and_the_time() {
        let time = UNIX_EPOCH + Duration::from_secs(1_795_521_609);
        let expected = format!("f.{}.2026-11-24@12:00:09~", std::process::id());
        assert_eq!(name(Path::new("f"), time), Path::new(&expected));
    }

    #[test]
    fn an_error_on_the_way_is_one_of_the_backup() {
        let error = |step| FileError::Io {
            step,
            path: "/f".into(),
            errno: Errno::ENOSPC,
        };
        assert_eq!(as_backup(error(Step::Write)), error(Step::Backup));
        let other = FileError::NotWritten("/f".into());
        assert_eq!(as_backup(other.clone()), other);
    }
}
