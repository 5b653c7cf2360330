//! `aspera_docroot_sse`: the encryption in the S3 docroots of users, groups and the default, in `aspera.conf`.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::asconfigurator;
use super::docroot_failure::{self, Refusal};
use super::host;
use super::pending_restart::PendingRestart;
use super::result::{Previous, Restart, diff_lines, unread};
use super::setting::{self, State, VALIDATE_KMS_KEY_ID};
use crate::ansible::{
    Diff, Failure, Kind, MAX_PLACES, Module, OptionSpec, Outcome, Place, Shown, Task,
};
use crate::aspera::aspera_conf::Scope;
use crate::aspera::docroot_display::changed_places;
use crate::aspera::docroot_plan::{self, Plan, PlannedDocroot, Request, Selection};
use crate::aspera::docroot_uri::{DocrootUri, KeyEncoding, Storage};
use crate::aspera::encryption::{Encryption, EncryptionSetting};
use crate::aspera::kms_key::KmsKey;
use crate::aspera::s3_properties;
use crate::aspera::services::Service;
use crate::files::{self, EditOptions, Edited, Proposal, edit};
use crate::text::xml;

/// The module.
pub struct AsperaDocrootSse;

const STATE: OptionSpec = OptionSpec::new("state", Kind::Str).one_of(&["present", "absent"]);
const ENCRYPTION: OptionSpec =
    OptionSpec::new("server_side_encryption", Kind::Str).shown_if(Encryption::is_recognised);
const KMS_KEY: OptionSpec =
    OptionSpec::new("kms_key_id", Kind::Str).shown_if(KmsKey::is_recognised);
const ENCODING: OptionSpec =
    OptionSpec::new("kms_key_encoding", Kind::Str).one_of(&["raw", "percent"]);
/// A URI with credentials, as often as not.
const DOCROOT: OptionSpec = OptionSpec {
    shown: Shown::Never,
    ..OptionSpec::new("docroot", Kind::Str)
};

impl Module for AsperaDocrootSse {
    const NAME: &'static str = "aspera_docroot_sse";
    const PURPOSE: &'static str = "Sets the server-side encryption in the S3 docroots of an IBM Aspera server's users, groups and default.";
    const OPTIONS: &'static [OptionSpec] = &[
        OptionSpec::new("aspera_root", Kind::Path).or("/opt/aspera"),
        OptionSpec::new("path", Kind::Path),
        OptionSpec::new("user", Kind::Str),
        OptionSpec::new("group", Kind::Str),
        OptionSpec::flag("global"),
        OptionSpec::flag("all"),
        OptionSpec::new(
            "docroots",
            Kind::List(&Kind::Dict(&[
                OptionSpec::new("user", Kind::Str),
                OptionSpec::new("group", Kind::Str),
                OptionSpec::flag("global"),
                STATE,
                ENCRYPTION,
                KMS_KEY,
                ENCODING,
                DOCROOT,
            ])),
        ),
        STATE.or("present"),
        ENCRYPTION,
        KMS_KEY,
        VALIDATE_KMS_KEY_ID,
        ENCODING,
        DOCROOT,
        OptionSpec::new("method", Kind::Str)
            .or("file")
            .one_of(&["file", "asconfigurator"]),
        OptionSpec::flag("backup"),
        OptionSpec::flag("unsafe_writes"),
    ];

    const IF_ONE_FAILS: &'static str =
        "To set the other docroots meanwhile, name them in the option docroots.";

    type Values = Values;

    fn run(task: &Task) -> Result<Outcome<Values>> {
        let options: Options = task.arguments.typed();
        let requests = options.requests(&task.arguments.typed())?;
        let settings: Vec<EncryptionSetting> = requests
            .iter()
            .filter_map(|request| request.desired.clone())
            .collect();
        let path = options.path();
        let mut warnings = host::warnings(&options.aspera_root, &settings)?;
        warnings.extend(setting_warnings(&options.aspera_root, &settings));
        let edit_options = EditOptions {
            check_only: task.settings.check_mode,
            backup: options.backup,
            allow_in_place: options.unsafe_writes,
            new_file: None,
        };
        let pending_restart = PendingRestart::begin(Service::Noded, &options.aspera_root);
        let edited = match options.method {
            Method::File => edit(&path, edit_options, |bytes| plan(bytes, &requests))
                .map_err(|error| docroot_failure::failure(error, &path)),
            Method::Asconfigurator => {
                let request = options.request_for_asconfigurator(&requests)?;
                asconfigurator::edit(&path, &options.aspera_root, request, edit_options)
            }
        };
        let edited = match edited {
            Ok(edited) => edited,
            Err(failure) => {
                return Err(Failure {
                    warnings,
                    ..failure
                }
                .into());
            }
        };
        // Ansible shows equal warnings once for all hosts: the path tells whose they are.
        let about_file = |warning| format!("{}: {warning}", path.display());
        warnings.extend(edited.plan.warnings.iter().map(about_file));
        warnings.extend(edited.warnings.iter().cloned());
        let (restart, warning) = pending_restart.finish(&path, edited.changed);
        warnings.extend(warning);
        Ok(Outcome {
            warnings,
            diff: (task.settings.diff && edited.changed).then(|| diff(&path, &edited)),
            changed: edited.changed,
            values: Values::new(&path, &edited, restart),
        })
    }
}

