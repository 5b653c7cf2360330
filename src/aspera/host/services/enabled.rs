//! Whether a service is enabled. Trapd is not enabled by default in HSTS.

use std::path::Path;

use super::Service;
use super::host::Host;
use super::identity::Installation;
use super::manager::{Manager, manager};
use super::processes;

/// Returns whether a service is enabled on a host, or `None` if that is not known.
///
/// It is enabled if a unit or a runlevel links to it, or if a process of it lives, because someone started it by hand. Otherwise it is not enabled
/// if the host has an init system that would know.
pub fn is_enabled(host: &Host, service: Service, aspera_root: &Path) -> Option<bool> {
    if has_link(host, service.name()) {
        return Some(true);
    }
    let manager = manager(host);
    let mut may_be_in_unit = false;
    if manager == Some(Manager::Systemd) {
        let members = processes::of_control_group(host, &service.usual_group());
        if !members.processes.is_empty() {
            return Some(true);
        }
        may_be_in_unit = members.has_unknown;
    }
    let installation = Installation::of(host, aspera_root, None);
    let named = processes::named(host, service, &installation, &[]);
    match manager {
        _ if !named.genuine.is_empty() => Some(true),
        Some(_) if !named.has_unknown && !may_be_in_unit => Some(false),
        _ => None,
    }
}

fn has_link(host: &Host, name: &str) -> bool {
    let unit_folders = [
        "etc/systemd/system",
        "run/systemd/system",
        "usr/lib/systemd/system",
        "lib/systemd/system",
    ];
    let wanted = unit_folders
        .iter()
        .flat_map(|folder| host.names(folder))
        .filter(|name| {
            let extension = Path::new(name).extension();
            extension.is_some_and(|extension| extension == "wants" || extension == "requires")
        })
        .any(|wanted| {
            unit_folders.iter().any(|folder| {
                let link = host.path(folder).join(&wanted);
                link.join(format!("{name}.service")).is_symlink()
            })
        });
    // Runlevels 2 to 5 are those in which services run.
    let in_runlevel = ["etc", "etc/rc.d"]
        .iter()
        .flat_map(|folder| (2..=5).map(move |level| format!("{folder}/rc{level}.d")))
        .flat_map(|folder| host.names(&folder))
        .any(|link| link.starts_with('S') && link.ends_with(name));
    wanted || in_runlevel
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn is_enabled(host: &Path) -> Option<bool> {
        let host = Host::below(host, "systemctl".as_ref());
        super::is_enabled(&host, Service::Trapd, "/opt/aspera".as_ref())
    }

    fn host(folders: &[&str]) -> tempfile::TempDir {
        let host = tempfile::tempdir().unwrap();
        for folder in folders.iter().chain(&["proc/self"]) {
            fs::create_dir_all(host.path().join(folder)).unwrap();
        }
        host
    }

    #[test]
    fn nothing_is_known_without_an_init_system() {
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
}
