//! `aspera_s3_trial_upload`: one byte up with an encryption and away again, before a setting is changed.

use std::path::PathBuf;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::objects_cause::Cause;
use super::objects_docroots::{Docroot, Found};
use super::objects_identity::Identities;
use super::s3_options::{self as options, Access, AccessOptions, ScopeOptions, failure};
use super::s3_place::{new_client, place};
use super::trial::try_upload;
use super::trial_refusal::Asked;
use super::trial_report::{About, TrialReport};
use crate::ansible::{Failure, Kind, Module, OptionSpec, Outcome, Task};
use crate::aspera::audit::Wanted;
use crate::aspera::docroot::Storage;
use crate::aspera::host::Installation;
use crate::aspera::objects::{S3Place, Unclear};
use crate::aspera::setting::{Encryption, EncryptionSetting, KmsKey};
use crate::http::{Client, Counts};
use crate::s3::{Algorithm, ObjectEncryption, Store};
use crate::subject::with_subject;

/// The module.
pub struct AsperaS3TrialUpload;

impl Module for AsperaS3TrialUpload {
    const NAME: &'static str = "aspera_s3_trial_upload";
    const PURPOSE: &'static str = "Tries whether S3 takes an upload of an IBM Aspera server with an encryption and a key: one byte up, and away again.";
    const OPTIONS: &'static [OptionSpec] = &[
        OptionSpec::new("aspera_root", Kind::Path).or("/opt/aspera"),
        OptionSpec::new("path", Kind::Path),
        OptionSpec::new("user", Kind::Str),
        OptionSpec::new("group", Kind::Str),
        OptionSpec::flag("global"),
        OptionSpec::flag("all"),
        OptionSpec {
            required: true,
            ..OptionSpec::new("server_side_encryption", Kind::Str)
                .shown_if(Encryption::is_recognised)
        },
        OptionSpec::new("kms_key_id", Kind::Str).shown_if(KmsKey::is_recognised),
        OptionSpec::flag("multipart"),
        options::REGION,
        options::ENDPOINT_URL,
        options::ADDRESSING_STYLE,
        OptionSpec::new("ca_file", Kind::Path),
        OptionSpec::new("timeout", Kind::Int).or_number(30),
    ];
    type Values = Values;

    fn run(task: &Task) -> Result<Outcome<Values>> {
        let options: Options = task.arguments.typed();
        let mut question = options.question()?;
        let mut warnings = Vec::new();
        let values = if task.settings.check_mode {
            Values::not_tried()
        } else {
            answer(&mut question, &mut warnings)
        };
        Ok(Outcome {
            changed: values.docroots.iter().any(TrialReport::may_be_left),
            warnings,
            values,
            diff: None,
        })
    }
}

/// The module's own keys in its result.
#[derive(Debug, Serialize)]
pub struct Values {
    accepted: Option<bool>,
    summary: String,
    docroots: Vec<TrialReport>,
}

#[derive(Deserialize)]
struct Options {
    aspera_root: PathBuf,
    path: Option<PathBuf>,
    #[serde(flatten)]
    scope: ScopeOptions,
    server_side_encryption: String,
    kms_key_id: Option<String>,
    multipart: bool,
    #[serde(flatten)]
    access: AccessOptions,
}

/// What the task asks.
struct Question {
    path: PathBuf,
    scope: Option<crate::aspera::docroot::Scope>,
    setting: EncryptionSetting,
    in_parts: bool,
    access: Access,
}

impl Options {
    fn question(self) -> Result<Question> {
        let encryption = Encryption::parse(&self.server_side_encryption);
        let encryption =
            encryption.map_err(|error| Failure::new(format!("server_side_encryption {error}")))?;
        if encryption == Encryption::None {
            return failure(
                "server_side_encryption is NONE, which asks S3 for nothing. There is nothing to try.",
            );
        }
        let key = self.kms_key_id.as_deref().map(KmsKey::parse).transpose();
        let key = key.map_err(|error| Failure::new(format!("kms_key_id {error}")))?;
        let setting = EncryptionSetting::new(encryption, key)
            .map_err(|error| Failure::new(error.to_string()))?;
        Ok(Question {
            path: self
                .path
                .clone()
                .unwrap_or_else(|| Installation::at(&self.aspera_root).aspera_conf()),
            scope: self.scope.scope()?,
            setting,
            in_parts: self.multipart,
            access: self.access.access()?,
        })
    }
}

