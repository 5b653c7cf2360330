//! The gaps: everything that should have been read of a server and was not. While there is any, a server is not reported as compliant.

use std::path::Path;

use super::asuserdata::{Silence, Validity};
use super::program::Untrusted;
use super::services::{Manager, Obstacle, Reason, Restart, Service, State};
use crate::aspera::docroot::Uncovered;
use crate::files::FileError;

/// A gap and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incomplete {
    /// The place: a file, a service, the root of the installation, or the scope of a docroot.
    pub place: String,
    /// The gap at this place.
    pub gap: Gap,
}

/// A reason why the reading of a server is incomplete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gap {
    /// There is no Aspera below the root.
    NoInstallation,
    /// There is no `aspera.conf`.
    NoConf,
    /// There is no `s3.properties`, although trapd reads it or may read it.
    NoProperties,
    /// A file cannot be read.
    Unread(FileError),
    /// A file can be read, but the server would refuse its content.
    Malformed(String),
    /// A place of `aspera.conf` may matter for uploads, and the model does not cover it.
    Uncovered(Uncovered),
    /// The installation has no `asuserdata`, which would refuse a configuration that is not valid.
    NoAsuserdata,
    /// Others may change the program that validates the configuration, so it was not run.
    Untrusted(Untrusted),
    /// `asuserdata -v` gave no answer.
    NoValidation(Silence),
    /// A service failed.
    Failed(Service),
    /// A service starts, perhaps again and again.
    Starting(Service),
    /// A service is enabled and does not run.
    Stopped(Service),
    /// A service is not known to be enabled and does not run, and the uploads that are judged need it.
    NotServing(Service),
    /// A service is enabled, and the init system does not know it.
    NoService(Service),
    /// The init system does not report the state of a service.
    NoAnswer(Service),
    /// A service does not read the file that was judged.
    OtherView(Service, Obstacle),
    /// A service runs with an older version of its file.
    OlderFile(Service),
    /// It is not known whether a service runs with the current version of its file.
    PerhapsOlderFile(Service, Reason),
}

/// The result of reading a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// It was read and understood.
    Complete,
    /// The file does not exist.
    Missing,
    /// It cannot be read.
    Unread(FileError),
    /// The server would refuse it, for a reason.
    Malformed(String),
}

/// A service as it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoundService {
    /// The service.
    pub service: Service,
    /// The init system that starts and stops it.
    pub manager: Option<Manager>,
    /// Whether it is enabled.
    pub enabled: Option<bool>,
    /// The state of the service, or `None` if it is not known.
    pub state: Option<State>,
    /// Whether it must restart to run with the current version of its file.
    pub restart: Restart,
    /// The reason why it does not read the file that was judged, if there is one.
    pub obstacle: Option<Obstacle>,
}

impl FoundService {
    /// Returns whether a live process of it may have started before its file got its present content, or reads another file.
    pub fn may_run_older_file(&self) -> bool {
        if self.obstacle.is_some() {
            return true;
        }
        match (self.restart.required, self.restart.reason) {
            (Some(required), _) => required,
            // If no process lives, none runs with an older file.
            (None, Some(Reason::NoInitSystem) | None) => false,
            (None, Some(_)) => true,
        }
    }
}

