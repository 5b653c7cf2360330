//! `aspera_trapd_sse`: the encryption of all uploads of a server, in `s3.properties`.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::apply::{Applied, Target, apply};
use super::file_failure;
use super::host_warnings::key_warnings;
use super::restore::{RESTORE, Restored};
use super::result::{Previous, RestartReport, diff_lines, unread};
use super::setting::{
    self, AWS_MANAGED_KEY, BACKUP_KEEP, State, VALIDATE_KMS_KEY_ID, backups_kept,
};
use crate::ansible::{Diff, Failure, Kind, Module, OptionSpec, Outcome, Place, Task};
use crate::aspera::host::{Installation, Service};
use crate::aspera::setting::{Encryption, EncryptionSetting, KmsKey};
use crate::aspera::trapd::{self, Plan, PlanError, RollbackError};
use crate::files::{self, EditError, EditOptions, Edited, NewFile, Problem, Proposal, edit};

pub struct AsperaTrapdSse;

impl Module for AsperaTrapdSse {
    const NAME: &'static str = "aspera_trapd_sse";
    const PURPOSE: &'static str =
        "Sets the server-side encryption of all S3 uploads of an IBM Aspera server.";
    const OPTIONS: &'static [OptionSpec] = &[
        OptionSpec::new("aspera_root", Kind::Path).default("/opt/aspera"),
        OptionSpec::new("path", Kind::Path),
        OptionSpec::new("state", Kind::Str)
            .default("present")
            .choices(&["present", "absent"]),
        OptionSpec::new("server_side_encryption", Kind::Str).shown_if(Encryption::is_recognised),
        OptionSpec::new("kms_key_id", Kind::Str).shown_if(KmsKey::is_recognised),
        AWS_MANAGED_KEY,
        VALIDATE_KMS_KEY_ID,
        OptionSpec::flag("create"),
        OptionSpec::flag("backup"),
        BACKUP_KEEP,
        RESTORE,
        OptionSpec::flag("unsafe_writes"),
    ];

    type Values = Values;

    fn run(task: &Task) -> Result<Outcome<Values>> {
        let options: Options = task.arguments.typed();
        let path = options.path();
        let restored = options.restored(&path)?;
        let desired = match restored {
            Some(_) => None,
            None => options.desired_setting()?,
        };
        let (edit_options, warning) = options.edit_options(task);
        let target = Target {
            service: Service::Trapd,
            aspera_root: &options.aspera_root,
            path: &path,
            backup_keep: backups_kept(options.backup_keep, options.backup)?,
            settings: desired.as_slice(),
        };
        let warnings = key_warnings(target.settings)
            .into_iter()
            .chain(warning)
            .chain(options.nothing_to_remove());
        let edit = || {
            let plan = |bytes: Option<&[u8]>| match (&restored, bytes) {
                (None, bytes) => plan(bytes, desired.as_ref(), &options),
                (Some(_), None) => Err(Refusal::NothingToRestore),
                (Some(restored), Some(bytes)) => Ok(trapd::rollback(bytes, &restored.bytes)?),
            };
            edit(&path, edit_options, plan).map_err(|error| failure(error, &path, &options))
        };
        let Applied {
            edited,
            restart,
            warnings,
        } = apply(
            &target,
            warnings.collect(),
            edit,
            |edited: &Edited<Plan>| edited.plan.warnings.clone(),
        )?;
        let values = Values::new(&path, desired.as_ref(), restored, &edited, restart);
        Ok(Outcome {
            warnings,
            changed: edited.changed,
            values,
            diff: (task.settings.diff && edited.changed).then(|| diff(&path, edited)),
        })
    }
}

#[derive(Deserialize)]
struct Options {
    aspera_root: PathBuf,
    path: Option<PathBuf>,
    state: State,
    server_side_encryption: Option<String>,
    kms_key_id: Option<String>,
    aws_managed_key: Option<bool>,
    validate_kms_key_id: bool,
    create: bool,
    backup: bool,
    backup_keep: Option<i64>,
    restore: Option<String>,
    unsafe_writes: bool,
}

