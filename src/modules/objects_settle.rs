//! What the objects of a docroot settle of the doubts of the audit.

use std::cell::OnceCell;
use std::path::Path;
use std::time::SystemTime;

use serde::Serialize;

use super::objects_cause::Cause;
use super::objects_docroots::Docroot;
use super::objects_found::{Findings, Seen};
use super::objects_list::{TOLERANCE, shifted};
use super::objects_options::{Question, Since};
use super::objects_verdict::is_default;
use super::serving_since::serving_since;
use crate::aspera::audit::{Doubt, Facts, Settled, SystemFile, possible_of};
use crate::aspera::docroot::AsperaConf;
use crate::aspera::host::{Host, Installation, Service, is_enabled};
use crate::aspera::setting::{Encryption, KmsKey};
use crate::aspera::trapd;
use crate::files;
use crate::s3::{Algorithm, ObjectEncryption, Refusal};
use crate::utc::Utc;

/// An object that rules out readings, in the form that the option `settled` of `aspera_sse_info` takes.
#[derive(Debug, Serialize)]
pub(super) struct SettlesReport {
    scope: &'static str,
    name: Option<String>,
    peer_ip: Option<String>,
    uri: String,
    server_side_encryption: &'static str,
    kms_key_id: Option<String>,
    /// When S3 got the object.
    last_modified: String,
    /// Since when the services run with the files that it was uploaded with.
    serving_since: String,
    /// The doubts of the audit that are gone.
    settles: Vec<&'static str>,
    /// The results that are ruled out.
    rules_out: Vec<String>,
}

/// What the objects settle. The services and the files are looked at when the first object is one that tells something.
pub(super) struct Settling<'q> {
    question: &'q Question,
    /// Since when the services run with the files.
    serving_since: OnceCell<Option<SystemTime>>,
    readings: OnceCell<Readings>,
    pub(super) reports: Vec<SettlesReport>,
}

impl<'q> Settling<'q> {
    pub(super) fn new(question: &'q Question, since: Option<SystemTime>) -> Self {
        let is_asked = matches!(question.since, Some(Since::Setting));
        Self {
            question,
            serving_since: if is_asked {
                OnceCell::from(since)
            } else {
                OnceCell::new()
            },
            readings: OnceCell::new(),
            reports: Vec::new(),
        }
    }

    /// Adds what the objects of a docroot settle.
    pub(super) fn add(&mut self, docroot: &Docroot, look: &Findings, warnings: &mut Vec<String>) {
        // The storage of an access key is in no file that the audit reads.
        if docroot.access_key.is_some() {
            return;
        }
        let telling = telling(look, self.question.all_are_asperas);
        if telling.is_empty() {
            return;
        }
        let Question {
            aspera_root,
            conf_path,
            ..
        } = self.question;
        let serving_since = self
            .serving_since
            .get_or_init(|| serving_since(aspera_root, conf_path, warnings));
        let Some(serving_since) = *serving_since else {
            return;
        };
        let readings = self
            .readings
            .get_or_init(|| Readings::read(aspera_root, conf_path));
        let objects = since(telling, look, serving_since);
        self.reports
            .extend(readings.settles(docroot, &objects, serving_since));
    }
}

/// The files of the installation, as the audit reads them.
struct Readings {
    conf: Option<Vec<u8>>,
    system: Option<SystemFile>,
    trapd_enabled: Option<bool>,
}

impl Readings {
    /// Reads them. What cannot be read leaves more readings.
    fn read(aspera_root: &Path, conf: &Path) -> Self {
        let system = match files::read_up_to(
            &Installation::at(aspera_root).s3_properties(),
            trapd::MAX_LENGTH,
        ) {
            Ok(None) => Some(SystemFile::default()),
            Ok(Some(bytes)) => trapd::read(&bytes).ok().map(|read| SystemFile::from(&read)),
            Err(_) => None,
        };
        Self {
            conf: files::read(conf).ok().flatten(),
            system,
            trapd_enabled: is_enabled(&Host::this(), Service::Trapd, aspera_root),
        }
    }

