//! Whether a restart is due, on hosts that are laid out in a folder: control groups, files of `/proc`, clocks, and the output of `systemctl`.

mod program;

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aspera_sse::aspera::host::{
    Changes, Clock, Host, LastChange, Manager, Mismatch, Reason, Service, ServiceState, Status,
    StatusQuery, is_enabled, restart_due, transfers,
};
use program::write_script;
use proptest::prelude::*;
use tempfile::TempDir;

/// The present time on all hosts: 2026-11-24 12:00:00 UTC, a thousand seconds after boot.
const NOW: u64 = 1_795_521_600;
const UPTIME: u64 = 1_000;
const ASPERA: &str = "/opt/aspera";
const NODED: &str = "/opt/aspera/sbin/asperanoded";
const NAMESPACE: &str = "pid:[4026531836]";
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
        machine.write(
            "etc/passwd",
            "root:x:0:0::/root:\nasperadaemon:x:71:71::/:\nxfer:x:1000:1000::/:\nservice:x:1001:1001::/:\n",
        );
        fs::create_dir_all(machine.path("opt/aspera")).unwrap();
        machine.link("proc/self/ns/pid", NAMESPACE);
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

    fn link(&self, below: &str, target: &str) {
        let path = self.path(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let _ = fs::remove_file(&path);
        symlink(target, path).unwrap();
    }

    /// Makes `systemctl` describe a unit. `since` is the time of day and the seconds after boot at which it became active.
    fn systemctl_shows(&self, load: &str, active: &str, group: &str, since: Option<(&str, u64)>) {
        let (time_of_day, monotonic) = since.unwrap_or_default();
        let monotonic = monotonic * 1_000_000;
        self.systemctl(&format!(
            "test \"$1 $2\" = 'show asperatrapd.service' && test \"$LC_ALL $TZ\" = 'C UTC' && cat <<END\nLoadState={load}\nActiveState={active}\n\
             ControlGroup={group}\nUser=service\nActiveEnterTimestamp={time_of_day}\nActiveEnterTimestampMonotonic={monotonic}\nEND"
        ));
    }

    fn systemctl(&self, script: &str) {
        // A stand-in for systemctl.
        write_script(&self.path("systemctl"), &format!("#!/bin/sh\n{script}\n"));
    }

    /// Adds a process that started at a time in hundredths of a second after boot.
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
        // Its identity fits its command line, unless a test changes that.
        let program = command_line.split(' ').next();
        let program = program.filter(|program| !program.is_empty());
        self.identity(pid, Some(0), program, Some(NAMESPACE));
    }

    /// Sets the identity of a process. Any part that is left out cannot be read.
    fn identity(&self, pid: u32, uid: Option<u32>, program: Option<&str>, namespace: Option<&str>) {
        for name in ["status", "exe", "ns/pid"] {
            let _ = fs::remove_file(self.path(&format!("proc/{pid}/{name}")));
        }
        if let Some(uid) = uid {
            let status = format!(
                "Name:\tx\nUmask:\t0022\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\nGid:\t0\t0\t0\t0\n"
            );
            self.write(&format!("proc/{pid}/status"), &status);
        }
        if let Some(program) = program {
            self.link(&format!("proc/{pid}/exe"), program);
        }
        if let Some(namespace) = namespace {
            self.link(&format!("proc/{pid}/ns/pid"), namespace);
        }
    }

    fn group(&self, mount: &str, group: &str, pids: &[u32]) {
        let pids: Vec<String> = pids.iter().map(ToString::to_string).collect();
        self.write(
            &format!("sys/fs/cgroup{mount}{group}/cgroup.procs"),
            &pids.join("\n"),
        );
    }

    fn host(&self) -> Host {
        Host::below(self.root.path(), &self.path("systemctl"))
    }

    fn clock(host: &Host) -> Clock {
        Clock {
            now: UNIX_EPOCH + Duration::from_secs(NOW),
            monotonic: Some(Duration::from_secs(UPTIME)),
            ..Clock::read(host)
        }
    }

    fn status(&self) -> (Status, Clock) {
        let host = self.host();
        let clock = Self::clock(&host);
        (
            StatusQuery::start(&host, Service::Trapd).finish(&host, &clock, Path::new(ASPERA)),
            clock,
        )
    }

    /// Returns whether a restart is due if the file last changed at a time in hundredths of a second after boot.
    fn due(&self, changed_at: u64) -> (Option<bool>, Option<Reason>) {
        let (status, clock) = self.status();
        let due = restart_due(&status, &clock, false, written(at(changed_at)));
        (due.required, due.reason)
    }

    fn due_after_a_change(&self) -> (Option<bool>, Option<Reason>) {
        let (status, clock) = self.status();
        let due = restart_due(&status, &clock, true, written(clock.now));
        (due.required, due.reason)
    }
}

