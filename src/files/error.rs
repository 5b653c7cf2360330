//! What can go wrong with a file, as sentences.

use std::io;
use std::path::{Path, PathBuf};

use nix::errno::Errno;

/// A failure with a file. Unless it says otherwise, the file is unchanged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.sentence())]
pub struct FileError {
    /// The file, folder or link.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a file. Only who was asked for the file knows its path ([`At`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// There is no such file, or no such folder.
    Missing,
    /// A directory, FIFO, socket or device stands in its place: what it is, with an article.
    NotRegular(&'static str),
    /// A file with several names. Replacing it would separate it from the others.
    HardLinked,
    /// A symbolic link on the way belongs to someone who is neither root nor the user we run as.
    ForeignLink,
    /// A symbolic link on the way lies in a folder where others than root and the user we run as can exchange it.
    MovableLink,
    /// Symbolic links lead in a circle.
    LinkLoop,
    /// A file that is larger than any file that this program edits, with the limit in bytes.
    TooLarge(u64),
    /// A file that another program changes again and again.
    KeepsChanging,
    /// New content that did not read back as it was written.
    NotWritten,
    /// A failed system call, in a step of the work.
    Io(Step, Errno),
    /// The new file is in place, but whether it survives a power failure is not known.
    FolderNotSynced(Errno),
    /// An in-place write that was interrupted.
    BrokenInPlace {
        /// The reason that the system gave.
        errno: Errno,
        /// A copy of the old file.
        backup: Option<PathBuf>,
    },
}

/// A step of the work on a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Looking for the file that a path leads to.
    Resolve,
    /// Opening it for reading.
    Open,
    /// Reading its content or metadata.
    Read,
    /// Opening the folder that it is in.
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
    /// Reading back what was written.
    ReadBack,
    /// Making a copy of the old file.
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
            self.problem,
            Problem::FolderNotSynced(_) | Problem::BrokenInPlace { .. }
        )
    }

    /// Returns what is wrong, as a sentence.
    pub fn sentence(&self) -> String {
        let path = self.path.display();
        match &self.problem {
            Problem::Missing => format!("{path} does not exist."),
            Problem::NotRegular(kind) => format!("{path} is {kind}, not a regular file."),
            Problem::HardLinked => {
                format!("{path} has more than one hard link, and replacing it would separate them.")
            }
            Problem::ForeignLink => {
                format!("{path} is a symbolic link of another user, which is not followed.")
            }
            Problem::MovableLink => format!(
                "{path} is a symbolic link in a folder where another user can exchange it, so it is not followed."
            ),
            Problem::LinkLoop => format!("{path} leads through too many symbolic links."),
            Problem::TooLarge(limit) => {
                format!(
                    "{path} is larger than {} MiB, the limit for this file.",
                    limit >> 20
                )
            }
            Problem::KeepsChanging => format!(
                "{path} was changed by another program each time it was about to be replaced."
            ),
            Problem::NotWritten => {
                format!("The new content of {path} did not read back as it was written.")
            }
            Problem::Io(step, errno) => {
                format!("Could not {} {path}: {}.", step.words(), reason(*errno))
            }
            Problem::FolderNotSynced(errno) => format!(
                "{path} was replaced, but its folder could not be synced to disk: {}.",
                reason(*errno)
            ),
            Problem::BrokenInPlace { errno, .. } => format!(
                "Writing {path} in place was interrupted: {}. The file may be incomplete.",
                reason(*errno)
            ),
        }
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

/// Adds a step to the errors of system calls.
pub(super) trait During<T> {
    fn during(self, step: Step) -> Result<T, Problem>;
}

impl<T> During<T> for nix::Result<T> {
    fn during(self, step: Step) -> Result<T, Problem> {
        self.map_err(|errno| Problem::Io(step, errno))
    }
}

impl<T> During<T> for io::Result<T> {
    fn during(self, step: Step) -> Result<T, Problem> {
        self.map_err(|error| errno_of(&error)).during(step)
    }
}

/// Adds the path to a problem.
pub(super) trait At<T> {
    fn at(self, path: &Path) -> Result<T, FileError>;
}

impl<T> At<T> for Result<T, Problem> {
    fn at(self, path: &Path) -> Result<T, FileError> {
        self.map_err(|problem| problem.at(path))
    }
}

impl Problem {
    /// Returns it as a failure with a file.
    pub fn at(self, path: &Path) -> FileError {
        FileError {
            path: path.to_owned(),
            problem: self,
        }
    }
}

pub(super) fn errno_of(error: &io::Error) -> Errno {
    error.raw_os_error().map_or(Errno::EIO, Errno::from_raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_call_is_reported_with_its_step_and_reason() {
        for (errno, reason) in [
            (Errno::EROFS, "read-only file system"),
            (Errno::ENOSPC, "no space left on device"),
            (Errno::EDQUOT, "quota exceeded"),
            (Errno::EFBIG, "file too large"),
            (Errno::EIO, "I/O error"),
            (Errno::ENOTEMPTY, "directory not empty"),
        ] {
            let error = Problem::Io(Step::Write, errno).at(Path::new("/f"));
            let expected = format!("Could not write the new content of /f: {reason}.");
            assert_eq!(error.to_string(), expected);
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
        let errno = Errno::EIO;
        for (problem, is_changed) in [
            (Problem::FolderNotSynced(errno), true),
            (
                Problem::BrokenInPlace {
                    errno,
                    backup: None,
                },
                true,
            ),
            (Problem::KeepsChanging, false),
            (Problem::NotWritten, false),
            (Problem::Missing, false),
            (Problem::Io(Step::Rename, errno), false),
        ] {
            let error = problem.at(Path::new("/f"));
            assert_eq!(error.file_was_changed(), is_changed, "{error}");
        }
    }

    #[test]
    fn an_error_without_a_number_is_one_of_the_disk() {
        assert_eq!(errno_of(&io::Error::from_raw_os_error(28)), Errno::ENOSPC);
        assert_eq!(errno_of(&io::Error::other("x")), Errno::EIO);
    }
}
