//! The gaps: everything that should have been read of a server and was not. While there is any, a server is not reported as compliant.

use std::path::Path;

use super::asuserdata::{Silence, Validity};
use super::found::{Found, FoundService, Reading};
use super::program::Untrusted;
use super::services::{Obstacle, Reason, Service, ServiceState};
use crate::aspera::docroot::Uncovered;
use crate::files::FileError;

/// A gap and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incomplete {
    /// The place: a file, a service, the root of the installation, or the scope of a docroot.
    pub place: String,
    /// The gap at this place.
    pub gap: Gap,
}

/// A reason why the reading of a server is incomplete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gap {
    /// There is no Aspera below the root.
    NoInstallation,
    /// There is no `aspera.conf`.
    NoConf,
    /// There is no `s3.properties`, although trapd reads it or may read it.
    NoProperties,
    /// A file cannot be read.
    Unread(FileError),
    /// A file can be read, but the server would refuse its content.
    Malformed(String),
    /// A place of `aspera.conf` may matter for uploads, and the model does not cover it.
    Uncovered(Uncovered),
    /// The installation has no `asuserdata`, which would refuse a configuration that is not valid.
    NoAsuserdata,
    /// Others may change the program that validates the configuration, so it was not run.
    Untrusted(Untrusted),
    /// `asuserdata -v` gave no answer.
    NoValidation(Silence),
    Failed(Service),
    /// A service starts, perhaps again and again.
    Starting(Service),
    /// A service is enabled and does not run.
    Stopped(Service),
    /// A service is not known to be enabled and does not run, and the uploads that are judged need it.
    NotServing(Service),
    /// A service is enabled, and the init system does not know it.
    NoService(Service),
    /// The init system does not report the state of a service.
    NoAnswer(Service),
    /// A service does not read the file that was judged.
    OtherView(Service, Obstacle),
    /// A service runs with an older version of its file.
    OlderFile(Service),
    /// It is not known whether a service runs with the current version of its file.
    PerhapsOlderFile(Service, Reason),
}

/// Returns everything that should have been read of a server and was not.
pub fn gaps(found: &Found) -> Vec<Incomplete> {
    if !found.installed {
        return vec![Incomplete::at(
            found.aspera_root.to_string_lossy(),
            Gap::NoInstallation,
        )];
    }
    let trapd_enabled = found.services[0].enabled;
    let of_file = |(path, reading): &(&Path, Reading), missing: Option<Gap>| {
        let gap = match reading {
            Reading::Complete => None,
            Reading::Missing => missing,
            Reading::Unread(error) => Some(Gap::Unread(error.clone())),
            Reading::Malformed(why) => Some(Gap::Malformed(why.clone())),
        };
        gap.map(|gap| Incomplete::at(path.to_string_lossy(), gap))
    };
    // A server without trapd need not have the file. With trapd, a missing file sets nothing. But the vendor ships it, so its absence is a reason
    // to look, not a violation.
    let no_properties = (trapd_enabled != Some(false)).then_some(Gap::NoProperties);
    let files = [
        of_file(&found.conf, Some(Gap::NoConf)),
        of_file(&found.properties, no_properties),
    ];
    let uncovered = found.uncovered.iter().map(|uncovered| {
        Incomplete::at(found.conf.0.to_string_lossy(), Gap::Uncovered(*uncovered))
    });
    let accounts = found
        .unread_accounts
        .iter()
        .map(|error| Incomplete::at(error.path.to_string_lossy(), Gap::Unread(error.clone())));
    let (program, validity) = found.asuserdata;
    let validation = match validity {
        Validity::NotRefused | Validity::Refused => None,
        Validity::NoProgram => Some(Gap::NoAsuserdata),
        Validity::Unread(error) => Some(Gap::Unread(error.clone())),
        Validity::Untrusted(untrusted) => Some(Gap::Untrusted(untrusted.clone())),
        Validity::Silent(silence) => Some(Gap::NoValidation(*silence)),
    };
    let validation = validation.map(|gap| Incomplete::at(program.to_string_lossy(), gap));
    let services = found.services.iter().filter_map(|service| {
        let is_needed = service.service == Service::Trapd && found.trapd_is_needed;
        let gap = gap_of(*service, is_needed)?;
        Some(Incomplete::at(service.service.name(), gap))
    });
    files
        .into_iter()
        .flatten()
        .chain(uncovered)
        .chain(validation)
        .chain(accounts)
        .chain(services)
        .collect()
}

fn gap_of(found: FoundService, is_needed: bool) -> Option<Gap> {
    let service = found.service;
    if let Some(obstacle) = found.obstacle {
        return Some(Gap::OtherView(service, obstacle));
    }
    match (found.restart.required, found.restart.reason) {
        (Some(true), _) => return Some(Gap::OlderFile(service)),
        // If no process lives, none runs with an older file. A container starts services in its own way.
        (None, Some(Reason::NoInitSystem)) => return None,
        (None, Some(Reason::ProcessUnknown)) if found.state.is_none() => {}
        (None, Some(reason)) => return Some(Gap::PerhapsOlderFile(service, reason)),
        _ => {}
    }
    match (found.state, found.enabled) {
        (Some(ServiceState::Failed), _) => Some(Gap::Failed(service)),
        (Some(ServiceState::Restarting), _) => Some(Gap::Starting(service)),
        (Some(ServiceState::Stopped), Some(true)) => Some(Gap::Stopped(service)),
        (Some(ServiceState::Absent), Some(true)) => Some(Gap::NoService(service)),
        (Some(ServiceState::Stopped | ServiceState::Absent), _) if is_needed => {
            Some(Gap::NotServing(service))
        }
        (Some(ServiceState::Running | ServiceState::Stopped | ServiceState::Absent), _) => None,
        (None, _) => Some(Gap::NoAnswer(service)),
    }
}

impl Incomplete {
    /// Creates a gap at a place.
    pub fn at(place: impl Into<String>, gap: Gap) -> Self {
        Self {
            place: place.into(),
            gap,
        }
    }
}

#[cfg(test)]
mod tests;
