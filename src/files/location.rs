//! What a path leads to.

use std::collections::VecDeque;
use std::env;
use std::ffi::OsString;
use std::fs;
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
#[expect(
    clippy::disallowed_methods,
    reason = "this is what looks at each folder on the way"
)]
pub(super) fn resolve(path: &Path) -> Result<PathBuf, FileError> {
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
        if !metadata.is_symlink() {
            real = next;
            continue;
        }
        if metadata.uid() != 0 && metadata.uid() != geteuid().as_raw() {
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
