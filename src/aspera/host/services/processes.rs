//! The processes of a service, from `/proc` (`man 5 proc`).

use std::collections::BTreeSet;
use std::path::Path;

use nix::errno::Errno;

use super::Service;
use super::host::Host;
use super::identity::{Identity, Installation, Stranger, is_named, may_be_named, uids};
use super::visibility::hides_processes;
use crate::aspera::host::names::folders;
use crate::files::{self, FileError, Problem};

/// The limit on the list of processes of a control group that is read, in bytes.
const MEMBERS: u64 = 1024 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process {
    pub pid: u32,
    /// The time when it started, in ticks since boot, or `None` if that cannot be read.
    pub start_ticks: Option<u64>,
}

/// The living processes with the name of a service.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Named {
    /// The processes that are the service.
    pub(super) genuine: Vec<Process>,
    /// The processes that are something else.
    pub(super) strangers: Vec<Stranger>,
    /// Whether there is a process that may or may not be the service.
    pub(super) has_unknown: bool,
}

/// The living processes of a control group.
#[derive(Debug)]
pub(super) struct Members {
    /// Those that are known.
    pub(super) processes: Vec<Process>,
    /// Whether there may be others: a group could not be read, perhaps for the length of its path.
    pub(super) has_unknown: bool,
}

/// Returns the processes of a control group and of all groups below it, wherever the hierarchy of systemd is mounted.
pub(super) fn of_control_group(host: &Host, group: &str) -> Members {
    let group = group.trim_start_matches('/');
    let mounts = [
        "sys/fs/cgroup",
        "sys/fs/cgroup/unified",
        "sys/fs/cgroup/systemd",
    ];
    let mut pids = Vec::new();
    let mut has_unknown = false;
    for mount in mounts {
        if !group.is_empty() {
            has_unknown |= !add_members(&host.path(mount).join(group), &mut pids);
        }
        if !pids.is_empty() {
            break;
        }
    }
    let processes = pids.into_iter().filter_map(|pid| living(host, pid));
    Members {
        processes: processes.collect(),
        has_unknown,
    }
}

/// Returns the processes with the name of a service, except those that are known already.
pub(super) fn named(
    host: &Host,
    service: Service,
    installation: &Installation,
    known: &[Process],
) -> Named {
    let mut named = Named {
        has_unknown: hides_processes(host),
        ..Named::default()
    };
    let known: BTreeSet<u32> = known.iter().map(|process| process.pid).collect();
    for (pid, start) in host.command_lines() {
        if known.contains(pid) {
            continue;
        }
        let Some(start) = start else {
            named.has_unknown |= living(host, *pid).is_some();
            continue;
        };
        // Anybody may start many processes with very long command lines, so these are read whole only for the accounts of the installation.
        let is_cut_short = Host::is_cut(start) && may_be_named(service, start);
        let whole = (is_cut_short && installation.may_run(host, *pid))
            .then(|| host.whole_command_line(*pid));
        let command_line = match &whole {
            Some(Some(whole)) => whole,
            Some(None) => {
                named.has_unknown |= living(host, *pid).is_some();
                continue;
            }
            None => start,
        };
        if !is_named(service, command_line) {
            continue;
        }
        let Some(process) = living(host, *pid) else {
            continue;
        };
        match installation.identify(host, *pid, command_line) {
            Identity::Genuine => named.genuine.push(process),
            Identity::Stranger(mismatch) => named.strangers.push(Stranger {
                pid: *pid,
                account: uids(host, *pid).map(|uids| host.account_name(uids[0])),
                mismatch,
            }),
            Identity::Unknown => named.has_unknown = true,
            Identity::Gone => {}
        }
    }
    named.strangers.sort_by_key(|stranger| stranger.pid);
    named
}

/// Adds the processes of a group and of those below it, and returns whether all of them could be read. Who runs a service may make groups below its
/// own, with names of any bytes and as deep as he likes.
fn add_members(group: &Path, pids: &mut Vec<u32>) -> bool {
    let members = match files::read_start(&group.join("cgroup.procs"), MEMBERS) {
        Ok(members) => members.unwrap_or_default(),
        // A group that was removed meanwhile, or one of threads, whose processes are in a group above.
        Err(FileError {
            problem: Problem::Io(_, Errno::ENODEV | Errno::EOPNOTSUPP),
            ..
        }) => Vec::new(),
        Err(_) => return false,
    };
    let mut is_complete = (members.len() as u64) < MEMBERS;
    let members = members
        .split(|&byte| byte == b'\n')
        .filter_map(|line| std::str::from_utf8(line).ok());
    pids.extend(members.filter_map(|line| line.parse::<u32>().ok()));
    let inner = match folders(group) {
        Ok(inner) => inner,
        Err(errno) => return is_complete && errno == Errno::ENOENT,
    };
    for name in inner {
        is_complete &= name.is_some_and(|name| add_members(&group.join(name), pids));
    }
    is_complete
}

/// Returns the process with a number, unless it is gone or a zombie. A process that cannot be examined is alive, but its start is not known.
pub(super) fn living(host: &Host, pid: u32) -> Option<Process> {
    let unknown = Process {
        pid,
        start_ticks: None,
    };
    let Some(stat) = host.read(&format!("proc/{pid}/stat"), 4096) else {
        return (host.has_process(pid) || hides_processes(host)).then_some(unknown);
    };
    let stat = String::from_utf8_lossy(&stat);
    // The name, in brackets, may contain anything, so fields are counted after its end: the state is the 3rd, the start the 22nd.
    let Some((_, fields)) = stat.rsplit_once(')') else {
        return Some(unknown);
    };
    let mut fields = fields.split_ascii_whitespace();
    match fields.next() {
        Some("Z" | "X" | "x") => None,
        _ => Some(Process {
            start_ticks: fields.nth(18).and_then(|ticks| ticks.parse().ok()),
            ..unknown
        }),
    }
}
