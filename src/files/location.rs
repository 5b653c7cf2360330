//! What a path leads to: an open folder, and a name in it.
//!
//! Who owns a folder on the way can exchange it at any moment. So no path is looked up twice: each folder is opened by its name in the one before, and
//! all later work is done in the last one, which stays open.

use std::collections::VecDeque;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open, openat, readlinkat};
use nix::sys::stat::Mode;
use nix::unistd::geteuid;

use super::error::{At, During, FileError, Problem, Step};

/// How many symbolic links the kernel follows, too.
const MAX_LINKS: usize = 40;

/// Only names the file: it is neither read nor, if it is a device, woken up.
const NAMED: OFlag = OFlag::O_PATH
    .union(OFlag::O_NOFOLLOW)
    .union(OFlag::O_CLOEXEC);

/// The place of a file, which may be missing.
#[derive(Debug)]
pub(super) struct Place {
    /// Its folder, open as a mere name (`O_PATH`).
    pub(super) folder: File,
    /// Its name there. `.` if its path ends without a name, as `/` does.
    pub(super) name: PathBuf,
    /// Its real path at the time of the walk, for messages and comparisons.
    pub(super) real: PathBuf,
}

/// Finds the place of a file. Its folder must exist.
///
/// A symbolic link is followed only if root or the user we run as owns it, in a folder where nobody else could have put it: whoever else could write in
/// a folder on the way must not lead root to a file of his choice.
pub(super) fn find(path: &Path) -> Result<Place, FileError> {
    walk(path, |_, _| {})
}

/// Finds the place of a file, and shows each folder, link and file on the way.
#[expect(
    clippy::disallowed_methods,
    reason = "this is what finds files, and by O_PATH it opens none"
)]
pub(super) fn walk(
    path: &Path,
    mut visit: impl FnMut(&Path, &Metadata),
) -> Result<Place, FileError> {
    let mut way = Way::from_root(path)?;
    let root = way.folder().metadata().during(Step::Resolve).at(path)?;
    visit(&way.real, &root);
    let mut pending = VecDeque::new();
    if path.is_relative() {
        let current = env::current_dir().during(Step::Resolve).at(path)?;
        put_before(&mut pending, &current);
    }
    pending.extend(names(path));
    let mut links = 0;
    while let Some(name) = pending.pop_front() {
        if name == ".." {
            way.leave();
            continue;
        }
        let next = way.real.join(&name);
        let opened = match openat(way.folder(), name.as_os_str(), NAMED, Mode::empty()) {
            Ok(opened) => File::from(opened),
            Err(Errno::ENOENT) if pending.is_empty() => return Ok(way.place(name, next)),
            Err(Errno::ENOENT) => return Err(Problem::Missing.at(path)),
            Err(errno) => return Err(errno).during(Step::Resolve).at(&next),
        };
        let metadata = opened.metadata().during(Step::Resolve).at(&next)?;
        visit(&next, &metadata);
        if !metadata.is_symlink() {
            // A folder at the end is not entered: whoever may not search it may still look at it.
            if pending.is_empty() {
                return Ok(way.place(name, next));
            }
            if !metadata.is_dir() {
                return Err(Problem::Missing.at(path));
            }
            way.enter(opened, &name);
            continue;
        }
        let folder = way.folder().metadata().during(Step::Resolve).at(&next)?;
        refuse_foreign(&metadata, &folder).at(&next)?;
        links += 1;
        if links > MAX_LINKS {
            return Err(Problem::LinkLoop.at(path));
        }
        // By its descriptor: the name may stand for another link by now.
        let target = PathBuf::from(readlinkat(&opened, "").during(Step::Resolve).at(&next)?);
        if target.is_absolute() {
            way = Way::from_root(path)?;
        }
        put_before(&mut pending, &target);
    }
    Ok(way.end())
}

/// The folders from the root to where the walk is, all open: `..` leads back through them, wherever they are by now.
struct Way {
    folders: Vec<File>,
    real: PathBuf,
}

impl Way {
    #[expect(
        clippy::disallowed_methods,
        reason = "the root itself, from which everything is found"
    )]
    fn from_root(path: &Path) -> Result<Self, FileError> {
        let root = open("/", NAMED | OFlag::O_DIRECTORY, Mode::empty())
            .during(Step::Resolve)
            .at(path)?;
        Ok(Self {
            folders: vec![File::from(root)],
            real: PathBuf::from("/"),
        })
    }

    fn folder(&self) -> &File {
        self.folders.last().expect("the root is never left")
    }

    fn enter(&mut self, folder: File, name: &OsStr) {
        self.real.push(name);
        self.folders.push(folder);
    }

    fn leave(&mut self) {
        if self.folders.len() > 1 {
            self.folders.pop();
            self.real.pop();
        }
    }

    fn place(mut self, name: OsString, real: PathBuf) -> Place {
        let folder = self.folders.pop().expect("the root is never left");
        Place {
            folder,
            name: name.into(),
            real,
        }
    }

    /// The place of the last folder itself.
    fn end(self) -> Place {
        let real = self.real.clone();
        self.place(".".into(), real)
    }
}

fn refuse_foreign(link: &Metadata, folder: &Metadata) -> Result<(), Problem> {
    let user = geteuid().as_raw();
    if !is_own(link.uid(), user) {
        return Err(Problem::ForeignLink);
    }
    if !keeps_entries(folder.uid(), folder.mode(), user) {
        return Err(Problem::MovableLink);
    }
    Ok(())
}

pub(super) fn is_own(owner: u32, user: u32) -> bool {
    owner == 0 || owner == user
}