impl Options {
    fn path(&self) -> PathBuf {
        match &self.path {
            Some(path) => path.clone(),
            None => Installation::at(&self.aspera_root).s3_properties(),
        }
    }

    /// Returns the backup that is to be brought back, if one is.
    fn restored(&self, path: &Path) -> Result<Option<Restored>, Failure> {
        let others = [
            ("state: absent", self.state == State::Absent),
            (
                "server_side_encryption",
                self.server_side_encryption.is_some(),
            ),
            ("kms_key_id", self.kms_key_id.is_some()),
            ("aws_managed_key", self.aws_managed_key.is_some()),
            ("create: true", self.create),
        ];
        let restore = self.restore.as_deref();
        restore
            .map(|restore| Restored::read(restore, path, self.backup, &others))
            .transpose()
    }

    /// Returns the desired setting, or `None` for `absent`. The options that describe a setting are ignored then.
    fn desired_setting(&self) -> Result<Option<EncryptionSetting>> {
        setting::desired(
            self.state,
            self.server_side_encryption.as_deref(),
            self.kms_key_id.as_deref(),
            self.aws_managed_key.unwrap_or_default(),
            self.validate_kms_key_id,
        )
    }

    /// Returns what to do where the file is missing.
    fn remedy(&self, or_create: &str) -> String {
        if let Some(wrong_root) = self.wrong_root() {
            return wrong_root;
        }
        let correct = match self.path {
            Some(_) => "Correct the option path",
            None => "It comes with trapd: install and enable trapd with astrap-config.sh enable",
        };
        format!("{correct}{or_create}.")
    }

    /// Returns what to do if the file is looked for below a root where no Aspera is.
    fn wrong_root(&self) -> Option<String> {
        let root = self.aspera_root.display();
        let is_wrong = self.path.is_none() && !Installation::at(&self.aspera_root).is_there();
        is_wrong.then(|| {
            format!(
                "Neither etc/aspera.conf nor bin/ascp is in {root}. Set aspera_root to the folder in which Aspera is installed."
            )
        })
    }

    /// Returns a warning if there may be a setting elsewhere that the task is to remove.
    fn nothing_to_remove(&self) -> Option<String> {
        (self.state == State::Absent)
            .then(|| self.wrong_root())
            .flatten()
    }

    fn edit_options(&self, task: &Task) -> (EditOptions, Option<String>) {
        let model = self.path().with_file_name("trap.properties");
        let (new_file, warning) = self.create.then(|| new_file(&model)).unzip();
        let edit_options = EditOptions {
            size_limit: trapd::MAX_LENGTH,
            check_only: task.settings.check_mode,
            backup: self.backup,
            allow_in_place: self.unsafe_writes,
            new_file,
        };
        (edit_options, warning.flatten())
    }
}

/// Returns the owner and mode of a new file: those of the neighbour that trapd also reads, with a warning if there is no usable neighbour.
fn new_file(model: &Path) -> (NewFile, Option<String>) {
    let usual = NewFile {
        owner: 0,
        group: 0,
        mode: 0o644,
    };
    match files::metadata(model) {
        Ok(Some(model)) => (
            NewFile {
                owner: model.owner,
                group: model.group,
                mode: model.mode,
            },
            None,
        ),
        Ok(None) => (usual, None),
        Err(error) => {
            let consequence = "If s3.properties is created, it belongs to root and has mode 0644.";
            (usual, Some(unread(&error, consequence)))
        }
    }
}

/// The reason why there is no plan.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error("{0}")]
    Edit(#[from] PlanError),
    #[error("no file")]
    Missing,
    #[error("{0}")]
    Rollback(#[from] RollbackError),
    #[error("the file does not exist. Copy the backup there by hand, with cp -p.")]
    NothingToRestore,
    #[error(
        "a KMS key is set, and the task names none. Name it in kms_key_id, or set aws_managed_key: true if uploads are to use the key that AWS \
         manages (aws/s3)."
    )]
    KeyNotNamed,
}

impl Proposal for Plan {
    fn content(&self) -> Option<&[u8]> {
        (!self.edits.is_empty()).then_some(&*self.after)
    }
}

