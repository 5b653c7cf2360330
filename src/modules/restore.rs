//! The option `restore`: a backup instead of a setting.

use std::path::{Path, PathBuf};

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
                "The option restore brings back a whole file and does not go with {other}. Remove one of the two."
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
                    "There is no backup beside {}. Tasks with backup: true make them.",
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
            Ok(Some(bytes)) => Ok(Self {
                path: backup,
                bytes,
            }),
            Ok(None) => Err(Failure::new(format!(
                "There is no backup {}. See which there are, or set restore: newest.",
                backup.display()
            ))),
            Err(error) => Err(Failure::new(file_failure::message(&error))),
        }
    }
}
