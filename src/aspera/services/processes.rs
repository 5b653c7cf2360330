//! The processes of a service, from `/proc` (`man 5 proc`).

use std::path::Path;

use super::Service;
use super::host::{Host, names};
use crate::files;

/// How much of the list of processes of a control group is read, in bytes.
const MEMBERS: u64 = 1024 * 1024;

/// A living process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// When it started, in ticks since boot; nothing where that cannot be read.
    pub start_ticks: Option<u64>,
}

/// The processes of a control group and of all below it, wherever the hierarchy of systemd is mounted.
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

/// The processes that are programs of a service by their command line.
pub(super) fn of_service(host: &Host, service: Service) -> Vec<Process> {
    let processes = host.command_lines().iter();
    processes
        .filter(|(_, command_line)| is_of(service, command_line))
        .filter_map(|(pid, _)| living(host, *pid))
        .collect()
}

fn add_members(group: &Path, pids: &mut Vec<u32>) {
    let members = files::read_start(&group.join("cgroup.procs"), MEMBERS);
    let members = members.ok().flatten().unwrap_or_default();
    let members = members
        .split(|&byte| byte == b'\n')
        .filter_map(|line| std::str::from_utf8(line).ok());
    pids.extend(members.filter_map(|line| line.parse::<u32>().ok()));
    for name in names(group) {
        let inner = group.join(name);
        if files::is_folder(&inner) {
            add_members(&inner, pids);
        }
    }
}

/// The process of a number, unless it is gone or a zombie. One that cannot be looked at lives, but its start is not known.
fn living(host: &Host, pid: u32) -> Option<Process> {
    let unknown = Process {
        pid,
        start_ticks: None,
    };
    let Some(stat) = host.read(&format!("proc/{pid}/stat"), 4096) else {
        return files::is_folder(&host.path(&format!("proc/{pid}"))).then_some(unknown);
    };
    let stat = String::from_utf8_lossy(&stat);
    // The name, in brackets, may hold anything; fields are counted behind its end: state is the 3rd, start the 22nd.
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

fn is_of(service: Service, command_line: &[u8]) -> bool {
    let mut words = command_line.split(|&byte| byte == 0);
    let program = words.next().unwrap_or_default();
    match service {
        Service::Noded => program.rsplit(|&byte| byte == b'/').next() == Some(b"asperanoded"),
        Service::Trapd => {
            names_trapd(program) || program.ends_with(b"java") && words.any(names_trapd)
        }
    }
}

/// Whether a program or an option of Java names trapd in a path.
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
