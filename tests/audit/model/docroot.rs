//! The encryption that an upload into one docroot requests from S3, in one world.

use std::collections::BTreeSet;

use super::decisions;
use super::docroot_text::{Docroot, Own, S3, names_an_endpoint, nearly_ours};
use super::host::Host;
use super::judge::is_name_of_a_key;
use super::worlds::World;
use crate::configuration::{Configuration, S3Properties, S3Settings, Trapd};

/// The outcome of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome<'c> {
    NotS3,
    /// The requested encryption and key, as they are written.
    Asks(Option<&'c str>, Option<&'c str>),
    /// The same with a bare key id, at a host.
    AsksAt(Option<&'c str>, Option<&'c str>, &'c Host),
    /// An outcome that is not listed.
    Anything,
}

/// The encryption and the key that a file sets.
pub type Settings<'a> = (Option<&'a str>, Option<&'a str>);

/// The content of `s3.properties`.
pub struct File {
    settings: [Option<String>; 2],
    /// All values that each may have, because of lines whose names are nearly ours. The plain one is first.
    nearly: [Vec<Option<String>>; 2],
    is_https_forced: bool,
    has_other_endpoint: bool,
}

const NOTHING: Outcome = Outcome::Asks(None, None);

/// The facts about the whole server that affect each docroot.
pub struct Server<'c> {
    /// The settings, or `None` if the file cannot be read.
    pub file: Option<File>,
    trapd: Trapd,
    pvcl_is_possible: bool,
    service_options: bool,
    older_s3_properties: bool,
    configuration: &'c Configuration,
}

impl<'c> Server<'c> {
    pub fn new(configuration: &'c Configuration) -> Self {
        let blocks = || {
            let users = configuration.users.iter().chain(&configuration.groups);
            users.chain(&configuration.defaults)
        };
        let may_be_new = configuration
            .version
            .as_deref()
            .and_then(|version| is_at_least(version, (4, 4, 0)));
        let may_be_new = may_be_new != Some(false);
        let trapd = configuration.trapd;
        Self {
            file: match &configuration.s3_properties {
                S3Properties::Missing => Some(File::empty()),
                S3Properties::Unreadable => None,
                S3Properties::Set(settings) => Some(File::read(settings)),
            },
            trapd,
            pvcl_is_possible: blocks().any(|block| block.pvcl)
                || may_be_new && trapd != Trapd::Enabled,
            service_options: configuration.service_options,
            older_s3_properties: configuration.older_s3_properties,
            configuration,
        }
    }

