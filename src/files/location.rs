//! What a path leads to.

use std::collections::VecDeque;
use std::env;
use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;
use nix::unistd::geteuid;

use super::error::{During, FileError, Step, errno_of};

/// How many symbolic links the kernel follows, too.
const MAX_LINKS: usize = 40;

/// The real path of a file that may be missing. Its folder is not.
///
/// A symbolic link is followed only if root or the user we run as owns it: whoever else could write in a folder on the way must not lead root
/// to a file of his choice.
pub(super) fn resolve(path: &Path) -> Result<PathBuf, FileError> {
    walk(path, |_, _| {})
}

/// Resolves a path, and shows each folder, link and file on the way.
#[expect(
    clippy::disallowed_methods,
    reason = "this is what looks at each folder on the way"
)]
pub(super) fn walk(
    path: &Path,
    mut visit: impl FnMut(&Path, &Metadata),
) -> Result<PathBuf, FileError> {
    let mut real = PathBuf::from("/");
    let mut pending = VecDeque::new();
    if path.is_relative() {
        let current = env::current_dir().during(Step::Resolve, path)?;
        put_before(&mut pending, &current);
    }
    pending.extend(names(path));
    let mut links = 0;
    while let Some(name) = pending.pop_front() {
        if name == ".." {
            real.pop();
            continue;
        }
        let next = real.join(name);
        let metadata = match fs::symlink_metadata(&next) {
            Ok(metadata) => metadata,
            Err(error) => match errno_of(&error) {
                Errno::ENOENT if pending.is_empty() => return Ok(next),
                Errno::ENOENT | Errno::ENOTDIR => return Err(FileError::Missing(path.to_owned())),
                errno => return Err(errno).during(Step::Resolve, &next),
            },
        };
        visit(&next, &metadata);
        if !metadata.is_symlink() {
            real = next;
            continue;
        }
        if is_foreign(metadata.uid(), geteuid().as_raw()) {
            return Err(FileError::ForeignLink(next));
        }
        links += 1;
        if links > MAX_LINKS {
            return Err(FileError::LinkLoop(path.to_owned()));
        }
        let target = fs::read_link(&next).during(Step::Resolve, &next)?;
        if target.is_absolute() {
            real = PathBuf::from("/");
        }
        put_before(&mut pending, &target);
    }
    Ok(real)
}

/// Whether a link of an owner is not to be followed by a user.
fn is_foreign(owner: u32, user: u32) -> bool {
    owner != 0 && owner != user
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
    use std::os::unix::fs::symlink;

    use super::*;

    /// A folder whose path has no link in it.
    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().canonicalize().unwrap();
        (folder, real)
    }

    #[test]
    fn only_links_of_root_and_of_the_user_are_followed() {
        for (owner, user, expected) in [
            (0, 0, false),
            (0, 12, false),
            (12, 12, false),
            (12, 0, true),
            (12, 34, true),
        ] {
            assert_eq!(is_foreign(owner, user), expected, "{owner} {user}");
        }
    }

    #[test]
    fn a_file_may_be_missing_and_its_folder_not() {
        let (_folder, real) = folder();
        assert_eq!(resolve(&real.join("f")), Ok(real.join("f")));
        let below = real.join("none/f");
        assert_eq!(resolve(&below), Err(FileError::Missing(below)));
        fs::write(real.join("f"), "").unwrap();
        let below = real.join("f/g");
        assert_eq!(resolve(&below), Err(FileError::Missing(below)));
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
        assert_eq!(resolve(&beyond), Err(FileError::LinkLoop(beyond.clone())));
        assert!(fs::read(&beyond).is_err());
    }

    #[test]
    fn a_path_that_cannot_be_looked_at_is_an_error() {
        let long = Path::new("/").join("x".repeat(300));
        match resolve(&long) {
            Err(FileError::Io { step, errno, .. }) => {
                assert_eq!((step, errno), (Step::Resolve, Errno::ENAMETOOLONG));
            }
            other => panic!("{other:?}"),
        }
    }
}
