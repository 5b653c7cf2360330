//! Whether a service runs with a file as it is now.

use std::time::{Duration, SystemTime};

use serde::Serialize;

use super::clock::Clock;
use super::manager::Status;

/// Whether a restart is due, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restart {
    /// Whether; nothing where it cannot be told.
    pub required: Option<bool>,
    /// Why, or why it cannot be told.
    pub reason: Option<Reason>,
}

/// Why a restart is due, or why that cannot be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// This run changes the file.
    Changed,
    /// The service started before the file last changed: a restart was lost.
    Pending,
    /// The time of day was set since the service started, so that the two times cannot be compared.
    ClockSet,
    /// No process of the service, and no init system that knows where it runs.
    NoInitSystem,
    /// When the service started cannot be read.
    StartUnknown,
    /// A process of the service runs outside its unit.
    OutsideUnit,
    /// Whether a process of the service lives cannot be told: one is named like it and cannot be looked at, or the init system does not answer.
    ProcessUnknown,
    /// When the file last changed cannot be read.
    FileUnknown,
}

/// When a file last changed, in content or metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastChange {
    /// Then.
    At(SystemTime),
    /// There is no file.
    NoFile,
    /// It cannot be told.
    Unknown,
}

/// The starts of processes are told to a hundredth of a second, and so is the uptime: what lies so close counts as before.
const PRECISION: Duration = Duration::from_millis(20);

/// Whether a service must restart for a file to take effect.
///
/// `changed` says whether this run changes the file, `last_change` when the file last changed before.
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
    // What else than the processes that count may read the file, if anything.
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
            // A file may bear any time, also the last that there is.
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
