//! The options of `aspera_docroot_sse`, and the requests that they make.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::Deserialize;

use super::restore::Restored;
use super::setting::{self, AWS_MANAGED_KEY, State};
use crate::ansible::{Failure, Kind, OptionSpec, Shown};
use crate::aspera::docroot::{
    DocrootUri, KeyEncoding, Request, Scope, Selection, Storage, by_scope,
};
use crate::aspera::host::Installation;
use crate::aspera::setting::{Encryption, EncryptionSetting, KmsKey};
use crate::text::xml;

pub(super) const STATE: OptionSpec =
    OptionSpec::new("state", Kind::Str).choices(&["present", "absent"]);
pub(super) const ENCRYPTION: OptionSpec =
    OptionSpec::new("server_side_encryption", Kind::Str).shown_if(Encryption::is_recognised);
pub(super) const KMS_KEY: OptionSpec =
    OptionSpec::new("kms_key_id", Kind::Str).shown_if(KmsKey::is_recognised);
pub(super) const ENCODING: OptionSpec =
    OptionSpec::new("kms_key_encoding", Kind::Str).choices(&["raw", "percent"]);
/// Hidden, because the URI often contains credentials.
pub(super) const DOCROOT: OptionSpec = OptionSpec {
    shown: Shown::Never,
    ..OptionSpec::new("docroot", Kind::Str)
};

/// Several docroots, each with its desired state.
pub(super) const DOCROOTS: OptionSpec = OptionSpec::new(
    "docroots",
    Kind::List(&Kind::Dict(&[
        OptionSpec::new("user", Kind::Str),
        OptionSpec::new("group", Kind::Str),
        OptionSpec::flag("global"),
        STATE,
        ENCRYPTION,
        KMS_KEY,
        AWS_MANAGED_KEY,
        ENCODING,
        DOCROOT,
    ])),
);

#[derive(Deserialize)]
pub(super) struct Options {
    pub(super) aspera_root: PathBuf,
    path: Option<PathBuf>,
    all: bool,
    docroots: Option<Vec<Entry>>,
    validate_kms_key_id: bool,
    pub(super) method: Method,
    pub(super) backup: bool,
    pub(super) backup_keep: Option<i64>,
    restore: Option<String>,
    pub(super) unsafe_writes: bool,
}

/// The option `method`: the program that writes the file.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Method {
    File,
    Asconfigurator,
}

/// One docroot with its desired state: the task itself, or an element of `docroots`.
#[derive(Deserialize)]
pub(super) struct Entry {
    user: Option<String>,
    group: Option<String>,
    global: bool,
    state: Option<State>,
    server_side_encryption: Option<String>,
    kms_key_id: Option<String>,
    aws_managed_key: Option<bool>,
    kms_key_encoding: Option<Encoding>,
    docroot: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Encoding {
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
    pub(super) fn path(&self) -> PathBuf {
        match &self.path {
            Some(path) => path.clone(),
            None => Installation::at(&self.aspera_root).aspera_conf(),
        }
    }

    /// Returns the backup that is to be brought back, if one is.
    pub(super) fn restored(&self, task: &Entry, path: &Path) -> Result<Option<Restored>, Failure> {
        let others = [
            ("user", task.user.is_some()),
            ("group", task.group.is_some()),
            ("global", task.global),
            ("all", self.all),
            ("docroots", self.docroots.is_some()),
            ("docroot", task.docroot.is_some()),
            ("state: absent", task.state == Some(State::Absent)),
            (
                "server_side_encryption",
                task.server_side_encryption.is_some(),
            ),
            ("kms_key_id", task.kms_key_id.is_some()),
            ("aws_managed_key", task.aws_managed_key.is_some()),
            ("kms_key_encoding", task.kms_key_encoding.is_some()),
            (
                "method: asconfigurator",
                matches!(self.method, Method::Asconfigurator),
            ),
        ];
        let restore = self.restore.as_deref();
        restore
            .map(|restore| Restored::read(restore, path, self.backup, &others))
            .transpose()
    }

    /// Returns the request for the one docroot that `asconfigurator` sets.
    pub(super) fn request_for_asconfigurator<'r>(
        &self,
        requests: &'r [Request],
    ) -> Result<&'r Request> {
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

