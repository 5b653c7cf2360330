//! The names in folders of the kernel and of the init system.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::dir::Dir;
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
#[expect(
    clippy::disallowed_methods,
    reason = "for /proc, /sys and the folders of the init system, into which only root can put a link"
)]
pub(super) fn entries(folder: &Path) -> Result<Vec<Option<OsString>>, Errno> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let mut folder = Dir::open(folder, flags, Mode::empty())?;
    let names = folder.iter().map(|entry| {
        let entry = entry.ok()?;
        Some(OsStr::from_bytes(entry.file_name().to_bytes()).to_owned())
    });
    let is_entry =
        |name: &Option<OsString>| name.as_ref().is_none_or(|name| name != "." && name != "..");
    Ok(names.filter(is_entry).collect())
}
