//! What is to be told of each docroot: what it says itself, and what is in effect.

use serde::Serialize;

use crate::aspera::aspera_conf::{AsperaConf, Block, Scope};
use crate::aspera::docroot_uri::{DocrootUri, Storage};
use crate::aspera::effective::{Effective, Server, Source};
use crate::aspera::found_value::FoundValue;
use crate::aspera::os_groups::{Membership, OsGroups};
use crate::subject::with_subject;

const ACCESS_KEY: &str = "the user has restrictions and no docroot, as access keys need it; their encryption is that of the access key's storage";
const UNKNOWN_USER: &str = "the user has no docroot, and which groups a user is in that is not a local account cannot be told";
const UNKNOWN_GROUP: &str = "the user has no docroot, and whether it is in a group that has one cannot be told where that group is not in /etc/group";
const SAME_PRECEDENCE: &str =
    "the user has no docroot and is in several groups with one, of which none has precedence";

/// A docroot with what is in effect for it, if it leads to S3 or may do so.
pub(super) struct Found {
    pub(super) report: DocrootReport,
    pub(super) effective: Option<Effective>,
}

/// A docroot, or a user or group without one, as the result shows it.
#[derive(Debug, Serialize)]
pub(super) struct DocrootReport {
    pub(super) scope: &'static str,
    name: Option<String>,
    peer_ip: Option<String>,
    scheme: Option<&'static str>,
    uri: Option<String>,
    server_side_encryption: Option<String>,
    kms_key_id: Option<String>,
    /// Whose docroot it takes, if it has none itself.
    inherited_from: Option<String>,
    effective: EffectiveReport,
}

#[derive(Debug, Serialize)]
struct EffectiveReport {
    server_side_encryption: Option<String>,
    kms_key_id: Option<String>,
    source: &'static str,
    certain: bool,
    why: Option<&'static str>,
}

impl DocrootReport {
    /// Whose it is, such as `user xfer`.
    pub(super) fn owner(&self) -> String {
        match &self.name {
            Some(name) => format!("{} {name}", self.scope),
            None => self.scope.to_owned(),
        }
    }

    /// Where it is, such as `user xfer for 192.0.2.1`.
    pub(super) fn place(&self) -> String {
        let mut place = self.owner();
        if let Some(address) = &self.peer_ip {
            place += &format!(" for {address}");
        }
        place
    }
}

/// Whether the groups of users matter: there is a user without docroot, and a group with one.
pub(super) fn needs_groups(conf: &AsperaConf) -> bool {
    let of_group = |block: &Block| matches!(conf.scope(block), Scope::Group(_));
    let takes_one = |block: &Block| {
        conf.docroots(block).is_empty()
            && !block.has_restriction
            && matches!(conf.scope(block), Scope::User(_))
    };
    let mut blocks = conf.blocks.iter();
    conf.blocks.iter().any(takes_one)
        && blocks.any(|block| of_group(block) && !conf.docroots(block).is_empty())
}

/// All docroots of a file, and the users without one.
pub(super) fn all(conf: &AsperaConf, server: &Server, groups: &OsGroups) -> Vec<Found> {
    let with_docroot: Vec<&Block> = conf
        .blocks
        .iter()
        .filter(|block| !conf.docroots(block).is_empty())
        .collect();
    let mut found = Vec::with_capacity(conf.blocks.len());
    for block in &conf.blocks {
        let scope = conf.scope(block);
        with_subject(&scope, || {
            for docroot in conf.docroots(block) {
                let uri = DocrootUri::new(conf.text(docroot));
                found.push(of_docroot(&scope, docroot.peer_ip.clone(), &uri, server));
            }
            if conf.docroots(block).is_empty() && matches!(scope, Scope::User(_)) {
                found.push(without_docroot(
                    conf,
                    block,
                    &scope,
                    &with_docroot,
                    server,
                    groups,
                ));
            }
        });
    }
    found
}

fn of_docroot(scope: &Scope, peer_ip: Option<String>, uri: &DocrootUri, server: &Server) -> Found {
    let effective = effective(uri, server);
    let setting = uri.found_setting(None);
    let shown = |value: &FoundValue| value.shown().to_owned();
    Found {
        report: DocrootReport {
            scope: scope.kind(),
            name: scope.name().map(str::to_owned),
            peer_ip,
            scheme: scheme(uri),
            uri: Some(uri.masked(None)),
            server_side_encryption: setting.encryption.as_ref().map(shown),
            kms_key_id: setting.kms_key.as_ref().map(shown),
            inherited_from: None,
            effective: EffectiveReport::new(effective.as_ref()),
        },
        effective,
    }
}

