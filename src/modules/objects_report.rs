//! What was found of the objects of a docroot, in the form of the result.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::Serialize;

use super::objects_cause::Cause;
use super::objects_found::{Findings, Listing, Seen};
use super::objects_verdict::{Verdict, is_explained_by_default};
use crate::aspera::audit::Difference;
use crate::aspera::setting::{FoundSetting, FoundValue};
use crate::http::Counts;
use crate::s3::{Algorithm, ObjectEncryption};
use crate::utc::Utc;

/// The word for an access key, in place of the kind of a scope.
pub(super) const ACCESS_KEY: &str = "access_key";
/// The most keys that are shown of a docroot.
const SHOWN: usize = 10;
/// The most characters of a key that are shown.
const SHOWN_CHARACTERS: usize = 200;

/// The objects of a docroot.
#[derive(Debug, Serialize)]
pub(super) struct DocrootReport {
    scope: &'static str,
    name: Option<String>,
    peer_ip: Option<String>,
    uri: String,
    configured: Configured,
    identity: Option<&'static str>,
    role_assumed: bool,
    region: Option<String>,
    listed: Option<ListingReport>,
    looked_at: usize,
    newest: Option<String>,
    oldest: Option<String>,
    encryption: Vec<EncryptionReport>,
    otherwise: Vec<OtherwiseReport>,
    unknown: Vec<CauseReport>,
    marked_by_aspera: usize,
    bucket_default: Option<DefaultReport>,
    bucket_default_reason: Option<&'static str>,
    explained_by_bucket_default: Option<bool>,
    clock_ahead_seconds: Option<i64>,
    requests: RequestsReport,
    judged: &'static str,
    judged_by: Option<usize>,
    compliant: Option<bool>,
}

/// The setting that the server is configured with for a docroot.
#[derive(Debug, Serialize)]
pub(super) struct Configured {
    server_side_encryption: Option<String>,
    kms_key_id: Option<String>,
    source: &'static str,
}

#[derive(Debug, Serialize)]
struct ListingReport {
    keys: usize,
    complete: bool,
    skipped: usize,
    older: usize,
    in_question: usize,
}

#[derive(Debug, Serialize)]
struct EncryptionReport {
    algorithm: Option<&'static str>,
    kms_key_id: Option<String>,
    objects: usize,
    bucket_keys: usize,
}

#[derive(Debug, Serialize)]
struct OtherwiseReport {
    key: Option<String>,
    last_modified: Option<String>,
    algorithm: Option<&'static str>,
    kms_key_id: Option<String>,
    why: &'static str,
}

#[derive(Debug, Serialize)]
struct CauseReport {
    reason: &'static str,
    objects: usize,
    why: String,
    fix: &'static str,
}

#[derive(Debug, Serialize)]
struct DefaultReport {
    algorithm: Option<&'static str>,
    kms_key_id: Option<String>,
    bucket_key: bool,
}

#[derive(Debug, Serialize)]
struct RequestsReport {
    sent: u32,
    repeated: u32,
}

/// A docroot, and how it was looked at.
pub(super) struct About {
    pub(super) scope: &'static str,
    pub(super) name: Option<String>,
    pub(super) peer_ip: Option<String>,
    pub(super) uri: String,
    pub(super) configured: Configured,
    pub(super) role_assumed: bool,
    /// What was asked about: `all`, `since`, `prefix` or `keys`.
    pub(super) judged: &'static str,
    /// The entry of `expect` that judged it.
    pub(super) judged_by: Option<usize>,
    pub(super) show_keys: bool,
}

impl Configured {
    /// Returns the setting of a docroot of a kind, or of an access key, else that of `s3.properties`.
    pub(super) fn new(
        kind: &'static str,
        own: &FoundSetting,
        system: Option<&FoundSetting>,
    ) -> Self {
        let source_of_own = if kind == ACCESS_KEY {
            ACCESS_KEY
        } else {
            "docroot"
        };
        let shown =
            |value: &Option<FoundValue>| value.as_ref().map(|value| value.shown().to_owned());
        let is_set =
            |setting: &FoundSetting| setting.encryption.is_some() || setting.kms_key.is_some();
        let (setting, source) = match system {
            _ if is_set(own) => (Some(own), source_of_own),
            None => (None, "unknown"),
            Some(system) if is_set(system) => (Some(system), "trapd"),
            Some(_) => (None, "none"),
        };
        Self {
            server_side_encryption: setting.and_then(|setting| shown(&setting.encryption)),
            kms_key_id: setting.and_then(|setting| shown(&setting.kms_key)),
            source,
        }
    }
}

