//! Whether a process with the name of a service is that service.
//!
//! Anybody can start a process under any name, and a container on the host brings its own Aspera. So only things that require the administrator
//! count: the control group of the unit, or the account, the PID namespace and the program of a process together.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::sys::stat::stat;

use super::Service;
use super::host::Host;

/// The account under which the vendor's packages run the services.
const DAEMON_ACCOUNT: &str = "asperadaemon";

/// What the kernel adds to the path of a program whose file was replaced or removed (proc(5), `exe`).
const DELETED: &[u8] = b" (deleted)";

/// The properties that make a process part of the installation.
#[derive(Debug)]
pub(super) struct Installation {
    /// The folder that contains its programs.
    root: PathBuf,
    /// The accounts that run its programs.
    accounts: Vec<u32>,
}

/// The identity of a process with the name of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Identity {
    /// The process is one of the service.
    Genuine,
    /// The process is another program.
    Stranger(Mismatch),
    /// It is not known which program it is.
    Unknown,
    /// The process has ended.
    Gone,
}

/// Whether the program of a process is one of this installation, whoever runs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// It is one of this installation.
    Own,
    /// It belongs to another installation, or runs in a container.
    Other,
    /// It is not known which program it is.
    Unknown,
}

/// The installation that the program of a process belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The program is of this installation.
    Own,
    /// This installation, but the file of the program was replaced or removed since the process started.
    Replaced,
    /// Another one, or none.
    Other,
}

/// The reason why a process with the name of a service is not that service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mismatch {
    /// It runs under an account that does not belong to the installation.
    Account,
    /// It runs in a container.
    Namespace,
    /// It is another program.
    Program,
    /// It sees another file in the place of the program.
    Files,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Account => "its account is not one of the installation",
            Self::Namespace => "it runs in a container (another PID namespace)",
            Self::Program => "its program is not below aspera_root",
            Self::Files => {
                "it runs in a container or chroot (another file in the place of its program)"
            }
        })
    }
}

/// A process with the name of a service that is not that service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stranger {
    pub pid: u32,
    /// The name of its account, or its number if it has no name, or `None` if neither can be read.
    pub account: Option<String>,
    /// The reason why it does not count.
    pub mismatch: Mismatch,
}

impl Installation {
    /// Returns the installation below a root, on a host whose unit runs under an account of its own if that is known.
    pub(super) fn of(host: &Host, aspera_root: &Path, unit_account: Option<&str>) -> Self {
        let names = [Some(DAEMON_ACCOUNT), unit_account];
        let accounts = names
            .into_iter()
            .flatten()
            .filter_map(|name| host.uid(name));
        Self {
            root: host.real_folder(aspera_root),
            accounts: [0]
                .into_iter()
                .chain(host.owner(aspera_root))
                .chain(accounts)
                .collect(),
        }
    }

    /// Returns whether a process has an account that runs the programs, as far as that can be read.
    pub(super) fn may_run(&self, host: &Host, pid: u32) -> bool {
        let uids = uids(host, pid);
        uids.is_none_or(|uids| self.has_accounts(&uids))
    }

    fn has_accounts(&self, uids: &[u32]) -> bool {
        uids.iter().all(|uid| self.accounts.contains(uid))
    }

    /// Identifies a process with the name of a service. Its start must have been read before, because its number may be given to another process.
    pub(super) fn identify(&self, host: &Host, pid: u32, command_line: &[u8]) -> Identity {
        let of_process = |name: &str| host.link(&format!("proc/{pid}/{name}"));
        let uids = uids(host, pid);
        let (namespace, program) = (of_process("ns/pid"), of_process("exe"));
        if !host.has_process(pid) {
            return Identity::Gone;
        }
        // A certain mismatch counts even if something else cannot be read.
        if uids.as_ref().is_some_and(|uids| !self.has_accounts(uids)) {
            return Identity::Stranger(Mismatch::Account);
        }
        let is_same_namespace = is_own_namespace(host, &namespace);
        if is_same_namespace == Some(false) {
            return Identity::Stranger(Mismatch::Namespace);
        }
        if let Ok(program) = &program
            && self.is_of_other_files(host, pid, program)
        {
            return Identity::Stranger(Mismatch::Files);
        }
        let is_program = program.ok().map(|program| self.has(&program, command_line));
        match (uids, is_same_namespace, is_program) {
            (_, _, Some(false)) => Identity::Stranger(Mismatch::Program),
            (Some(_), Some(true), Some(true)) => Identity::Genuine,
            _ => Identity::Unknown,
        }
    }

