//! What can go wrong with a file, as sentences.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::unistd::geteuid;

/// A failure with a file. Unless it says otherwise, the file is unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileError {
    /// There is no such file, or no such folder.
    Missing(PathBuf),
    /// A directory, FIFO, socket or device stands in its place.
    NotRegular {
        /// The path.
        path: PathBuf,
        /// What it is, with an article.
        kind: &'static str,
    },
    /// A file with several names. Replacing it would separate it from the others.
    HardLinked(PathBuf),
    /// A symbolic link on the way belongs to someone who is neither root nor the user we run as.
    ForeignLink(PathBuf),
    /// A symbolic link on the way lies in a folder where others than root and the user we run as can exchange it.
    MovableLink(PathBuf),
    /// Symbolic links lead in a circle.
    LinkLoop(PathBuf),
    /// A file that is larger than any file that this program edits.
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit, in bytes.
        limit: u64,
    },
    /// A file that another program changes again and again.
    KeepsChanging(PathBuf),
    /// New content that did not read back as it was written.
    NotWritten(PathBuf),
    /// A failed system call.
    Io {
        /// The step that failed.
        step: Step,
        /// The file.
        path: PathBuf,
        /// The error number.
        errno: Errno,
    },
    /// The new file is in place, but whether it survives a power failure is not known.
    FolderNotSynced {
        /// The file.
        path: PathBuf,
        /// The error number.
        errno: Errno,
    },
    /// An in-place write that was interrupted.
    BrokenInPlace {
        /// The file.
        path: PathBuf,
        /// The error number.
        errno: Errno,
        /// A copy of the old file.
        backup: Option<PathBuf>,
    },
}

/// A step of the work on a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Resolving a path.
    Resolve,
    /// Opening it for reading.
    Open,
    /// Reading it.
    Read,
    /// Opening its folder.
    OpenFolder,
    /// Creating a file beside it.
    CreateTemporary,
    /// Giving the new file the owner and group of the old one.
    Chown,
    /// Giving the new file the mode of the old one.
    Chmod,
    /// Giving the new file the ACL, label and attributes of the old one.
    Attributes,
    /// Writing the new content.
    Write,
    /// Syncing it to the disk.
    Sync,
    /// Reading it back.
    ReadBack,
    /// Making the backup.
    Backup,
    /// Putting the new file in the place of the old one.
    Rename,
}

impl Step {
    fn words(self) -> &'static str {
        match self {
            Self::Resolve => "find",
            Self::Open => "open",
            Self::Read => "read",
            Self::OpenFolder => "open the folder of",
            Self::CreateTemporary => "create a file beside",
            Self::Chown => "keep the owner and group of",
            Self::Chmod => "keep the mode of",
            Self::Attributes => "keep the ACL, security label and extended attributes of",
            Self::Write => "write the new content of",
            Self::Sync => "sync the new content to disk of",
            Self::ReadBack => "read back the new content of",
            Self::Backup => "make a backup of",
            Self::Rename => "put the new file in the place of",
        }
    }
}

impl FileError {
    /// Returns whether the file is no longer the old one.
    pub fn file_was_changed(&self) -> bool {
        matches!(
            self,
            Self::FolderNotSynced { .. } | Self::BrokenInPlace { .. }
        )
    }
}

impl std::error::Error for FileError {}

impl fmt::Display for FileError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.problem())?;
        if let Some(remedy) = self.remedy() {
            write!(formatter, " {remedy}")?;
        }
        if matches!(
            self,
            Self::Io { .. } | Self::KeepsChanging(_) | Self::NotWritten(_)
        ) {
            formatter.write_str(" Nothing was changed.")?;
        }
        Ok(())
    }
}

impl FileError {
    /// Returns the path of the file.
    pub fn path(&self) -> &Path {
        match self {
            Self::Missing(path)
            | Self::NotRegular { path, .. }
            | Self::HardLinked(path)
            | Self::ForeignLink(path)
            | Self::MovableLink(path)
            | Self::LinkLoop(path)
            | Self::TooLarge { path, .. }
            | Self::KeepsChanging(path)
            | Self::NotWritten(path)
            | Self::Io { path, .. }
            | Self::FolderNotSynced { path, .. }
            | Self::BrokenInPlace { path, .. } => path,
        }
    }

