//! Whether a process with the name of a service is that service.
//!
//! Anybody can start a process under any name, and a container on the host brings its own Aspera. So only things that require the administrator
//! count: the control group of the unit, or the account, the PID namespace and the program of a process together.

use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use super::Service;
use super::host::Host;

/// The account under which the vendor's packages run the services.
const DAEMON_ACCOUNT: &str = "asperadaemon";

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
    /// The service.
    Genuine,
    /// Another program.
    Stranger(Mismatch),
    /// Not known.
    Unknown,
    /// The process has ended.
    Gone,
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
}

impl fmt::Display for Mismatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Account => "its account is not one of the installation",
            Self::Namespace => "it runs in a container (another PID namespace)",
            Self::Program => "its program is not below aspera_root",
        })
    }
}

/// A process with the name of a service that is not that service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stranger {
    /// Its number.
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
        let own_namespace = host.link("proc/self/ns/pid");
        let is_same_namespace = match (&namespace, &own_namespace) {
            (Ok(namespace), Ok(own)) => Some(namespace == own),
            // A kernel without namespaces.
            (Err(Errno::ENOENT), Err(Errno::ENOENT)) => Some(true),
            _ => None,
        };
        if is_same_namespace == Some(false) {
            return Identity::Stranger(Mismatch::Namespace);
        }
        let is_program = program.ok().map(|program| self.has(&program, command_line));
        match (uids, is_same_namespace, is_program) {
            (_, _, Some(false)) => Identity::Stranger(Mismatch::Program),
            (Some(_), Some(true), Some(true)) => Identity::Genuine,
            _ => Identity::Unknown,
        }
    }

    /// Returns whether a program belongs to the installation. The services are ELF programs, or run in a Java machine that may be the system's own: then
    /// the command line names a file below the root. A script does not count, because the kernel runs its interpreter; the vendor's scripts only
    /// start the services.
    fn has(&self, program: &Path, command_line: &[u8]) -> bool {
        // An upgrade removes the program that still runs.
        let text = program.as_os_str().as_bytes();
        let text = text.strip_suffix(b" (deleted)").unwrap_or(text);
        let program = PathBuf::from(OsString::from_vec(text.to_owned()));
        if program.starts_with(&self.root) {
            return true;
        }
        let is_java = program.file_name().is_some_and(|name| name == "java");
        let root = [self.root.as_os_str().as_bytes(), b"/"].concat();
        is_java
            && command_line
                .split(|byte| matches!(byte, 0 | b':' | b'=' | b','))
                .any(|word| word.starts_with(&root))
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
