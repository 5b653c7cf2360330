//! Whether the service of an edited file must restart.

use std::path::Path;

use super::result::{RestartReport, strangers_warning};
use crate::aspera::host::{
    Clock, Host, LastChange, MetadataChanges, Service, StatusQuery, claims_the_future, restart_due,
};
use crate::files;

/// A look at a service that begins before the file is edited, so that `systemctl` answers meanwhile.
pub(super) struct PendingRestart<'h> {
    host: &'h Host,
    aspera_root: &'h Path,
    service: Service,
    look: StatusQuery,
}

impl<'h> PendingRestart<'h> {
    /// Starts to look at the service and its file.
    pub(super) fn begin(host: &'h Host, service: Service, aspera_root: &'h Path) -> Self {
        Self {
            host,
            aspera_root,
            service,
            look: StatusQuery::start(host, service),
        }
    }

    /// Returns the restart that is due after the run, with its warnings. `path` is the edited file.
    pub(super) fn finish(self, path: &Path, changed: bool) -> (RestartReport, Vec<String>) {
        let clock = Clock::read(self.host);
        let status = self.look.finish(self.host, &clock, self.aspera_root);
        let (last_change, warning_of_time) =
            last_change(path, self.aspera_root, &clock, MetadataChanges::Count);
        let due = restart_due(&status, &clock, changed, last_change);
        let (report, warning) = RestartReport::of(self.service, due, changed);
        let strangers = strangers_warning(self.service, &status, self.aspera_root);
        let warnings = warning_of_time.into_iter().chain(warning);
        (report, warnings.chain(strangers).collect())
    }
}

/// Returns when a file got its present content, or when what leads to it from the root of the installation on changed, with a warning about its times.
pub(super) fn last_change(
    path: &Path,
    aspera_root: &Path,
    clock: &Clock,
    metadata_changes: MetadataChanges,
) -> (LastChange, Option<String>) {
    let Ok(times) = files::file_times(path, aspera_root) else {
        return (LastChange::Unknown, None);
    };
    let warning = claims_the_future(&times, clock.now).then(|| {
        format!(
            "{0}: The time of its last change (mtime) is in the future, so the time at which it was last touched (ctime) counts. Correct it with touch {0}.",
            path.display()
        )
    });
    (LastChange::of(&times, clock.now, metadata_changes), warning)
}
