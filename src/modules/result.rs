//! Parts of a result that modules share.

use serde::Serialize;

use crate::ansible::Line;
use crate::aspera::display::DisplayLine;
use crate::aspera::found_value::{FoundSetting, FoundValue};

/// The setting that was in force before.
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

/// Which service must restart, and why.
#[derive(Debug, Serialize)]
pub(super) struct Restart {
    #[serde(rename = "restart_required")]
    required: bool,
    #[serde(rename = "restart_reason")]
    reason: Option<&'static str>,
    #[serde(rename = "restart_services")]
    services: Vec<&'static str>,
}

impl Restart {
    /// After a run that changed the file of a service, or did not.
    pub(super) fn after(changed: bool, service: &'static str) -> Self {
        Self {
            required: changed,
            reason: changed.then_some("changed"),
            services: changed.then_some(service).into_iter().collect(),
        }
    }
}

/// Lines of the domain as lines of a diff.
pub(super) fn diff_lines(lines: Vec<DisplayLine>) -> Vec<Line> {
    let line = |line| match line {
        DisplayLine::Shown(text) => Line::Shown(text),
        DisplayLine::Hidden => Line::Hidden,
    };
    lines.into_iter().map(line).collect()
}
