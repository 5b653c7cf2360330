//! The names in folders of the kernel and of the init system.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::dir::{Dir, Type};
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::Mode;

/// Returns the names in a folder that are UTF-8, or no names if there is no such folder.
pub(super) fn names(folder: &Path) -> Vec<String> {
    let entries = entries(folder).unwrap_or_default();
    let names = entries.into_iter().flatten();
    names.filter_map(|name| name.into_string().ok()).collect()
}

/// Returns the names in a folder, each as `None` if it cannot be read.
pub(super) fn entries(folder: &Path) -> Result<Vec<Option<OsString>>, Errno> {
    entries_of(folder, |_| true)
}

/// Returns the names of the folders in a folder, each as `None` if it cannot be read.
pub(super) fn folders(folder: &Path) -> Result<Vec<Option<OsString>>, Errno> {
    entries_of(folder, |kind| matches!(kind, Some(Type::Directory) | None))
}

#[expect(
    clippy::disallowed_methods,
    reason = "for /proc, /sys and the folders of the init system, into which only root can put a link"
)]
fn entries_of(
    folder: &Path,
    is_wanted: impl Fn(Option<Type>) -> bool,
) -> Result<Vec<Option<OsString>>, Errno> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let mut folder = Dir::open(folder, flags, Mode::empty())?;
    let names = folder.iter().filter_map(|entry| {
        let Ok(entry) = entry else {
            return Some(None);
        };
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        let is_entry = name != "." && name != ".." && is_wanted(entry.file_type());
        is_entry.then(|| Some(name.to_owned()))
    });
    Ok(names.collect())
}
