//! Whether the service of an edited file must restart.

use std::path::Path;

use super::result::{RestartReport, strangers_warning};
use crate::aspera::host::{Clock, Host, LastChange, Look, Service, restart_due};
use crate::files;

/// A look at a service that begins before the file is edited, so that `systemctl` answers meanwhile.
pub(super) struct PendingRestart<'h> {
    host: &'h Host,
    aspera_root: &'h Path,
    service: Service,
    look: Look,
}

impl<'h> PendingRestart<'h> {
    /// Begins to look.
    pub(super) fn begin(host: &'h Host, service: Service, aspera_root: &'h Path) -> Self {
        Self {
            host,
            aspera_root,
            service,
            look: Look::start(host, service),
        }
    }

    /// Returns the restart that is due after the run, with its warnings. `path` is the edited file.
    pub(super) fn finish(self, path: &Path, changed: bool) -> (RestartReport, Vec<String>) {
        let clock = Clock::read(self.host);
        let status = self.look.finish(self.host, &clock, self.aspera_root);
        let last_change = last_change(path, self.aspera_root);
        let due = restart_due(&status, &clock, changed, last_change);
        let (report, warning) = RestartReport::of(self.service, due, changed);
        let strangers = strangers_warning(self.service, &status, self.aspera_root);
        (report, warning.into_iter().chain(strangers).collect())
    }
}

/// Returns the time of the last change of a file, in content or metadata, or of what leads to it from the root of the installation on.
pub(super) fn last_change(path: &Path, aspera_root: &Path) -> LastChange {
    let (Ok(metadata), Ok(way)) = (
        files::metadata(path),
        files::path_changes(path, aspera_root),
    ) else {
        return LastChange::Unknown;
    };
    let Some(metadata) = metadata else {
        return LastChange::NoFile(way.entries.max(way.made).max(way.renamed));
    };
    let Some(changed) = metadata.modified.max(metadata.touched) else {
        return LastChange::Unknown;
    };
    let changed = way.made.map_or(changed, |made| made.max(changed));
    match way.renamed {
        Some(renamed) if renamed > changed => LastChange::PerhapsLater(changed, renamed),
        _ => LastChange::At(changed),
    }
}