fn answer(question: &mut Question, warnings: &mut Vec<String>) -> Values {
    let found = Found::read(&question.path, question.scope.as_ref());
    let client = new_client(&mut question.access);
    let identities = Identities::new(&question.access, &client);
    let tries = found.docroots.iter().map(|docroot| {
        with_subject(&docroot.scope, || {
            try_docroot(question, docroot, &identities, &client)
        })
    });
    let docroots: Vec<TrialReport> = tries.collect();
    let problems = found.problems.into_iter();
    let problems: Vec<String> = problems
        .map(|(place, _, why, fix)| format!("{place}: {why}. {fix}"))
        .collect();
    let is_whole = problems.is_empty();
    warnings.extend(problems);
    Values::new(docroots, is_whole)
}

fn try_docroot(
    question: &Question,
    docroot: &Docroot,
    identities: &Identities,
    client: &Client,
) -> TrialReport {
    let mut about = About {
        scope: docroot.scope.kind(),
        name: docroot.scope.name().map(str::to_owned),
        peer_ip: docroot.peer_ip.clone(),
        uri: docroot.uri.masked(None),
        identity: None,
        region: None,
        requests: Counts::default(),
    };
    let (store, folder, bucket) = match store_of(question, docroot, identities, client, &mut about)
    {
        Ok(found) => found,
        Err(cause) => return TrialReport::of_cause(about, &cause),
    };
    let key = question.setting.kms_key();
    let encryption = ObjectEncryption {
        algorithm: match question.setting.encryption() {
            Encryption::AwsKms => Algorithm::Kms,
            Encryption::Aes256 | Encryption::None => Algorithm::Aes256,
        },
        kms_key: key.map(|key| key.as_str().to_owned()),
        bucket_key: false,
    };
    let before = client.counts();
    let trial = try_upload(&store, &folder, &encryption, question.in_parts);
    about.requests.sent = client.counts().sent - before.sent;
    about.region = Some(store.region());
    match trial {
        None => TrialReport::of_cause(about, &Cause::NoRandomName),
        Some(trial) => {
            let wanted = Wanted::Encryption(
                question.setting.encryption(),
                key.cloned().into_iter().collect(),
            );
            let asked = Asked {
                bucket: &bucket,
                folder: &folder,
                kms_key: key.map(KmsKey::as_str),
            };
            TrialReport::of_trial(about, &trial, &wanted, &asked)
        }
    }
}

/// Returns the bucket of a docroot as the server would ask it, with the folder and the name of the bucket.
fn store_of<'c>(
    question: &Question,
    docroot: &Docroot,
    identities: &Identities,
    client: &'c Client,
    about: &mut About,
) -> Result<(Store<'c>, String, String), Cause> {
    if docroot.uri.storage() != Storage::S3 {
        return Err(Cause::Unclear(Unclear::Form));
    }
    let found = S3Place::of(&docroot.uri, &docroot.scope).map_err(Cause::Unclear)?;
    let (place, region) = place(&question.access, &found)?;
    let identity = identities.of_server(&found.credentials)?;
    about.identity = Some(identity.source);
    let region = identities.region(region.as_deref());
    let bucket = place.bucket.clone();
    Ok((
        Store::new(client, place, identity.credentials, region),
        found.prefix,
        bucket,
    ))
}

impl Values {
    fn not_tried() -> Self {
        Self {
            accepted: None,
            summary: "Nothing was tried: in check mode nothing is written.".to_owned(),
            docroots: Vec::new(),
        }
    }

    fn new(docroots: Vec<TrialReport>, is_whole: bool) -> Self {
        let count = |accepted| {
            docroots
                .iter()
                .filter(|docroot| docroot.accepted() == accepted)
                .count()
        };
        let (taken, refused, unknown) = (count(Some(true)), count(Some(false)), count(None));
        let left = docroots
            .iter()
            .filter(|docroot| docroot.may_be_left())
            .count();
        let accepted = match (taken, refused, unknown) {
            (_, 1.., _) => Some(false),
            (1.., 0, 0) if is_whole => Some(true),
            _ => None,
        };
        let answer = match accepted {
            Some(true) => "S3 takes uploads with this encryption.",
            Some(false) => "S3 does not take uploads with this encryption everywhere.",
            None => "It is not known whether S3 takes uploads with this encryption.",
        };
        Self {
            accepted,
            summary: format!(
                "{answer} Docroots that take it: {taken}, that do not: {refused}, not known: {unknown}. Left in S3: {left}."
            ),
            docroots,
        }
    }
}
