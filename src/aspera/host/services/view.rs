//! Whether the processes of a service see the file that this program reads. They may belong to another installation, run under an account that must not
//! read the file, or see another file in its place: systemd gives services their own mounts (`BindPaths=`, `RootDirectory=`).

use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::sys::stat::{FileStat, stat};

use super::host::Host;
use super::identity::Origin;
use super::manager::Status;
use crate::files;

/// The reason why a service does not read the file that this program reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Obstacle {
    /// Its program belongs to another installation.
    AnotherInstallation,
    /// Its program was replaced or removed since it started, so it is of another version.
    ReplacedProgram,
    /// Another file, or none, is in its place.
    AnotherFile,
    /// The account of the service must not read it.
    NoPermission,
}

/// Returns the reason why a live process of a service does not read a file as this program does, or `None` if none is found. What cannot be looked at is no
/// reason: other checks report processes that cannot be examined.
pub fn obstacle(host: &Host, status: &Status, path: &Path) -> Option<Obstacle> {
    match status.origin {
        Some(Origin::Other) => return Some(Obstacle::AnotherInstallation),
        Some(Origin::Replaced) => return Some(Obstacle::ReplacedProgram),
        Some(Origin::Own) | None => {}
    }
    let real = files::real_path(path).ok()?;
    let own = look(&real).ok()?;
    let mut processes = status.processes.iter();
    processes.find_map(|process| {
        let root = host.path("proc").join(process.pid.to_string()).join("root");
        // A process that has ended in the meantime has no root.
        look(&root).ok()??;
        let theirs = look(&root.join(real.strip_prefix("/").ok()?)).ok()?;
        let identity = |stat: &FileStat| (stat.st_dev, stat.st_ino);
        if own.as_ref().map(identity) != theirs.as_ref().map(identity) {
            return Some(Obstacle::AnotherFile);
        }
        own?;
        let account = Account::of(host, process.pid)?;
        (!account.may_read(&real)).then_some(Obstacle::NoPermission)
    })
}

/// Returns the metadata of a file, or `None` if there is no file.
fn look(path: &Path) -> Result<Option<FileStat>, Errno> {
    match stat(path) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::ENOENT | Errno::ENOTDIR) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// What the kernel looks at when a process opens a file.
struct Account {
    user: u32,
    groups: Vec<u32>,
    capabilities: u64,
}

impl Account {
    /// Reads the account of a process (proc(5), `status`).
    fn of(host: &Host, pid: u32) -> Option<Self> {
        let status = host.read(&format!("proc/{pid}/status"), 64 * 1024)?;
        let status = String::from_utf8_lossy(&status);
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            Some(line.split_ascii_whitespace())
        };
        // The fourth number is that of the file system.
        let of_file_system = |name| field(name)?.nth(3)?.parse::<u32>().ok();
        let group = of_file_system("Gid:")?;
        let others = field("Groups:")?.filter_map(|number| number.parse().ok());
        Some(Self {
            user: of_file_system("Uid:")?,
            groups: [group].into_iter().chain(others).collect(),
            capabilities: u64::from_str_radix(field("CapEff:")?.next()?, 16).ok()?,
        })
    }

    /// Returns whether it may read a file and enter all folders on the way, as far as the mode decides. An access control list may allow more.
    fn may_read(&self, file: &Path) -> bool {
        // CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH.
        const READ_EVERYTHING: u64 = 1 << 1 | 1 << 2;
        const READ: u32 = 4;
        const ENTER: u32 = 1;
        if self.capabilities & READ_EVERYTHING != 0 {
            return true;
        }
        let places = file.ancestors().map(PathBuf::from).enumerate();
        let mut places =
            places.map(|(index, place)| (place, if index == 0 { READ } else { ENTER }));
        places.all(|(place, wanted)| match stat(&place) {
            Ok(stat) => self.has(&stat, wanted) || has_access_list(&place),
            Err(_) => true,
        })
    }

    fn has(&self, stat: &FileStat, wanted: u32) -> bool {
        let shift = if stat.st_uid == self.user {
            6
        } else if self.groups.contains(&stat.st_gid) {
            3
        } else {
            0
        };
        (stat.st_mode >> shift) & wanted == wanted
    }
}