    /// Returns whether a process under any account runs a program of the installation, or a script of it.
    pub(super) fn part(&self, host: &Host, pid: u32, script: Option<&[u8]>) -> Part {
        let of_process = |name: &str| host.link(&format!("proc/{pid}/{name}"));
        let (namespace, program) = (of_process("ns/pid"), of_process("exe"));
        if is_own_namespace(host, &namespace) == Some(false) {
            return Part::Other;
        }
        match program {
            Ok(program)
                if self.has(&program, b"")
                    || script.is_some_and(|script| self.is_named_in(script))
                    || self.has_same_file(host, pid, &program) =>
            {
                Part::Own
            }
            Ok(_) => Part::Other,
            Err(_) => Part::Unknown,
        }
    }

    /// Returns the installation that the programs of a service belong to, or `None` if that is not known. A unit may start programs of others beside its own.
    pub(super) fn origin_of_all(
        &self,
        host: &Host,
        pids: impl Iterator<Item = u32>,
    ) -> Option<Origin> {
        let origins: Vec<Option<Origin>> = pids.map(|pid| self.origin(host, pid)).collect();
        let has = |origin| origins.contains(&Some(origin));
        if has(Origin::Replaced) {
            Some(Origin::Replaced)
        } else if has(Origin::Own) {
            Some(Origin::Own)
        } else {
            (!origins.is_empty() && !origins.contains(&None)).then_some(Origin::Other)
        }
    }

    /// Returns the installation that the program of a process in the control group of a unit belongs to, or `None` if that cannot be read. The control
    /// group says whose process it is. A unit may start a script of the installation, so any file below the root in its command line counts.
    fn origin(&self, host: &Host, pid: u32) -> Option<Origin> {
        let program = host.link(&format!("proc/{pid}/exe")).ok()?;
        let text = program.as_os_str().as_bytes();
        if let Some(text) = text.strip_suffix(DELETED)
            && Path::new(OsStr::from_bytes(text)).starts_with(&self.root)
        {
            return Some(Origin::Replaced);
        }
        let command_line = host.whole_command_line(pid)?;
        let is_own = program.starts_with(&self.root)
            || self.is_named_in(&command_line)
            || self.has_same_file(host, pid, &program);
        Some(if is_own { Origin::Own } else { Origin::Other })
    }

    /// Returns whether a process runs a program below the root as its own mounts show it, and another file, or none, is there for us. The kernel names
    /// the program by its path in the mount namespace of the process: a container with the PID namespace of the host has an `/opt/aspera` of its own.
    fn is_of_other_files(&self, host: &Host, pid: u32, program: &Path) -> bool {
        let link = format!("proc/{pid}/exe");
        let is_removed = program.as_os_str().as_bytes().ends_with(DELETED);
        if is_removed || !program.starts_with(&self.root) {
            return false;
        }
        let Ok(running) = identity(&host.path(&link)) else {
            return false;
        };
        let is_other = match identity(&host.inside(program)) {
            Ok(ours) => ours != running,
            Err(errno) => matches!(errno, Errno::ENOENT | Errno::ENOTDIR),
        };
        // A program that was replaced is another file, too, and the kernel says so.
        is_other && host.link(&link).is_ok_and(|now| now == program)
    }

    /// Returns whether a program of the installation is the same file, by another path: its folder may be mounted in two places.
    fn has_same_file(&self, host: &Host, pid: u32, program: &Path) -> bool {
        let running = identity(&host.path(&format!("proc/{pid}/exe"))).ok();
        let mut folders = ["bin", "sbin"].iter();
        program.file_name().is_some_and(|name| {
            folders.any(|folder| {
                let own = host.inside(&self.root.join(folder).join(name));
                running.is_some() && running == identity(&own).ok()
            })
        })
    }

    /// Returns whether a program belongs to the installation. The services are ELF programs, or run in a Java machine that may be the system's own: then
    /// the command line names a file below the root. A script does not count, because the kernel runs its interpreter; the vendor's scripts only
    /// start the services.
    fn has(&self, program: &Path, command_line: &[u8]) -> bool {
        // An upgrade removes the program that still runs.
        let text = program.as_os_str().as_bytes();
        let text = text.strip_suffix(DELETED).unwrap_or(text);
        let program = PathBuf::from(OsString::from_vec(text.to_owned()));
        if program.starts_with(&self.root) {
            return true;
        }
        let is_java = program.file_name().is_some_and(|name| name == "java");
        is_java && self.is_named_in(command_line)
    }

    /// Returns whether a command line names a file below the root.
    fn is_named_in(&self, command_line: &[u8]) -> bool {
        let root = [self.root.as_os_str().as_bytes(), b"/"].concat();
        command_line
            .split(|byte| matches!(byte, 0 | b':' | b'=' | b','))
            .any(|word| word.starts_with(&root))
    }
}

fn identity(path: &Path) -> Result<(u64, u64), Errno> {
    let stat = stat(path)?;
    Ok((stat.st_dev, stat.st_ino))
}

/// Returns whether the PID namespace of a process is that of this program, or `None` if that cannot be read.
fn is_own_namespace(host: &Host, namespace: &Result<PathBuf, Errno>) -> Option<bool> {
    match (namespace, &host.link("proc/self/ns/pid")) {
        (Ok(namespace), Ok(own)) => Some(namespace == own),
        // A kernel without namespaces.
        (Err(Errno::ENOENT), Err(Errno::ENOENT)) => Some(true),
        _ => None,
    }
}

