//! Where to look: the machine itself, or in tests a folder laid out like one.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use nix::dir::Dir;
use nix::fcntl::OFlag;
use nix::sys::stat::Mode;

use crate::files;

/// How much is kept of the command line of each process, in bytes: anybody may start many processes with very long ones.
const COMMAND_LINE: u64 = 4096;

/// The host whose services are meant.
#[derive(Debug, Clone)]
pub struct Host {
    root: PathBuf,
    systemctl: PathBuf,
    /// The processes, read once: a host may have very many.
    command_lines: OnceCell<Vec<(u32, Vec<u8>)>>,
}

impl Host {
    /// The machine on which this runs.
    pub fn this() -> Self {
        // Not by PATH: the module runs as root, and tasks may set PATH.
        let places = ["/usr/bin/systemctl", "/bin/systemctl"].map(Path::new);
        let systemctl = places
            .into_iter()
            .find(|place| matches!(files::metadata(place), Ok(Some(_))));
        Self {
            root: "/".into(),
            systemctl: systemctl.unwrap_or(places[0]).into(),
            command_lines: OnceCell::new(),
        }
    }

    /// One whose files are below a folder, with a program in the place of `systemctl`.
    pub fn below(root: &Path, systemctl: &Path) -> Self {
        Self {
            root: root.into(),
            systemctl: systemctl.into(),
            command_lines: OnceCell::new(),
        }
    }

    pub(super) fn path(&self, below_root: &str) -> PathBuf {
        self.root.join(below_root)
    }

    /// The start of a file of the kernel; nothing if there is none or it cannot be read.
    pub(super) fn read(&self, below_root: &str, limit: u64) -> Option<Vec<u8>> {
        files::read_start(&self.path(below_root), limit).ok()?
    }

    /// The names in a folder; none if there is no such folder.
    pub(super) fn names(&self, below_root: &str) -> Vec<String> {
        names(&self.path(below_root))
    }

    /// The command lines of all processes by their numbers, as they were at the first look.
    pub(super) fn command_lines(&self) -> &[(u32, Vec<u8>)] {
        self.command_lines.get_or_init(|| {
            let pids = self.names("proc").into_iter();
            let pids = pids.filter_map(|name| name.parse::<u32>().ok());
            pids.filter_map(|pid| {
                let command_line = self.read(&format!("proc/{pid}/cmdline"), COMMAND_LINE)?;
                Some((pid, command_line))
            })
            .collect()
        })
    }

    pub(super) fn systemctl(&self) -> &Path {
        &self.systemctl
    }
}

/// The names in a folder; none if there is no such folder.
#[expect(
    clippy::disallowed_methods,
    reason = "for /proc, /sys and the folders of the init system, into which only root can put a link"
)]
pub(super) fn names(folder: &Path) -> Vec<String> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let Ok(mut folder) = Dir::open(folder, flags, Mode::empty()) else {
        return Vec::new();
    };
    let entries = folder.iter().flatten();
    entries
        .filter_map(|entry| entry.file_name().to_str().ok().map(str::to_owned))
        .filter(|name| name != "." && name != "..")
        .collect()
}
