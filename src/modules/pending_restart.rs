//! Whether the service of an edited file must restart.

use std::path::Path;

use super::result::Restart;
use crate::aspera::services::{Clock, Host, LastChange, Look, Service, restart};
use crate::files;

/// A look at a service, begun before the file is edited: the answer of `systemctl` comes meanwhile.
pub(super) struct PendingRestart {
    host: Host,
    service: Service,
    look: Look,
}

impl PendingRestart {
    /// Begins to look.
    pub(super) fn begin(service: Service) -> Self {
        let host = Host::this();
        Self {
            look: Look::start(&host, service),
            host,
            service,
        }
    }

    /// What is due after the run, with the warning that belongs to it. `path` is the edited file.
    pub(super) fn finish(self, path: &Path, changed: bool) -> (Restart, Option<String>) {
        let clock = Clock::read(&self.host);
        let status = self.look.finish(&self.host, &clock);
        let due = restart(&status, &clock, changed, last_change(path));
        Restart::of(self.service, due, changed)
    }
}

/// When a file last changed, in content or metadata.
pub(super) fn last_change(path: &Path) -> LastChange {
    match files::metadata(path) {
        Ok(None) => LastChange::NoFile,
        Ok(Some(metadata)) => metadata
            .modified
            .max(metadata.touched)
            .map_or(LastChange::Unknown, LastChange::At),
        Err(_) => LastChange::Unknown,
    }
}
