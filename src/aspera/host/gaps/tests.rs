//! Each gap, and servers without one.

use super::super::services::{Manager, Restart};
use super::*;
use crate::files::Problem;

const CONF: &str = "/opt/aspera/etc/aspera.conf";
const ASUSERDATA: &str = "/opt/aspera/bin/asuserdata";
const PROPERTIES: &str = "/opt/aspera/etc/trapd/s3.properties";

fn unread(path: &str) -> FileError {
    Problem::NotRegular("a FIFO").at(Path::new(path))
}

fn service(service: Service, enabled: Option<bool>, state: Option<ServiceState>) -> FoundService {
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
    Service::ALL.map(|found| service(found, Some(true), Some(ServiceState::Running)))
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
        (Some(true), ServiceState::Running, true),
        (None, ServiceState::Running, true),
        (Some(false), ServiceState::Stopped, false),
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
            Some(ServiceState::Stopped),
            Some(Gap::Stopped(Service::Noded)),
        ),
        (
            Some(true),
            Some(ServiceState::Failed),
            Some(Gap::Failed(Service::Noded)),
        ),
        (
            Some(true),
            Some(ServiceState::Restarting),
            Some(Gap::Starting(Service::Noded)),
        ),
        (
            Some(true),
            Some(ServiceState::Absent),
            Some(Gap::NoService(Service::Noded)),
        ),
        (Some(true), None, Some(Gap::NoAnswer(Service::Noded))),
        (Some(false), None, Some(Gap::NoAnswer(Service::Noded))),
        (
            Some(false),
            Some(ServiceState::Failed),
            Some(Gap::Failed(Service::Noded)),
        ),
        (Some(false), Some(ServiceState::Stopped), None),
        (Some(false), Some(ServiceState::Absent), None),
        (Some(false), Some(ServiceState::Running), None),
        (None, Some(ServiceState::Running), None),
        (None, Some(ServiceState::Stopped), None),
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
        (
            Some(false),
            ServiceState::Stopped,
            true,
            not_serving.clone(),
        ),
        (Some(false), ServiceState::Absent, true, not_serving.clone()),
        (None, ServiceState::Stopped, true, not_serving),
        (Some(false), ServiceState::Stopped, false, None),
        (Some(false), ServiceState::Running, true, None),
        (
            Some(true),
            ServiceState::Stopped,
            false,
            Some(Gap::Stopped(Service::Trapd)),
        ),
    ] {
        let [_, noded] = running();
        let stopped_noded = service(Service::Noded, Some(false), Some(ServiceState::Stopped));
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
            Some(ServiceState::Running),
            Some(Gap::OlderFile(Service::Trapd)),
        ),
        (
            Some(true),
            Reason::ClockSet,
            Some(ServiceState::Running),
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
            Some(ServiceState::Running),
            perhaps(Reason::OutsideUnit),
        ),
        (
            None,
            Reason::ProcessUnknown,
            Some(ServiceState::Running),
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
            Some(ServiceState::Running),
            perhaps(Reason::StartUnknown),
        ),
        (
            None,
            Reason::FileUnknown,
            Some(ServiceState::Running),
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