    pub fn configuration(&self) -> &'c Configuration {
        self.configuration
    }

    /// Returns whether the version of Aspera is at least this one, or `None` if it is not known.
    pub fn is_at_least(&self, version: (u32, u32, u32)) -> Option<bool> {
        is_at_least(self.configuration.version.as_deref()?, version)
    }

    /// Returns the reason why `s3.properties` may not set anything on this version.
    fn old_version(&self) -> Option<&'static str> {
        match self.is_at_least((3, 6, 1)) {
            None => Some("version_unknown"),
            Some(true) => None,
            Some(false) => Some("old_version"),
        }
    }

    /// Returns the reasons to doubt that the system-wide setting is in force as it is written.
    pub fn against_system(&self) -> BTreeSet<&'static str> {
        let Some(file) = &self.file else {
            return BTreeSet::new();
        };
        let (encryption, key) = file.settings();
        let is_set = encryption.is_some() || key.is_some();
        let only_pvcl_serves = self.pvcl_is_possible && self.trapd == Trapd::Disabled;
        let readings = file.readings();
        let any = |holds: fn(&Settings) -> bool| readings.iter().any(holds);
        let points = [
            (is_set && self.trapd == Trapd::Disabled, "trapd_off"),
            (is_set && self.trapd == Trapd::Unknown, "trapd_unknown"),
            (self.older_s3_properties, "older_file"),
            (
                is_set && self.old_version() == Some("old_version"),
                "old_version",
            ),
            (
                is_set && self.old_version() == Some("version_unknown"),
                "version_unknown",
            ),
            (
                file.has_other_endpoint
                    && any(|(encryption, _)| {
                        encryption.is_some_and(|encryption| encryption != "NONE")
                    }),
                "other_endpoint",
            ),
            (
                any(|(encryption, _)| *encryption == Some("AWS_KMS"))
                    && !file.is_https_forced
                    && !only_pvcl_serves,
                "https_not_forced",
            ),
            (
                any(|(_, key)| key.is_some_and(|key| !is_name_of_a_key(key))),
                "undocumented_value",
            ),
            (
                any(|(encryption, key)| key.is_some() && *encryption != Some("AWS_KMS")),
                "key_without_kms",
            ),
        ];
        let against = points.into_iter().filter(|(stands, _)| *stands);
        against.map(|(_, reason)| reason).collect()
    }

    /// Returns the outcome of an upload into a docroot in one world.
    pub fn upload<'a>(&'a self, docroot: &'a Docroot, world: &mut World) -> Outcome<'a> {
        let s3 = match docroot {
            Docroot::NotS3 => return Outcome::NotS3,
            Docroot::Anything => return Outcome::Anything,
            Docroot::Unknown => {
                world.because("unknown_docroot");
                return Outcome::Anything;
            }
            Docroot::S3(s3) => s3,
        };
        if s3.blanks_around {
            world.stands_against("blanks_around_docroot");
        }
        if s3.comment {
            world.stands_against("comment_in_docroot");
        }
        if s3.scheme_in_capitals {
            world.stands_against("scheme_in_capitals");
            if world.may("scheme_in_capitals") {
                return Outcome::NotS3;
            }
        }
        if s3.question_mark_in_credentials && world.may("question_mark_in_credentials")
            || self.older_s3_properties && world.may("older_file")
        {
            return Outcome::Anything;
        }
        let own = s3.own_options(world);
        let ways = if self.pvcl_is_possible { 3 } else { 1 };
        let asks = match world.choose("pvcl_cloud", ways) {
            0 => self.through_trapd(&own, world),
            1 => Self::alone(&own, world),
            _ => NOTHING,
        };
        self.in_the_store(s3, asks, world)
    }

    /// Returns the outcome if trapd serves, which reads `s3.properties` as well.
    fn through_trapd<'a>(&'a self, own: &Own<'a>, world: &mut World) -> Outcome<'a> {
        if self.service_options && world.may("service_options") {
            return Outcome::Anything;
        }
        let file = self.file_settings(world);
        let Some(own_encryption) = choose(&own.encryptions, "repeated_option", world) else {
            return self.set_by_file(file, own, world);
        };
        let own_key = choose(&own.keys, "repeated_option", world);
        if own_encryption == "NONE" {
            world.stands_against("none_in_docroot");
            if world.may("none_in_docroot") {
                return if decisions::FILE_AND_DOCROOT_MAY_MIX {
                    self.set_by_file(file, own, world)
                } else {
                    self.set_by_file(file, &Own::default(), world)
                };
            }
        }
        let docroot_alone = Outcome::Asks(Some(own_encryption), own_key);
        let Some((encryption, key)) = file else {
            return if world.may("unreadable") {
                Outcome::Anything
            } else {
                docroot_alone
            };
        };
        if own_key.is_none()
            && own_encryption == "AWS_KMS"
            && key.is_some()
            && world.may("key_of_trapd")
        {
            return Outcome::Asks(Some(own_encryption), key);
        }
        if encryption.is_some() && world.may("docroot_and_file") {
            return Outcome::Asks(encryption, key);
        }
        // The file wins for each option separately.
        let conflicts = encryption.is_some() || key.is_some() && own_key.is_some();
        if decisions::FILE_AND_DOCROOT_MAY_MIX && conflicts && world.may("docroot_and_file") {
            return Outcome::Asks(encryption.or(Some(own_encryption)), key.or(own_key));
        }
        docroot_alone
    }

    /// Returns what `s3.properties` sets in one world, or `None` if it cannot be read.
    fn file_settings(&self, world: &mut World) -> Option<Settings<'_>> {
        let readings = self.file.as_ref()?.readings();
        let reading = world.choose("nearly_a_setting", readings.len());
        Some(readings[reading])
    }

    /// Returns the outcome of a docroot without encryption options.
    fn set_by_file<'a>(
        &'a self,
        file: Option<Settings<'a>>,
        own: &Own<'a>,
        world: &mut World,
    ) -> Outcome<'a> {
        let Some((encryption, key)) = file else {
            world.because("unreadable");
            return Outcome::Anything;
        };
        let does_not_count = (encryption.is_some() || key.is_some())
            && match self.trapd {
                Trapd::Enabled => false,
                Trapd::Disabled => world.may("trapd_off"),
                Trapd::Unknown => world.may("trapd_unknown"),
            };
        let is_set = encryption.is_some() || key.is_some();
        let does_not_count = does_not_count
            || is_set
                && self.trapd == Trapd::Enabled
                && self.old_version().is_some_and(|reason| world.may(reason));
        let (encryption, key) = if does_not_count {
            (None, None)
        } else {
            (encryption, key)
        };
        if !own.keys.is_empty() && world.may("key_without_encryption") {
            return Outcome::Asks(encryption, choose(&own.keys, "repeated_option", world));
        }
        Outcome::Asks(encryption, key)
    }

    /// Returns the outcome if `pvcl_cloud` serves and uses the options of the docroot.
    fn alone<'a>(own: &Own<'a>, world: &mut World) -> Outcome<'a> {
        let encryption = choose(&own.encryptions, "repeated_option", world);
        let key = choose(&own.keys, "repeated_option", world);
        match encryption {
            None if key.is_some() && world.may("key_without_encryption") => {
                Outcome::Asks(None, key)
            }
            None => NOTHING,
            Some("NONE") => {
                world.stands_against("none_in_docroot");
                if world.may("none_in_docroot") {
                    NOTHING
                } else {
                    Outcome::Asks(Some("NONE"), key)
                }
            }
            Some(encryption) => Outcome::Asks(Some(encryption), key),
        }
    }

    /// Returns the outcome after the store has handled the request.
    fn in_the_store<'a>(&self, s3: &'a S3, asks: Outcome<'a>, world: &mut World) -> Outcome<'a> {
        let Outcome::Asks(encryption, key) = asks else {
            return asks;
        };
        if key.is_some_and(|key| !is_name_of_a_key(key)) {
            world.stands_against("undocumented_value");
        }
        if key.is_some() && encryption != Some("AWS_KMS") {
            world.stands_against("key_without_kms");
        }
        let host = s3.host(world);
        if encryption == Some("AWS_KMS") {
            let only_pvcl_serves = self.pvcl_is_possible && self.trapd == Trapd::Disabled;
            let is_https_forced = self.file.as_ref().is_some_and(|file| file.is_https_forced);
            if s3.https_off || !is_https_forced && !only_pvcl_serves {
                world.stands_against("https_not_forced");
            }
            if host.has_other_port() {
                world.stands_against("https_not_forced");
            }
            if key.is_some_and(|key| host.refuses(key)) {
                world.stands_against("key_of_another_region");
            }
        }
        let asks_for_encryption = encryption.is_some_and(|encryption| encryption != "NONE");
        let has_other_endpoint = s3.other_endpoint
            || self
                .file
                .as_ref()
                .is_some_and(|file| file.has_other_endpoint);
        if asks_for_encryption && has_other_endpoint {
            world.stands_against("other_endpoint");
            if world.may("other_endpoint") {
                return NOTHING;
            }
        }
        if asks_for_encryption && !host.is_amazon() {
            let reason = if host.is_clear() {
                "not_amazon"
            } else {
                "unclear_host"
            };
            world.stands_against(reason);
            if world.may(reason) {
                return NOTHING;
            }
        }
        if key.is_some_and(|key| is_name_of_a_key(key) && !key.contains(['/', ':'])) {
            return Outcome::AsksAt(encryption, key, host);
        }
        asks
    }
}

