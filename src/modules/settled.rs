//! The option `settled` of `aspera_sse_info`: what `aspera_s3_objects_info` found that objects have settled.
//!
//! An answer counts as long as the docroot and the files are those with which the object was uploaded.

use std::time::SystemTime;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::ansible::{Failure, Kind, OptionSpec};
use crate::aspera::audit::Settled;
use crate::aspera::docroot::{AsperaConf, DocrootUri, Scope, Storage};
use crate::aspera::host::LastChange;
use crate::aspera::setting::{Encryption, KmsKey};
use crate::utc::Utc;

pub(super) const SETTLED: OptionSpec = OptionSpec::new(
    "settled",
    Kind::List(&Kind::Dict(&[
        OptionSpec::new("scope", Kind::Str).choices(&["user", "group", "global"]),
        // An answer of another module, which nobody needs to see again.
        OptionSpec::new("name", Kind::Str).secret(),
        OptionSpec::new("peer_ip", Kind::Str).secret(),
        OptionSpec::new("uri", Kind::Str).secret(),
        OptionSpec::new("server_side_encryption", Kind::Str).shown_if(Encryption::is_recognised),
        OptionSpec::new("kms_key_id", Kind::Str).shown_if(KmsKey::is_recognised),
        OptionSpec::new("last_modified", Kind::Str).shown_if(|text| Utc::parse(text).is_some()),
        OptionSpec::new("serving_since", Kind::Str).shown_if(|text| Utc::parse(text).is_some()),
        OptionSpec::new("settles", Kind::List(&Kind::Str)).secret(),
        OptionSpec::new("rules_out", Kind::List(&Kind::Str)).secret(),
    ])),
);

/// An element of the option.
#[derive(Deserialize)]
pub(super) struct Entry {
    scope: Option<String>,
    name: Option<String>,
    peer_ip: Option<String>,
    uri: Option<String>,
    server_side_encryption: Option<String>,
    kms_key_id: Option<String>,
    last_modified: Option<String>,
    serving_since: Option<String>,
}

pub(super) struct Answer {
    settled: Settled,
    last_modified: SystemTime,
    serving_since: SystemTime,
}

/// Whether an answer counts.
#[derive(Debug, Serialize)]
pub(super) struct SettledReport {
    /// The docroot, if it is there.
    #[serde(rename = "where")]
    place: Option<String>,
    last_modified: String,
    age_days: u64,
    counts: bool,
    why: Option<&'static str>,
}

pub(super) fn answers(entries: &[Entry], now: SystemTime) -> Result<Vec<Answer>> {
    let answer = |(index, entry): (usize, &Entry)| {
        let answer = entry.answer(now);
        answer.map_err(|what| {
            Failure::new(format!(
                "settled[{index}]: {what} Pass on what aspera_s3_objects_info returns in settles, unchanged."
            ))
            .into()
        })
    };
    entries.iter().enumerate().map(answer).collect()
}

impl Entry {
    fn answer(&self, now: SystemTime) -> Result<Answer, &'static str> {
        let name = self.name.clone().unwrap_or_default();
        let scope = match self.scope.as_deref() {
            Some("user") if !name.is_empty() => Scope::User(name),
            Some("group") if !name.is_empty() => Scope::Group(name),
            Some("global") if name.is_empty() => Scope::Global,
            _ => return Err("scope and name do not name a docroot."),
        };
        let encryption = self
            .server_side_encryption
            .as_deref()
            .map(Encryption::parse);
        let Some(Ok(encryption @ (Encryption::Aes256 | Encryption::AwsKms))) = encryption else {
            return Err("server_side_encryption is neither AES256 nor AWS_KMS.");
        };
        let key = self.kms_key_id.as_deref().map(KmsKey::parse).transpose();
        let key = key.map_err(|_| "kms_key_id is not the name of a key.")?;
        let is_arn = key
            .as_ref()
            .is_some_and(|key| !key.is_alias() && !key.is_bare_id());
        if is_arn != (encryption == Encryption::AwsKms) {
            return Err("kms_key_id is not the ARN of a key, or does not go with the encryption.");
        }
        let time = |text: &Option<String>| text.as_deref().and_then(Utc::parse);
        let (Some(last_modified), Some(serving_since)) =
            (time(&self.last_modified), time(&self.serving_since))
        else {
            return Err("last_modified and serving_since are not times.");
        };
        if serving_since >= now {
            return Err("serving_since is in the future.");
        }
        Ok(Answer {
            settled: Settled {
                scope,
                peer_ip: self.peer_ip.clone(),
                uri: self.uri.clone().ok_or("uri is missing.")?,
                encryption,
                kms_key: key,
            },
            last_modified,
            serving_since,
        })
    }
}

/// Returns the answers that count, and a report of all of them. `changes` are those of all files on which the readings depend.
pub(super) fn counting(
    answers: Vec<Answer>,
    conf: Option<&AsperaConf>,
    changes: &[LastChange],
    now: SystemTime,
) -> (Vec<Settled>, Vec<SettledReport>) {
    let mut counting = Vec::new();
    let mut reports = Vec::new();
    for answer in answers {
        let is_there = conf.is_some_and(|conf| is_there(conf, &answer.settled));
        let why = if !is_there {
            Some("aspera.conf has no such docroot: it has changed since then")
        } else if !changes
            .iter()
            .all(|change| is_older(*change, answer.serving_since))
        {
            Some(
                "aspera.conf, s3.properties or Aspera itself was changed after the services that uploaded the object had started",
            )
        } else {
            None
        };
        let settled = &answer.settled;
        let age = now.duration_since(answer.last_modified).unwrap_or_default();
        reports.push(SettledReport {
            place: is_there.then(|| settled.scope.place(settled.peer_ip.as_deref())),
            last_modified: Utc::from(answer.last_modified).to_string(),
            age_days: age.as_secs() / 86_400,
            counts: why.is_none(),
            why,
        });
        if why.is_none() {
            counting.push(answer.settled);
        }
    }
    (counting, reports)
}

fn is_there(conf: &AsperaConf, settled: &Settled) -> bool {
    conf.blocks
        .iter()
        .filter(|block| conf.scope(block) == settled.scope)
        .flat_map(|block| conf.docroots(block))
        .any(|element| {
            let uri = DocrootUri::new(conf.text(element));
            element.peer_ip(conf.bytes) == settled.peer_ip
                && uri.storage() == Storage::S3
                && uri.masked(None) == settled.uri
        })
}

/// Returns whether a file has its content, and leads where it does, since before a time.
fn is_older(change: LastChange, time: SystemTime) -> bool {
    match change {
        LastChange::Known(changes) => [Some(changes.content), changes.metadata, changes.path]
            .into_iter()
            .flatten()
            .all(|changed| changed < time),
        // A file that is not there may have been when the object was uploaded.
        LastChange::NoFile(removed) => removed.is_some_and(|removed| removed < time),
        LastChange::InFuture | LastChange::Unknown => false,
    }
}
