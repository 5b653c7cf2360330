//! Where to look: the machine itself, or in tests a folder laid out like one.

use std::cell::OnceCell;
use std::fs;
use std::path::{Path, PathBuf};

use nix::dir::Dir;
use nix::fcntl::OFlag;
use nix::sys::stat::Mode;

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
        let systemctl = places.into_iter().find(|place| place.exists());
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
                let path = self.path(&format!("proc/{pid}/cmdline"));
                Some((pid, fs::read(path).ok()?))
            })
            .collect()
        })
    }

    pub(super) fn systemctl(&self) -> &Path {
        &self.systemctl
    }
}

/// The names in a folder; none if there is no such folder.
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
