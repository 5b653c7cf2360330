//! `aspera_docroot_sse`: the encryption in the S3 docroots of users, groups and the default, in `aspera.conf`.

use std::path::Path;

use anyhow::Result;
use serde::{Serialize, Serializer};

use super::apply::{Applied, Target, apply};
use super::asconfigurator;
use super::docroot_failure::{self, Refusal};
use super::docroot_options::{
    DOCROOT, DOCROOTS, ENCODING, ENCRYPTION, Entry, KMS_KEY, Method, Options, STATE,
};
use super::docroot_warnings::{plan_warnings, setting_warnings};
use super::host_warnings::key_warnings;
use super::restore::{RESTORE, Restored};
use super::result::{Previous, RestartReport, diff_lines};
use super::setting::{AWS_MANAGED_KEY, BACKUP_KEEP, VALIDATE_KMS_KEY_ID, backups_kept};
use crate::ansible::{Diff, Kind, MAX_PLACES, Module, OptionSpec, Outcome, Place, Task};
use crate::aspera::docroot::{
    self, Fate, Plan, PlannedDocroot, Request, SkipReason, changed_places,
};
use crate::aspera::host::Service;
use crate::aspera::setting::EncryptionSetting;
use crate::files::{EditOptions, Edited, Proposal, SIZE_LIMIT, edit};

pub struct AsperaDocrootSse;

impl Module for AsperaDocrootSse {
    const NAME: &'static str = "aspera_docroot_sse";
    const PURPOSE: &'static str = "Sets the server-side encryption in the S3 docroots of an IBM Aspera server's users, groups and default.";
    const OPTIONS: &'static [OptionSpec] = &[
        OptionSpec::new("aspera_root", Kind::Path).default("/opt/aspera"),
        OptionSpec::new("path", Kind::Path),
        OptionSpec::new("user", Kind::Str),
        OptionSpec::new("group", Kind::Str),
        OptionSpec::flag("global"),
        OptionSpec::flag("all"),
        DOCROOTS,
        STATE.default("present"),
        ENCRYPTION,
        KMS_KEY,
        AWS_MANAGED_KEY,
        VALIDATE_KMS_KEY_ID,
        ENCODING,
        DOCROOT,
        OptionSpec::new("method", Kind::Str)
            .default("file")
            .choices(&["file", "asconfigurator"]),
        OptionSpec::flag("backup"),
        BACKUP_KEEP,
        RESTORE,
        OptionSpec::flag("unsafe_writes"),
    ];

    const IF_ONE_FAILS: &'static str =
        "To set the other docroots meanwhile, name them in the option docroots.";

    type Values = Values;

    fn run(task: &Task) -> Result<Outcome<Values>> {
        let options: Options = task.arguments.typed();
        let path = options.path();
        let entry: Entry = task.arguments.typed();
        let restored = options.restored(&entry, &path)?;
        let requests = match restored {
            Some(_) => Vec::new(),
            None => options.requests(&entry)?,
        };
        let settings: Vec<EncryptionSetting> = requests
            .iter()
            .filter_map(|request| request.desired.clone())
            .collect();
        let for_asconfigurator = match options.method {
            Method::File => None,
            Method::Asconfigurator => Some(options.request_for_asconfigurator(&requests)?),
        };
        let edit_options = EditOptions {
            size_limit: SIZE_LIMIT,
            check_only: task.settings.check_mode,
            backup: options.backup,
            allow_in_place: options.unsafe_writes,
            new_file: None,
        };
        let target = Target {
            service: Service::Noded,
            aspera_root: &options.aspera_root,
            path: &path,
            backup_keep: backups_kept(options.backup_keep, options.backup)?,
            settings: &settings,
        };
        let mut warnings = key_warnings(&settings);
        warnings.extend(setting_warnings(&options.aspera_root, &settings));
        let edit = || match for_asconfigurator {
            None => {
                let plan = |bytes: Option<&[u8]>| match &restored {
                    None => plan(bytes, &requests),
                    Some(restored) => {
                        let bytes = bytes.ok_or(Refusal::Missing)?;
                        Ok(docroot::rollback(bytes, &restored.bytes)?)
                    }
                };
                edit(&path, edit_options, plan)
                    .map_err(|error| docroot_failure::failure(error, &path))
            }
            Some(request) => {
                asconfigurator::edit(&path, &options.aspera_root, request, edit_options)
            }
        };
        let Applied {
            edited,
            restart,
            warnings,
        } = apply(&target, warnings, edit, |edited| {
            plan_warnings(edited.before.as_deref().unwrap_or_default(), &edited.plan)
        })?;
        let diff = (task.settings.diff && edited.changed).then(|| diff(&path, &edited));
        // A file may be large: the parts of it that are no longer needed are dropped before the result is made.
        let Edited {
            changed,
            before,
            plan: Plan { docroots, .. },
            backup,
            ..
        } = edited;
        let docroots = DocrootList {
            file: before.unwrap_or_default(),
            docroots,
        };
        Ok(Outcome {
            warnings,
            diff,
            changed,
            values: Values::new(&path, docroots, backup.as_deref(), restored, restart),
        })
    }
}