    /// Returns the problem as a sentence.
    pub fn problem(&self) -> String {
        match self {
            Self::Missing(path) => format!("{} does not exist.", path.display()),
            Self::NotRegular { path, kind } => {
                format!("{} is {kind}, not a regular file.", path.display())
            }
            Self::HardLinked(path) => format!(
                "{} has more than one hard link, which replacing it would part.",
                path.display()
            ),
            Self::ForeignLink(path) => format!(
                "{} is a symbolic link of another user, which is not followed.",
                path.display()
            ),
            Self::MovableLink(path) => format!(
                "{} is a symbolic link in a folder where another user can exchange it, so it is not followed.",
                path.display()
            ),
            Self::LinkLoop(path) => {
                format!("{} leads through too many symbolic links.", path.display())
            }
            Self::TooLarge { path, limit } => format!(
                "{} is larger than {} MiB, which no such file is.",
                path.display(),
                limit >> 20
            ),
            Self::KeepsChanging(path) => format!(
                "{} was changed by another program each time it was about to be replaced.",
                path.display()
            ),
            Self::NotWritten(path) => format!(
                "The new content of {} did not read back as it was written.",
                path.display()
            ),
            Self::Io { step, path, errno } => format!(
                "Could not {} {}: {}.",
                step.words(),
                path.display(),
                reason(*errno)
            ),
            Self::FolderNotSynced { path, errno } => format!(
                "{} is the new file, but its folder could not be synced to disk: {}.",
                path.display(),
                reason(*errno)
            ),
            Self::BrokenInPlace { path, errno, .. } => format!(
                "Writing into {} in place, as unsafe_writes asks for, broke off: {}. The file may be incomplete.",
                path.display(),
                reason(*errno)
            ),
        }
    }

    /// Returns what to do about it, as a sentence.
    pub fn remedy(&self) -> Option<Cow<'static, str>> {
        let remedy = match self {
            Self::Missing(_) => return None,
            Self::NotRegular { .. } => "Put the file in its place, or check the path.",
            Self::HardLinked(_) => "Remove the other names of the file first.",
            Self::ForeignLink(_) => "Make root its owner (chown -h root), or name the file itself.",
            Self::MovableLink(_) => {
                "Make root the owner of the folder, let nobody else write to it, or name the file itself."
            }
            Self::LinkLoop(_) => "Name the file itself.",
            Self::TooLarge { .. } => "Check the path.",
            Self::KeepsChanging(_) => "Find that program, then run again.",
            Self::NotWritten(_) => "Check the disk.",
            Self::Io { errno, .. } => remedy(*errno, geteuid().is_root())?,
            Self::FolderNotSynced { .. } => {
                "After a power failure the old file may be back: check the disk, then run again."
            }
            Self::BrokenInPlace { backup, .. } => {
                return Some(match backup {
                    Some(backup) => format!("Restore it from {}.", backup.display()).into(),
                    None => "Restore it from a backup of yours.".into(),
                });
            }
        };
        Some(remedy.into())
    }
}

fn reason(errno: Errno) -> String {
    let description = errno.desc();
    let mut characters = description.chars();
    match characters.next() {
        Some(first) if !description.starts_with("I/O") => {
            first.to_lowercase().collect::<String>() + characters.as_str()
        }
        _ => description.to_owned(),
    }
}

fn remedy(errno: Errno, is_root: bool) -> Option<&'static str> {
    match errno {
        Errno::EACCES | Errno::EPERM if is_root => Some(
            "Not even root may: look for an immutable attribute (lsattr), a security policy, or a mount that forbids it.",
        ),
        Errno::EACCES | Errno::EPERM => Some("This needs root: run the task with become: true."),
        Errno::EROFS => Some(
            "The file system is mounted read-only: remount it read-write. If the file is a writable mount of its own in a read-only folder, as in a \
             container, set unsafe_writes: true.",
        ),
        Errno::ENOSPC | Errno::EDQUOT => Some("Free some space there."),
        Errno::EFBIG => Some("Raise the limit on file sizes (ulimit -f)."),
        Errno::EBUSY | Errno::EXDEV => Some(
            "The file seems to be a mount of its own, as in a container: mount its folder instead, or set unsafe_writes: true.",
        ),
        Errno::EIO => Some("Check the disk."),
        _ => None,
    }
}

