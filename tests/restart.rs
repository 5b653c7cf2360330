//! Whether a restart is due, on hosts laid out in a folder: control groups, files of `/proc`, clocks, and what `systemctl` says.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aspera_sse::aspera::services::{
    Clock, Host, LastChange, Look, Manager, Reason, Service, State, Status, restart,
};
use tempfile::TempDir;

/// Now, on all hosts: 2026-11-24 12:00:00 UTC, a thousand seconds after boot.
const NOW: u64 = 1_795_521_600;
const UPTIME: u64 = 1_000;
const GROUP: &str = "/system.slice/asperatrapd.service";

struct Machine {
    root: TempDir,
}

impl Machine {
    fn with_systemd() -> Self {
        let machine = Self::without_init();
        fs::create_dir_all(machine.path("run/systemd/system")).unwrap();
        machine.systemctl_shows("loaded", "inactive", "", None);
        machine
    }

    fn with_scripts() -> Self {
        let machine = Self::without_init();
        machine.write("proc/1/comm", "init\n");
        machine.write("etc/init.d/asperatrapd", "");
        machine
    }

    fn without_init() -> Self {
        let machine = Self {
            root: tempfile::tempdir().unwrap(),
        };
        machine.write("proc/1/comm", "tini\n");
        machine.write("proc/uptime", &format!("{UPTIME}.00 500.00\n"));
        machine
    }

    fn path(&self, below: &str) -> PathBuf {
        self.root.path().join(below)
    }

