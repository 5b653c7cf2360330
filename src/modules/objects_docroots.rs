//! The docroots whose objects are asked about, from `aspera.conf`, and the setting of `s3.properties`.

use std::path::Path;

use super::file_failure;
use super::incomplete::uncovered_words;
use super::objects_report::{ACCESS_KEY, escaped};
use super::result::unread;
use crate::aspera::docroot::{AsperaConf, DocrootUri, Scope, Storage};
use crate::aspera::setting::{FoundSetting, FoundValue};
use crate::aspera::trapd;
use crate::files;

/// A docroot of the file, or the storage of an access key.
pub(super) struct Docroot {
    pub(super) scope: Scope,
    /// The id of the access key, if it is the storage of one. No user is known then, as in the default.
    pub(super) access_key: Option<String>,
    pub(super) peer_ip: Option<String>,
    pub(super) uri: DocrootUri,
}

/// What was read of the files.
#[derive(Default)]
pub(super) struct Found {
    pub(super) docroots: Vec<Docroot>,
    pub(super) not_s3: usize,
    /// What is not known: where, the reason, why, and what to do.
    pub(super) problems: Vec<(String, &'static str, String, String)>,
}

impl Docroot {
    /// Returns the word for its kind.
    pub(super) fn kind(&self) -> &'static str {
        match &self.access_key {
            Some(_) => ACCESS_KEY,
            None => self.scope.kind(),
        }
    }

    /// Returns the name of its owner, so that it can be shown.
    pub(super) fn name(&self) -> Option<String> {
        match &self.access_key {
            Some(id) => Some(escaped(id)),
            None => self.scope.name().map(str::to_owned),
        }
    }

    pub(super) fn place(&self) -> String {
        match &self.access_key {
            Some(id) => format!("{ACCESS_KEY} {}", escaped(id)),
            None => self.scope.place(self.peer_ip.as_deref()),
        }
    }
}

impl Found {
    /// Takes the storages of access keys in place of docroots.
    pub(super) fn of_places(places: Vec<(String, DocrootUri)>) -> Self {
        let docroots = places.into_iter().map(|(id, uri)| Docroot {
            scope: Scope::Global,
            access_key: Some(id),
            peer_ip: None,
            uri,
        });
        Self {
            docroots: docroots.collect(),
            ..Self::default()
        }
    }

    /// Reads the S3 docroots of a scope, or all.
    pub(super) fn read(path: &Path, scope: Option<&Scope>) -> Self {
        let place = || path.to_string_lossy().into_owned();
        let mut found = Self::default();
        let bytes = match files::read(path) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => {
                let why = "there is no such file".to_owned();
                found.problems.push((
                    place(),
                    "missing",
                    why,
                    "Correct aspera_root or path.".to_owned(),
                ));
                return found;
            }
            Err(error) => {
                let why = error.sentence().trim_end_matches('.').to_owned();
                let fix = file_failure::remedy(&error)
                    .unwrap_or_default()
                    .into_owned();
                found.problems.push((place(), "unreadable", why, fix));
                return found;
            }
        };
        let conf = match AsperaConf::parse(&bytes) {
            Ok(conf) => conf,
            Err(error) => {
                let why = error.problem().trim_end_matches('.').to_owned();
                let fix = "Correct the file; asuserdata -v checks it.".to_owned();
                found.problems.push((place(), "malformed", why, fix));
                return found;
            }
        };
        for uncovered in &conf.uncovered {
            let (why, fix) = uncovered_words(uncovered.what);
            let place = format!("{} line {}", place(), uncovered.line);
            found.problems.push((
                place,
                "uncovered",
                why.trim_end_matches('.').to_owned(),
                fix.to_owned(),
            ));
        }
        found.take(&conf, scope);
        found
    }

    fn take(&mut self, conf: &AsperaConf, wanted: Option<&Scope>) {
        for block in &conf.blocks {
            let scope = conf.scope(block);
            if wanted.is_some_and(|wanted| *wanted != scope) {
                continue;
            }
            for element in conf.docroots(block) {
                let uri = DocrootUri::new(conf.text(element));
                let docroot = Docroot {
                    scope: scope.clone(),
                    access_key: None,
                    peer_ip: element.peer_ip(conf.bytes),
                    uri,
                };
                match docroot.uri.storage() {
                    Storage::S3 | Storage::MisspelledS3 | Storage::Unknown => {
                        self.docroots.push(docroot);
                    }
                    Storage::Unset => {}
                    Storage::Empty | Storage::Local | Storage::Other(_) => self.not_s3 += 1,
                }
            }
        }
        if let Some(wanted) = wanted.filter(|_| self.docroots.is_empty()) {
            self.note_no_docroot(wanted);
        }
    }

    /// Notes that a scope has no S3 docroot of its own.
    pub(super) fn note_no_docroot(&mut self, scope: &Scope) {
        let why = "it has no S3 docroot of its own".to_owned();
        let fix =
            "Name the group or the default that it inherits its docroot from, or name no scope to look at all docroots."
                .to_owned();
        self.problems
            .push((scope.place(None), "no_docroot", why, fix));
    }
}

/// Returns the setting in `s3.properties`, or `None` if it cannot be read.
pub(super) fn read_system(path: &Path, warnings: &mut Vec<String>) -> Option<FoundSetting> {
    let bytes = match files::read(path) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Some(FoundSetting::default()),
        Err(error) => {
            warnings.push(unread(&error, ""));
            return None;
        }
    };
    match trapd::read(&bytes) {
        Ok(contents) => Some(FoundSetting {
            encryption: contents.encryption.as_deref().map(FoundValue::encryption),
            kms_key: contents
                .kms_key
                .as_deref()
                .map(|key| FoundValue::kms_key(key, None)),
        }),
        Err(error) => {
            warnings.push(format!("{}: {error}", path.display()));
            None
        }
    }
}