/// Adds a step and a path to the errors of system calls.
pub(super) trait During<T> {
    fn during(self, step: Step, path: &Path) -> Result<T, FileError>;
}

impl<T> During<T> for nix::Result<T> {
    fn during(self, step: Step, path: &Path) -> Result<T, FileError> {
        self.map_err(|errno| FileError::Io {
            step,
            path: path.to_owned(),
            errno,
        })
    }
}

impl<T> During<T> for io::Result<T> {
    fn during(self, step: Step, path: &Path) -> Result<T, FileError> {
        self.map_err(|error| errno_of(&error)).during(step, path)
    }
}

pub(super) fn errno_of(error: &io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn io_error(errno: Errno) -> String {
        FileError::Io {
            step: Step::Write,
            path: "/f".into(),
            errno,
        }
        .to_string()
    }

    #[test]
    fn a_failed_call_is_reported_with_its_remedy() {
        for (errno, expected) in [
            (
                Errno::EROFS,
                "read-only file system. The file system is mounted read-only: remount it read-write. If the file is a writable mount of its own in a \
                 read-only folder, as in a container, set unsafe_writes: true.",
            ),
            (
                Errno::ENOSPC,
                "no space left on device. Free some space there.",
            ),
            (Errno::EDQUOT, "quota exceeded. Free some space there."),
            (
                Errno::EFBIG,
                "file too large. Raise the limit on file sizes (ulimit -f).",
            ),
            (Errno::EIO, "I/O error. Check the disk."),
            (Errno::ENOTEMPTY, "directory not empty."),
        ] {
            let expected =
                format!("Could not write the new content of /f: {expected} Nothing was changed.");
            assert_eq!(io_error(errno), expected);
        }
        for errno in [Errno::EBUSY, Errno::EXDEV] {
            assert!(
                io_error(errno).contains("set unsafe_writes: true."),
                "{errno}"
            );
        }
        for errno in [Errno::EACCES, Errno::EPERM] {
            for (is_root, start) in [(true, "Not even root may: "), (false, "This needs root: ")] {
                assert!(
                    remedy(errno, is_root).unwrap().starts_with(start),
                    "{errno}"
                );
            }
            let ours = remedy(errno, geteuid().is_root()).unwrap();
            assert!(io_error(errno).contains(ours), "{errno}");
        }
    }

    #[test]
    fn every_step_has_words_of_its_own() {
        let steps = [
            Step::Resolve,
            Step::Open,
            Step::Read,
            Step::OpenFolder,
            Step::CreateTemporary,
            Step::Chown,
            Step::Chmod,
            Step::Attributes,
            Step::Write,
            Step::Sync,
            Step::ReadBack,
            Step::Backup,
            Step::Rename,
        ];
        let mut words: Vec<&str> = steps.map(Step::words).to_vec();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), steps.len());
    }

    #[test]
    fn only_the_steps_after_the_replacement_leave_another_file() {
        let (path, errno) = (std::path::PathBuf::from("/f"), Errno::EIO);
        let broken = |backup| FileError::BrokenInPlace {
            path: path.clone(),
            errno,
            backup,
        };
        let not_synced = FileError::FolderNotSynced {
            path: path.clone(),
            errno,
        };
        for error in [not_synced, broken(None), broken(Some("/f~".into()))] {
            assert!(error.file_was_changed(), "{error}");
            assert!(
                !error.to_string().contains("Nothing was changed"),
                "{error}"
            );
        }
        for error in [
            FileError::KeepsChanging(path.clone()),
            FileError::NotWritten(path.clone()),
            FileError::Missing(path.clone()),
        ] {
            assert!(!error.file_was_changed(), "{error}");
        }
        assert!(
            broken(Some("/f~".into()))
                .to_string()
                .ends_with("Restore it from /f~.")
        );
        assert!(broken(None).to_string().ends_with("a backup of yours."));
    }

    #[test]
    fn an_error_without_a_number_is_one_of_the_disk() {
        assert_eq!(errno_of(&io::Error::from_raw_os_error(28)), Errno::ENOSPC);
        assert_eq!(errno_of(&io::Error::other("x")), Errno::EIO);
    }
}