/// Whether nobody but root and a user can exchange what they have put into a folder. Where others may write to it, as to `/tmp`, its sticky bit keeps
/// them from that. An access list shows in the bits of the group.
pub(super) fn keeps_entries(owner: u32, mode: u32, user: u32) -> bool {
    is_own(owner, user) && (mode & 0o022 == 0 || mode & 0o1000 != 0)
}

fn put_before(pending: &mut VecDeque<OsString>, path: &Path) {
    let names: Vec<OsString> = names(path).collect();
    for name in names.into_iter().rev() {
        pending.push_front(name);
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
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::super::snapshot::SIZE_LIMIT;
    use super::super::snapshot::Snapshot;
    use super::*;

    /// A folder whose path has no link in it.
    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().canonicalize().unwrap();
        (folder, real)
    }

    fn resolve(path: &Path) -> Result<PathBuf, FileError> {
        find(path).map(|place| place.real)
    }

    #[test]
    fn only_links_of_root_and_of_the_user_are_followed() {
        for (owner, user, expected) in [
            (0, 0, true),
            (0, 12, true),
            (12, 12, true),
            (12, 0, false),
            (12, 34, false),
        ] {
            assert_eq!(is_own(owner, user), expected, "{owner} {user}");
        }
    }

    #[test]
    fn a_link_is_followed_only_from_a_folder_that_keeps_it() {
        for (owner, mode, user, expected) in [
            (0, 0o755, 0, true),
            (0, 0o1777, 0, true),
            (0, 0o777, 0, false),
            (0, 0o775, 0, false),
            (0, 0o757, 0, false),
            (12, 0o755, 12, true),
            (12, 0o755, 0, false),
            (12, 0o1777, 0, false),
        ] {
            assert_eq!(
                keeps_entries(owner, mode, user),
                expected,
                "{owner} {mode:o} {user}"
            );
        }
    }

    #[test]
    fn a_link_in_a_folder_that_others_may_write_is_not_followed() {
        let (_folder, real) = folder();
        fs::write(real.join("f"), "").unwrap();
        symlink("f", real.join("link")).unwrap();
        let link = real.join("link");
        for (mode, expected) in [
            (0o755, Ok(real.join("f"))),
            (0o1777, Ok(real.join("f"))),
            (0o777, Err(Problem::MovableLink.at(&link))),
        ] {
            fs::set_permissions(&real, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(resolve(&link), expected, "{mode:o}");
        }
    }

    #[test]
    fn a_folder_that_is_moved_away_is_still_the_one_that_was_found() {
        let (_folder, real) = folder();
        for name in ["a", "b"] {
            fs::create_dir(real.join(name)).unwrap();
            fs::write(real.join(name).join("f"), name).unwrap();
        }
        let place = find(&real.join("a/f")).unwrap();
        fs::rename(real.join("a"), real.join("c")).unwrap();
        symlink("b", real.join("a")).unwrap();
        let found = Snapshot::read(&place.folder, &place.name, SIZE_LIMIT);
        assert_eq!(found.unwrap().unwrap().bytes, b"a");
    }

    #[test]
    fn a_path_to_a_folder_ends_with_its_name_if_it_has_one() {
        let (_folder, real) = folder();
        let name = PathBuf::from(real.file_name().unwrap());
        let place = find(&real).unwrap();
        assert_eq!((place.name, place.real), (name, real.clone()));
        let place = find(&real.join("..")).unwrap();
        assert_eq!(place.name, Path::new("."));
        assert_eq!(place.real, real.parent().unwrap());
    }

    #[test]
    fn a_file_may_be_missing_and_its_folder_not() {
        let (_folder, real) = folder();
        assert_eq!(resolve(&real.join("f")), Ok(real.join("f")));
        let below = real.join("none/f");
        assert_eq!(resolve(&below), Err(Problem::Missing.at(&below)));
        fs::write(real.join("f"), "").unwrap();
        let below = real.join("f/g");
        assert_eq!(resolve(&below), Err(Problem::Missing.at(&below)));
    }

    #[test]
    fn dots_lead_where_the_kernel_goes() {
        let (_folder, real) = folder();
        fs::create_dir_all(real.join("a/b")).unwrap();
        symlink("a/b", real.join("link")).unwrap();
        for path in ["./a/../f", "a/b/../../f", "link/../../f"] {
            assert_eq!(resolve(&real.join(path)), Ok(real.join("f")), "{path}");
        }
        assert_eq!(resolve(&real.join("link/../f")), Ok(real.join("a/f")));
        assert_eq!(resolve(Path::new("/../..")), Ok("/".into()));
    }

    #[test]
    fn a_relative_path_starts_in_the_current_folder() {
        let current = env::current_dir().unwrap().canonicalize().unwrap();
        assert_eq!(resolve(Path::new("f")), Ok(current.join("f")));
    }

    #[test]
    fn links_are_followed_one_after_the_other_up_to_the_limit_of_the_kernel() {
        let (_folder, real) = folder();
        fs::write(real.join("0"), "").unwrap();
        for number in 0..=MAX_LINKS {
            let target = real.join(number.to_string());
            symlink(target, real.join((number + 1).to_string())).unwrap();
        }
        let last = real.join("40");
        assert_eq!(resolve(&last), Ok(real.join("0")));
        assert!(fs::read(&last).is_ok());
        let beyond = real.join("41");
        assert_eq!(resolve(&beyond), Err(Problem::LinkLoop.at(&beyond)));
        assert!(fs::read(&beyond).is_err());
    }

    #[test]
    fn a_path_that_cannot_be_looked_at_is_an_error() {
        let long = Path::new("/").join("x".repeat(300));
        let problem = Problem::Io(Step::Resolve, Errno::ENAMETOOLONG);
        assert_eq!(resolve(&long), Err(problem.at(&long)));
    }
}
