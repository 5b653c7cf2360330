//! Who can change a file: its content, or what its path leads to.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::AtFlags;
use nix::sys::stat::fstatat;
use nix::unistd::geteuid;

use super::error::{At, During, FileError, Problem, Step};
use super::location::{is_own, keeps_entries, walk};
use super::snapshot::check_kind;

/// A regular file, by who can change it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// Only root and the user that this program runs as. With its real path.
    Trusted(PathBuf),
    /// Other users can change it.
    Changeable(Changeable),
}

/// The first file, folder or link on the way to a file that other users can change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changeable {
    /// The path of the file, folder or link.
    pub place: PathBuf,
    /// The user id of its owner.
    pub owner: u32,
    /// The permission bits, without the type of the file.
    pub mode: u32,
}

/// Returns who can change a regular file, or `None` if there is no file.
///
/// Nobody else can exchange what is trusted after this look: all folders above it are trusted, too. Root itself can.
pub fn trust(path: &Path) -> Result<Option<Trust>, FileError> {
    trust_of(path, geteuid().as_raw())
}

fn trust_of(path: &Path, user: u32) -> Result<Option<Trust>, FileError> {
    let mut changeable = None;
    let found = walk(path, |place, metadata| {
        if changeable.is_none() && is_changeable(metadata, user) {
            changeable = Some(Changeable {
                place: place.to_owned(),
                owner: metadata.uid(),
                mode: metadata.mode() & 0o7777,
            });
        }
    });
    // What lies behind such a place says nothing.
    if let Some(changeable) = changeable {
        return Ok(Some(Trust::Changeable(changeable)));
    }
    let place = match found {
        Err(error) if error.problem == Problem::Missing => return Ok(None),
        place => place?,
    };
    match fstatat(&place.folder, &place.name, AtFlags::AT_SYMLINK_NOFOLLOW) {
        Err(Errno::ENOENT) => Ok(None),
        stat => {
            let stat = stat.during(Step::Open).at(path)?;
            check_kind(stat.st_mode).at(path)?;
            Ok(Some(Trust::Trusted(place.real)))
        }
    }
}

/// The mode of a link means nothing. In a sticky folder only the owner of an entry can exchange it, and the entry is looked at next.
fn is_changeable(metadata: &Metadata, user: u32) -> bool {
    let (owner, mode) = (metadata.uid(), metadata.mode());
    if metadata.is_dir() {
        !keeps_entries(owner, mode, user)
    } else {
        !is_own(owner, user) || !metadata.is_symlink() && mode & 0o022 != 0
    }
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

    fn trusted(path: &Path) -> Trust {
        Trust::Trusted(path.to_owned())
    }

    fn changeable(found: Result<Option<Trust>, FileError>) -> Changeable {
        match found {
            Ok(Some(Trust::Changeable(changeable))) => changeable,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_others_may_write_to_is_changeable() {
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
                let found = trust(&program);
                if is_trusted {
                    assert_eq!(found, Ok(Some(trusted(&program))), "{place:?} {mode:o}");
                } else {
                    let expected = Changeable {
                        place: place.clone(),
                        owner: geteuid().as_raw(),
                        mode,
                    };
                    assert_eq!(changeable(found), expected, "{mode:o}");
                }
            }
            set_mode(&place, 0o755);
        }
    }

    #[test]
    #[ignore = "needs root"]
    fn what_belongs_to_others_is_changeable() {
        let (_folder, real) = installation();
        let program = real.join("root/bin/ascp");
        for place in ["root", "root/bin", "root/bin/ascp"] {
            let place = real.join(place);
            lchown(&place, Some(OTHER), None).unwrap();
            let found = changeable(trust_of(&program, 0));
            assert_eq!((&found.place, found.owner), (&place, OTHER));
            // What is above belongs to root, and a user trusts what is his own.
            assert_eq!(trust_of(&program, OTHER), Ok(Some(trusted(&program))));
            assert_eq!(changeable(trust_of(&program, OTHER + 1)).place, place);
            lchown(&place, Some(0), None).unwrap();
        }
    }

    #[test]
    fn a_link_is_followed_and_what_it_leads_to_is_looked_at() {
        let (_folder, real) = installation();
        let program = real.join("root/bin/ascp");
        let link = real.join("link");
        symlink("root/bin/../bin/ascp", &link).unwrap();
        assert_eq!(trust(&link), Ok(Some(trusted(&program))));
        set_mode(&real.join("root/bin"), 0o777);
        assert_eq!(changeable(trust(&link)).place, real.join("root/bin"));
    }

    #[test]
    #[ignore = "needs root"]
    fn a_link_of_another_is_changeable() {
        let (_folder, real) = installation();
        let link = real.join("link");
        symlink("root/bin/ascp", &link).unwrap();
        lchown(&link, Some(OTHER), None).unwrap();
        assert_eq!(changeable(trust(&link)).place, link);
    }

    #[test]
    fn what_is_not_a_regular_file_is_an_error_and_a_missing_file_is_none() {
        let (_folder, real) = installation();
        assert_eq!(trust(&real.join("root/bin/none")), Ok(None));
        assert_eq!(trust(&real.join("root/bin/ascp/x")), Ok(None));
        let folder = trust(&real.join("root/bin")).unwrap_err();
        assert_eq!(folder.problem, Problem::NotRegular("a directory"));
        let circle = real.join("circle");
        symlink("circle", &circle).unwrap();
        assert_eq!(trust(&circle), Err(Problem::LinkLoop.at(&circle)));
    }
}