    fn write(&self, below: &str, text: &str) {
        let path = self.path(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Lets `systemctl` tell of a unit; `since` is the time of day and the seconds after boot at which it became active.
    fn systemctl_shows(&self, load: &str, active: &str, group: &str, since: Option<(&str, u64)>) {
        let (time_of_day, monotonic) = since.unwrap_or_default();
        let monotonic = monotonic * 1_000_000;
        self.systemctl(&format!(
            "test \"$1 $2\" = 'show asperatrapd.service' && test \"$LC_ALL $TZ\" = 'C UTC' && cat <<END\nLoadState={load}\nActiveState={active}\n\
             ControlGroup={group}\nActiveEnterTimestamp={time_of_day}\nActiveEnterTimestampMonotonic={monotonic}\nEND"
        ));
    }

    fn systemctl(&self, script: &str) {
        // A stand-in for systemctl.
        self.write("systemctl", &format!("#!/bin/sh\n{script}\n"));
        fs::set_permissions(self.path("systemctl"), fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Adds a process that started so many hundredths of a second after boot.
    fn process(&self, pid: u32, command_line: &str, start: u64) {
        self.process_in_state(pid, command_line, "S", start);
    }

    fn process_in_state(&self, pid: u32, command_line: &str, state: &str, start: u64) {
        // A name in brackets that looks like the end of the name.
        let fields = format!(
            "{pid} (a) b) S (c) {state} 1 {}{start} 0 0\n",
            "0 ".repeat(17)
        );
        self.write(&format!("proc/{pid}/stat"), &fields);
        self.write(
            &format!("proc/{pid}/cmdline"),
            &command_line.replace(' ', "\0"),
        );
    }

    fn group(&self, mount: &str, group: &str, pids: &[u32]) {
        let pids: Vec<String> = pids.iter().map(ToString::to_string).collect();
        self.write(
            &format!("sys/fs/cgroup{mount}{group}/cgroup.procs"),
            &pids.join("\n"),
        );
    }

    fn status(&self) -> (Status, Clock) {
        let host = Host::below(self.root.path(), &self.path("systemctl"));
        let clock = Clock {
            now: UNIX_EPOCH + Duration::from_secs(NOW),
            monotonic: Some(Duration::from_secs(UPTIME)),
            ..Clock::read(&host)
        };
        (
            Look::start(&host, Service::Trapd).finish(&host, &clock),
            clock,
        )
    }

    /// Whether a restart is due if the file last changed so many hundredths of a second after boot.
    fn due(&self, changed_at: u64) -> (Option<bool>, Option<Reason>) {
        let (status, clock) = self.status();
        let due = restart(&status, &clock, false, LastChange::At(at(changed_at)));
        (due.required, due.reason)
    }

    fn due_after_a_change(&self) -> (Option<bool>, Option<Reason>) {
        let (status, clock) = self.status();
        let due = restart(&status, &clock, true, LastChange::At(clock.now));
        (due.required, due.reason)
    }
}

/// The time of day so many hundredths of a second after boot.
fn at(hundredths: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(NOW - UPTIME) + Duration::from_millis(hundredths * 10)
}

const DUE: (Option<bool>, Option<Reason>) = (Some(true), Some(Reason::Pending));
const NOT_DUE: (Option<bool>, Option<Reason>) = (Some(false), None);
const TRAPD: &str = "/opt/aspera/jre/bin/java -jar /opt/aspera/lib/trapd/trapd.jar";

#[test]
fn a_service_that_started_before_the_last_change_must_restart() {
    let machine = Machine::with_systemd();
    machine.systemctl_shows(
        "loaded",
        "active",
        GROUP,
        Some(("Tue 2026-11-24 11:48:20 UTC", 300)),
    );
    machine.group("", GROUP, &[70]);
    machine.process(70, TRAPD, 30_000);
    let (status, _) = machine.status();
    assert_eq!(
        (status.manager, status.state),
        (Some(Manager::Systemd), Some(State::Running))
    );
    assert_eq!(machine.due(29_000), NOT_DUE);
    assert_eq!(machine.due(31_000), DUE);
    assert_eq!(
        machine.due_after_a_change(),
        (Some(true), Some(Reason::Changed))
    );
}

#[test]
fn changes_within_the_second_of_the_start_are_told_apart() {
    let machine = Machine::with_systemd();
    machine.systemctl_shows(
        "loaded",
        "active",
        GROUP,
        Some(("Tue 2026-11-24 11:48:20 UTC", 300)),
    );
    machine.group("", GROUP, &[70]);
    machine.process(70, TRAPD, 30_050);
    assert_eq!(machine.due(30_040), NOT_DUE);
    assert_eq!(machine.due(30_060), DUE);
    // Closer than the clocks can tell: a restart too many is better than one too few.
    assert_eq!(machine.due(30_049), DUE);
}

#[test]
fn a_unit_made_of_a_script_has_processes_and_no_main_one() {
    for mount in ["", "/unified", "/systemd"] {
        let machine = Machine::with_systemd();
        machine.systemctl_shows(
            "loaded",
            "active",
            GROUP,
            Some(("Tue 2026-11-24 11:48:20 UTC", 300)),
        );
        machine.group(mount, GROUP, &[]);
        machine.group(mount, &format!("{GROUP}/inner"), &[71, 72]);
        machine.process(71, "/bin/sh wrapper", 30_000);
        machine.process(72, "anything", 30_010);
        assert_eq!(machine.status().0.processes.len(), 2, "{mount}");
        assert_eq!(machine.due(40_000), DUE, "{mount}");
        assert_eq!(machine.due(20_000), NOT_DUE, "{mount}");
    }
}

#[test]
fn the_oldest_process_of_a_forking_daemon_counts() {
    let machine = Machine::with_systemd();
    machine.systemctl_shows(
        "loaded",
        "active",
        GROUP,
        Some(("Tue 2026-11-24 11:48:20 UTC", 300)),
    );
    machine.group("", GROUP, &[70, 71]);
    machine.process(70, TRAPD, 30_000);
    machine.process(71, "child", 50_000);
    assert_eq!(machine.due(40_000), DUE);
}

#[test]
fn zombies_and_processes_that_are_gone_do_not_live() {
    let machine = Machine::with_systemd();
    machine.systemctl_shows(
        "loaded",
        "active",
        GROUP,
        Some(("Tue 2026-11-24 11:48:20 UTC", 300)),
    );
    machine.group("", GROUP, &[70, 71]);
    machine.process_in_state(70, "", "Z", 30_000);
    assert_eq!(machine.status().0.state, Some(State::Stopped));
    assert_eq!(machine.due(40_000), NOT_DUE);
    assert_eq!(machine.due_after_a_change(), NOT_DUE);
}

#[test]
fn a_service_that_does_not_run_is_never_due() {
    for (load, active, state) in [
        ("loaded", "inactive", State::Stopped),
        ("loaded", "failed", State::Failed),
        ("loaded", "activating", State::Restarting),
        ("loaded", "active", State::Stopped),
        ("not-found", "inactive", State::Absent),
    ] {
        let machine = Machine::with_systemd();
        machine.systemctl_shows(load, active, "", None);
        assert_eq!(machine.status().0.state, Some(state), "{load} {active}");
        assert_eq!(machine.due(90_000), NOT_DUE, "{load} {active}");
        assert_eq!(machine.due_after_a_change(), NOT_DUE, "{load} {active}");
    }
}

#[test]
fn a_clock_that_was_set_since_the_start_makes_a_restart_due() {
    for (time_of_day, was_set) in [
        ("Tue 2026-11-24 11:48:20 UTC", false),
        ("Tue 2026-11-24 11:48:21 UTC", false),
        ("Tue 2026-11-24 10:48:20 UTC", true),
        ("Tue 2026-11-24 12:48:20 UTC", true),
        ("Thu 1970-01-01 00:05:00 UTC", true),
        // Not in a form that is understood: nothing is known of a step.
        ("Tue 2026-11-24 11:48:20 CET", false),
        ("n/a", false),
    ] {
        let machine = Machine::with_systemd();
        machine.systemctl_shows("loaded", "active", GROUP, Some((time_of_day, 300)));
        machine.group("", GROUP, &[70]);
        machine.process(70, TRAPD, 30_000);
        let expected = if was_set {
            (Some(true), Some(Reason::ClockSet))
        } else {
            NOT_DUE
        };
        assert_eq!(machine.due(20_000), expected, "{time_of_day}");
    }
}

#[test]
fn without_an_answer_of_systemctl_the_usual_control_group_is_looked_at() {
    for script in [Some("exit 1"), Some("echo nonsense"), None] {
        let machine = Machine::with_systemd();
        match script {
            Some(script) => machine.systemctl(script),
            None => fs::remove_file(machine.path("systemctl")).unwrap(),
        }
        machine.group("", GROUP, &[70]);
        machine.process(70, "something else", 30_000);
        assert_eq!(machine.due(40_000), DUE, "{script:?}");
    }
}

#[test]
fn a_service_started_by_hand_is_found_by_its_command_line() {
    let machine = Machine::with_systemd();
    machine.process(70, TRAPD, 30_000);
    machine.process(71, "vi /opt/aspera/etc/trapd/s3.properties", 10);
    assert_eq!(machine.status().0.state, Some(State::Running));
    assert_eq!(machine.due(40_000), DUE);
    assert_eq!(machine.due(20_000), NOT_DUE);
}

#[test]
fn scripts_of_system_v_know_by_the_processes() {
    let machine = Machine::with_scripts();
    let (status, _) = machine.status();
    assert_eq!(
        (status.manager, status.state),
        (Some(Manager::SystemV), Some(State::Stopped))
    );
    assert_eq!(machine.due(90_000), NOT_DUE);
    machine.process(70, TRAPD, 30_000);
    assert_eq!(machine.due(40_000), DUE);
    assert_eq!(machine.due(20_000), NOT_DUE);
    fs::remove_file(machine.path("etc/init.d/asperatrapd")).unwrap();
    fs::remove_dir_all(machine.path("proc/70")).unwrap();
    assert_eq!(machine.status().0.state, Some(State::Absent));
}

#[test]
fn in_a_container_only_its_own_processes_are_known() {
    let machine = Machine::without_init();
    assert_eq!(machine.status().0.state, None);
    assert_eq!(machine.due(90_000), (None, Some(Reason::NoInitSystem)));
    assert_eq!(
        machine.due_after_a_change(),
        (None, Some(Reason::NoInitSystem))
    );
    machine.process(70, TRAPD, 30_000);
    assert_eq!(machine.due(40_000), DUE);
    // It shows its own uptime, and the processes count from the boot of the machine.
    machine.process(70, TRAPD, 100_000_000);
    assert_eq!(machine.due(40_000), (None, Some(Reason::StartUnknown)));
    assert_eq!(
        machine.due_after_a_change(),
        (Some(true), Some(Reason::Changed))
    );
}

#[test]
fn a_process_that_cannot_be_looked_at_leaves_it_open() {
    let machine = Machine::with_systemd();
    machine.systemctl_shows("loaded", "active", GROUP, None);
    machine.group("", GROUP, &[70]);
    fs::create_dir_all(machine.path("proc/70")).unwrap();
    assert_eq!(machine.due(40_000), (None, Some(Reason::StartUnknown)));
}

#[test]
fn each_service_has_its_own_processes() {
    let machine = Machine::without_init();
    machine.process(70, TRAPD, 30_000);
    machine.process(71, "/opt/aspera/sbin/asperanoded", 30_000);
    machine.process(72, "tail -f asperanoded", 30_000);
    let host = Host::below(machine.root.path(), Path::new("systemctl"));
    let clock = Clock::read(&host);
    for (service, pid) in [(Service::Trapd, 70), (Service::Noded, 71)] {
        let status = Look::start(&host, service).finish(&host, &clock);
        let pids: Vec<u32> = status.processes.iter().map(|process| process.pid).collect();
        assert_eq!(pids, [pid]);
    }
}

#[test]
fn a_missing_file_makes_nothing_due() {
    let machine = Machine::without_init();
    machine.process(70, TRAPD, 30_000);
    let (status, clock) = machine.status();
    let due = restart(&status, &clock, false, LastChange::NoFile);
    assert_eq!((due.required, due.reason), NOT_DUE);
}