/// Returns the time of day at a number of hundredths of a second after boot.
fn at(hundredths: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(NOW - UPTIME) + Duration::from_millis(hundredths * 10)
}

/// A file whose content changed at a time, and nothing after that.
fn written(time: SystemTime) -> LastChange {
    LastChange::Known(Changes {
        content: time,
        metadata: Some(time),
        path: None,
    })
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
        (Some(Manager::Systemd), Some(ServiceState::Running))
    );
    assert_eq!(machine.due(29_000), NOT_DUE);
    assert_eq!(machine.due(31_000), DUE);
    assert_eq!(
        machine.due_after_a_change(),
        (Some(true), Some(Reason::Changed))
    );
}

#[test]
fn changes_within_the_second_of_the_start_are_distinguished() {
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
    // This is below the resolution of the clocks.
    for changed_at in [30_048, 30_049, 30_050, 30_051] {
        let unknown = (None, Some(Reason::SameMoment));
        assert_eq!(machine.due(changed_at), unknown, "{changed_at}");
    }
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
fn a_process_in_a_group_of_any_name_below_the_unit_is_of_the_unit() {
    let machine = Machine::with_systemd();
    machine.systemctl_shows("loaded", "active", GROUP, None);
    machine.group("", GROUP, &[]);
    let name = std::ffi::OsStr::from_bytes(b"\xff \n..");
    let inner = machine.path(&format!("sys/fs/cgroup{GROUP}")).join(name);
    fs::create_dir(&inner).unwrap();
    fs::write(inner.join("cgroup.procs"), "70\n").unwrap();
    machine.process(70, "anything", 30_000);
    assert_eq!(machine.due(40_000), DUE);
}

#[test]
fn a_group_below_the_unit_that_cannot_be_read_may_have_a_process() {
    let machine = Machine::with_systemd();
    machine.systemctl_shows("loaded", "active", GROUP, None);
    machine.group("", GROUP, &[]);
    assert_eq!(machine.due(40_000), NOT_DUE);
    let inner = machine.path(&format!("sys/fs/cgroup{GROUP}/inner/cgroup.procs"));
    fs::create_dir_all(&inner).unwrap();
    let unknown = (None, Some(Reason::ProcessUnknown));
    assert_eq!(machine.due(40_000), unknown);
    let is_enabled = is_enabled(&machine.host(), Service::Trapd, Path::new(ASPERA));
    assert_eq!(is_enabled, None);
    // As many as are read, and perhaps more.
    fs::remove_dir(&inner).unwrap();
    fs::write(&inner, "999999\n".repeat(160_000)).unwrap();
    assert_eq!(machine.due(40_000), unknown);
}

#[test]
fn groups_that_are_very_deep_take_no_long_time() {
    let machine = Machine::with_systemd();
    machine.systemctl_shows("loaded", "active", GROUP, None);
    machine.group("", GROUP, &[]);
    let top = machine.path(&format!("sys/fs/cgroup{GROUP}"));
    let deepest = top.join("x/".repeat(500));
    fs::create_dir_all(&deepest).unwrap();
    for group in deepest.ancestors().take(501) {
        for file in 0..20 {
            fs::write(group.join(format!("cgroup.file{file}")), "").unwrap();
        }
    }
    fs::write(deepest.join("cgroup.procs"), "70\n").unwrap();
    machine.process(70, "anything", 30_000);
    let start = std::time::Instant::now();
    assert_eq!(machine.due(40_000), DUE);
    assert!(start.elapsed() < Duration::from_secs(20));
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
    for state in ["Z", "X", "x"] {
        machine.process_in_state(70, "", state, 30_000);
        assert_eq!(
            machine.status().0.state,
            Some(ServiceState::Stopped),
            "{state}"
        );
        assert_eq!(machine.due(40_000), NOT_DUE, "{state}");
        assert_eq!(machine.due_after_a_change(), NOT_DUE, "{state}");
    }
    for state in ["R", "S", "D", "T", "t", "I"] {
        machine.process_in_state(70, "", state, 30_000);
        assert_eq!(
            machine.status().0.state,
            Some(ServiceState::Running),
            "{state}"
        );
    }
}

#[test]
fn a_service_that_does_not_run_is_never_due() {
    for (load, active, state) in [
        ("loaded", "inactive", ServiceState::Stopped),
        ("loaded", "failed", ServiceState::Failed),
        ("loaded", "activating", ServiceState::Restarting),
        ("loaded", "reloading", ServiceState::Restarting),
        ("loaded", "deactivating", ServiceState::Stopped),
        ("loaded", "active", ServiceState::Stopped),
        ("not-found", "inactive", ServiceState::Absent),
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
        // The form is not understood, so nothing is known of a step.
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
fn the_usual_control_group_is_used_if_systemctl_does_not_answer() {
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
fn a_process_outside_the_unit_makes_the_answer_unknown() {
    const OUTSIDE: (Option<bool>, Option<Reason>) = (None, Some(Reason::OutsideUnit));
    let machine = Machine::with_systemd();
    // Started by hand.
    machine.process(70, TRAPD, 30_000);
    machine.process(71, "vi /opt/aspera/etc/trapd/s3.properties", 10);
    assert_eq!(machine.status().0.state, None);
    assert_eq!(machine.due(40_000), OUTSIDE);
    assert_eq!(machine.due(20_000), OUTSIDE);
    assert_eq!(machine.due_after_a_change(), OUTSIDE);
    // The unit runs beside it.
    machine.systemctl_shows("loaded", "active", GROUP, None);
    machine.group("", GROUP, &[72]);
    machine.process(72, TRAPD, 35_000);
    assert_eq!(machine.status().0.state, Some(ServiceState::Running));
    assert_eq!(machine.due(40_000), DUE);
    assert_eq!(machine.due(20_000), OUTSIDE);
    assert_eq!(
        machine.due_after_a_change(),
        (Some(true), Some(Reason::Changed))
    );
}

#[test]
fn the_control_group_of_the_unit_decides() {
    let machine = Machine::with_systemd();
    machine.systemctl_shows("loaded", "active", GROUP, None);
    machine.group("", GROUP, &[70]);
    // Its name and account do not matter: systemd started it.
    machine.process(70, "wrapper", 30_000);
    machine.identity(70, Some(12345), None, None);
    let (status, _) = machine.status();
    assert_eq!(status.state, Some(ServiceState::Running));
    assert_eq!(
        (status.strangers, status.has_unknown_process),
        (Vec::new(), false)
    );
    assert_eq!(
        is_enabled(&machine.host(), Service::Trapd, Path::new(ASPERA)),
        Some(true)
    );
}

/// Processes with the name of a service: the hosts on which they run, and how they are classified.
#[test]
fn a_process_counts_only_if_its_identity_fits() {
    const OTHER: &str = "pid:[4026532000]";
    for (what, command_line, uid, program, namespace, taken) in [
        (
            "root's",
            NODED,
            Some(0),
            Some(NODED),
            Some(NAMESPACE),
            Taken::Genuine,
        ),
        (
            "the daemon account's",
            NODED,
            Some(71),
            Some(NODED),
            Some(NAMESPACE),
            Taken::Genuine,
        ),
        (
            "another user's",
            NODED,
            Some(1000),
            Some(NODED),
            Some(NAMESPACE),
            stranger("xfer", Mismatch::Account),
        ),
        (
            "a nameless user's",
            NODED,
            Some(4711),
            Some(NODED),
            Some(NAMESPACE),
            stranger("4711", Mismatch::Account),
        ),
        (
            "in a container",
            NODED,
            Some(0),
            Some(NODED),
            Some(OTHER),
            stranger("root", Mismatch::Namespace),
        ),
        (
            "a name without a program",
            "asperanoded",
            Some(0),
            Some("/usr/bin/sleep"),
            Some(NAMESPACE),
            stranger("root", Mismatch::Program),
        ),
        (
            "a copy elsewhere",
            "/tmp/asperanoded",
            Some(0),
            Some("/tmp/asperanoded"),
            Some(NAMESPACE),
            stranger("root", Mismatch::Program),
        ),
        (
            "a folder alike",
            NODED,
            Some(0),
            Some("/opt/aspera-old/sbin/asperanoded"),
            Some(NAMESPACE),
            stranger("root", Mismatch::Program),
        ),
        (
            "a script",
            NODED,
            Some(0),
            Some("/usr/bin/dash"),
            Some(NAMESPACE),
            stranger("root", Mismatch::Program),
        ),
        (
            "replaced by an upgrade",
            NODED,
            Some(0),
            Some("/opt/aspera/sbin/asperanoded (deleted)"),
            Some(NAMESPACE),
            Taken::Genuine,
        ),
        (
            "another program",
            "/opt/aspera/sbin/asperacentral",
            Some(0),
            Some("/opt/aspera/sbin/asperacentral"),
            Some(NAMESPACE),
            Taken::Nothing,
        ),
    ] {
        let machine = Machine::with_scripts();
        machine.write("etc/init.d/asperanoded", "");
        machine.process(70, command_line, 30_000);
        machine.identity(70, uid, program, namespace);
        check_taken(&machine, Service::Noded, &taken, what);
    }
}

#[test]
fn unreadable_facts_about_a_process_are_not_guessed() {
    for (what, command_line, uid, program, namespace, taken) in [
        (
            "no program that can be read",
            NODED,
            Some(0),
            None,
            Some(NAMESPACE),
            Taken::Unknown,
        ),
        (
            "no account that can be read",
            NODED,
            None,
            Some(NODED),
            Some(NAMESPACE),
            Taken::Unknown,
        ),
        (
            "no namespace that can be read",
            NODED,
            Some(0),
            Some(NODED),
            None,
            Taken::Unknown,
        ),
        (
            "another user's, and no more can be read",
            NODED,
            Some(1000),
            None,
            None,
            stranger("xfer", Mismatch::Account),
        ),
        (
            "another program, and no more can be read",
            NODED,
            None,
            Some("/usr/bin/sleep"),
            None,
            stranger("unknown", Mismatch::Program),
        ),
    ] {
        let machine = Machine::with_scripts();
        machine.write("etc/init.d/asperanoded", "");
        machine.process(70, command_line, 30_000);
        machine.identity(70, uid, program, namespace);
        check_taken(&machine, Service::Noded, &taken, what);
    }
}

#[test]
fn a_java_machine_counts_if_it_names_a_file_of_the_installation() {
    const JAVA: &str = "/usr/lib/jvm/bin/java";
    let program = |mismatch| Taken::Stranger("root".to_owned(), mismatch);
    for (command_line, program, taken) in [
        (
            "java -cp /opt/aspera/lib/trapd/a.jar Main",
            JAVA,
            Taken::Genuine,
        ),
        (
            "java -cp /usr/x.jar:/opt/aspera/lib/trapd/a.jar Main",
            JAVA,
            Taken::Genuine,
        ),
        (
            "java -Dhome=/opt/aspera/x -jar /usr/lib/trapd.jar",
            JAVA,
            Taken::Genuine,
        ),
        (
            "/opt/aspera/jre/bin/java -jar trapd.jar",
            "/opt/aspera/jre/bin/java",
            Taken::Genuine,
        ),
        (
            "java -cp /srv/trapd/a.jar Main",
            JAVA,
            program(Mismatch::Program),
        ),
        (
            "java -cp /srv/opt/aspera/trapd/a.jar Main",
            JAVA,
            program(Mismatch::Program),
        ),
        (
            "java -cp /opt/aspera-old/lib/trapd/a.jar Main",
            JAVA,
            program(Mismatch::Program),
        ),
        ("java -jar /opt/aspera/lib/other.jar", JAVA, Taken::Nothing),
        // Only the name is that of Java.
        (
            "java -cp /opt/aspera/lib/trapd/a.jar",
            "/usr/bin/sleep",
            program(Mismatch::Program),
        ),
        ("/x/trapd 600", "/usr/bin/sleep", program(Mismatch::Program)),
        (
            "/opt/aspera/lib/trapd/run",
            "/opt/aspera/lib/trapd/run",
            Taken::Genuine,
        ),
    ] {
        let machine = Machine::with_scripts();
        machine.process(70, command_line, 30_000);
        machine.identity(70, Some(0), Some(program), Some(NAMESPACE));
        check_taken(&machine, Service::Trapd, &taken, command_line);
    }
}

#[test]
fn a_setuid_program_of_a_user_is_that_users() {
    let machine = Machine::with_scripts();
    machine.process(70, TRAPD, 30_000);
    machine.write("proc/70/status", "Uid:\t1000\t0\t0\t0\n");
    check_taken(
        &machine,
        Service::Trapd,
        &Taken::Stranger("xfer".to_owned(), Mismatch::Account),
        "setuid",
    );
}

#[test]
#[ignore = "needs root"]
fn the_owner_of_the_installation_and_the_account_of_the_unit_may_run_it() {
    let machine = Machine::with_scripts();
    machine.process(70, TRAPD, 30_000);
    machine.identity(
        70,
        Some(1000),
        Some("/opt/aspera/jre/bin/java"),
        Some(NAMESPACE),
    );
    std::os::unix::fs::chown(machine.path("opt/aspera"), Some(1000), None).unwrap();
    check_taken(&machine, Service::Trapd, &Taken::Genuine, "the owner");
    // The unit says User=service.
    let machine = Machine::with_systemd();
    machine.process(70, TRAPD, 30_000);
    for (uid, is_outside) in [(1001, true), (1000, false)] {
        machine.identity(
            70,
            Some(uid),
            Some("/opt/aspera/jre/bin/java"),
            Some(NAMESPACE),
        );
        assert_eq!(machine.status().0.is_outside_unit, is_outside, "{uid}");
    }
}

#[test]
fn a_root_that_is_a_link_is_resolved() {
    let machine = Machine::with_scripts();
    fs::remove_dir(machine.path("opt/aspera")).unwrap();
    fs::create_dir_all(machine.path("data/aspera")).unwrap();
    machine.link("opt/aspera", "../data/aspera");
    machine.process(70, "/opt/aspera/lib/trapd/run", 30_000);
    machine.identity(
        70,
        Some(0),
        Some("/data/aspera/lib/trapd/run"),
        Some(NAMESPACE),
    );
    check_taken(&machine, Service::Trapd, &Taken::Genuine, "linked");
}

#[test]
fn a_thousand_of_the_same_name_hide_nothing() {
    let machine = Machine::with_scripts();
    for pid in 100..1_100 {
        machine.process(pid, TRAPD, 30_000);
        let program = Some("/opt/aspera/sbin/asperatrapd");
        match pid % 3 {
            0 => machine.identity(pid, Some(1000), program, Some(NAMESPACE)),
            1 => machine.identity(pid, Some(0), program, Some("pid:[4026532000]")),
            _ => machine.identity(pid, Some(0), Some("/tmp/trapd"), Some(NAMESPACE)),
        }
    }
    let (status, _) = machine.status();
    assert_eq!(status.state, Some(ServiceState::Stopped));
    assert_eq!(status.strangers.len(), 1_000);
    machine.process(70, TRAPD, 30_000);
    let (status, _) = machine.status();
    assert_eq!(status.state, Some(ServiceState::Running));
    let pids: Vec<u32> = status.processes.iter().map(|found| found.pid).collect();
    assert_eq!(pids, [70]);
    assert_eq!(machine.due(40_000), DUE);
}

#[test]
fn a_zombie_of_the_service_is_nothing() {
    let machine = Machine::with_scripts();
    machine.process_in_state(70, TRAPD, "Z", 30_000);
    check_taken(&machine, Service::Trapd, &Taken::Nothing, "zombie");
}

#[test]
fn a_long_command_line_is_read_whole_for_the_accounts_of_the_installation() {
    let long = "x".repeat(100_000);
    let behind = format!("java -Dx={long} -jar /opt/aspera/lib/trapd/trapd.jar");
    let root_behind = format!("java -Dname=trapd -Dx={long} -cp /opt/aspera/lib/a.jar Main");
    let before = format!("java -jar /opt/aspera/lib/trapd/trapd.jar {long}");
    let other = format!("java -jar /opt/aspera/lib/other.jar {long}");
    for (command_line, uid, taken) in [
        (&before, Some(0), Taken::Genuine),
        (&behind, Some(0), Taken::Genuine),
        (&root_behind, Some(0), Taken::Genuine),
        (&other, Some(0), Taken::Nothing),
        (&behind, Some(1000), Taken::Nothing),
        (&behind, None, Taken::Unknown),
    ] {
        let machine = Machine::with_scripts();
        machine.process(70, command_line, 30_000);
        let java = Some("/usr/lib/jvm/bin/java");
        machine.identity(70, uid, java, Some(NAMESPACE));
        check_taken(&machine, Service::Trapd, &taken, &command_line[..20]);
    }
}

#[test]
fn a_command_line_that_cannot_be_read_whole_may_be_one_of_the_service() {
    let machine = Machine::with_scripts();
    // The kernel ends them at 6 MiB.
    let endless = format!("java -Dx={}", "x".repeat(9 * 1024 * 1024));
    machine.process(70, &endless, 30_000);
    check_taken(&machine, Service::Trapd, &Taken::Unknown, "endless");
}

fn stranger(account: &str, mismatch: Mismatch) -> Taken {
    Taken::Stranger(account.to_owned(), mismatch)
}

/// The classification of a process.
#[derive(Debug)]
enum Taken {
    Genuine,
    Stranger(String, Mismatch),
    Unknown,
    Nothing,
}

/// Checks how a machine with one process, 70, classifies it. Only a genuine process makes the service running, enabled or due. A process whose
/// identity is not known is no reason to report that the service does not run.
fn check_taken(machine: &Machine, service: Service, taken: &Taken, what: &str) {
    let host = machine.host();
    let clock = Machine::clock(&host);
    let status = StatusQuery::start(&host, service).finish(&host, &clock, Path::new(ASPERA));
    let (state, enabled, due) = match taken {
        Taken::Genuine => (Some(ServiceState::Running), Some(true), DUE),
        Taken::Unknown => (None, None, (None, Some(Reason::ProcessUnknown))),
        Taken::Stranger(..) | Taken::Nothing => (Some(ServiceState::Stopped), Some(false), NOT_DUE),
    };
    assert_eq!(status.state, state, "{what}");
    assert_eq!(
        is_enabled(&host, service, Path::new(ASPERA)),
        enabled,
        "{what}"
    );
    let found = restart_due(&status, &clock, false, written(at(90_000)));
    assert_eq!((found.required, found.reason), due, "{what}");
    let strangers: Vec<(u32, Option<String>, Mismatch)> = status
        .strangers
        .into_iter()
        .map(|stranger| (stranger.pid, stranger.account, stranger.mismatch))
        .collect();
    let expected = match taken {
        Taken::Stranger(account, mismatch) => {
            let account = Some(account.clone()).filter(|account| account != "unknown");
            vec![(70, account, *mismatch)]
        }
        _ => Vec::new(),
    };
    assert_eq!(strangers, expected, "{what}");
}

#[test]
fn the_state_under_system_v_comes_from_the_processes() {
    let machine = Machine::with_scripts();
    let (status, _) = machine.status();
    assert_eq!(
        (status.manager, status.state),
        (Some(Manager::SystemV), Some(ServiceState::Stopped))
    );
    assert_eq!(machine.due(90_000), NOT_DUE);
    machine.process(70, TRAPD, 30_000);
    assert_eq!(machine.due(40_000), DUE);
    assert_eq!(machine.due(20_000), NOT_DUE);
    fs::remove_file(machine.path("etc/init.d/asperatrapd")).unwrap();
    fs::remove_dir_all(machine.path("proc/70")).unwrap();
    assert_eq!(machine.status().0.state, Some(ServiceState::Absent));
}

#[test]
fn a_container_knows_only_its_own_processes() {
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
fn a_process_that_cannot_be_examined_makes_the_answer_unknown() {
    let machine = Machine::with_systemd();
    machine.systemctl_shows("loaded", "active", GROUP, None);
    machine.group("", GROUP, &[70]);
    fs::create_dir_all(machine.path("proc/70")).unwrap();
    assert_eq!(machine.due(40_000), (None, Some(Reason::StartUnknown)));
}

/// How `/proc` is mounted on a host that hides the processes of others from this login (`hidepid`, proc(5)).
fn hide_processes(machine: &Machine, options: &str, capabilities: &str, groups: &str) {
    machine.write(
        "proc/self/mountinfo",
        &format!(
            "1 0 8:1 / / rw - ext4 /dev/sda rw,lowerdir={}\n2 1 0:5 / /proc rw,nosuid - proc proc rw,{options}\n\
             3 1 0:6 / /srv/proc rw - proc proc rw\n4 2 0:7 / /proc/sys rw - tmpfs tmpfs rw\n",
            "x".repeat(4096)
        ),
    );
    machine.write(
        "proc/self/status",
        &format!("Gid:\t100\t100\t100\t100\nGroups:\t{groups}\nCapEff:\t{capabilities}\n"),
    );
}

#[test]
fn where_processes_are_hidden_none_is_known_to_be_missing() {
    const NOTHING: &str = "0000000000000000";
    for (options, capabilities, groups, is_known) in [
        ("hidepid=invisible", NOTHING, "", false),
        ("hidepid=ptraceable", NOTHING, "", false),
        ("hidepid=noaccess", NOTHING, "", false),
        ("gid=7,hidepid=2", NOTHING, "6 8", false),
        ("gid=7,hidepid=2", NOTHING, "6 7", true),
        ("gid=100,hidepid=2", NOTHING, "", true),
        ("hidepid=2", "0000000000080000", "", true),
        ("hidepid=off", NOTHING, "", true),
        ("hidepid=0", NOTHING, "", true),
        ("relatime", NOTHING, "", true),
    ] {
        let unknown = (None, Some(Reason::ProcessUnknown));
        let expected = if is_known { NOT_DUE } else { unknown };
        let machine = Machine::with_systemd();
        let scripts = Machine::with_scripts();
        for machine in [&machine, &scripts] {
            hide_processes(machine, options, capabilities, groups);
            assert_eq!(machine.due(90_000), expected, "{options} {groups}");
            let count = is_known.then_some(0);
            assert_eq!(transfers(&machine.host(), Path::new(ASPERA)), count);
            let enabled = is_enabled(&machine.host(), Service::Trapd, Path::new(ASPERA));
            assert_eq!(enabled, is_known.then_some(false), "{options} {groups}");
        }
        // The unit has a process that is not to be seen, or one that has just ended.
        machine.systemctl_shows("loaded", "active", GROUP, None);
        machine.group("", GROUP, &[70]);
        let state = (!is_known).then_some(ServiceState::Running);
        assert_eq!(
            machine.status().0.state,
            state.or(Some(ServiceState::Stopped))
        );
    }
    let container = Machine::without_init();
    hide_processes(&container, "hidepid=2", NOTHING, "");
    assert_eq!(container.due(90_000), (None, Some(Reason::ProcessUnknown)));
    let without_proc = Machine::with_systemd();
    assert_eq!(without_proc.due(90_000), NOT_DUE);
    fs::remove_dir_all(without_proc.path("proc/self")).unwrap();
    let unknown = (None, Some(Reason::ProcessUnknown));
    assert_eq!(without_proc.due(90_000), unknown);
}

#[test]
fn a_process_with_a_name_that_cannot_be_read_may_be_the_service() {
    for machine in [Machine::with_systemd(), Machine::with_scripts()] {
        machine.process(70, TRAPD, 30_000);
        fs::remove_file(machine.path("proc/70/cmdline")).unwrap();
        fs::create_dir(machine.path("proc/70/cmdline")).unwrap();
        let unknown = (None, Some(Reason::ProcessUnknown));
        assert_eq!(machine.due(40_000), unknown);
        assert_eq!(transfers(&machine.host(), Path::new(ASPERA)), None);
    }
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
        let status = StatusQuery::start(&host, service).finish(&host, &clock, Path::new(ASPERA));
        let pids: Vec<u32> = status.processes.iter().map(|process| process.pid).collect();
        assert_eq!(pids, [pid]);
    }
}

#[test]
fn a_missing_file_makes_nothing_due() {
    let machine = Machine::without_init();
    machine.process(70, TRAPD, 30_000);
    let (status, clock) = machine.status();
    let due = restart_due(&status, &clock, false, LastChange::NoFile(None));
    assert_eq!((due.required, due.reason), NOT_DUE);
}

#[test]
fn what_is_not_known_of_a_file_leaves_open_whether_a_restart_is_due() {
    let machine = Machine::without_init();
    machine.process(70, TRAPD, 30_000);
    let (status, clock) = machine.status();
    let (before, after) = (at(20_000), at(40_000));
    let known = |content, metadata, path| {
        LastChange::Known(Changes {
            content,
            metadata,
            path,
        })
    };
    let unknown = |reason| (None, Some(reason));
    for (last_change, expected) in [
        (known(before, Some(before), Some(before)), NOT_DUE),
        (
            known(before, Some(after), None),
            unknown(Reason::MetadataChanged),
        ),
        (known(before, None, None), NOT_DUE),
        (
            known(before, Some(before), Some(after)),
            unknown(Reason::PathChanged),
        ),
        (known(after, Some(after), Some(after)), DUE),
        (LastChange::NoFile(Some(before)), NOT_DUE),
        (
            LastChange::NoFile(Some(after)),
            unknown(Reason::PathChanged),
        ),
        (LastChange::InFuture, unknown(Reason::FileInFuture)),
        (LastChange::Unknown, unknown(Reason::FileUnknown)),
    ] {
        let due = restart_due(&status, &clock, false, last_change);
        assert_eq!((due.required, due.reason), expected, "{last_change:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    /// No number overflows and nothing panics, whatever the kernel and systemctl print.
    #[test]
    fn any_bytes_are_answered(
        texts in prop::collection::vec(prop::option::of(prop_oneof![any_bytes(), numbers()]), 7),
        unit in prop::collection::vec(("(LoadState|ActiveState|ControlGroup|User|ActiveEnterTimestamp|ActiveEnterTimestampMonotonic)", numbers()), 0..7),
    ) {
        let machine = Machine::with_systemd();
        machine.process(70, NODED, 30_000);
        machine.group("", GROUP, &[70]);
        let members = format!("sys/fs/cgroup{GROUP}/cgroup.procs");
        let paths = ["proc/70/stat", "proc/70/status", "proc/70/cmdline", "proc/uptime", "etc/passwd", "proc/1/comm", &members];
        for (path, text) in paths.into_iter().zip(&texts) {
            if let Some(text) = text {
                fs::write(machine.path(path), text).unwrap();
            }
        }
        let mut shown = Vec::new();
        for (name, value) in unit {
            shown.extend([name.as_bytes(), b"=", &value, b"\n"].concat());
        }
        fs::write(machine.path("shown"), shown).unwrap();
        machine.systemctl("cat \"${0%/*}/shown\"");
        let host = machine.host();
        for service in Service::ALL {
            let clock = Clock::read(&host);
            let status = StatusQuery::start(&host, service).finish(&host, &clock, Path::new(ASPERA));
            restart_due(&status, &clock, false, written(clock.now));
            is_enabled(&host, service, Path::new(ASPERA));
        }
    }
}

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..60)
}

/// Numbers of all sizes and the signs between them.
fn numbers() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        3 => any::<u64>().prop_map(|number| number.to_string()),
        1 => Just("99999999999999999999".to_owned()),
        2 => (0_u8..100).prop_map(|number| number.to_string()),
        2 => prop::sample::select(vec!["-", ":", ".", " ", "\t", "\n", ")", "S", "Uid:", "UTC", "0000-00-00", "loaded", GROUP]).prop_map(str::to_owned),
        1 => any::<u64>().prop_map(|start| format!("70 (x) S {}{start} 0", "0 ".repeat(18))),
        1 => (any::<u64>(), any::<u8>(), any::<u8>()).prop_map(|(year, month, second)| format!("Tue {year}-{month}-0 0:0:{second} UTC")),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat().into_bytes())
}