impl Proposal for Plan {
    fn content(&self) -> Option<&[u8]> {
        self.after.as_deref()
    }
}

fn plan(bytes: Option<&[u8]>, requests: &[Request]) -> Result<Plan, Refusal> {
    let bytes = bytes.ok_or(Refusal::Missing)?;
    Ok(docroot::plan(bytes, requests)?)
}

/// The module's own keys in its result.
#[derive(Debug, Serialize)]
pub struct Values {
    path: String,
    docroots: DocrootList,
    #[serde(flatten)]
    restart: RestartReport,
    #[serde(skip_serializing_if = "Option::is_none")]
    backup_file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    restored_from: Option<String>,
}

/// All selected docroots. There may be very many, so the values of each are made when they are written.
#[derive(Debug)]
struct DocrootList {
    /// The file before the edits.
    file: Vec<u8>,
    docroots: Vec<PlannedDocroot>,
}

impl Serialize for DocrootList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let docroots = self.docroots.iter();
        serializer.collect_seq(docroots.map(|docroot| DocrootValues::new(docroot, &self.file)))
    }
}

#[derive(Debug, Serialize)]
struct DocrootValues {
    scope: &'static str,
    name: Option<String>,
    peer_ip: Option<String>,
    uri: String,
    server_side_encryption: Option<&'static str>,
    kms_key_id: Option<String>,
    previous: Previous,
    changed: bool,
    skipped: Option<&'static str>,
}

impl Values {
    fn new(
        path: &Path,
        docroots: DocrootList,
        backup: Option<&Path>,
        restored: Option<Restored>,
        restart: RestartReport,
    ) -> Self {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        Self {
            path: text(path),
            docroots,
            restart,
            backup_file: backup.map(text),
            restored_from: restored.map(|restored| text(&restored.path)),
        }
    }
}

impl DocrootValues {
    fn new(docroot: &PlannedDocroot, file: &[u8]) -> Self {
        let scope = docroot.scope(file);
        let setting = docroot.setting();
        let before = docroot.uri_before(file);
        let previous = Previous::from(&docroot.previous(&before));
        Self {
            scope: scope.kind(),
            name: scope.into_name(),
            peer_ip: docroot.peer_ip(file),
            uri: docroot.uri_after(before).masked(docroot.known_key()),
            server_side_encryption: setting.map(|setting| setting.encryption().as_str()),
            kms_key_id: docroot.known_key().map(ToString::to_string),
            previous,
            changed: docroot.changed(),
            skipped: match docroot.fate {
                Fate::Skipped(reason) => Some(skipped(reason)),
                Fate::Set { .. } => None,
            },
        }
    }
}

fn skipped(reason: SkipReason) -> &'static str {
    match reason {
        SkipReason::Empty => "empty",
        SkipReason::Unset => "unset (AS_NULL)",
        SkipReason::MisspelledS3 => "not s3: the scheme is case-sensitive",
        SkipReason::NotS3 => "not s3",
    }
}

fn diff(path: &Path, edited: &Edited<Plan>) -> Diff {
    let before = edited.before.as_deref().unwrap_or_default();
    let places: Vec<Place> = changed_places(before, &edited.plan, MAX_PLACES)
        .into_iter()
        .map(|place| Place {
            title: place.title,
            before: diff_lines(place.before),
            after: diff_lines(place.after),
        })
        .collect();
    Diff::new(path.to_string_lossy(), &places, edited.plan.changes.len())
}
