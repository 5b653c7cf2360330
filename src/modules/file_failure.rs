//! What to do about a failure with a file, in the words of Ansible.

use std::borrow::Cow;

use nix::errno::Errno;
use nix::unistd::geteuid;

use crate::files::{FileError, Problem};

/// Returns the message of a task that a file stopped.
pub(super) fn message(error: &FileError) -> String {
    let mut message = error.sentence();
    if let Some(remedy) = remedy(error) {
        message += &format!(" {remedy}");
    }
    if matches!(
        error.problem,
        Problem::Io(..) | Problem::KeepsChanging | Problem::NotWritten
    ) {
        message += " Nothing was changed.";
    }
    message
}

/// Returns what to do about a failure, as a sentence.
pub(super) fn remedy(error: &FileError) -> Option<Cow<'static, str>> {
    let remedy = match &error.problem {
        Problem::Missing => return None,
        Problem::NotRegular(_) => "Put the file in its place, or check the path.",
        Problem::HardLinked => "Remove the other names of the file first.",
        Problem::ForeignLink => "Make root its owner (chown -h root), or name the file itself.",
        Problem::MovableLink => {
            "Make root the owner of the folder and let nobody else write to it, or name the file itself."
        }
        Problem::LinkLoop => "Name the file itself.",
        Problem::TooLarge(_) => "Check the path.",
        Problem::KeepsChanging => "Find that program, then run again.",
        Problem::NotWritten => "Check the disk.",
        Problem::Io(_, errno) => remedy_of_call(*errno, geteuid().is_root())?,
        Problem::FolderNotSynced(_) => {
            "After a power failure the old file may be back: check the disk, then run again."
        }
        Problem::BrokenInPlace { backup, .. } => {
            let backup = match backup {
                Some(name) => error.path.with_file_name(name).display().to_string(),
                None => "a backup of yours".to_owned(),
            };
            return Some(
                format!("This can only happen with unsafe_writes. Restore it from {backup}.")
                    .into(),
            );
        }
    };
    Some(remedy.into())
}

fn remedy_of_call(errno: Errno, is_root: bool) -> Option<&'static str> {
    match errno {
        Errno::EACCES | Errno::EPERM if is_root => Some(
            "Even root is refused: look for an immutable attribute (lsattr), a security policy, or a mount that forbids it.",
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::files::Step;

    fn of_call(errno: Errno) -> String {
        message(&Problem::Io(Step::Write, errno).at(Path::new("/f")))
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
            assert_eq!(of_call(errno), expected);
        }
        for errno in [Errno::EBUSY, Errno::EXDEV] {
            assert!(
                of_call(errno).contains("set unsafe_writes: true."),
                "{errno}"
            );
        }
        for errno in [Errno::EACCES, Errno::EPERM] {
            for (is_root, start) in [
                (true, "Even root is refused: "),
                (false, "This needs root: "),
            ] {
                assert!(
                    remedy_of_call(errno, is_root).unwrap().starts_with(start),
                    "{errno}"
                );
            }
            let ours = remedy_of_call(errno, geteuid().is_root()).unwrap();
            assert!(of_call(errno).contains(ours), "{errno}");
        }
    }

    #[test]
    fn what_is_left_after_the_replacement_is_said() {
        let errno = Errno::EIO;
        let broken = |backup| Problem::BrokenInPlace { errno, backup }.at(Path::new("/f"));
        for (error, end) in [
            (
                Problem::FolderNotSynced(errno).at(Path::new("/f")),
                "check the disk, then run again.",
            ),
            (broken(Some("f~".into())), "Restore it from /f~."),
            (broken(None), "Restore it from a backup of yours."),
        ] {
            assert!(message(&error).ends_with(end), "{error}");
        }
    }
}
