//! Whether the service of an edited file must restart.

use std::path::{Path, PathBuf};

use super::result::{RestartReport, strangers_warning};
use crate::aspera::host::{Clock, Host, LastChange, Look, Service, restart_due};
use crate::files;

/// A look at a service that begins before the file is edited, so that `systemctl` answers meanwhile.
pub(super) struct PendingRestart {
    host: Host,
    aspera_root: PathBuf,
    service: Service,
    look: Look,
}

impl PendingRestart {
    /// Begins to look.
    pub(super) fn begin(service: Service, aspera_root: &Path) -> Self {
        let host = Host::this();
        Self {
            look: Look::start(&host, service),
            host,
            aspera_root: aspera_root.to_owned(),
            service,
        }
    }

    /// Returns the restart that is due after the run, with its warnings. `path` is the edited file.
    pub(super) fn finish(self, path: &Path, changed: bool) -> (RestartReport, Vec<String>) {
        let clock = Clock::read(&self.host);
        let status = self.look.finish(&self.host, &clock, &self.aspera_root);
        let due = restart_due(&status, &clock, changed, last_change(path));
        let (report, warning) = RestartReport::of(self.service, due, changed);
        let strangers = strangers_warning(self.service, &status, &self.aspera_root);
        (report, warning.into_iter().chain(strangers).collect())
    }
}

/// Returns the time of the last change of a file, in content or metadata.
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