/// Returns whether a command line has the name of a service.
pub(super) fn is_named(service: Service, command_line: &[u8]) -> bool {
    let mut words = command_line.split(|&byte| byte == 0);
    let program = words.next().unwrap_or_default();
    match service {
        Service::Noded => program.rsplit(|&byte| byte == b'/').next() == Some(b"asperanoded"),
        Service::Trapd => {
            names_trapd(program) || program.ends_with(b"java") && words.any(names_trapd)
        }
    }
}

/// Returns whether the rest of a command line, of which only the start is known, may make it one of a service.
pub(super) fn may_be_named(service: Service, start: &[u8]) -> bool {
    let program = start.split(|&byte| byte == 0).next().unwrap_or_default();
    service == Service::Trapd && (program.ends_with(b"java") || program.len() == start.len())
}

/// Returns whether a program or a Java option names trapd in a path.
fn names_trapd(word: &[u8]) -> bool {
    word.split(|byte| matches!(byte, b'/' | b'=' | b':'))
        .any(|part| {
            [
                &b"trapd"[..],
                b"asperatrapd",
                b"aspera-trapd.jar",
                b"trapd.jar",
            ]
            .contains(&part)
        })
}

/// Returns the real, effective, saved and file system account of a process, as seen from our user namespace. The owner of its folder in `/proc`
/// says less: that is root for every process that cannot be dumped.
pub(super) fn uids(host: &Host, pid: u32) -> Option<Vec<u32>> {
    let status = host.read(&format!("proc/{pid}/status"), 4096)?;
    let mut lines = status.split(|&byte| byte == b'\n');
    let line = lines.find_map(|line| line.strip_prefix(b"Uid:"))?;
    let numbers = std::str::from_utf8(line).ok()?.split_ascii_whitespace();
    let uids: Vec<u32> = numbers.map(str::parse).collect::<Result<_, _>>().ok()?;
    (!uids.is_empty()).then_some(uids)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    /// Returns the origin of a service whose processes have these programs and command lines, in a host with an installation in /opt/aspera.
    fn origin(processes: &[(Option<&str>, &str)]) -> Option<Origin> {
        let root = tempfile::tempdir().unwrap();
        let sbin = root.path().join("opt/aspera/sbin");
        fs::create_dir_all(&sbin).unwrap();
        fs::write(sbin.join("asperanoded"), "").unwrap();
        let host = Host::below(root.path(), "systemctl".as_ref());
        let installation = Installation::of(&host, "/opt/aspera".as_ref(), None);
        let lay_out = |(pid, (program, command_line)): (u32, &(Option<&str>, &str))| {
            let process = root.path().join(format!("proc/{pid}"));
            fs::create_dir_all(&process).unwrap();
            fs::write(process.join("cmdline"), command_line).unwrap();
            if let Some(program) = program {
                let program = program.replace("ROOT", root.path().to_str().unwrap());
                symlink(program, process.join("exe")).unwrap();
            }
            pid
        };
        let pids: Vec<u32> = (1..).zip(processes).map(lay_out).collect();
        installation.origin_of_all(&host, pids.into_iter())
    }

    #[test]
    fn the_programs_of_a_unit_say_which_installation_it_runs() {
        let own = (Some("/opt/aspera/sbin/asperanoded"), "asperanoded");
        let other = (Some("/srv/aspera/sbin/asperanoded"), "asperanoded");
        let replaced = (
            Some("/opt/aspera/sbin/asperanoded (deleted)"),
            "asperanoded",
        );
        let unreadable = (None, "asperanoded");
        for (processes, expected) in [
            (&[] as &[_], None),
            (&[own], Some(Origin::Own)),
            (&[other], Some(Origin::Other)),
            (&[replaced], Some(Origin::Replaced)),
            (&[unreadable], None),
            (&[other, unreadable], None),
            (&[other, own], Some(Origin::Own)),
            (&[own, replaced], Some(Origin::Replaced)),
            (
                &[(
                    Some("/usr/bin/java"),
                    "java\0-cp\0/opt/aspera/lib/trapd.jar\0Main",
                )],
                Some(Origin::Own),
            ),
            (
                &[(Some("/bin/sh"), "sh\0/opt/aspera/sbin/asperanoded.sh")],
                Some(Origin::Own),
            ),
            (
                &[(Some("/bin/sh"), "sh\0/opt/aspera2/sbin/asperanoded.sh")],
                Some(Origin::Other),
            ),
            // The folder is mounted in two places.
            (
                &[(Some("ROOT/opt/aspera/sbin/asperanoded"), "asperanoded")],
                Some(Origin::Own),
            ),
        ] {
            assert_eq!(origin(processes), expected, "{processes:?}");
        }
    }
}