    /// Returns the requests. `task` holds the options that an element of `docroots` may have too.
    pub(super) fn requests(&self, task: &Entry) -> Result<Vec<Request>> {
        let named = task.scopes()?;
        let ways = named.len() + usize::from(self.all) + usize::from(self.docroots.is_some());
        if ways != 1 {
            return Err(Failure::new(
                "Set exactly one of the options user, group, global, all and docroots to select the docroots.",
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
        if task.docroot.is_some() {
            return Err(Failure::new(
                "The option docroot goes with one user, group or global. In docroots, each element has its own docroot.",
            )
            .into());
        }
        named_requests(entries, task, self.validate_kms_key_id)
    }
}

/// Returns the requests of the elements of `docroots`. `task` holds the options that an element may have too.
pub(super) fn named_requests(
    entries: &[Entry],
    task: &Entry,
    validate_kms_key_id: bool,
) -> Result<Vec<Request>> {
    if entries.is_empty() {
        return Err(Failure::new(
            "The option docroots is an empty list. Name a docroot in it, or set all: true for every S3 docroot of the file.",
        )
        .into());
    }
    let mut requests = Vec::with_capacity(entries.len());
    for (index, entry) in entries.iter().enumerate() {
        let place = format!("docroots[{index}]: ");
        let mut scopes = entry.scopes()?;
        let (Some(scope), true) = (scopes.pop(), scopes.is_empty()) else {
            return Err(Failure::new(format!(
                "{place}Set exactly one of user, group and global to select the docroot."
            ))
            .into());
        };
        let selection = Selection::Of(scope);
        requests.push(entry.request(selection, task, validate_kms_key_id, &place)?);
    }
    refuse_repetition(&requests)?;
    Ok(requests)
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

    /// Returns the request of an entry. The task supplies the values that the entry does not have.
    fn request(
        &self,
        selection: Selection,
        task: &Self,
        validate_kms_key_id: bool,
        place: &str,
    ) -> Result<Request> {
        let state = self.state.or(task.state).unwrap_or(State::Present);
        // A key belongs to its encryption: the task's key applies to entries that use the task's encryption and say nothing about a key.
        let inherits_encryption = self.server_side_encryption.is_none();
        let says_key = self.kms_key_id.is_some() || self.aws_managed_key == Some(true);
        let of_key = if inherits_encryption && !says_key {
            task
        } else {
            self
        };
        let encryption = self
            .server_side_encryption
            .as_ref()
            .or(task.server_side_encryption.as_ref());
        let aws_managed_key = self.aws_managed_key.or(of_key.aws_managed_key);
        let aws_managed_key = aws_managed_key.unwrap_or_default();
        let desired = setting::desired(
            state,
            encryption.map(String::as_str),
            of_key.kms_key_id.as_deref(),
            aws_managed_key,
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
            aws_managed_key,
        })
    }
}

/// Checks a docroot that the task sets. An error describes the problem and never contains the text.
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
            return Err(
                "has a scheme that is not s3:// in lower case, which Aspera requires. Correct it."
                    .to_owned(),
            );
        }
        Storage::Other(_) => {
            return Err("leads to storage other than S3, and the encryption options apply to S3 only. Write s3://HOST/BUCKET/PATH.".to_owned());
        }
    }
    if uri.has_question_mark_in_credentials() {
        return Err("has a ? before its @, so the start of its options is ambiguous. Percent-encode the credentials (? is %3F).".to_owned());
    }
    let found = uri.found_setting(None);
    let says_nothing = found.encryption.is_none() && found.kms_key.is_none();
    if says_nothing || uri.holds(desired) {
        Ok(uri)
    } else {
        Err(
            "has encryption options that contradict those of the task. Leave them out of the URI."
                .to_owned(),
        )
    }
}

fn refuse_repetition(requests: &[Request]) -> Result<()> {
    let scopes = by_scope(requests);
    match scopes.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        Some(pair) => Err(Failure::new(format!(
            "The option docroots names {} more than once. Name each docroot once.",
            pair[0].0
        ))
        .into()),
        None => Ok(()),
    }
}
