//! The state of a service as the init system of a host reports it.

use std::path::Path;
use std::time::{Duration, SystemTime};

use super::Service;
use super::clock::Clock;
use super::host::Host;
use super::identity::{Installation, Origin, Stranger};
use super::processes::{self, Members, Process};
use crate::aspera::host::child::Exit;
use crate::aspera::host::command::{ProgramResult, RunningProgram, TIME_LIMIT};
use crate::files;
use crate::utc::Utc;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manager {
    /// systemd, which may also run scripts of System V.
    Systemd,
    /// The scripts in `/etc/init.d`.
    SystemV,
}

/// The state of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceState {
    /// A process of the service lives.
    Running,
    /// The service starts again and again.
    Restarting,
    /// The service ended with an error.
    Failed,
    /// The service does not run.
    Stopped,
    /// The host has no such service.
    Absent,
}

/// The status of a service at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// The init system that starts and stops it, or `None` on a host without a known init system, such as a container.
    pub manager: Option<Manager>,
    /// The state, or `None` if it is not known.
    pub state: Option<ServiceState>,
    pub processes: Vec<Process>,
    /// The installation that its program belongs to, or `None` if that is not known.
    pub origin: Option<Origin>,
    /// Whether there are processes of it outside its unit. It is not known whether these take part in the service.
    pub is_outside_unit: bool,
    /// Whether there is a process with its name that may or may not belong to it.
    pub has_unknown_process: bool,
    /// Living processes that have its name and are something else.
    pub strangers: Vec<Stranger>,
    /// Whether the time of day was set since it started, as far as that is known.
    pub clock_was_set: bool,
}

/// A look at a service that has started and may not have finished: `systemctl` takes its time.
#[derive(Debug)]
pub struct StatusQuery {
    service: Service,
    manager: Option<Manager>,
    question: Option<RunningProgram>,
}

impl StatusQuery {
    /// Starts `systemctl`, where the host has it.
    pub fn start(host: &Host, service: Service) -> Self {
        let manager = manager(host);
        let unit = format!("{}.service", service.name());
        let question = (manager == Some(Manager::Systemd)).then(|| {
            let properties = "--property=LoadState,ActiveState,ControlGroup,User,ActiveEnterTimestamp,ActiveEnterTimestampMonotonic";
            RunningProgram::start(host.systemctl(), &["show", &unit, properties])
        });
        Self {
            service,
            manager,
            question,
        }
    }

    /// Returns the status of the service of the installation below a root.
    pub fn finish(self, host: &Host, clock: &Clock, aspera_root: &Path) -> Status {
        let shown = self.question.map(|question| question.answer(TIME_LIMIT));
        let unit = match &shown {
            Some(ProgramResult::Ended {
                exit: Exit::SUCCESS,
                output,
            }) => Unit::read(output),
            _ => None,
        };
        let group = match &unit {
            Some(unit) => unit.control_group.to_owned(),
            None => self.service.usual_group(),
        };
        let in_unit = match self.manager {
            Some(Manager::Systemd) => processes::of_control_group(host, &group),
            _ => Members {
                processes: Vec::new(),
                has_unknown: false,
            },
        };
        let account = unit.as_ref().and_then(|unit| unit.account);
        let installation = Installation::of(host, aspera_root, account);
        let mut named = processes::named(host, self.service, &installation, &in_unit.processes);
        named.has_unknown |= in_unit.has_unknown;
        let (processes, is_outside_unit) = match self.manager {
            Some(Manager::Systemd) => (in_unit.processes, !named.genuine.is_empty()),
            Some(Manager::SystemV) | None => (named.genuine, false),
        };
        let clock_was_set = unit.as_ref().is_some_and(|unit| unit.clock_was_set(clock));
        let state = match (&unit, self.manager) {
            (_, _) if !processes.is_empty() => Some(ServiceState::Running),
            (_, _) if is_outside_unit || named.has_unknown => None,
            (Some(unit), _) => unit.state(),
            (None, Some(Manager::SystemV)) => Some(state_by_script(host, self.service)),
            (None, _) => None,
        };
        Status {
            manager: self.manager,
            state,
            origin: installation.origin_of_all(host, processes.iter().map(|process| process.pid)),
            processes,
            is_outside_unit,
            has_unknown_process: named.has_unknown,
            strangers: named.strangers,
            clock_was_set,
        }
    }
}

