//! The names in folders of the kernel and of the init system.

use std::path::Path;

use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::Mode;

/// Returns the names in a folder, or no names if there is no such folder.
pub(super) fn names(folder: &Path) -> Vec<String> {
    let entries = entries(folder).unwrap_or_default();
    entries.into_iter().flatten().collect()
}

/// Returns the names in a folder, each as `None` if it is not UTF-8 or cannot be read.
#[expect(
    clippy::disallowed_methods,
    reason = "for /proc, /sys and the folders of the init system, into which only root can put a link"
)]
pub(super) fn entries(folder: &Path) -> Result<Vec<Option<String>>, Errno> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let mut folder = Dir::open(folder, flags, Mode::empty())?;
    let names = folder.iter().map(|entry| {
        let name = entry.ok()?.file_name().to_str().ok()?.to_owned();
        Some(name)
    });
    let is_entry = |name: &Option<String>| !matches!(name.as_deref(), Some("." | ".."));
    Ok(names.filter(is_entry).collect())
}
