//! A program of an installation that may be run: nobody but root, and the user that this program runs as, can change it.
//!
//! Folders are looked at from `/` downwards, and the look ends at the first one that somebody else may write to. Whatever was passed is in a folder
//! that nobody else can change, so nobody else can swap it between the look and the start. Root itself can.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, readlink};
use nix::sys::stat::{FileStat, SFlag, fstatat};
use nix::unistd::geteuid;

/// How many symbolic links the kernel follows, too.
const MAX_LINKS: usize = 40;

/// The permission bits with which others than the owner may write.
const WRITABLE_BY_OTHERS: u32 = 0o022;
const STICKY: u32 = 0o1000;

/// The reason why a program is not run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotRun {
    /// It does not exist.
    #[error("{} does not exist.", .0.display())]
    Missing(PathBuf),
    /// It cannot be examined, or is no regular file.
    #[error("{} cannot be examined ({errno}).", place.display())]
    Unread {
        /// The place that could not be examined.
        place: PathBuf,
        /// The error of the system.
        errno: Errno,
    },
    /// Others may change what would be run.
    #[error("{0}")]
    Untrusted(Untrusted),
}

/// A file, folder or link on the way to a program that others may change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} {}", self.problem(), Self::REMEDY)]
pub struct Untrusted {
    program: PathBuf,
    place: PathBuf,
    owner: u32,
    mode: u32,
    user: u32,
}

impl Untrusted {
    /// What to do about it.
    pub const REMEDY: &'static str =
        "Give it to root, and take the right to write from group and others.";

    /// Returns the problem as a sentence without its remedy.
    pub fn problem(&self) -> String {
        format!(
            "{} is not run (untrusted_program): {} belongs to user {} and has mode {:04o}, so others than {} can change what runs.",
            self.program.display(),
            self.place.display(),
            self.owner,
            self.mode,
            trusted(self.user)
        )
    }
}

/// Returns the real path of a program, if only root and the user that this program runs as can change what is there.
pub fn trusted_program(program: &Path) -> Result<PathBuf, NotRun> {
    trusted_by(program, geteuid().as_raw())
}

fn trusted_by(program: &Path, user: u32) -> Result<PathBuf, NotRun> {
    let mut real = PathBuf::from("/");
    check(program, &real, &examine(program, &real)?, user)?;
    let mut pending: VecDeque<OsString> = names(program).collect();
    let mut links = 0;
    while let Some(name) = pending.pop_front() {
        if name == ".." {
            real.pop();
            continue;
        }
        let next = real.join(name);
        let stat = examine(program, &next)?;
        check(program, &next, &stat, user)?;
        if kind(&stat) != SFlag::S_IFLNK {
            real = next;
            continue;
        }
        links += 1;
        if links > MAX_LINKS {
            return Err(unread(&next, Errno::ELOOP));
        }
        let target = readlink(&next).map_err(|errno| unread(&next, errno))?;
        let target = PathBuf::from(target);
        if target.is_absolute() {
            real = PathBuf::from("/");
        }
        for name in names(&target).collect::<Vec<_>>().into_iter().rev() {
            pending.push_front(name);
        }
    }
    match kind(&examine(program, &real)?) {
        SFlag::S_IFREG => Ok(real),
        SFlag::S_IFDIR => Err(unread(&real, Errno::EISDIR)),
        _ => Err(unread(&real, Errno::EACCES)),
    }
}

fn examine(program: &Path, place: &Path) -> Result<FileStat, NotRun> {
    match fstatat(AT_FDCWD, place, AtFlags::AT_SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(stat),
        Err(Errno::ENOENT | Errno::ENOTDIR) => Err(NotRun::Missing(program.to_owned())),
        Err(errno) => Err(unread(place, errno)),
    }
}

/// The mode of a link means nothing. In a sticky folder nobody but its owner and the owner of an entry can put something else in its place, and the
/// entry is looked at next.
fn check(program: &Path, place: &Path, stat: &FileStat, user: u32) -> Result<(), NotRun> {
    let is_sticky_folder = kind(stat) == SFlag::S_IFDIR && stat.st_mode & STICKY != 0;
    let is_closed =
        stat.st_mode & WRITABLE_BY_OTHERS == 0 || is_sticky_folder || kind(stat) == SFlag::S_IFLNK;
    if matches!(stat.st_uid, owner if owner == 0 || owner == user) && is_closed {
        return Ok(());
    }
    Err(NotRun::Untrusted(Untrusted {
        program: program.to_owned(),
        place: place.to_owned(),
        owner: stat.st_uid,
        mode: stat.st_mode & 0o7777,
        user,
    }))
}

