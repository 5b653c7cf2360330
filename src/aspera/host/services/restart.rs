//! Whether a service runs with the current version of a file.

use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::clock::Clock;
use super::manager::Status;

/// Whether a restart is due, and the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restart {
    /// Whether a restart is due, or `None` if that is not known.
    pub required: Option<bool>,
    /// The reason why it is due, or why that is not known.
    pub reason: Option<Reason>,
}

/// The reason why a restart is due, or why that is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// This run changes the file.
    Changed,
    /// The service started before the last change of the file: a restart was lost.
    Pending,
    /// The time of day was set since the service started, so the two times cannot be compared.
    ClockSet,
    /// There is no process of the service, and no init system that knows where it runs.
    NoInitSystem,
    /// The start time of the service cannot be read.
    StartUnknown,
    /// A process of the service runs outside its unit.
    OutsideUnit,
    /// It is not known whether a process of the service lives: one has its name and cannot be examined, or the init system does not answer.
    ProcessUnknown,
    /// The time of the last change of the file cannot be read.
    FileUnknown,
}

/// The time of the last change of a file, in content or metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastChange {
    /// The time of the change.
    At(SystemTime),
    /// The file does not exist.
    NoFile,
    /// The time is not known.
    Unknown,
}

/// The kernel reports the starts of processes and the uptime in hundredths of a second: a start that is this close counts as before.
const PRECISION: Duration = Duration::from_millis(20);

/// Returns whether a service must restart for a file to take effect.
///
/// `changed` says whether this run changes the file, and `last_change` when the file last changed before this run.
pub fn restart_due(
    status: &Status,
    clock: &Clock,
    changed: bool,
    last_change: LastChange,
) -> Restart {
    let because = |required, reason| Restart {
        required,
        reason: Some(reason),
    };
    let not_due = Restart {
        required: Some(false),
        reason: None,
    };
    // Another process than those that count may read the file.
    let doubt = match (status.is_outside_unit, status.has_unknown_process) {
        (true, _) => Some(Reason::OutsideUnit),
        (false, true) => Some(Reason::ProcessUnknown),
        (false, false) => None,
    };
    if let Some(doubt) = doubt.filter(|_| status.processes.is_empty()) {
        return because(None, doubt);
    }
    if status.processes.is_empty() {
        // A stopped service reads the file when someone starts it.
        return match status.manager {
            Some(_) if status.state.is_none() => because(None, Reason::ProcessUnknown),
            Some(_) => not_due,
            None => because(None, Reason::NoInitSystem),
        };
    }
    if changed {
        return because(Some(true), Reason::Changed);
    }
    let last_change = match last_change {
        LastChange::At(time) => time,
        LastChange::NoFile => return not_due,
        LastChange::Unknown => return because(None, Reason::FileUnknown),
    };
    if status.clock_was_set {
        return because(Some(true), Reason::ClockSet);
    }
    let mut is_known = true;
    for process in &status.processes {
        match process.start_ticks.and_then(|ticks| clock.start(ticks)) {
            // A file may have any time, including the latest that exists.
            Some(start)
                if start
                    .checked_sub(PRECISION)
                    .is_some_and(|start| start <= last_change) =>
            {
                return because(Some(true), Reason::Pending);
            }
            Some(_) => {}
            None => is_known = false,
        }
    }
    match doubt {
        _ if !is_known => because(None, Reason::StartUnknown),
        Some(doubt) => because(None, doubt),
        None => not_due,
    }
}
