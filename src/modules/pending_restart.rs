//! Whether the service of an edited file must restart.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::result::Restart;
use crate::aspera::services::{Clock, Host, Look, Service, restart};

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

/// When a file last changed, in content or metadata; nothing if there is none.
pub(super) fn last_change(path: &Path) -> Option<SystemTime> {
    let metadata = fs::metadata(path).ok()?;
    let time = |seconds: i64, nanoseconds: i64| {
        let seconds = Duration::from_secs(seconds.try_into().ok()?);
        let nanoseconds = Duration::from_nanos(nanoseconds.try_into().ok()?);
        UNIX_EPOCH.checked_add(seconds)?.checked_add(nanoseconds)
    };
    let written = time(metadata.mtime(), metadata.mtime_nsec());
    let touched = time(metadata.ctime(), metadata.ctime_nsec());
    written.max(touched)
}
