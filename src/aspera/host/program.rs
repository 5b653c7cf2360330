//! A program of an installation, which is run only if nobody but root, and the user that this program runs as, can change it.

use std::path::{Path, PathBuf};

use nix::unistd::geteuid;

use crate::files::{self, Changeable, FileError, Trust};

/// The reason why a program is not run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotRun {
    /// It does not exist.
    #[error("{} does not exist.", .0.display())]
    Missing(PathBuf),
    /// It cannot be examined, or is not a regular file.
    #[error("{0}")]
    Unread(FileError),
    /// Other users can change it.
    #[error("{0}")]
    Untrusted(Untrusted),
}

/// A program that other users can change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} {}", self.problem(), Self::REMEDY)]
pub struct Untrusted {
    program: PathBuf,
    changeable: Changeable,
}

impl Untrusted {
    /// What to do about it.
    pub const REMEDY: &'static str =
        "Make root its owner, and remove the write permission of group and others (chmod go-w).";

    /// Returns the problem as a sentence without its remedy.
    pub fn problem(&self) -> String {
        let Changeable { place, owner, mode } = &self.changeable;
        let user = geteuid();
        let trusted = if user.is_root() {
            "root".to_owned()
        } else {
            format!("root and user {user}")
        };
        format!(
            "{} was not run (untrusted_program): {} belongs to user {owner} and has mode {mode:04o}, so users other than {trusted} can change it.",
            self.program.display(),
            place.display(),
        )
    }
}

/// Returns the real path of a program, if it may be run.
pub fn trusted_program(program: &Path) -> Result<PathBuf, NotRun> {
    match files::trust(program) {
        Ok(Some(Trust::Trusted(real))) => Ok(real),
        Ok(Some(Trust::Changeable(changeable))) => Err(NotRun::Untrusted(Untrusted {
            program: program.to_owned(),
            changeable,
        })),
        Ok(None) => Err(NotRun::Missing(program.to_owned())),
        Err(error) => Err(NotRun::Unread(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_sentence_names_program_place_owner_mode_and_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().canonicalize().unwrap();
        fs::create_dir(real.join("bin")).unwrap();
        let program = real.join("bin/ascp");
        fs::write(&program, "").unwrap();
        fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
        fs::set_permissions(real.join("bin"), Permissions::from_mode(0o775)).unwrap();
        let message = trusted_program(&program).unwrap_err().to_string();
        let place = real.join("bin");
        let start = format!(
            "{} was not run (untrusted_program): {} belongs to user {} and has mode 0775, so users other than root",
            program.display(),
            place.display(),
            geteuid()
        );
        assert!(message.starts_with(&start), "{message}");
        assert!(message.ends_with("(chmod go-w)."), "{message}");
        fs::set_permissions(place, Permissions::from_mode(0o755)).unwrap();
        assert_eq!(trusted_program(&program), Ok(program.clone()));
        fs::remove_file(&program).unwrap();
        let message = trusted_program(&program).unwrap_err().to_string();
        assert_eq!(message, format!("{} does not exist.", program.display()));
    }
}