/// A user who takes the docroot of a group, or the default.
fn without_docroot(
    conf: &AsperaConf,
    block: &Block,
    scope: &Scope,
    with_docroot: &[&Block],
    server: &Server,
    groups: &OsGroups,
) -> Found {
    let (from, effective) = if block.has_restriction {
        (None, Some(Effective::unknown(ACCESS_KEY)))
    } else {
        inherited(conf, scope, with_docroot, server, groups)
    };
    Found {
        report: DocrootReport {
            scope: scope.kind(),
            name: scope.name().map(str::to_owned),
            peer_ip: None,
            scheme: None,
            uri: None,
            server_side_encryption: None,
            kms_key_id: None,
            inherited_from: from.map(|scope| scope.to_string()),
            effective: EffectiveReport::new(effective.as_ref()),
        },
        effective,
    }
}

/// Whose docroot a user takes, and what is in effect there: that of the group with the least precedence number, else the default.
fn inherited(
    conf: &AsperaConf,
    user: &Scope,
    with_docroot: &[&Block],
    server: &Server,
    groups: &OsGroups,
) -> (Option<Scope>, Option<Effective>) {
    let user_name = user.name().unwrap_or_default();
    let mut candidates: Vec<(&Block, Scope)> = Vec::new();
    let mut doubt = None;
    for block in with_docroot {
        let scope = conf.scope(block);
        if let Scope::Group(group) = &scope {
            match groups.membership(group, user_name) {
                Membership::Member => candidates.push((block, scope)),
                Membership::NotMember => {}
                Membership::UnknownUser => doubt = Some(UNKNOWN_USER),
                Membership::UnknownGroup => doubt = doubt.or(Some(UNKNOWN_GROUP)),
            }
        }
    }
    let first = candidates
        .iter()
        .filter_map(|(block, _)| block.precedence)
        .min();
    let is_tie = candidates.len() > 1
        && (first.is_none()
            || candidates
                .iter()
                .filter(|(block, _)| block.precedence == first)
                .count()
                > 1);
    let chosen = candidates
        .into_iter()
        .min_by_key(|(block, _)| block.precedence.unwrap_or(u32::MAX))
        .or_else(|| {
            let mut blocks = with_docroot.iter().map(|block| (*block, conf.scope(block)));
            blocks.find(|(_, scope)| *scope == Scope::Global)
        });
    let Some((block, scope)) = chosen else {
        return (None, doubt.map(Effective::unknown));
    };
    let mut found: Option<Effective> = None;
    for docroot in conf.docroots(block) {
        let uri = DocrootUri::new(conf.text(docroot));
        match (effective(&uri, server), &mut found) {
            (Some(other), Some(found)) => found.or(other),
            (other, found) => *found = found.take().or(other),
        }
    }
    let doubt = doubt.or(is_tie.then_some(SAME_PRECEDENCE));
    let effective = match (found, doubt) {
        (Some(found), Some(doubt)) => Some(found.or_else(doubt)),
        (None, Some(doubt)) => Some(Effective::unknown(doubt)),
        (found, None) => found,
    };
    (Some(scope), effective)
}

/// What is in effect for a docroot; nothing if it is surely not S3.
fn effective(uri: &DocrootUri, server: &Server) -> Option<Effective> {
    (uri.storage() == Storage::S3).then(|| {
        let (encryptions, kms_keys) = uri.setting_values();
        Effective::of_docroot((&encryptions, &kms_keys), server)
    })
}

fn scheme(uri: &DocrootUri) -> Option<&'static str> {
    match uri.storage() {
        Storage::S3 => Some("s3"),
        Storage::MisspelledS3 => Some("S3"),
        Storage::Other(scheme) => Some(scheme),
        Storage::Empty | Storage::Unset | Storage::Local | Storage::Unknown => None,
    }
}

impl EffectiveReport {
    fn new(effective: Option<&Effective>) -> Self {
        let reading = effective.and_then(|effective| effective.readings.first());
        let source = match (effective, reading.map(|reading| reading.source)) {
            (None, _) | (_, Some(Source::None)) => "none",
            (_, Some(Source::Docroot)) => "docroot",
            (_, Some(Source::Trapd)) => "trapd",
            (Some(_), None) => "unknown",
        };
        Self {
            server_side_encryption: reading.and_then(|reading| reading.values.shown_encryption()),
            kms_key_id: reading.and_then(|reading| reading.values.shown_kms_key()),
            source,
            certain: effective.is_none_or(Effective::is_certain),
            why: effective.and_then(|effective| effective.doubt),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::faults::named_after_a_panic_at;

    #[test]
    fn a_panic_names_the_docroot_or_the_user_without_one() {
        let conf = b"<CONF><aaa><realms><realm><users><user><name>a</name><file_system><access><paths><path><absolute>s3://h/a</absolute></path>\
            </paths></access></file_system></user><user><name>b</name></user></users></realm></realms></aaa></CONF>";
        let conf = AsperaConf::parse(conf).unwrap();
        for name in ["user a", "user b"] {
            let work = || all(&conf, &Server::default(), &OsGroups::default());
            assert_eq!(named_after_a_panic_at(name, work).as_deref(), Some(name));
        }
    }
}