fn state_by_script(host: &Host, service: Service) -> ServiceState {
    let script = host.path("etc/init.d").join(service.name());
    // A script that cannot be examined exists, too.
    match files::metadata(&script) {
        Ok(None) => ServiceState::Absent,
        Ok(Some(_)) | Err(_) => ServiceState::Stopped,
    }
}

/// Returns the init system of a host. A container with neither init system starts services in its own way.
pub(super) fn manager(host: &Host) -> Option<Manager> {
    if files::is_folder(&host.path("run/systemd/system")) {
        return Some(Manager::Systemd);
    }
    let init = host.read("proc/1/comm", 64);
    (init.as_deref() == Some(b"init\n")).then_some(Manager::SystemV)
}

/// The properties of a unit, as `systemctl show` prints them.
struct Unit<'a> {
    load_state: &'a str,
    active_state: &'a str,
    control_group: &'a str,
    account: Option<&'a str>,
    active_since: Option<(SystemTime, Duration)>,
}

impl<'a> Unit<'a> {
    /// Parses the output of `systemctl show`. Returns `None` if the text is something else.
    fn read(output: &'a str) -> Option<Self> {
        let property = |name: &str| {
            let mut lines = output.lines().filter_map(|line| line.split_once('='));
            lines
                .find(|(found, _)| *found == name)
                .map_or("", |(_, value)| value)
        };
        let monotonic = property("ActiveEnterTimestampMonotonic").parse().ok();
        let monotonic = monotonic
            .filter(|micros| *micros > 0)
            .map(Duration::from_micros);
        let time_of_day = time_of_day(property("ActiveEnterTimestamp"));
        let load_state = property("LoadState");
        (!load_state.is_empty()).then(|| Self {
            load_state,
            active_state: property("ActiveState"),
            control_group: property("ControlGroup"),
            account: Some(property("User")).filter(|account| !account.is_empty()),
            active_since: time_of_day.zip(monotonic),
        })
    }

    fn state(&self) -> Option<ServiceState> {
        match (self.load_state, self.active_state) {
            ("not-found", _) => Some(ServiceState::Absent),
            (_, "activating" | "reloading") => Some(ServiceState::Restarting),
            (_, "failed") => Some(ServiceState::Failed),
            // Active without a process: a script of System V whose daemon has ended.
            (_, "inactive" | "deactivating" | "active") => Some(ServiceState::Stopped),
            _ => None,
        }
    }

    fn clock_was_set(&self, clock: &Clock) -> bool {
        self.active_since
            .is_some_and(|(time_of_day, monotonic)| clock.was_set_since(time_of_day, monotonic))
    }
}

/// Parses a time such as `Tue 2026-11-24 12:30:32 UTC`.
fn time_of_day(text: &str) -> Option<SystemTime> {
    let mut words = text.split_ascii_whitespace().skip(1);
    let (date, time, zone) = (words.next()?, words.next()?, words.next()?);
    let numbers = |text: &str, sign: char| -> Option<[u64; 3]> {
        let mut parts = text.split(sign).map(str::parse);
        let mut next = || parts.next()?.ok();
        Some([next()?, next()?, next()?])
    };
    let ([year, month, day], [hour, minute, second]) = (numbers(date, '-')?, numbers(time, ':')?);
    let utc = Utc {
        year,
        month,
        day,
        hour,
        minute,
        second,
    };
    utc.time().filter(|_| zone == "UTC")
}
