//! The encryption that an upload into one docroot requests from S3, in one world.

use std::collections::BTreeSet;

use super::decisions;
use super::docroot_text::{Docroot, Own, S3};
use super::judge::is_name_of_a_key;
use super::worlds::World;
use crate::configuration::{Configuration, S3Properties, S3Settings, Trapd};

/// The outcome of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome<'c> {
    NotS3,
    /// The requested encryption and key, as they are written.
    Asks(Option<&'c str>, Option<&'c str>),
    /// An outcome that is not listed.
    Anything,
}

const NOTHING: Outcome = Outcome::Asks(None, None);

/// The facts about the whole server that affect each docroot.
pub struct Server<'c> {
    /// The settings, or `None` if the file cannot be read.
    pub file: Option<S3Settings>,
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
                S3Properties::Missing => Some(S3Settings {
                    encryption: None,
                    key: None,
                    https_only: None,
                }),
                S3Properties::Unreadable => None,
                S3Properties::Set(settings) => Some(settings.clone()),
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

    /// Returns whether the version of Aspera supports `AWS_KMS`, or `None` if it is not known.
    pub fn knows_kms(&self) -> Option<bool> {
        is_at_least(self.configuration.version.as_deref()?, (3, 6, 1))
    }

    /// Returns the reasons to doubt that the system-wide setting is in force as it is written.
    pub fn against_system(&self) -> BTreeSet<&'static str> {
        let Some(file) = &self.file else {
            return BTreeSet::new();
        };
        let is_set = file.encryption.is_some() || file.key.is_some();
        let only_pvcl_serves = self.pvcl_is_possible && self.trapd == Trapd::Disabled;
        let is_kms = file.encryption.as_deref() == Some("AWS_KMS");
        let points = [
            (is_set && self.trapd == Trapd::Disabled, "trapd_off"),
            (is_set && self.trapd == Trapd::Unknown, "trapd_unknown"),
            (self.older_s3_properties, "older_file"),
            (
                is_kms && file.https_only != Some(true) && !only_pvcl_serves,
                "https_not_forced",
            ),
            (
                file.key
                    .as_deref()
                    .is_some_and(|key| !is_name_of_a_key(key)),
                "undocumented_value",
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
        let Some(own_encryption) = choose(&own.encryptions, "repeated_option", world) else {
            return self.set_by_file(own, world);
        };
        let own_key = choose(&own.keys, "repeated_option", world);
        if own_encryption == "NONE" {
            world.stands_against("none_in_docroot");
            if world.may("none_in_docroot") {
                return if decisions::FILE_AND_DOCROOT_MAY_MIX {
                    self.set_by_file(own, world)
                } else {
                    self.set_by_file(&Own::default(), world)
                };
            }
        }
        let docroot_alone = Outcome::Asks(Some(own_encryption), own_key);
        let Some(file) = &self.file else {
            return if world.may("unreadable") {
                Outcome::Anything
            } else {
                docroot_alone
            };
        };
        let (encryption, key) = (file.encryption.as_deref(), file.key.as_deref());
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

    /// Returns the outcome of a docroot without encryption options.
    fn set_by_file<'a>(&'a self, own: &Own<'a>, world: &mut World) -> Outcome<'a> {
        let Some(file) = &self.file else {
            world.because("unreadable");
            return Outcome::Anything;
        };
        let (encryption, key) = (file.encryption.as_deref(), file.key.as_deref());
        let does_not_count = (encryption.is_some() || key.is_some())
            && match self.trapd {
                Trapd::Enabled => false,
                Trapd::Disabled => world.may("trapd_off"),
                Trapd::Unknown => world.may("trapd_unknown"),
            };
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
    fn in_the_store<'a>(&self, s3: &S3, asks: Outcome<'a>, world: &mut World) -> Outcome<'a> {
        let Outcome::Asks(encryption, key) = asks else {
            return asks;
        };
        if key.is_some_and(|key| !is_name_of_a_key(key)) {
            world.stands_against("undocumented_value");
        }
        if encryption == Some("AWS_KMS") {
            let only_pvcl_serves = self.pvcl_is_possible && self.trapd == Trapd::Disabled;
            let https_only = self.file.as_ref().and_then(|file| file.https_only);
            if https_only != Some(true) && !only_pvcl_serves {
                world.stands_against("https_not_forced");
            }
            if key.is_some_and(|key| s3.refuses(key)) {
                world.stands_against("key_of_another_region");
            }
        }
        let asks_for_encryption = encryption.is_some_and(|encryption| encryption != "NONE");
        if asks_for_encryption && !s3.is_amazon() {
            world.stands_against("not_amazon");
            if world.may("not_amazon") {
                return NOTHING;
            }
        }
        asks
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