#[derive(Deserialize)]
struct Options {
    aspera_root: PathBuf,
    path: Option<PathBuf>,
    all: bool,
    docroots: Option<Vec<Entry>>,
    validate_kms_key_id: bool,
    method: Method,
    backup: bool,
    unsafe_writes: bool,
}

/// The option `method`: who writes the file.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Method {
    File,
    Asconfigurator,
}

/// One docroot with what is to become of it: the task itself, or an element of `docroots`.
#[derive(Deserialize)]
struct Entry {
    user: Option<String>,
    group: Option<String>,
    global: bool,
    state: Option<State>,
    server_side_encryption: Option<String>,
    kms_key_id: Option<String>,
    kms_key_encoding: Option<Encoding>,
    docroot: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Encoding {
    Raw,
    Percent,
}

impl From<Encoding> for KeyEncoding {
    fn from(encoding: Encoding) -> Self {
        match encoding {
            Encoding::Raw => Self::Raw,
            Encoding::Percent => Self::Percent,
        }
    }
}

impl Options {
    fn path(&self) -> PathBuf {
        match &self.path {
            Some(path) => path.clone(),
            None => self.aspera_root.join("etc/aspera.conf"),
        }
    }

    /// The one docroot that `asconfigurator` can be told of.
    fn request_for_asconfigurator<'r>(&self, requests: &'r [Request]) -> Result<&'r Request> {
        if self.path.is_some() {
            return Err(Failure::new(
                "The option path does not go with method: asconfigurator, which writes etc/aspera.conf below aspera_root. Leave path out.",
            )
            .into());
        }
        match requests {
            [request] if self.docroots.is_none() && request.selection != Selection::All => Ok(request),
            _ => Err(Failure::new(
                "method: asconfigurator sets the docroot of one user, one group, or the default. Name it by user, group or global, or use method: file.",
            )
            .into()),
        }
    }

    /// What is asked for, where `task` holds those options that an element of `docroots` may have too.
    fn requests(&self, task: &Entry) -> Result<Vec<Request>> {
        let named = task.scopes()?;
        let ways = named.len() + usize::from(self.all) + usize::from(self.docroots.is_some());
        if ways != 1 {
            return Err(Failure::new(
                "Exactly one of the options user, group, global, all and docroots must say which docroots are meant. Set one of them.",
            )
            .into());
        }
        let Some(entries) = &self.docroots else {
            let selection = named
                .into_iter()
                .next()
                .map_or(Selection::All, Selection::Of);
            return Ok(vec![task.request(
                selection,
                task,
                self.validate_kms_key_id,
                "",
            )?]);
        };
        if entries.is_empty() {
            return Err(Failure::new(
                "The option docroots is an empty list. Name a docroot in it, or set all: true for every S3 docroot of the file.",
            )
            .into());
        }
        if task.docroot.is_some() {
            return Err(Failure::new(
                "The option docroot goes with one user, group or global. In docroots, each element has its own docroot.",
            )
            .into());
        }
        let mut requests = Vec::with_capacity(entries.len());
        for (index, entry) in entries.iter().enumerate() {
            let place = format!("docroots[{index}]: ");
            let mut scopes = entry.scopes()?;
            let (Some(scope), true) = (scopes.pop(), scopes.is_empty()) else {
                return Err(Failure::new(format!(
                    "{place}Exactly one of user, group and global must say whose docroot is meant. Set one of them."
                ))
                .into());
            };
            let selection = Selection::Of(scope);
            requests.push(entry.request(selection, task, self.validate_kms_key_id, &place)?);
        }
        refuse_repetition(&requests)?;
        Ok(requests)
    }
}

