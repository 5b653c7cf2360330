//! The open files that a module inherits.

use nix::dir::Dir;
use nix::fcntl::OFlag;
use nix::sys::stat::Mode;
use nix::unistd::close;

/// The first number after standard input, output and error.
const FIRST: i32 = 3;
/// The numbers that are tried on a host without `/proc`.
const USUAL: std::ops::Range<i32> = FIRST..256;

/// Closes all open files but standard input, output and error. Nobody means a module, or the programs that it starts, to have them: what a login or a
/// wrapper left open by mistake may be a file with secrets, or a socket to an agent.
///
/// It must run before the module opens files of its own, and after it has read its arguments, which may be in such a file (`/dev/fd/3`).
pub(super) fn close_inherited() {
    // The list is complete before the first is closed: its own folder is open, too, and one of them.
    for number in open_files().unwrap_or_else(|| USUAL.collect()) {
        let _ = close(number);
    }
}

#[expect(clippy::disallowed_methods, reason = "a folder of the kernel")]
fn open_files() -> Option<Vec<i32>> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let mut folder = Dir::open("/proc/self/fd", flags, Mode::empty()).ok()?;
    let numbers = folder
        .iter()
        .filter_map(|entry| entry.ok()?.file_name().to_str().ok()?.parse().ok());
    Some(numbers.filter(|number| *number >= FIRST).collect())
}
