//! Parts of a result that modules share.

use std::path::Path;

use serde::Serialize;

use super::file_failure;
use crate::ansible::Line;
use crate::aspera::host::{Reason, Restart, Service, Status};
use crate::aspera::setting::{DisplayLine, FoundSetting, FoundValue};
use crate::files::FileError;

/// The setting that was in force before the task.
#[derive(Debug, Serialize)]
pub(super) struct Previous {
    server_side_encryption: Option<String>,
    kms_key_id: Option<String>,
}

impl From<&FoundSetting> for Previous {
    fn from(found: &FoundSetting) -> Self {
        let shown = |value: &FoundValue| value.shown().to_owned();
        Self {
            server_side_encryption: found.encryption.as_ref().map(shown),
            kms_key_id: found.kms_key.as_ref().map(shown),
        }
    }
}

/// The service that must restart, and the reason.
#[derive(Debug, Serialize)]
pub(super) struct RestartReport {
    #[serde(rename = "restart_required")]
    required: Option<bool>,
    #[serde(rename = "restart_reason")]
    reason: Option<Reason>,
    #[serde(rename = "restart_services")]
    services: Vec<&'static str>,
}

impl RestartReport {
    /// Returns the restart that is due after a run, with its warning.
    pub(super) fn of(service: Service, restart: Restart, changed: bool) -> (Self, Option<String>) {
        let name = service.name();
        // If it is not known whether a restart is due, a change is reason enough to name the service.
        let is_named = restart.required == Some(true) || restart.required.is_none() && changed;
        let warning = (restart.reason == Some(Reason::ClockSet)).then(|| {
            format!(
                "The clock of this host was set after {name} started, so it is not known whether {name} has read the current file. \
                 A restart is assumed to be due."
            )
        });
        let restart = Self {
            required: restart.required,
            reason: restart.reason,
            services: is_named.then_some(name).into_iter().collect(),
        };
        (restart, warning)
    }
}

/// Returns a warning about processes that have the name of a service and are not that service.
pub(super) fn strangers_warning(
    service: Service,
    status: &Status,
    aspera_root: &Path,
) -> Option<String> {
    /// The limit on the processes that are listed. Anybody can start any number of them.
    const NAMED: usize = 5;
    let strangers = status.strangers.iter().take(NAMED).map(|stranger| {
        let account = stranger.account.as_deref().unwrap_or("unknown");
        format!(
            "process {} of account {account} ({})",
            stranger.pid, stranger.mismatch
        )
    });
    let mut strangers = strangers.collect::<Vec<_>>().join(", ");
    if let more @ 1.. = status.strangers.len().saturating_sub(NAMED) {
        strangers += &format!(", and {more} more");
    }
    (!strangers.is_empty()).then(|| {
        format!(
            "Processes that are named like {} do not count as that service of {}: {strangers}. Find out who started them. If they are the \
             service, correct aspera_root.",
            service.name(),
            aspera_root.display()
        )
    })
}

/// Returns a warning about a file that the module only reads and could not read.
pub(super) fn unread(error: &FileError, consequence: &str) -> String {
    let remedy = file_failure::remedy(error).unwrap_or_default();
    let sentences = [&*error.sentence(), consequence, &*remedy];
    let sentences: Vec<&str> = sentences
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect();
    sentences.join(" ")
}

/// Converts lines of the domain into lines of a diff.
pub(super) fn diff_lines(lines: Vec<DisplayLine>) -> Vec<Line> {
    let line = |line| match line {
        DisplayLine::Shown(text) => Line::Shown(text),
        DisplayLine::Hidden => Line::Hidden,
    };
    lines.into_iter().map(line).collect()
}
