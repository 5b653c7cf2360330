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