impl Entry {
    fn scopes(&self) -> Result<Vec<Scope>> {
        let user = self.user.clone().map(Scope::User);
        let group = self.group.clone().map(Scope::Group);
        let global = self.global.then_some(Scope::Global);
        let scopes: Vec<Scope> = [user, group, global].into_iter().flatten().collect();
        for scope in &scopes {
            let is_name = |name: &str| {
                let is_unfit = |c: char| c.is_control() || !xml::is_allowed(c);
                !name.is_empty() && name.trim() == name && !name.contains(is_unfit)
            };
            if !scope.name().is_none_or(is_name) {
                return Err(Failure::new(format!(
                    "The option {} is not a name: it is empty, starts or ends in a blank, or has a character in it that XML does not allow. Correct it.",
                    scope.kind()
                ))
                .into());
            }
        }
        Ok(scopes)
    }

    /// What is asked for, with what the task says for all where the entry says nothing itself.
    fn request(
        &self,
        selection: Selection,
        task: &Self,
        validate_kms_key_id: bool,
        place: &str,
    ) -> Result<Request> {
        let state = self.state.or(task.state).unwrap_or(State::Present);
        // A key belongs to its encryption: the task's goes to entries that take the task's encryption.
        let (encryption, inherited_key) = match &self.server_side_encryption {
            Some(encryption) => (Some(encryption), None),
            None => (
                task.server_side_encryption.as_ref(),
                task.kms_key_id.as_ref(),
            ),
        };
        let kms_key = self.kms_key_id.as_ref().or(inherited_key);
        let desired = setting::desired(
            state,
            encryption.map(String::as_str),
            kms_key.map(String::as_str),
            validate_kms_key_id,
        )
        .map_err(|error| Failure::new(format!("{place}{error}")))?;
        let docroot = self.docroot.as_deref();
        if docroot.is_some() && (state == State::Absent || selection == Selection::All) {
            return Err(Failure::new(format!(
                "{place}The option docroot sets the docroot of one user, group or global, and goes with state=present only. Leave it out."
            ))
            .into());
        }
        let docroot = docroot
            .map(|text| checked_docroot(text, desired.as_ref()))
            .transpose();
        Ok(Request {
            selection,
            docroot: docroot
                .map_err(|what| Failure::new(format!("{place}The option docroot {what}")))?,
            encoding: self
                .kms_key_encoding
                .or(task.kms_key_encoding)
                .map(KeyEncoding::from),
            desired,
        })
    }
}

/// Checks a docroot that is to be set; what is wrong with it, never the text.
fn checked_docroot(text: &str, desired: Option<&EncryptionSetting>) -> Result<DocrootUri, String> {
    let is_unfit = |c: char| c.is_whitespace() || c.is_control() || !xml::is_allowed(c);
    if text.contains(is_unfit) {
        return Err("contains a blank, a control character, or one that XML does not allow. Percent-encode it.".to_owned());
    }
    let uri = DocrootUri::new(text);
    match uri.storage() {
        Storage::S3 if text.len() > "s3://".len() => {}
        Storage::S3 | Storage::Empty | Storage::Unset | Storage::Local | Storage::Unknown => {
            return Err("is not a URI of S3 storage: write s3://HOST/BUCKET/PATH.".to_owned());
        }
        Storage::MisspelledS3 => {
            return Err("has a scheme that is not spelled s3:// in lower case, which Aspera demands. Correct it.".to_owned());
        }
        Storage::Other(_) => {
            return Err("is of another storage than S3, and the options for encryption are S3's. Write s3://HOST/BUCKET/PATH.".to_owned());
        }
    }
    if uri.has_question_mark_in_credentials() {
        return Err("has a ? before its @, so that it cannot be told where its options start. Percent-encode the credentials (? is %3F).".to_owned());
    }
    let found = uri.found_setting(None);
    let says_nothing = found.encryption.is_none() && found.kms_key.is_none();
    if says_nothing || uri.holds(desired) {
        Ok(uri)
    } else {
        Err("has options for encryption in it that contradict those of the task. Leave them out of the URI.".to_owned())
    }
}

