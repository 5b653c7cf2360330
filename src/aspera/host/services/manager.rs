//! What the init system of a host knows of a service.

use std::path::Path;
use std::time::{Duration, SystemTime};

use super::Service;
use super::clock::Clock;
use super::host::Host;
use super::identity::{Installation, Stranger};
use super::processes::{self, Process};
use crate::aspera::host::command::{Answer, Question, TIME_LIMIT};
use crate::files;
use crate::utc::Utc;

/// An init system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manager {
    /// systemd, also for scripts of System V that it runs.
    Systemd,
    /// Scripts in `/etc/init.d`.
    SystemV,
}

/// How a service is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// A process of it lives.
    Running,
    /// It starts again and again.
    Restarting,
    /// It ended with an error.
    Failed,
    /// It does not run.
    Stopped,
    /// The host has no such service.
    Absent,
}

/// A service at some moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// Who starts and stops it; nothing on a host without a known init system, such as a container.
    pub manager: Option<Manager>,
    /// How it is; nothing where that cannot be told.
    pub state: Option<State>,
    /// Its living processes.
    pub processes: Vec<Process>,
    /// Whether there are processes of it outside its unit: whether these have a part in what it does cannot be told.
    pub is_outside_unit: bool,
    /// Whether a process is named like it of which cannot be told whether it is one of it.
    pub has_unknown_process: bool,
    /// Living processes that are named like it and are something else.
    pub strangers: Vec<Stranger>,
    /// Whether the time of day was set since it started, as far as that is known.
    pub clock_was_set: bool,
}

/// A look at a service that is on its way: `systemctl` takes its time.
#[derive(Debug)]
pub struct Look {
    service: Service,
    manager: Option<Manager>,
    question: Option<Question>,
}

impl Look {
    /// Starts to look.
    pub fn start(host: &Host, service: Service) -> Self {
        let manager = manager(host);
        let unit = format!("{}.service", service.name());
        let question = (manager == Some(Manager::Systemd)).then(|| {
            let properties = "--property=LoadState,ActiveState,ControlGroup,User,ActiveEnterTimestamp,ActiveEnterTimestampMonotonic";
            Question::start(host.systemctl(), &["show", &unit, properties])
        });
        Self {
            service,
            manager,
            question,
        }
    }

    /// What is seen of the service of the installation below a root.
    pub fn finish(self, host: &Host, clock: &Clock, aspera_root: &Path) -> Status {
        let shown = self.question.map(|question| question.answer(TIME_LIMIT));
        let unit = match &shown {
            Some(Answer::Ended {
                success: true,
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
            _ => Vec::new(),
        };
        let account = unit.as_ref().and_then(|unit| unit.account);
        let installation = Installation::of(host, aspera_root, account);
        let named = processes::named(host, self.service, &installation, &in_unit);
        let (processes, is_outside_unit) = match self.manager {
            Some(Manager::Systemd) => (in_unit, !named.genuine.is_empty()),
            Some(Manager::SystemV) | None => (named.genuine, false),
        };
        let clock_was_set = unit.as_ref().is_some_and(|unit| unit.clock_was_set(clock));
        let state = match (&unit, self.manager) {
            (_, _) if !processes.is_empty() => Some(State::Running),
            (_, _) if is_outside_unit || named.has_unknown => None,
            (Some(unit), _) => unit.state(),
            (None, Some(Manager::SystemV)) => Some(state_by_script(host, self.service)),
            (None, _) => None,
        };
        Status {
            manager: self.manager,
            state,
            processes,
            is_outside_unit,
            has_unknown_process: named.has_unknown,
            strangers: named.strangers,
            clock_was_set,
        }
    }
}

fn state_by_script(host: &Host, service: Service) -> State {
    let script = host.path("etc/init.d").join(service.name());
    // One that cannot be looked at is there, too.
    match files::metadata(&script) {
        Ok(None) => State::Absent,
        Ok(Some(_)) | Err(_) => State::Stopped,
    }
}

/// The init system of a host. A container with neither starts services in ways of its own.
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
    /// Nothing if that is not what it printed.
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

    fn state(&self) -> Option<State> {
        match (self.load_state, self.active_state) {
            ("not-found", _) => Some(State::Absent),
            (_, "activating" | "reloading") => Some(State::Restarting),
            (_, "failed") => Some(State::Failed),
            // Active without a process: a script of System V whose daemon has ended.
            (_, "inactive" | "deactivating" | "active") => Some(State::Stopped),
            _ => None,
        }
    }

    fn clock_was_set(&self, clock: &Clock) -> bool {
        self.active_since
            .is_some_and(|(time_of_day, monotonic)| clock.was_set_since(time_of_day, monotonic))
    }
}

/// Reads `Tue 2026-11-24 12:30:32 UTC`.
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
