//! The road of a task that sets something: the arguments are checked, the programs of the host are asked, the file is edited, and the outcome says whether
//! a service must restart. Warnings are collected here, in this order, and survive every failure.

use std::path::Path;

use super::file_failure;
use super::host_warnings::{KmsSupport, trapd_warning, uses_kms};
use super::pending_restart::PendingRestart;
use super::result::RestartReport;
use crate::ansible::Failure;
use crate::aspera::host::{Host, Service};
use crate::aspera::setting::EncryptionSetting;
use crate::files::{self, Edited};

/// What a task sets.
pub(super) struct Target<'t> {
    /// The service that reads the file.
    pub(super) service: Service,
    pub(super) aspera_root: &'t Path,
    /// The file that the task edits.
    pub(super) path: &'t Path,
    /// How many backups of the file are left, or `None` for all.
    pub(super) backup_keep: Option<usize>,
    /// The settings that the task asks for.
    pub(super) settings: &'t [EncryptionSetting],
}

/// A file that was edited, or in check mode would be.
pub(super) struct Applied<P> {
    pub(super) edited: Edited<P>,
    pub(super) restart: RestartReport,
    pub(super) warnings: Vec<String>,
}

/// Edits a file. The arguments of the task must be checked before. `warnings_of_settings` are known without the file, and `warnings_of_plan` returns those about
/// its content.
pub(super) fn apply<P>(
    target: &Target,
    warnings_of_settings: Vec<String>,
    edit: impl FnOnce() -> Result<Edited<P>, Failure>,
    warnings_of_plan: impl FnOnce(&Edited<P>) -> Vec<String>,
) -> Result<Applied<P>, Failure> {
    let host = Host::this();
    // These programs take their time, and answer while the rest is done.
    let support = uses_kms(target.settings).then(|| KmsSupport::ask(target.aspera_root));
    let pending_restart = PendingRestart::begin(&host, target.service, target.aspera_root);
    let mut warnings = warnings_of_settings;
    if let Some(support) = support {
        match support.warning() {
            Ok(warning) => warnings.extend(warning),
            Err(unsupported) => return Err(with(warnings, Failure::new(unsupported.to_string()))),
        }
        warnings.extend(trapd_warning(&host, target.aspera_root));
    }
    let mut edited = match edit() {
        Ok(edited) => edited,
        Err(failure) => return Err(with(warnings, failure)),
    };
    // Ansible shows identical warnings only once for all hosts. The path says which file each of them is about.
    let about_file = |warning| format!("{}: {warning}", target.path.display());
    warnings.extend(warnings_of_plan(&edited).into_iter().map(about_file));
    warnings.append(&mut edited.warnings);
    if let (Some(newest), Some(kept)) = (&edited.backup, target.backup_keep) {
        match files::remove_older_backups(target.path, newest, kept) {
            Ok(warned) => warnings.extend(warned),
            Err(error) => warnings.push(format!(
                "The old backups could not be removed. {}",
                file_failure::message(&error)
            )),
        }
    }
    let (restart, warnings_of_restart) = pending_restart.finish(target.path, edited.changed);
    warnings.extend(warnings_of_restart);
    Ok(Applied {
        edited,
        restart,
        warnings,
    })
}

/// Puts warnings before those of a failure.
fn with(mut warnings: Vec<String>, failure: Failure) -> Failure {
    warnings.extend(failure.warnings);
    Failure {
        warnings,
        ..failure
    }
}
