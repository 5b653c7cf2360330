//! Whether `/proc` shows the processes of others.
//!
//! It may be mounted so that a login sees its own processes only (`hidepid=`, proc(5)). Then nothing is known from a process that is not to be seen.

use super::host::Host;

/// The limit on the mounts and the status of this program that are read, in bytes.
const LIMIT: u64 = 1024 * 1024;

/// `CAP_SYS_PTRACE`, by which root sees all processes.
const SEES_ALL: u64 = 1 << 19;

/// Returns whether processes of others may live without being seen in `/proc`.
pub(super) fn hides_processes(host: &Host) -> bool {
    let Some(mounts) = host.read("proc/self/mountinfo", LIMIT) else {
        return !host.has_entry("proc/self");
    };
    let mounts = String::from_utf8_lossy(&mounts);
    // The last mount at a place covers the others.
    let options = mounts.lines().rev().find_map(options_of_proc);
    let options: Vec<&str> = options.unwrap_or_default().split(',').collect();
    let option = |name: &str| {
        let mut options = options.iter();
        options.find_map(|option| option.strip_prefix(name)?.strip_prefix('='))
    };
    match option("hidepid") {
        None | Some("0" | "off") => false,
        Some(_) => !may_see_all(host, option("gid")),
    }
}

/// Returns the options of a line of mountinfo if it mounts `/proc`.
fn options_of_proc(line: &str) -> Option<&str> {
    let (place, kind) = line.split_once(" - ")?;
    let is_proc = place.split(' ').nth(4) == Some("/proc") && kind.starts_with("proc ");
    is_proc.then(|| kind.rsplit(' ').next().unwrap_or_default())
}

/// Returns whether this program has the capability, or is in the group, that sees all processes nevertheless.
fn may_see_all(host: &Host, group: Option<&str>) -> bool {
    let Some(status) = host.read("proc/self/status", LIMIT) else {
        return false;
    };
    let status = String::from_utf8_lossy(&status);
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name));
    let capabilities = field("CapEff:").and_then(|text| u64::from_str_radix(text.trim(), 16).ok());
    let groups = [field("Gid:"), field("Groups:")].into_iter().flatten();
    let mut groups = groups.flat_map(str::split_ascii_whitespace);
    capabilities.is_some_and(|capabilities| capabilities & SEES_ALL != 0)
        || group.is_some_and(|group| groups.any(|own| own == group))
}