fn refuse_repetition(requests: &[Request]) -> Result<()> {
    let scopes = docroot_plan::by_scope(requests);
    match scopes.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        Some(pair) => Err(Failure::new(format!(
            "The option docroots names {} more than once. Name each docroot once.",
            pair[0].0
        ))
        .into()),
        None => Ok(()),
    }
}

/// What is to be said of the settings themselves.
fn setting_warnings(aspera_root: &Path, settings: &[EncryptionSetting]) -> Vec<String> {
    let has = |encryption| {
        settings
            .iter()
            .any(|setting| setting.encryption() == encryption)
    };
    let mut warnings = Vec::new();
    if has(Encryption::None) {
        warnings.push(
            "The vendor does not document NONE in a docroot, nor whether it overrides s3.properties. Verify an upload.".to_owned(),
        );
    }
    let properties = aspera_root.join("etc/trapd/s3.properties");
    if has(Encryption::AwsKms) {
        warnings.extend(match files::read(&properties) {
            Ok(bytes) => bytes
                .and_then(|bytes| s3_properties::kms_warning(&bytes))
                .map(|warning| format!("{}: {warning}", properties.display())),
            Err(error) => Some(unread(
                &error,
                "So it is not known whether trapd uses HTTPS, without which AWS refuses SSE-KMS requests.",
            )),
        });
    }
    warnings
}

fn plan(bytes: Option<&[u8]>, requests: &[Request]) -> Result<Proposal<Plan>, Refusal> {
    let bytes = bytes.ok_or(Refusal::Missing)?;
    let mut plan = docroot_plan::plan(bytes, requests)?;
    let content = (!plan.edits.is_empty()).then(|| std::mem::take(&mut plan.after));
    Ok(Proposal { content, plan })
}

/// The module's own keys in its result.
#[derive(Debug, Serialize)]
pub struct Values {
    path: String,
    docroots: Vec<DocrootValues>,
    #[serde(flatten)]
    restart: Restart,
    #[serde(skip_serializing_if = "Option::is_none")]
    backup_file: Option<String>,
}

#[derive(Debug, Serialize)]
struct DocrootValues {
    scope: &'static str,
    name: Option<String>,
    peer_ip: Option<String>,
    uri: String,
    server_side_encryption: Option<Encryption>,
    kms_key_id: Option<String>,
    previous: Previous,
    changed: bool,
    skipped: Option<&'static str>,
}

impl Values {
    fn new(path: &Path, edited: &Edited<Plan>, restart: Restart) -> Self {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        Self {
            path: text(path),
            docroots: edited
                .plan
                .docroots
                .iter()
                .map(DocrootValues::from)
                .collect(),
            restart,
            backup_file: edited.backup.as_deref().map(text),
        }
    }
}

impl From<&PlannedDocroot> for DocrootValues {
    fn from(docroot: &PlannedDocroot) -> Self {
        let setting = docroot.setting.as_ref();
        Self {
            scope: docroot.scope.kind(),
            name: docroot.scope.name().map(str::to_owned),
            peer_ip: docroot.peer_ip.clone(),
            uri: docroot.masked_uri.clone(),
            server_side_encryption: setting.map(EncryptionSetting::encryption),
            kms_key_id: setting
                .and_then(EncryptionSetting::kms_key)
                .map(ToString::to_string),
            previous: Previous::from(&docroot.previous),
            changed: docroot.changed,
            skipped: docroot.skipped,
        }
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
