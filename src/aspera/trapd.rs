//! Whether trapd, the service that reads `s3.properties`, is enabled. It is off by default in HSTS.

use std::fs;
use std::path::Path;

/// The service, by the name of its unit or init script.
pub const SERVICE: &str = "asperatrapd";

/// Whether trapd is enabled on the host whose file system is at `host`; nothing where that cannot be told.
///
/// It is enabled if a unit or a runlevel links to it, or a process of it lives: someone started it by hand. It is not if the host has an init
/// system that would know.
pub fn is_enabled(host: &Path) -> Option<bool> {
    if has_link(host) || is_running(host) {
        return Some(true);
    }
    knows_services(host).then_some(false)
}

fn has_link(host: &Path) -> bool {
    let unit_folders = [
        "etc/systemd/system",
        "run/systemd/system",
        "usr/lib/systemd/system",
        "lib/systemd/system",
    ];
    let wanted = unit_folders
        .iter()
        .flat_map(|folder| entries(&host.join(folder)))
        .filter(|name| {
            let extension = Path::new(name).extension();
            extension.is_some_and(|extension| extension == "wants" || extension == "requires")
        })
        .any(|name| {
            unit_folders.iter().any(|folder| {
                let link = host.join(folder).join(&name);
                link.join(format!("{SERVICE}.service")).is_symlink()
            })
        });
    // Runlevels 2 to 5 are those in which services run.
    let in_runlevel = ["etc", "etc/rc.d"]
        .iter()
        .flat_map(|folder| (2..=5).map(move |level| format!("{folder}/rc{level}.d")))
        .flat_map(|folder| entries(&host.join(folder)))
        .any(|name| name.starts_with('S') && name.ends_with(SERVICE));
    wanted || in_runlevel
}

/// A program of trapd among the processes: its command line names trapd in a path or an option.
fn is_running(host: &Path) -> bool {
    entries(&host.join("proc"))
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
        .filter_map(|pid| fs::read(host.join("proc").join(pid).join("cmdline")).ok())
        .any(|command_line| {
            let mut words = command_line.split(|&byte| byte == 0);
            let program = words.next().unwrap_or_default();
            names_trapd(program) || program.ends_with(b"java") && words.any(names_trapd)
        })
}

fn names_trapd(word: &[u8]) -> bool {
    word.split(|byte| matches!(byte, b'/' | b'=' | b':'))
        .any(|part| {
            [
                &b"trapd"[..],
                b"asperatrapd",
                b"aspera-trapd.jar",
                b"trapd.jar",
            ]
            .contains(&part)
        })
}

/// Whether the host was booted by systemd or System V init. A container with neither starts services in ways of its own.
fn knows_services(host: &Path) -> bool {
    let init = fs::read(host.join("proc/1/comm")).unwrap_or_default();
    host.join("run/systemd/system").is_dir() || init == b"init\n"
}

fn entries(folder: &Path) -> impl Iterator<Item = String> + use<> {
    let names = fs::read_dir(folder).into_iter().flatten().flatten();
    names.filter_map(|entry| entry.file_name().into_string().ok())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn host(folders: &[&str]) -> tempfile::TempDir {
        let host = tempfile::tempdir().unwrap();
        for folder in folders {
            fs::create_dir_all(host.path().join(folder)).unwrap();
        }
        host
    }

    #[test]
    fn without_an_init_system_nothing_is_known() {
        let host = host(&["proc/1"]);
        fs::write(host.path().join("proc/1/comm"), "tini\n").unwrap();
        assert_eq!(is_enabled(host.path()), None);
        fs::write(host.path().join("proc/1/comm"), "init\n").unwrap();
        assert_eq!(is_enabled(host.path()), Some(false));
    }

    #[test]
    fn a_wanted_unit_is_enabled() {
        let wants = "etc/systemd/system/multi-user.target.wants";
        let host = host(&["run/systemd/system", wants]);
        assert_eq!(is_enabled(host.path()), Some(false));
        let link = host.path().join(wants).join("asperatrapd.service");
        symlink("/lib/systemd/system/asperatrapd.service", link).unwrap();
        assert_eq!(is_enabled(host.path()), Some(true));
    }

    #[test]
    fn a_runlevel_link_is_enabled_and_a_kill_link_is_not() {
        let host = host(&["run/systemd/system", "etc/rc.d/rc3.d"]);
        let runlevel = host.path().join("etc/rc.d/rc3.d");
        symlink("../init.d/asperatrapd", runlevel.join("K20asperatrapd")).unwrap();
        assert_eq!(is_enabled(host.path()), Some(false));
        symlink("../init.d/asperatrapd", runlevel.join("S80asperatrapd")).unwrap();
        assert_eq!(is_enabled(host.path()), Some(true));
    }

    #[test]
    fn a_living_process_counts_as_enabled() {
        let host = host(&["run/systemd/system", "proc/7"]);
        let command_line = host.path().join("proc/7/cmdline");
        fs::write(&command_line, b"vi\0/opt/aspera/etc/trapd/s3.properties\0").unwrap();
        assert_eq!(is_enabled(host.path()), Some(false));
        fs::write(
            &command_line,
            b"/opt/aspera/jre/bin/java\0-cp\0/opt/aspera/lib/trapd/a.jar\0",
        )
        .unwrap();
        assert_eq!(is_enabled(host.path()), Some(true));
    }
}