fn kind(stat: &FileStat) -> SFlag {
    SFlag::from_bits_truncate(stat.st_mode & SFlag::S_IFMT.bits())
}

fn unread(place: &Path, errno: Errno) -> NotRun {
    NotRun::Unread {
        place: place.to_owned(),
        errno,
    }
}

fn trusted(user: u32) -> String {
    if user == 0 {
        "root".to_owned()
    } else {
        format!("root and user {user}")
    }
}

fn names(path: &Path) -> impl Iterator<Item = OsString> {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, lchown, symlink};

    use super::*;

    const OTHER: u32 = 12_345;

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    /// An installation with a program, in a folder of our own.
    fn installation() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().canonicalize().unwrap();
        fs::create_dir_all(real.join("root/bin")).unwrap();
        for path in ["root", "root/bin"] {
            set_mode(&real.join(path), 0o755);
        }
        fs::write(real.join("root/bin/ascp"), "#!/bin/sh\n").unwrap();
        set_mode(&real.join("root/bin/ascp"), 0o755);
        (folder, real)
    }

    fn refused_place(found: Result<PathBuf, NotRun>) -> PathBuf {
        match found {
            Err(NotRun::Untrusted(untrusted)) => untrusted.place,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_others_may_write_to_is_not_run() {
        let (_folder, real) = installation();
        let program = real.join("root/bin/ascp");
        for place in ["root", "root/bin", "root/bin/ascp"] {
            let place = real.join(place);
            for (mode, is_trusted) in [
                (0o755, true),
                (0o700, true),
                (0o775, false),
                (0o757, false),
                (0o777, false),
                // A sticky file is still one that others write to.
                (0o1777, place != program),
            ] {
                set_mode(&place, mode);
                let found = trusted_program(&program);
                if is_trusted {
                    assert_eq!(found.as_ref(), Ok(&program), "{place:?} {mode:o}");
                } else {
                    let message = found.as_ref().unwrap_err().to_string();
                    assert!(message.contains(&format!("mode {mode:04o}")), "{message}");
                    assert!(message.contains("untrusted_program"), "{message}");
                    assert_eq!(refused_place(found), place, "{mode:o}");
                }
            }
            set_mode(&place, 0o755);
        }
    }

    #[test]
    fn what_belongs_to_others_is_not_run() {
        if !geteuid().is_root() {
            return;
        }
        let (_folder, real) = installation();
        let program = real.join("root/bin/ascp");
        for place in ["root", "root/bin", "root/bin/ascp"] {
            let place = real.join(place);
            lchown(&place, Some(OTHER), None).unwrap();
            let found = trusted_by(&program, 0);
            assert!(found.as_ref().unwrap_err().to_string().contains("12345"));
            assert_eq!(refused_place(found), place);
            // The folder that holds all is 0700 of root, and the owner of the rest is trusted by himself.
            assert_eq!(trusted_by(&program, OTHER).as_ref(), Ok(&program));
            assert_eq!(refused_place(trusted_by(&program, OTHER + 1)), place);
            lchown(&place, Some(0), None).unwrap();
        }
    }

    #[test]
    fn links_of_others_and_links_to_what_others_own_are_not_followed() {
        let (_folder, real) = installation();
        let program = real.join("root/bin/ascp");
        let link = real.join("link");
        symlink("root/bin/../bin/ascp", &link).unwrap();
        assert_eq!(trusted_program(&link).as_ref(), Ok(&program));
        set_mode(&real.join("root/bin"), 0o777);
        assert_eq!(refused_place(trusted_program(&link)), real.join("root/bin"));
        set_mode(&real.join("root/bin"), 0o755);
        if geteuid().is_root() {
            lchown(&link, Some(OTHER), None).unwrap();
            assert_eq!(refused_place(trusted_by(&link, 0)), link);
        }
    }

    #[test]
    fn what_is_no_program_is_not_run() {
        let (_folder, real) = installation();
        let missing = real.join("root/bin/none");
        assert_eq!(
            trusted_program(&missing),
            Err(NotRun::Missing(missing.clone()))
        );
        let below = real.join("root/bin/ascp/x");
        assert_eq!(trusted_program(&below), Err(NotRun::Missing(below.clone())));
        let folder = real.join("root/bin");
        assert_eq!(
            trusted_program(&folder),
            Err(unread(&folder, Errno::EISDIR))
        );
        let circle = real.join("circle");
        symlink("circle", &circle).unwrap();
        assert_eq!(trusted_program(&circle), Err(unread(&circle, Errno::ELOOP)));
    }
}
