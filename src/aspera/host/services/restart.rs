//! Whether a service runs with the current version of a file.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;

use super::clock::Clock;
use super::last_change::{Changes, LastChange};
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
    /// The times of the file are in the future, so they cannot be compared.
    FileInFuture,
    /// The service started within the same moment in which the file changed.
    SameMoment,
    /// Only the metadata of the file changed after the service started. New content with an old time looks the same.
    MetadataChanged,
    /// What leads to the file changed after the service started, so the service may have read another file.
    PathChanged,
}

/// How close a start and a change may be without it being known which came first: the kernel reports starts and its uptime in hundredths of a second, and
/// times of files come from a clock that stands still between two ticks.
const PRECISION: Duration = Duration::from_millis(20);

/// Returns whether a service must restart for a file to take effect.
///
/// `changed` says whether this run changes the file, and `last_change` when the file got its content before this run.
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
    let of_file = match last_change {
        LastChange::Known(of_file) => of_file,
        LastChange::NoFile(None) => return not_due,
        LastChange::NoFile(Some(_)) if status.clock_was_set => {
            return because(None, Reason::PathChanged);
        }
        // Of a file that is not there, no content is known.
        LastChange::NoFile(removed) => Changes {
            content: UNIX_EPOCH,
            metadata: None,
            path: removed,
        },
        LastChange::InFuture if !status.clock_was_set => {
            return because(None, Reason::FileInFuture);
        }
        LastChange::InFuture => return because(Some(true), Reason::ClockSet),
        LastChange::Unknown => return because(None, Reason::FileUnknown),
    };
    if status.clock_was_set {
        return because(Some(true), Reason::ClockSet);
    }
    let starts = status.processes.iter();
    let starts = starts.map(|process| process.start_ticks.and_then(|ticks| clock.start(ticks)));
    let starts: Vec<Option<SystemTime>> = starts.collect();
    let starts_before = |time: Option<SystemTime>| {
        let mut starts = starts.iter().flatten();
        time.is_some_and(|time| starts.any(|start| *start <= time))
    };
    // A file may have any time, including the earliest and the latest that exist.
    let until = |time: SystemTime| time.checked_add(PRECISION).or(Some(time));
    if starts_before(of_file.content.checked_sub(PRECISION)) {
        return because(Some(true), Reason::Pending);
    }
    let doubts = [
        (starts.contains(&None), Some(Reason::StartUnknown)),
        (doubt.is_some(), doubt),
        (
            starts_before(until(of_file.content)),
            Some(Reason::SameMoment),
        ),
        (
            starts_before(of_file.metadata.and_then(until)),
            Some(Reason::MetadataChanged),
        ),
        (
            starts_before(of_file.path.and_then(until)),
            Some(Reason::PathChanged),
        ),
    ];
    let doubt = doubts
        .into_iter()
        .find_map(|(is_open, reason)| reason.filter(|_| is_open));
    doubt.map_or(not_due, |doubt| because(None, doubt))
}
