//! What was found on a server, as far as gaps in it matter.

use std::path::Path;

use super::asuserdata::Validity;
use super::services::{Manager, Obstacle, Reason, Restart, Service, ServiceState};
use crate::aspera::docroot::Uncovered;
use crate::files::FileError;

/// The result of reading a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// It was read and understood.
    Complete,
    /// The file does not exist.
    Missing,
    /// It cannot be read.
    Unread(FileError),
    /// The server would refuse it, for a reason.
    Malformed(String),
}

/// A service as it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FoundService {
    pub service: Service,
    /// The init system that starts and stops it.
    pub manager: Option<Manager>,
    /// Whether it is enabled.
    pub enabled: Option<bool>,
    /// The state of the service, or `None` if it is not known.
    pub state: Option<ServiceState>,
    /// Whether it must restart to run with the current version of its file.
    pub restart: Restart,
    /// The reason why it does not read the file that was judged, if there is one.
    pub obstacle: Option<Obstacle>,
}

impl FoundService {
    /// Returns whether a live process of it may have started before its file got its present content, or reads another file.
    pub fn may_run_older_file(&self) -> bool {
        if self.obstacle.is_some() {
            return true;
        }
        match (self.restart.required, self.restart.reason) {
            (Some(required), _) => required,
            // If no process lives, none runs with an older file.
            (None, Some(Reason::NoInitSystem) | None) => false,
            (None, Some(_)) => true,
        }
    }
}

/// The findings on a server.
#[derive(Debug)]
pub struct Found<'f> {
    /// The root of the installation.
    pub aspera_root: &'f Path,
    /// Whether there is an installation.
    pub installed: bool,
    /// The path of `aspera.conf` and the result of reading it.
    pub conf: (&'f Path, Reading),
    /// The places of `aspera.conf` that the model does not cover.
    pub uncovered: &'f [Uncovered],
    /// The path of `s3.properties` and the result of reading it.
    pub properties: (&'f Path, Reading),
    /// The path of `asuserdata` and its answer.
    pub asuserdata: (&'f Path, &'f Validity),
    /// The errors of those account files of the host that are needed and cannot be read.
    pub unread_accounts: &'f [FileError],
    /// The services that read the files, trapd first.
    pub services: [FoundService; 2],
    /// Whether uploads are judged that only trapd serves.
    pub trapd_is_needed: bool,
}