fn plan(
    bytes: Option<&[u8]>,
    desired: Option<&EncryptionSetting>,
    options: &Options,
) -> Result<Plan, Refusal> {
    if bytes.is_none() && desired.is_some() && !options.create {
        return Err(Refusal::Missing);
    }
    let plan = trapd::plan(bytes.unwrap_or_default(), desired)?;
    if plan.uses_aws_managed_key_instead && options.aws_managed_key != Some(true) {
        return Err(Refusal::KeyNotNamed);
    }
    Ok(plan)
}

fn failure(error: EditError<Refusal>, path: &Path, options: &Options) -> Failure {
    let path = path.display();
    let changed = matches!(&error, EditError::File(error) if error.file_was_changed());
    let message = match error {
        EditError::Plan(Refusal::Missing) => format!(
            "{path} does not exist. {}",
            options.remedy(", or set create: true to create the file")
        ),
        EditError::Plan(refusal) => format!("{path}: {refusal} Nothing was changed."),
        EditError::File(error) if error.problem == Problem::Missing => format!(
            "{path} cannot be created: its folder does not exist. {}",
            options.remedy("")
        ),
        EditError::File(error) => file_failure::message(&error),
    };
    Failure {
        changed,
        ..Failure::new(message)
    }
}

/// The module's own keys in its result.
#[derive(Debug, Serialize)]
pub struct Values {
    path: String,
    server_side_encryption: Option<&'static str>,
    kms_key_id: Option<String>,
    previous: Previous,
    #[serde(flatten)]
    restart: RestartReport,
    #[serde(skip_serializing_if = "Option::is_none")]
    backup_file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    restored_from: Option<String>,
}

impl Values {
    fn new(
        path: &Path,
        desired: Option<&EncryptionSetting>,
        restored: Option<Restored>,
        edited: &Edited<Plan>,
        restart: RestartReport,
    ) -> Self {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        Self {
            path: text(path),
            server_side_encryption: desired.map(|setting| setting.encryption().as_str()),
            kms_key_id: desired
                .and_then(EncryptionSetting::kms_key)
                .map(ToString::to_string),
            previous: Previous::from(&edited.plan.previous),
            restart,
            backup_file: edited.backup.as_deref().map(text),
            restored_from: restored.map(|restored| text(&restored.path)),
        }
    }
}

fn diff(path: &Path, edited: Edited<Plan>) -> Diff {
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let places = edited.plan.places.into_iter();
    let places: Vec<Place> = places
        .map(|place| Place {
            title: title(&file, &place.line_numbers),
            before: diff_lines(place.before),
            after: diff_lines(place.after),
        })
        .collect();
    Diff::new(path.to_string_lossy(), &places, places.len())
}

fn title(file: &str, line_numbers: &[usize]) -> String {
    let numbers: Vec<String> = line_numbers.iter().map(ToString::to_string).collect();
    let word = if numbers.len() == 1 { "line" } else { "lines" };
    format!("{file} {word} {}", numbers.join(", "))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};

    use super::*;

    #[test]
    fn a_new_file_has_the_owner_and_mode_of_its_neighbour_without_the_bits_that_lend_rights() {
        let folder = tempfile::tempdir().unwrap();
        let model = folder.path().join("trap.properties");
        fs::write(&model, "").unwrap();
        // An ordinary user can give it to nobody else. The numbers of that user differ from root's, too.
        let _ = chown(&model, Some(12), Some(34));
        let owner = fs::metadata(&model).unwrap();
        for (mode, expected) in [(0o640, 0o640), (0o7_755, 0o755), (0o4_600, 0o600)] {
            fs::set_permissions(&model, Permissions::from_mode(mode)).unwrap();
            let wanted = NewFile {
                owner: owner.uid(),
                group: owner.gid(),
                mode: expected,
            };
            assert_eq!(new_file(&model), (wanted, None));
        }
    }

    #[test]
    fn a_new_file_without_a_neighbour_belongs_to_root_and_is_readable_by_all() {
        let wanted = NewFile {
            owner: 0,
            group: 0,
            mode: 0o644,
        };
        assert_eq!(
            new_file(Path::new("/nonexistent/trap.properties")),
            (wanted, None)
        );
    }
}