impl File {
    fn empty() -> Self {
        Self {
            settings: [None, None],
            nearly: [vec![None], vec![None]],
            is_https_forced: false,
            has_other_endpoint: false,
        }
    }

    fn read(settings: &S3Settings) -> Self {
        let own = [settings.encryption.clone(), settings.key.clone()];
        let mut nearly = own.clone().map(|value| vec![value]);
        for (name, value) in &settings.nearly {
            if let Some(which) = nearly_ours(name) {
                nearly[which].push(Some(value.clone()));
            }
        }
        let is_true = |value: &str| value.eq_ignore_ascii_case("true");
        let is_of_https = |name: &str| name.to_lowercase().contains("https");
        let mut of_https = settings.nearly.iter().filter(|(name, _)| is_of_https(name));
        Self {
            is_https_forced: settings.https_only.as_deref().is_some_and(is_true)
                && of_https.all(|(_, value)| is_true(value)),
            has_other_endpoint: settings
                .nearly
                .iter()
                .any(|(name, _)| names_an_endpoint(name)),
            settings: own,
            nearly,
        }
    }

    fn settings(&self) -> Settings<'_> {
        let [encryption, key] = &self.settings;
        (encryption.as_deref(), key.as_deref())
    }

    /// Returns the settings that it may have, the plain reading first.
    pub fn readings(&self) -> Vec<Settings<'_>> {
        let [encryptions, keys] = &self.nearly;
        let mut readings = Vec::new();
        for encryption in encryptions {
            for key in keys {
                let reading = (encryption.as_deref(), key.as_deref());
                if !readings.contains(&reading) {
                    readings.push(reading);
                }
            }
        }
        readings
    }
}

fn choose<'a>(values: &[&'a str], reason: &'static str, world: &mut World) -> Option<&'a str> {
    if values.is_empty() {
        return None;
    }
    Some(values[world.choose(reason, values.len())])
}

/// Returns whether a version is at least another one, or `None` if the text is not a version.
fn is_at_least(version: &str, wanted: (u32, u32, u32)) -> Option<bool> {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().ok());
    let mut next = || parts.next().flatten();
    Some((next()?, next()?, next()?) >= wanted)
}
