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
    /// What leads to the file changed after the service started, so the service may have read another file.
    PathChanged,
}

/// The time of the last change of a file, in content or metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastChange {
    /// The time of the change.
    At(SystemTime),
    /// The time of the change, and a later time from which the path may lead to another file.
    PerhapsLater(SystemTime, SystemTime),
    /// The file does not exist. It may have been removed at the time, if there is one.
    NoFile(Option<SystemTime>),
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
    let (certain, possible) = match last_change {
        LastChange::At(time) => (Some(time), None),
        LastChange::PerhapsLater(time, later) => (Some(time), Some(later)),
        LastChange::NoFile(None) => return not_due,
        LastChange::NoFile(possible) => (None, possible),
        LastChange::Unknown => return because(None, Reason::FileUnknown),
    };
    if status.clock_was_set {
        return match certain {
            Some(_) => because(Some(true), Reason::ClockSet),
            None => because(None, Reason::PathChanged),
        };
    }
    let starts = status.processes.iter();
    let starts = starts.map(|process| process.start_ticks.and_then(|ticks| clock.start(ticks)));
    let starts: Vec<Option<SystemTime>> = starts.collect();
    let is_before = |change: Option<SystemTime>| {
        let starts = starts.iter().flatten();
        // A file may have any time, including the latest that exists.
        let mut starts = starts.filter_map(|start| start.checked_sub(PRECISION));
        change.is_some_and(|change| starts.any(|start| start <= change))
    };
    match doubt {
        _ if is_before(certain) => because(Some(true), Reason::Pending),
        _ if starts.contains(&None) => because(None, Reason::StartUnknown),
        Some(doubt) => because(None, doubt),
        None if is_before(possible) => because(None, Reason::PathChanged),
        None => not_due,
    }
}