fn has_access_list(place: &Path) -> bool {
    matches!(xattr::get(place, "system.posix_acl_access"), Ok(Some(_)))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use tempfile::TempDir;

    use super::super::processes::Process;
    use super::*;

    /// A file, and a process that may see another root.
    struct Machine {
        root: TempDir,
        file: PathBuf,
    }

    impl Machine {
        fn new() -> Self {
            let root = tempfile::tempdir().unwrap();
            fs::create_dir_all(root.path().join("proc/7")).unwrap();
            let file = root.path().canonicalize().unwrap().join("file");
            fs::write(&file, "").unwrap();
            let machine = Self { root, file };
            machine.sees(Path::new("/"));
            machine.runs_as(0, 0, "000001ffffffffff");
            machine
        }

        fn sees(&self, root: &Path) {
            let link = self.root.path().join("proc/7/root");
            let _ = fs::remove_file(&link);
            symlink(root, link).unwrap();
        }

        fn runs_as(&self, user: u32, group: u32, capabilities: &str) {
            let text = format!(
                "Name:\tx\nUid:\t0\t0\t0\t{user}\nGid:\t0\t0\t0\t{group}\nGroups:\t5 6 \nCapEff:\t{capabilities}\n"
            );
            fs::write(self.root.path().join("proc/7/status"), text).unwrap();
        }

        fn obstacle(&self) -> Option<Obstacle> {
            let host = Host::below(self.root.path(), "systemctl".as_ref());
            let process = Process {
                pid: 7,
                start_ticks: None,
            };
            let status = Status {
                processes: vec![process],
                ..Status::default()
            };
            obstacle(&host, &status, &self.file)
        }
    }

    #[test]
    fn a_process_with_another_file_or_none_in_that_place_is_noticed() {
        let machine = Machine::new();
        assert_eq!(machine.obstacle(), None);
        let other = tempfile::tempdir().unwrap();
        machine.sees(other.path());
        assert_eq!(machine.obstacle(), Some(Obstacle::AnotherFile));
        let theirs = other.path().join(machine.file.strip_prefix("/").unwrap());
        fs::create_dir_all(theirs.parent().unwrap()).unwrap();
        fs::write(&theirs, "").unwrap();
        assert_eq!(machine.obstacle(), Some(Obstacle::AnotherFile));
        fs::remove_file(&machine.file).unwrap();
        assert_eq!(machine.obstacle(), Some(Obstacle::AnotherFile));
        fs::remove_file(&theirs).unwrap();
        assert_eq!(machine.obstacle(), None);
    }

    #[test]
    fn a_process_that_has_ended_is_no_obstacle() {
        let machine = Machine::new();
        fs::remove_file(machine.root.path().join("proc/7/root")).unwrap();
        assert_eq!(machine.obstacle(), None);
    }

    #[test]
    fn a_file_that_the_account_must_not_read_is_noticed() {
        let machine = Machine::new();
        let owner = fs::metadata(&machine.file).unwrap();
        let (other_user, other_group) = (owner.uid() + 1, owner.gid() + 1);
        let folder = machine.file.parent().unwrap();
        for (folder_mode, mode, user, group, capabilities, obstacle) in [
            (0o755, 0o600, owner.uid(), owner.gid(), "0", None),
            (
                0o755,
                0o600,
                other_user,
                other_group,
                "0",
                Some(Obstacle::NoPermission),
            ),
            (0o755, 0o600, other_user, other_group, "2", None),
            (0o755, 0o600, other_user, other_group, "4", None),
            (0o755, 0o640, other_user, owner.gid(), "0", None),
            (
                0o755,
                0o604,
                other_user,
                owner.gid(),
                "0",
                Some(Obstacle::NoPermission),
            ),
            (0o755, 0o604, other_user, other_group, "0", None),
            (
                0o700,
                0o604,
                other_user,
                other_group,
                "0",
                Some(Obstacle::NoPermission),
            ),
        ] {
            machine.runs_as(user, group, capabilities);
            fs::set_permissions(folder, fs::Permissions::from_mode(folder_mode)).unwrap();
            fs::set_permissions(&machine.file, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(
                machine.obstacle(),
                obstacle,
                "{folder_mode:o} {mode:o} {user} {group}"
            );
        }
    }
}
