//! The host to look at: the machine itself, or in tests a folder with the layout of one.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::readlink;

use crate::aspera::host::names::{entries, names};
use crate::files;

/// The limit on the command line that is kept of each process, in bytes. Anybody may start many processes with very long command lines.
const COMMAND_LINE: u64 = 4096;

/// The limit on the command line and the environment of one process that are read, in bytes. The kernel allows 6 MiB for both.
pub(super) const ARGUMENTS: u64 = 8 * 1024 * 1024;

/// The host whose services are examined.
#[derive(Debug, Clone)]
pub struct Host {
    root: PathBuf,
    systemctl: PathBuf,
    /// The processes, read once: a host may have very many.
    command_lines: OnceCell<Vec<(u32, Option<Vec<u8>>)>>,
    /// The local accounts, read once, and only if they are needed.
    passwd: OnceCell<Vec<(String, u32)>>,
    /// The first name of each account. Many processes may be asked for theirs.
    account_names: OnceCell<BTreeMap<u32, String>>,
}

impl Host {
    /// Returns the machine on which this program runs.
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
            passwd: OnceCell::new(),
            account_names: OnceCell::new(),
        }
    }

    /// Returns a host whose files are below a folder, with a replacement for `systemctl`.
    pub fn below(root: &Path, systemctl: &Path) -> Self {
        Self {
            root: root.into(),
            systemctl: systemctl.into(),
            command_lines: OnceCell::new(),
            passwd: OnceCell::new(),
            account_names: OnceCell::new(),
        }
    }

    pub(super) fn path(&self, below_root: &str) -> PathBuf {
        self.root.join(below_root)
    }

    /// Returns the start of a file of the kernel, or `None` if it does not exist or cannot be read.
    pub(super) fn read(&self, below_root: &str, limit: u64) -> Option<Vec<u8>> {
        files::read_start(&self.path(below_root), limit).ok()?
    }

    /// Returns the names in a folder, or no names if there is no such folder.
    pub(super) fn names(&self, below_root: &str) -> Vec<String> {
        names(&self.path(below_root))
    }

    /// Returns all names in a folder, no names if there is no such folder, or `None` if they cannot all be read.
    pub(super) fn all_names(&self, below_root: &str) -> Option<Vec<String>> {
        match entries(&self.path(below_root)) {
            Ok(names) => names
                .into_iter()
                .map(|name| name?.into_string().ok())
                .collect(),
            Err(Errno::ENOENT | Errno::ENOTDIR) => Some(Vec::new()),
            Err(_) => None,
        }
    }

    /// Returns the start of the command lines of all processes by their numbers, as they were at the first look. One that cannot be read is `None`.
    pub(super) fn command_lines(&self) -> &[(u32, Option<Vec<u8>>)] {
        self.command_lines.get_or_init(|| {
            let pids = self.names("proc").into_iter();
            let pids = pids.filter_map(|name| name.parse::<u32>().ok());
            pids.filter_map(|pid| {
                let path = self.path(&format!("proc/{pid}/cmdline"));
                match files::read_start(&path, COMMAND_LINE) {
                    Ok(command_line) => Some((pid, Some(command_line?))),
                    Err(_) => Some((pid, None)),
                }
            })
            .collect()
        })
    }

    /// Returns whether more may follow the start of a command line.
    pub(super) fn is_cut(command_line: &[u8]) -> bool {
        command_line.len() as u64 >= COMMAND_LINE
    }

    /// Returns the whole command line of a process, or `None` if it cannot be read.
    pub(super) fn whole_command_line(&self, pid: u32) -> Option<Vec<u8>> {
        let whole = self.read(&format!("proc/{pid}/cmdline"), ARGUMENTS)?;
        ((whole.len() as u64) < ARGUMENTS).then_some(whole)
    }

    /// Returns whether there is a process with a number, alive or not. One that must not be looked at is there.
    pub(super) fn has_process(&self, pid: u32) -> bool {
        self.has_entry(&format!("proc/{pid}"))
    }

    /// Returns whether there is something at a place, as far as that is known.
    pub(super) fn has_entry(&self, below_root: &str) -> bool {
        files::owner(&self.path(below_root)) != Ok(None)
    }

    /// Returns the target of a link of the kernel, such as `/proc/1/exe`.
    pub(super) fn link(&self, below_root: &str) -> Result<PathBuf, Errno> {
        readlink(&self.path(below_root)).map(PathBuf::from)
    }

    /// Returns the real path of a folder of this host, as the kernel names it.
    pub(super) fn real_folder(&self, folder: &Path) -> PathBuf {
        let real = files::real_path(&self.inside(folder));
        let real = real
            .ok()
            .and_then(|real| Some(Path::new("/").join(real.strip_prefix(&self.root).ok()?)));
        real.unwrap_or_else(|| folder.to_owned())
    }

    /// Returns the owner of a folder of this host, or `None` if there is no such folder.
    pub(super) fn owner(&self, folder: &Path) -> Option<u32> {
        files::owner(&self.inside(folder)).ok()?
    }

    /// Returns the number of an account. The account is given by name or by number.
    pub(super) fn uid(&self, account: &str) -> Option<u32> {
        let mut accounts = self.passwd().iter();
        let uid = accounts.find_map(|(name, uid)| (name == account).then_some(*uid));
        uid.or_else(|| account.parse().ok())
    }

    /// Returns the name of an account, or its number if it has no name.
    pub(super) fn account_name(&self, uid: u32) -> String {
        let names = self.account_names.get_or_init(|| {
            // The first of several names counts, and the last insertion stays.
            let names = self.passwd().iter().rev();
            names.map(|(name, uid)| (*uid, name.clone())).collect()
        });
        names.get(&uid).cloned().unwrap_or_else(|| uid.to_string())
    }

    /// Returns the names and numbers of the local accounts. Lines that are none are left out.
    fn passwd(&self) -> &[(String, u32)] {
        self.passwd.get_or_init(|| {
            let bytes = files::read(&self.path("etc/passwd"));
            let bytes = bytes.ok().flatten().unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes);
            let account = |line: &str| {
                let mut fields = line.split(':');
                let name = fields.next()?.to_owned();
                Some((name, fields.nth(1)?.parse().ok()?))
            };
            text.lines().filter_map(account).collect()
        })
    }

    /// Returns a path of this host as this program sees it.
    pub(super) fn inside(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    pub(super) fn systemctl(&self) -> &Path {
        &self.systemctl
    }
}
