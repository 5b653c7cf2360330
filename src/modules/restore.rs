//! The option `restore`: a backup instead of a setting.

use std::path::{Path, PathBuf};

use nix::unistd::geteuid;

use super::file_failure;
use crate::ansible::{Failure, Kind, OptionSpec};
use crate::files;

/// The option that names a backup, or `newest`.
pub(super) const RESTORE: OptionSpec = OptionSpec::new("restore", Kind::Str);

/// The word for the newest backup.
const NEWEST: &str = "newest";

/// A backup that is to be brought back.
pub(super) struct Restored {
    pub(super) path: PathBuf,
    pub(super) bytes: Vec<u8>,
}

impl Restored {
    /// Reads the backup of a file that an option names. `others` are options that do not go with it, each with whether it is set.
    pub(super) fn read(
        restore: &str,
        path: &Path,
        makes_backup: bool,
        others: &[(&str, bool)],
    ) -> Result<Self, Failure> {
        if let Some((other, _)) = others.iter().find(|(_, is_set)| *is_set) {
            return Err(Failure::new(format!(
                "The option restore puts back a whole file and does not go with {other}. Remove one of the two."
            )));
        }
        let backup = if restore == NEWEST {
            if makes_backup {
                return Err(Failure::new(
                    "restore: newest does not go with backup: true: the next run would bring back what this one has replaced. Name the backup, or remove \
                     backup.",
                ));
            }
            let newest = files::newest_backup(path)
                .map_err(|error| Failure::new(file_failure::message(&error)))?;
            newest.ok_or_else(|| {
                Failure::new(format!(
                    "There is no backup beside {}. A task with backup: true makes one.",
                    path.display()
                ))
            })?
        } else {
            let backup = PathBuf::from(restore);
            if !files::is_backup_of(path, &backup) {
                return Err(Failure::new(format!(
                    "The option restore is neither newest nor the path of a backup of {0}, which is beside it and named {0}.PID.TIME~. Correct it.",
                    path.display()
                )));
            }
            backup
        };
        match files::read(&backup) {
            Ok(Some(bytes)) => {
                refuse_changeable(path, &backup, geteuid().as_raw())?;
                Ok(Self {
                    path: backup,
                    bytes,
                })
            }
            Ok(None) => Err(Failure::new(format!(
                "The backup {} does not exist. List the backups beside the file, or set restore: newest.",
                backup.display()
            ))),
            Err(error) => Err(Failure::new(file_failure::message(&error))),
        }
    }
}

/// Refuses a backup that somebody can have changed who cannot change the file: a module gives a backup the owner and the mode of the file.
fn refuse_changeable(path: &Path, backup: &Path, user: u32) -> Result<(), Failure> {
    const OTHERS_MAY_WRITE: u32 = 0o022;
    let metadata = |path| files::metadata(path).map_err(|error| Failure::new(error.to_string()));
    let Some(found) = metadata(backup)? else {
        return Ok(());
    };
    let file = metadata(path)?;
    let is_own = [Some(0), Some(user), file.map(|file| file.owner)].contains(&Some(found.owner));
    let has_same_group = file.is_some_and(|file| file.group == found.group);
    let allowed = match file.map_or(0, |file| file.mode) & OTHERS_MAY_WRITE {
        // Another group is not the one that may write to the file.
        mode if has_same_group => mode,
        mode => mode & 0o002,
    };
    if is_own && found.mode & OTHERS_MAY_WRITE & !allowed == 0 {
        return Ok(());
    }
    Err(Failure::new(format!(
        "The backup {backup} may have been changed by a user who is not allowed to change {path}: its owner is {owner}, and its mode {mode:04o}. Compare the two \
         files, and give the backup the owner and the mode of the file (chown, chmod --reference={path}) if it is right. Nothing was changed.",
        backup = backup.display(),
        path = path.display(),
        owner = found.owner,
        mode = found.mode,
    )))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, chown};

    use super::*;

    fn file_and_backup() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().canonicalize().unwrap();
        let file = real.join("f");
        let backup = real.join("f.1.2026-01-01@00:00:00~");
        for path in [&file, &backup] {
            fs::write(path, "").unwrap();
            set_mode(path, 0o644);
        }
        (folder, file, backup)
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    fn is_refused(file: &Path, backup: &Path) -> bool {
        let restored = Restored::read(backup.to_str().unwrap(), file, false, &[]);
        let newest = Restored::read(NEWEST, file, false, &[]);
        assert_eq!(restored.is_err(), newest.is_err());
        restored.is_err()
    }

    #[test]
    fn a_backup_that_more_people_may_write_than_the_file_is_refused() {
        let (_folder, file, backup) = file_and_backup();
        for (of_file, of_backup, expected) in [
            (0o644, 0o644, false),
            (0o600, 0o644, false),
            (0o664, 0o644, false),
            (0o664, 0o664, false),
            (0o666, 0o666, false),
            (0o644, 0o664, true),
            (0o644, 0o646, true),
            (0o664, 0o666, true),
        ] {
            set_mode(&file, of_file);
            set_mode(&backup, of_backup);
            let is_refused = is_refused(&file, &backup);
            assert_eq!(is_refused, expected, "{of_file:o} {of_backup:o}");
        }
        fs::remove_file(&file).unwrap();
        assert!(is_refused(&file, &backup));
        set_mode(&backup, 0o644);
        assert!(!is_refused(&file, &backup));
    }

    #[test]
    #[ignore = "needs root"]
    fn a_backup_of_somebody_else_is_refused() {
        const OTHER: u32 = 12_345;
        let (_folder, file, backup) = file_and_backup();
        chown(&backup, Some(OTHER), None).unwrap();
        assert!(is_refused(&file, &backup));
        chown(&file, Some(OTHER), None).unwrap();
        assert!(!is_refused(&file, &backup));
        chown(&backup, Some(0), None).unwrap();
        assert!(!is_refused(&file, &backup));
        // The group that may write to the backup is not that of the file.
        for path in [&file, &backup] {
            set_mode(path, 0o664);
        }
        chown(&backup, None, Some(OTHER)).unwrap();
        assert!(is_refused(&file, &backup));
    }
}