    /// Returns what objects of Aspera's settle, if they all show the same.
    fn settles(
        &self,
        docroot: &Docroot,
        objects: &[&Seen],
        serving_since: SystemTime,
    ) -> Option<SettlesReport> {
        let newest = objects
            .iter()
            .max_by_key(|seen| seen.object.last_modified)?;
        let encryption = &newest.object.encryption;
        let is_same = |seen: &&Seen| {
            seen.object.encryption.algorithm == encryption.algorithm
                && seen.object.encryption.kms_key == encryption.kms_key
        };
        if !objects.iter().all(is_same) {
            return None;
        }
        let settled = Self::settled(docroot, encryption)?;
        let conf = AsperaConf::parse(self.conf.as_deref()?).ok()?;
        let facts = Facts {
            conf: Some(&conf),
            system: self.system.clone(),
            trapd_enabled: self.trapd_enabled,
            ..Facts::unknown()
        };
        let before = possible_of(&docroot.uri, &facts);
        let rules_out = settled.ruled_out(&before);
        let mut after = before.clone();
        settled.settle(&mut after);
        let is_gone = |doubt: &&Doubt| after.is_certain() || !after.doubts.contains(doubt);
        let settles: Vec<&str> = before
            .doubts
            .iter()
            .filter(is_gone)
            .map(|doubt| doubt.name())
            .collect();
        // The readings do not differ in what S3 would show.
        if rules_out.is_empty() && settles.is_empty() {
            return None;
        }
        Some(SettlesReport {
            scope: docroot.scope.kind(),
            name: docroot.scope.name().map(str::to_owned),
            peer_ip: docroot.peer_ip.clone(),
            uri: settled.uri,
            server_side_encryption: settled.encryption.as_str(),
            kms_key_id: settled.kms_key.map(|key| key.as_str().to_owned()),
            last_modified: Utc::from(newest.object.last_modified?).to_string(),
            serving_since: Utc::from(serving_since).to_string(),
            settles,
            rules_out,
        })
    }

    fn settled(docroot: &Docroot, encryption: &ObjectEncryption) -> Option<Settled> {
        let (asked, kms_key) = match encryption.algorithm {
            Algorithm::Aes256 => (Encryption::Aes256, None),
            Algorithm::Kms => {
                let key = KmsKey::parse(encryption.kms_key.as_deref()?).ok()?;
                // Another name of a key does not tell which one it is.
                let is_arn = !key.is_alias() && !key.is_bare_id();
                (Encryption::AwsKms, Some(is_arn.then_some(key)?))
            }
            _ => return None,
        };
        Some(Settled {
            scope: docroot.scope.clone(),
            peer_ip: docroot.peer_ip.clone(),
            uri: docroot.uri.masked(None),
            encryption: asked,
            kms_key,
        })
    }
}

/// Returns the objects that say something of the setting, whenever they were uploaded: Aspera has uploaded them, and the default of the bucket, which was
/// read, would have given them another encryption.
fn telling(look: &Findings, all_are_asperas: bool) -> Vec<&Seen> {
    let is_other = |encryption: &ObjectEncryption| match &look.bucket_default {
        Some(Ok(default)) => is_default(encryption, default) == Some(false),
        // The store says that the bucket gives none.
        Some(Err(Cause::Refused(Refusal::NoDefault))) => encryption.algorithm == Algorithm::Kms,
        Some(Err(_)) | None => false,
    };
    let is_telling = |seen: &&Seen| {
        (all_are_asperas || seen.object.is_marked) && is_other(&seen.object.encryption)
    };
    look.seen.iter().filter(is_telling).collect()
}

/// Returns those that were uploaded since a time of this host.
fn since<'l>(objects: Vec<&'l Seen>, look: &Findings, serving_since: SystemTime) -> Vec<&'l Seen> {
    let start = shifted(serving_since, look.clock_ahead.unwrap_or(0)) + TOLERANCE;
    let is_younger = |seen: &&Seen| seen.object.last_modified.is_some_and(|time| time > start);
    objects.into_iter().filter(is_younger).collect()
}