impl DocrootReport {
    pub(super) fn new(about: About, look: &Findings, verdict: Option<&Verdict>) -> Self {
        let times = look
            .seen
            .iter()
            .filter_map(|seen| seen.object.last_modified);
        let text = |time: SystemTime| Utc::from(time).to_string();
        let unknown = verdict.map_or(&look.unseen, |verdict| &verdict.unknown);
        let differing = verdict
            .map(|verdict| &*verdict.differing)
            .unwrap_or_default();
        let default = look.bucket_default.as_ref();
        Self {
            scope: about.scope,
            name: about.name,
            peer_ip: about.peer_ip,
            uri: about.uri,
            configured: about.configured,
            identity: look.identity.map(super::objects_identity::Source::name),
            role_assumed: about.role_assumed && look.region.is_some(),
            region: look.region.clone(),
            listed: look.listing.map(ListingReport::from),
            looked_at: look.seen.len(),
            newest: times.clone().max().map(text),
            oldest: times.min().map(text),
            encryption: by_encryption(&look.seen),
            otherwise: differing
                .iter()
                .take(SHOWN)
                .map(|(seen, difference)| OtherwiseReport::new(seen, *difference, about.show_keys))
                .collect(),
            unknown: unknown.iter().map(CauseReport::new).collect(),
            marked_by_aspera: look
                .seen
                .iter()
                .filter(|seen| seen.object.is_marked)
                .count(),
            bucket_default: default
                .and_then(|default| default.as_ref().ok())
                .map(DefaultReport::new),
            bucket_default_reason: default
                .and_then(|default| default.as_ref().err())
                .map(Cause::name),
            explained_by_bucket_default: is_explained_by_default(look),
            clock_ahead_seconds: look.clock_ahead,
            requests: RequestsReport::from(look.requests),
            judged: about.judged,
            judged_by: about.judged_by,
            compliant: verdict.and_then(|verdict| verdict.compliant),
        }
    }
}

/// Returns the words for an encryption.
pub(super) fn words(encryption: &ObjectEncryption) -> String {
    let algorithm = encryption.algorithm.name().unwrap_or("no encryption");
    match shown_key(encryption) {
        None => algorithm.to_owned(),
        Some(key) => format!("{algorithm} with {key}"),
    }
}

/// Returns a key so that it can be shown anywhere: as printable ASCII, and not too long.
pub(super) fn escaped(key: &str) -> String {
    let mut escaped = String::new();
    for (index, c) in key.chars().enumerate() {
        if index == SHOWN_CHARACTERS {
            return escaped + "...";
        }
        match c {
            '\\' => escaped += "\\\\",
            ' '..='~' => escaped.push(c),
            c => escaped.extend(c.escape_unicode()),
        }
    }
    escaped
}

fn shown_key(encryption: &ObjectEncryption) -> Option<String> {
    let key = encryption.kms_key.as_deref()?;
    Some(FoundValue::kms_key(key, None).shown().to_owned())
}

fn by_encryption(seen: &[Seen]) -> Vec<EncryptionReport> {
    let mut counts: BTreeMap<(Algorithm, Option<String>), (usize, usize)> = BTreeMap::new();
    for seen in seen {
        let encryption = &seen.object.encryption;
        let (objects, bucket_keys) = counts
            .entry((encryption.algorithm, shown_key(encryption)))
            .or_default();
        *objects += 1;
        *bucket_keys += usize::from(encryption.bucket_key);
    }
    let reports = counts
        .into_iter()
        .map(
            |((algorithm, kms_key_id), (objects, bucket_keys))| EncryptionReport {
                algorithm: algorithm.name(),
                kms_key_id,
                objects,
                bucket_keys,
            },
        );
    let mut reports: Vec<EncryptionReport> = reports.collect();
    reports.sort_by_key(|report| std::cmp::Reverse(report.objects));
    // A store that gives each object a key of its own must not fill the answer.
    reports.truncate(SHOWN);
    reports
}

impl From<Listing> for ListingReport {
    fn from(listing: Listing) -> Self {
        Self {
            keys: listing.keys,
            complete: listing.is_complete,
            skipped: listing.skipped,
            older: listing.older,
            in_question: listing.in_question,
        }
    }
}

impl From<Counts> for RequestsReport {
    fn from(counts: Counts) -> Self {
        Self {
            sent: counts.sent,
            repeated: counts.repeated,
        }
    }
}

impl OtherwiseReport {
    fn new(seen: &Seen, difference: Difference, show_keys: bool) -> Self {
        let encryption = &seen.object.encryption;
        Self {
            key: show_keys.then(|| escaped(&seen.key)),
            last_modified: seen
                .object
                .last_modified
                .map(|time| Utc::from(time).to_string()),
            algorithm: encryption.algorithm.name(),
            kms_key_id: shown_key(encryption),
            why: difference.why(),
        }
    }
}

impl CauseReport {
    fn new((cause, objects): &(Cause, usize)) -> Self {
        Self {
            reason: cause.name(),
            objects: *objects,
            why: cause.why(),
            fix: cause.fix(),
        }
    }
}

impl DefaultReport {
    fn new(default: &ObjectEncryption) -> Self {
        Self {
            algorithm: default.algorithm.name(),
            kms_key_id: shown_key(default),
            bucket_key: default.bucket_key,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_shown_as_printable_ascii() {
        for (key, shown) in [
            ("2026/a b.mxf", "2026/a b.mxf"),
            ("a\nb\u{1b}[0m", "a\\u{a}b\\u{1b}[0m"),
            ("\u{202e}\u{e9}\\", "\\u{202e}\\u{e9}\\\\"),
            ("{{ x }}", "{{ x }}"),
        ] {
            assert_eq!(escaped(key), shown);
        }
        assert_eq!(escaped(&"k".repeat(300)).len(), SHOWN_CHARACTERS + 3);
    }
}
