//! `aspera_s3_trial_upload`: one byte up with an encryption and away again, before a setting is changed.

use std::collections::HashMap;

use anyhow::Result;
use serde::Serialize;

use super::docroot_options::{DOCROOTS, ENCRYPTION, Entry, KMS_KEY};
use super::objects_cause::Cause;
use super::objects_docroots::{Docroot, Found, read_system};
use super::objects_identity::{Identities, Identity};
use super::s3_options as options;
use super::s3_place::{new_client, place};
use super::setting::VALIDATE_KMS_KEY_ID;
use super::trial::{Trial, try_upload};
use super::trial_options::{Options, Question};
use super::trial_refusal::Asked;
use super::trial_report::{About, TrialReport};
use crate::ansible::{Kind, Module, OptionSpec, Outcome, Task};
use crate::aspera::audit::Wanted;
use crate::aspera::docroot::Storage;
use crate::aspera::objects::{S3Place, Unclear};
use crate::aspera::setting::{Encryption, EncryptionSetting, KmsKey};
use crate::http::{Client, Credentials};
use crate::s3::{Algorithm, ObjectEncryption, Place, Store};
use crate::subject::with_subject;

pub struct AsperaS3TrialUpload;

impl Module for AsperaS3TrialUpload {
    const NAME: &'static str = "aspera_s3_trial_upload";
    const PURPOSE: &'static str = "Tests whether S3 accepts an upload of an IBM Aspera server with an encryption and a key: it uploads one byte and deletes it.";
    const OPTIONS: &'static [OptionSpec] = &[
        OptionSpec::new("aspera_root", Kind::Path).default("/opt/aspera"),
        OptionSpec::new("path", Kind::Path),
        OptionSpec::new("user", Kind::Str),
        OptionSpec::new("group", Kind::Str),
        OptionSpec::flag("global"),
        OptionSpec::flag("all"),
        DOCROOTS,
        ENCRYPTION,
        KMS_KEY,
        VALIDATE_KMS_KEY_ID,
        OptionSpec::flag("system_wide"),
        OptionSpec::flag("unless_set"),
        OptionSpec::flag("multipart"),
        options::REGION,
        options::ENDPOINT_URL,
        options::ADDRESSING_STYLE,
        OptionSpec::new("ca_file", Kind::Path),
        OptionSpec::new("timeout", Kind::Int).default_number(30),
    ];
    type Values = Values;

    fn run(task: &Task) -> Result<Outcome<Values>> {
        let options: Options = task.arguments.typed();
        let entry: Entry = task.arguments.typed();
        let mut question = options.question(&entry)?;
        let mut warnings = Vec::new();
        let values = if task.settings.check_mode {
            Values::not_tried()
        } else {
            answer(&mut question, &mut warnings)
        };
        warnings.extend(values.leftover_warning());
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

fn answer(question: &mut Question, warnings: &mut Vec<String>) -> Values {
    let mut found = Found::read(&question.conf_path, question.scope.as_ref());
    let system = read_system(&question.properties_path, warnings);
    let trials = question.trials(&mut found, system.as_ref());
    let client = new_client(&mut question.access);
    let mut tester = Tester {
        question,
        identities: Identities::new(&question.access, &client),
        client: &client,
        known: HashMap::new(),
    };
    let reports = trials.iter().map(|(docroot, setting)| {
        with_subject(&docroot.scope, || tester.try_docroot(docroot, setting))
    });
    let reports: Vec<TrialReport> = reports.collect();
    let problems = found.problems.into_iter();
    let problems: Vec<String> = problems
        .map(|(place, _, why, fix)| format!("{place}: {why}. {fix}"))
        .collect();
    let is_whole = problems.is_empty();
    warnings.extend(problems);
    Values::new(reports, is_whole)
}

/// Tries uploads; several docroots that lead to the same place with the same credentials and setting share one.
struct Tester<'a> {
    question: &'a Question,
    identities: Identities<'a>,
    client: &'a Client,
    known: HashMap<(Place, String, Credentials, ObjectEncryption), Tried>,
}

/// A trial with the region of its bucket, or `None` if there is no name for it.
#[derive(Clone)]
struct Tried {
    trial: Option<Trial>,
    region: String,
    sent: u32,
}

