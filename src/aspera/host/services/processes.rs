//! The processes of a service, from `/proc` (`man 5 proc`).

use std::collections::BTreeSet;
use std::path::Path;

use super::Service;
use super::host::Host;
use super::identity::{Identity, Installation, Stranger, is_named, may_be_named, uids};
use super::visibility::hides_processes;
use crate::aspera::host::names::entries;
use crate::files;

/// The limit on the list of processes of a control group that is read, in bytes.
const MEMBERS: u64 = 1024 * 1024;

/// A living process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process {
    /// Its number.
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

/// Returns the processes of a control group and of all groups below it, wherever the hierarchy of systemd is mounted.
pub(super) fn of_control_group(host: &Host, group: &str) -> Vec<Process> {
    let group = group.trim_start_matches('/');
    let mounts = [
        "sys/fs/cgroup",
        "sys/fs/cgroup/unified",
        "sys/fs/cgroup/systemd",
    ];
    let mut pids = Vec::new();
    for mount in mounts {
        if !group.is_empty() {
            add_members(&host.path(mount).join(group), &mut pids);
        }
        if !pids.is_empty() {
            break;
        }
    }
    pids.into_iter()
        .filter_map(|pid| living(host, pid))
        .collect()
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

fn add_members(group: &Path, pids: &mut Vec<u32>) {
    let members = files::read_start(&group.join("cgroup.procs"), MEMBERS);
    let members = members.ok().flatten().unwrap_or_default();
    let members = members
        .split(|&byte| byte == b'\n')
        .filter_map(|line| std::str::from_utf8(line).ok());
    pids.extend(members.filter_map(|line| line.parse::<u32>().ok()));
    // Who runs a service may name the groups below its own, in any bytes.
    for name in entries(group).unwrap_or_default().into_iter().flatten() {
        let inner = group.join(name);
        if files::is_folder(&inner) {
            add_members(&inner, pids);
        }
    }
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