/// The findings on a server.
#[derive(Debug)]
pub struct Found<'f> {
    /// The root of the installation.
    pub aspera_root: &'f Path,
    /// Whether there is an installation.
    pub installed: bool,
    /// The path of `aspera.conf` and the result of reading it.
    pub conf: (&'f Path, Reading),
    /// The places of `aspera.conf` that the model does not cover.
    pub uncovered: &'f [Uncovered],
    /// The path of `s3.properties` and the result of reading it.
    pub properties: (&'f Path, Reading),
    /// The path of `asuserdata` and its answer.
    pub asuserdata: (&'f Path, &'f Validity),
    /// The errors of those account files of the host that are needed and cannot be read.
    pub unread_accounts: &'f [FileError],
    /// The services that read the files, trapd first.
    pub services: [FoundService; 2],
    /// Whether uploads are judged that only trapd serves.
    pub trapd_is_needed: bool,
}

/// Returns everything that should have been read of a server and was not.
pub fn gaps(found: &Found) -> Vec<Incomplete> {
    if !found.installed {
        return vec![Incomplete::at(
            found.aspera_root.to_string_lossy(),
            Gap::NoInstallation,
        )];
    }
    let trapd_enabled = found.services[0].enabled;
    let of_file = |(path, reading): &(&Path, Reading), missing: Option<Gap>| {
        let gap = match reading {
            Reading::Complete => None,
            Reading::Missing => missing,
            Reading::Unread(error) => Some(Gap::Unread(error.clone())),
            Reading::Malformed(why) => Some(Gap::Malformed(why.clone())),
        };
        gap.map(|gap| Incomplete::at(path.to_string_lossy(), gap))
    };
    // A server without trapd need not have the file. With trapd, a missing file sets nothing. But the vendor ships it, so its absence is a reason
    // to look, not a violation.
    let no_properties = (trapd_enabled != Some(false)).then_some(Gap::NoProperties);
    let files = [
        of_file(&found.conf, Some(Gap::NoConf)),
        of_file(&found.properties, no_properties),
    ];
    let uncovered = found.uncovered.iter().map(|uncovered| {
        Incomplete::at(found.conf.0.to_string_lossy(), Gap::Uncovered(*uncovered))
    });
    let accounts = found
        .unread_accounts
        .iter()
        .map(|error| Incomplete::at(error.path().to_string_lossy(), Gap::Unread(error.clone())));
    let (program, validity) = found.asuserdata;
    let validation = match validity {
        Validity::NotRefused | Validity::Refused => None,
        Validity::NoProgram => Some(Gap::NoAsuserdata),
        Validity::Unread(error) => Some(Gap::Unread(error.clone())),
        Validity::Untrusted(untrusted) => Some(Gap::Untrusted(untrusted.clone())),
        Validity::Silent(silence) => Some(Gap::NoValidation(*silence)),
    };
    let validation = validation.map(|gap| Incomplete::at(program.to_string_lossy(), gap));
    let services = found.services.iter().filter_map(|service| {
        let is_needed = service.service == Service::Trapd && found.trapd_is_needed;
        let gap = gap_of(*service, is_needed)?;
        Some(Incomplete::at(service.service.name(), gap))
    });
    files
        .into_iter()
        .flatten()
        .chain(uncovered)
        .chain(validation)
        .chain(accounts)
        .chain(services)
        .collect()
}

fn gap_of(found: FoundService, is_needed: bool) -> Option<Gap> {
    let service = found.service;
    if let Some(obstacle) = found.obstacle {
        return Some(Gap::OtherView(service, obstacle));
    }
    match (found.restart.required, found.restart.reason) {
        (Some(true), _) => return Some(Gap::OlderFile(service)),
        // If no process lives, none runs with an older file. A container starts services in its own way.
        (None, Some(Reason::NoInitSystem)) => return None,
        (None, Some(Reason::ProcessUnknown)) if found.state.is_none() => {}
        (None, Some(reason)) => return Some(Gap::PerhapsOlderFile(service, reason)),
        _ => {}
    }
    match (found.state, found.enabled) {
        (Some(State::Failed), _) => Some(Gap::Failed(service)),
        (Some(State::Restarting), _) => Some(Gap::Starting(service)),
        (Some(State::Stopped), Some(true)) => Some(Gap::Stopped(service)),
        (Some(State::Absent), Some(true)) => Some(Gap::NoService(service)),
        (Some(State::Stopped | State::Absent), _) if is_needed => Some(Gap::NotServing(service)),
        (Some(State::Running | State::Stopped | State::Absent), _) => None,
        (None, _) => Some(Gap::NoAnswer(service)),
    }
}

impl Incomplete {
    /// Creates a gap at a place.
    pub fn at(place: impl Into<String>, gap: Gap) -> Self {
        Self {
            place: place.into(),
            gap,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONF: &str = "/opt/aspera/etc/aspera.conf";
    const ASUSERDATA: &str = "/opt/aspera/bin/asuserdata";
    const PROPERTIES: &str = "/opt/aspera/etc/trapd/s3.properties";

    fn unread(path: &str) -> FileError {
        FileError::NotRegular {
            path: path.into(),
            kind: "a FIFO",
        }
    }

    fn service(service: Service, enabled: Option<bool>, state: Option<State>) -> FoundService {
        let unknown = state.is_none().then_some(Reason::ProcessUnknown);
        FoundService {
            service,
            manager: Some(Manager::Systemd),
            enabled,
            state,
            restart: Restart {
                required: state.map(|_| false),
                reason: unknown,
            },
            obstacle: None,
        }
    }

    fn running() -> [FoundService; 2] {
        Service::ALL.map(|found| service(found, Some(true), Some(State::Running)))
    }

    fn gaps_of(
        installed: bool,
        conf: Reading,
        properties: Reading,
        unread_accounts: &[FileError],
        services: [FoundService; 2],
    ) -> Vec<(String, Gap)> {
        found_gaps(&Found {
            aspera_root: "/opt/aspera".as_ref(),
            installed,
            conf: (CONF.as_ref(), conf),
            uncovered: &[],
            properties: (PROPERTIES.as_ref(), properties),
            asuserdata: (ASUSERDATA.as_ref(), &Validity::NotRefused),
            unread_accounts,
            services,
            trapd_is_needed: false,
        })
    }

    fn found_gaps(found: &Found) -> Vec<(String, Gap)> {
        let gaps = gaps(found);
        gaps.into_iter().map(|gap| (gap.place, gap.gap)).collect()
    }

    #[test]
    fn a_server_that_was_read_whole_has_no_gap() {
        let gaps = gaps_of(true, Reading::Complete, Reading::Complete, &[], running());
        assert_eq!(gaps, []);
    }

    #[test]
    fn a_missing_installation_is_the_only_gap() {
        let expected = [("/opt/aspera".to_owned(), Gap::NoInstallation)];
        let gaps = gaps_of(false, Reading::Missing, Reading::Missing, &[], running());
        assert_eq!(gaps, expected);
    }

    #[test]
    fn each_file_that_was_not_read_is_a_gap() {
        let malformed = || Reading::Malformed("line 1".to_owned());
        for (reading, of_conf, of_properties) in [
            (Reading::Missing, Gap::NoConf, Gap::NoProperties),
            (
                Reading::Unread(unread("/x")),
                Gap::Unread(unread("/x")),
                Gap::Unread(unread("/x")),
            ),
            (
                malformed(),
                Gap::Malformed("line 1".to_owned()),
                Gap::Malformed("line 1".to_owned()),
            ),
        ] {
            let complete = Reading::Complete;
            let gaps = gaps_of(true, reading.clone(), complete.clone(), &[], running());
            assert_eq!(gaps, [(CONF.to_owned(), of_conf)]);
            let gaps = gaps_of(true, complete, reading, &[], running());
            assert_eq!(gaps, [(PROPERTIES.to_owned(), of_properties)]);
        }
        let accounts = [unread("/etc/group")];
        let gaps = gaps_of(
            true,
            Reading::Complete,
            Reading::Complete,
            &accounts,
            running(),
        );
        assert_eq!(
            gaps,
            [("/etc/group".to_owned(), Gap::Unread(unread("/etc/group")))]
        );
    }

    #[test]
    fn a_configuration_that_asuserdata_did_not_validate_is_a_gap() {
        for (validity, gap) in [
            (Validity::NotRefused, None),
            // A violation.
            (Validity::Refused, None),
            (Validity::NoProgram, Some(Gap::NoAsuserdata)),
            (
                Validity::Unread(unread(ASUSERDATA)),
                Some(Gap::Unread(unread(ASUSERDATA))),
            ),
            (
                Validity::Silent(Silence::TimedOut),
                Some(Gap::NoValidation(Silence::TimedOut)),
            ),
        ] {
            let gaps = found_gaps(&Found {
                aspera_root: "/opt/aspera".as_ref(),
                installed: true,
                conf: (CONF.as_ref(), Reading::Complete),
                uncovered: &[],
                properties: (PROPERTIES.as_ref(), Reading::Complete),
                asuserdata: (ASUSERDATA.as_ref(), &validity),
                unread_accounts: &[],
                services: running(),
                trapd_is_needed: false,
            });
            let expected: Vec<(String, Gap)> = gap
                .map(|gap| (ASUSERDATA.to_owned(), gap))
                .into_iter()
                .collect();
            assert_eq!(gaps, expected, "{validity:?}");
        }
    }

    #[test]
    fn a_missing_s3_properties_is_no_gap_only_if_trapd_is_known_to_be_off() {
        for (enabled, state, is_gap) in [
            (Some(true), State::Running, true),
            (None, State::Running, true),
            (Some(false), State::Stopped, false),
        ] {
            let mut services = running();
            services[0] = service(Service::Trapd, enabled, Some(state));
            let gaps = gaps_of(true, Reading::Complete, Reading::Missing, &[], services);
            assert_eq!(!gaps.is_empty(), is_gap, "{enabled:?}: {gaps:?}");
        }
    }

    #[test]
    fn a_service_that_does_not_run_as_it_should_is_a_gap() {
        for (enabled, state, gap) in [
            (
                Some(true),
                Some(State::Stopped),
                Some(Gap::Stopped(Service::Noded)),
            ),
            (
                Some(true),
                Some(State::Failed),
                Some(Gap::Failed(Service::Noded)),
            ),
            (
                Some(true),
                Some(State::Restarting),
                Some(Gap::Starting(Service::Noded)),
            ),
            (
                Some(true),
                Some(State::Absent),
                Some(Gap::NoService(Service::Noded)),
            ),
            (Some(true), None, Some(Gap::NoAnswer(Service::Noded))),
            (Some(false), None, Some(Gap::NoAnswer(Service::Noded))),
            (
                Some(false),
                Some(State::Failed),
                Some(Gap::Failed(Service::Noded)),
            ),
            (Some(false), Some(State::Stopped), None),
            (Some(false), Some(State::Absent), None),
            (Some(false), Some(State::Running), None),
            (None, Some(State::Running), None),
            (None, Some(State::Stopped), None),
        ] {
            let [trapd, _] = running();
            let services = [trapd, service(Service::Noded, enabled, state)];
            let gaps = gaps_of(true, Reading::Complete, Reading::Complete, &[], services);
            let expected: Vec<(String, Gap)> = gap
                .map(|gap| ("asperanoded".to_owned(), gap))
                .into_iter()
                .collect();
            assert_eq!(gaps, expected, "{enabled:?} {state:?}");
        }
    }

    #[test]
    fn a_trapd_that_is_off_is_a_gap_only_if_uploads_that_are_judged_need_it() {
        let not_serving = Some(Gap::NotServing(Service::Trapd));
        for (enabled, state, trapd_is_needed, gap) in [
            (Some(false), State::Stopped, true, not_serving.clone()),
            (Some(false), State::Absent, true, not_serving.clone()),
            (None, State::Stopped, true, not_serving),
            (Some(false), State::Stopped, false, None),
            (Some(false), State::Running, true, None),
            (
                Some(true),
                State::Stopped,
                false,
                Some(Gap::Stopped(Service::Trapd)),
            ),
        ] {
            let [_, noded] = running();
            let stopped_noded = service(Service::Noded, Some(false), Some(State::Stopped));
            for noded in [noded, stopped_noded] {
                let gaps = found_gaps(&Found {
                    aspera_root: "/opt/aspera".as_ref(),
                    installed: true,
                    conf: (CONF.as_ref(), Reading::Complete),
                    uncovered: &[],
                    properties: (PROPERTIES.as_ref(), Reading::Complete),
                    asuserdata: (ASUSERDATA.as_ref(), &Validity::NotRefused),
                    unread_accounts: &[],
                    services: [service(Service::Trapd, enabled, Some(state)), noded],
                    trapd_is_needed,
                });
                let gaps: Vec<Gap> = gaps.into_iter().map(|(_, gap)| gap).collect();
                let expected: Vec<Gap> = gap.clone().into_iter().collect();
                assert_eq!(gaps, expected, "{enabled:?} {state:?}");
            }
        }
    }

    #[test]
    fn a_service_that_reads_another_file_is_a_gap() {
        for obstacle in [
            Obstacle::AnotherInstallation,
            Obstacle::ReplacedProgram,
            Obstacle::AnotherFile,
            Obstacle::NoPermission,
        ] {
            let [mut trapd, noded] = running();
            trapd.obstacle = Some(obstacle);
            assert!(trapd.may_run_older_file());
            let gaps = gaps_of(
                true,
                Reading::Complete,
                Reading::Complete,
                &[],
                [trapd, noded],
            );
            let gaps: Vec<Gap> = gaps.into_iter().map(|(_, gap)| gap).collect();
            assert_eq!(gaps, [Gap::OtherView(Service::Trapd, obstacle)]);
        }
    }

    #[test]
    fn a_service_that_runs_with_an_older_file_is_a_gap() {
        assert!(!running()[0].may_run_older_file());
        let perhaps = |reason| Some(Gap::PerhapsOlderFile(Service::Trapd, reason));
        for (required, reason, state, gap) in [
            (
                Some(true),
                Reason::Pending,
                Some(State::Running),
                Some(Gap::OlderFile(Service::Trapd)),
            ),
            (
                Some(true),
                Reason::ClockSet,
                Some(State::Running),
                Some(Gap::OlderFile(Service::Trapd)),
            ),
            (
                None,
                Reason::OutsideUnit,
                None,
                perhaps(Reason::OutsideUnit),
            ),
            (
                None,
                Reason::OutsideUnit,
                Some(State::Running),
                perhaps(Reason::OutsideUnit),
            ),
            (
                None,
                Reason::ProcessUnknown,
                Some(State::Running),
                perhaps(Reason::ProcessUnknown),
            ),
            (
                None,
                Reason::ProcessUnknown,
                None,
                Some(Gap::NoAnswer(Service::Trapd)),
            ),
            (
                None,
                Reason::StartUnknown,
                Some(State::Running),
                perhaps(Reason::StartUnknown),
            ),
            (
                None,
                Reason::FileUnknown,
                Some(State::Running),
                perhaps(Reason::FileUnknown),
            ),
            // No process lives that could run with an older file.
            (None, Reason::NoInitSystem, None, None),
        ] {
            let [mut trapd, noded] = running();
            trapd.state = state;
            trapd.restart = Restart {
                required,
                reason: Some(reason),
            };
            assert_eq!(trapd.may_run_older_file(), gap.is_some(), "{reason:?}");
            let gaps = gaps_of(
                true,
                Reading::Complete,
                Reading::Complete,
                &[],
                [trapd, noded],
            );
            let gaps: Vec<Gap> = gaps.into_iter().map(|(_, gap)| gap).collect();
            assert_eq!(gaps, gap.into_iter().collect::<Vec<_>>(), "{reason:?}");
        }
    }
}