impl Tester<'_> {
    fn try_docroot(&mut self, docroot: &Docroot, setting: &EncryptionSetting) -> TrialReport {
        let key = setting.kms_key();
        let wanted = Wanted::Encryption(setting.encryption(), key.cloned().into_iter().collect());
        let mut about = About {
            scope: docroot.scope.kind(),
            name: docroot.scope.name().map(str::to_owned),
            peer_ip: docroot.peer_ip.clone(),
            place: docroot.scope.place(docroot.peer_ip.as_deref()),
            uri: docroot.uri.masked(None),
            asked_for: wanted.words(),
            identity: None,
            region: None,
            sent: 0,
        };
        let (place, region, identity, folder) = match self.place_of(docroot) {
            Ok(found) => found,
            Err(cause) => return TrialReport::of_cause(about, &cause),
        };
        about.identity = Some(identity.source);
        let asked = Asked {
            bucket: &place.bucket.clone(),
            folder: &folder,
            kms_key: key.map(KmsKey::as_str),
        };
        let tried = self.tried(place, region, identity.credentials, &folder, setting);
        about.region = Some(tried.region);
        about.sent = tried.sent;
        match tried.trial {
            None => TrialReport::of_cause(about, &Cause::NoRandomName),
            Some(trial) => TrialReport::of_trial(about, &trial, &wanted, &asked),
        }
    }

    fn tried(
        &mut self,
        place: Place,
        region: String,
        credentials: Credentials,
        folder: &str,
        setting: &EncryptionSetting,
    ) -> Tried {
        let encryption = ObjectEncryption {
            algorithm: match setting.encryption() {
                Encryption::AwsKms => Algorithm::Kms,
                Encryption::Aes256 | Encryption::None => Algorithm::Aes256,
            },
            kms_key: setting.kms_key().map(|key| key.as_str().to_owned()),
            bucket_key: false,
        };
        let known = (place, folder.to_owned(), credentials, encryption);
        if let Some(tried) = self.known.get(&known) {
            return tried.clone();
        }
        let (place, _, credentials, encryption) = &known;
        let before = self.client.counts();
        let store = Store::new(self.client, place.clone(), credentials.clone(), region);
        let trial = try_upload(&store, folder, encryption, self.question.in_parts);
        let tried = Tried {
            trial,
            region: store.region(),
            sent: self.client.counts().sent - before.sent,
        };
        self.known.insert(known, tried.clone());
        tried
    }

    /// Returns the bucket of a docroot as the server would ask it, with its region, the identity and the folder.
    fn place_of(&self, docroot: &Docroot) -> Result<(Place, String, Identity, String), Cause> {
        if docroot.uri.storage() != Storage::S3 {
            return Err(Cause::Unclear(Unclear::Form));
        }
        let found = S3Place::of(&docroot.uri, &docroot.scope).map_err(Cause::Unclear)?;
        let (place, region) = place(&self.question.access, &found)?;
        let identity = self.identities.of_server(&found.credentials)?;
        let region = self.identities.region(region.as_deref());
        Ok((place, region, identity, found.prefix))
    }
}

impl Values {
    fn not_tried() -> Self {
        Self {
            accepted: None,
            summary: "Nothing was tried, because check mode writes nothing.".to_owned(),
            docroots: Vec::new(),
        }
    }

    /// Says that something of the trials is left in S3, or may be.
    fn leftover_warning(&self) -> Option<String> {
        let mut left = self.docroots.iter().filter(|docroot| docroot.may_be_left());
        let first = left.next()?.leftover();
        let others = match left.count() {
            0 => String::new(),
            number => format!(", and others in {number} more docroots"),
        };
        Some(format!(
            "A trial of one byte is, or may be, left in S3: {first}{others}. Remove it. Where left_reason is denied, allow the identity s3:DeleteObject and \
             s3:DeleteObjectVersion on the keys of trials."
        ))
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
            Some(true) => "S3 accepts uploads with this encryption.",
            Some(false) => "S3 does not accept uploads with this encryption everywhere.",
            None if docroots.is_empty() && is_whole => "There was nothing to try.",
            None => "It is not known whether S3 accepts uploads with this encryption.",
        };
        Self {
            accepted,
            summary: format!(
                "{answer} Docroots that accept it: {taken}, refuse it: {refused}, not known: {unknown}. Left in S3: {left}."
            ),
            docroots,
        }
    }
}
