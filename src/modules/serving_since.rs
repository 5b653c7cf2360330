//! Since when uploads are served with the current setting.

use std::path::Path;
use std::time::SystemTime;

use super::pending_restart::last_change;
use super::result::strangers_warning;
use crate::aspera::host::{
    Clock, FoundService, Host, Installation, LastChange, MetadataChanges, Service, ServiceState,
    StatusQuery, is_enabled, obstacle, restart_due,
};

/// Returns the time from which on all live services run with the current files, which are not younger either, or `None` if that is not known. Not the change of
/// a file counts, but the start of the process that has read it.
pub(super) fn serving_since(
    aspera_root: &Path,
    conf: &Path,
    warnings: &mut Vec<String>,
) -> Option<SystemTime> {
    let host = Host::this();
    let looks = Service::ALL.map(|service| StatusQuery::start(&host, service));
    let clock = Clock::read(&host);
    let statuses = looks.map(|look| look.finish(&host, &clock, aspera_root));
    let properties = Installation::at(aspera_root).s3_properties();
    let mut latest = None;
    let mut is_known = true;
    for ((service, status), file) in Service::ALL
        .into_iter()
        .zip(&statuses)
        .zip([&*properties, conf])
    {
        warnings.extend(strangers_warning(service, status, aspera_root));
        let (change, warning) = last_change(file, aspera_root, &clock, MetadataChanges::Count);
        warnings.extend(warning);
        // New processes of ascp read aspera.conf themselves.
        match change {
            LastChange::Known(changes) => {
                latest = latest.max(Some(changes.content)).max(changes.metadata);
            }
            LastChange::NoFile(_) => {}
            LastChange::InFuture | LastChange::Unknown => is_known = false,
        }
        let found = FoundService {
            service,
            manager: status.manager,
            enabled: is_enabled(&host, service, aspera_root),
            state: status.state,
            restart: restart_due(status, &clock, false, change),
            obstacle: obstacle(&host, status, file),
        };
        // The setting is that of a service only if it lives, and an absent one serves nobody.
        let is_alive = !status.processes.is_empty();
        is_known &=
            !found.may_run_older_file() && (is_alive || status.state == Some(ServiceState::Absent));
        if is_alive {
            is_known &= found.restart.required == Some(false);
        }
        for process in &status.processes {
            match process.start_ticks.and_then(|ticks| clock.start(ticks)) {
                Some(start) => latest = latest.max(Some(start)),
                None => is_known = false,
            }
        }
    }
    let lives = statuses.iter().any(|status| !status.processes.is_empty());
    latest.filter(|_| is_known && lives)
}
