//! The options of `aspera_s3_objects_info`, checked.

use std::path::PathBuf;
use std::time::SystemTime;

use anyhow::Result;
use serde::Deserialize;

use super::expect;
use super::s3_options::{Access, AccessOptions, ScopeOptions, failure, number};
use crate::ansible::{Kind, OptionSpec};
use crate::aspera::audit::Expectation;
use crate::aspera::docroot::{DocrootUri, Scope, Storage};
use crate::aspera::host::Installation;
use crate::utc::Utc;

/// The most objects that are looked at.
const MOST_HEADS: i64 = 10_000;
/// The most objects that are listed in a docroot.
const MOST_LISTED: i64 = 1_000_000;

/// An entry of the option `places`.
pub(super) const PLACE: &[OptionSpec] = &[
    OptionSpec::new("access_key", Kind::Str),
    OptionSpec::new("uri", Kind::Str).secret(),
];

/// An entry of the option `places` as it comes.
#[derive(Deserialize)]
struct PlaceOption {
    access_key: Option<String>,
    uri: Option<String>,
}

/// The options as they come.
#[derive(Deserialize)]
pub(super) struct Options {
    aspera_root: PathBuf,
    path: Option<PathBuf>,
    #[serde(flatten)]
    scope: ScopeOptions,
    places: Option<Vec<PlaceOption>>,
    keys: Option<Vec<String>>,
    prefix: Option<String>,
    list_limit: i64,
    head_limit: i64,
    since: Option<String>,
    expect: Option<Vec<expect::Entry>>,
    #[serde(flatten)]
    access: AccessOptions,
    show_keys: bool,
    uploaded_by_aspera: bool,
}

/// What the task asks.
pub(super) struct Question {
    pub(super) aspera_root: PathBuf,
    pub(super) conf_path: PathBuf,
    /// The scope of which the docroots are wanted, or `None` for all.
    pub(super) scope: Option<Scope>,
    /// The storages of access keys that are wanted in place of docroots.
    pub(super) places: Option<Vec<(String, DocrootUri)>>,
    pub(super) which: Which,
    pub(super) list_limit: usize,
    pub(super) head_limit: usize,
    pub(super) since: Option<Since>,
    pub(super) expectations: Option<Vec<Expectation>>,
    pub(super) show_keys: bool,
    /// Whether the user knows that Aspera has uploaded the objects.
    pub(super) all_are_asperas: bool,
    pub(super) access: Access,
}

/// Which objects below a docroot are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Which {
    /// All objects below it.
    All,
    /// Those with a prefix.
    Prefix(String),
    /// The objects with these keys.
    Keys(Vec<String>),
}

/// From when on objects are in question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Since {
    /// A point in time.
    Time(SystemTime),
    /// When the services started with the current setting.
    Setting,
}

impl Options {
    pub(super) fn question(self, now: SystemTime) -> Result<Question> {
        let access = self.access.access()?;
        let expectations = self
            .expect
            .as_deref()
            .map(expect::expectations)
            .transpose()?;
        Ok(Question {
            conf_path: self
                .path
                .clone()
                .unwrap_or_else(|| Installation::at(&self.aspera_root).aspera_conf()),
            scope: self.scope.scope()?,
            places: self.places()?,
            which: self.which()?,
            list_limit: number("list_limit", self.list_limit, 1..=MOST_LISTED)?,
            head_limit: number("head_limit", self.head_limit, 1..=MOST_HEADS)?,
            since: self
                .since
                .as_deref()
                .map(|text| since(text, now))
                .transpose()?,
            expectations,
            show_keys: self.show_keys,
            all_are_asperas: self.uploaded_by_aspera,
            aspera_root: self.aspera_root,
            access,
        })
    }

    /// Returns the storages of access keys.
    fn places(&self) -> Result<Option<Vec<(String, DocrootUri)>>> {
        let Some(places) = &self.places else {
            return Ok(None);
        };
        if self.scope.scope()?.is_some() || self.path.is_some() {
            return failure(
                "The option places does not go with path, user, group or global: it names the places itself. Leave one of them out.",
            );
        }
        let place = |(index, place): (usize, &PlaceOption)| {
            let uri = DocrootUri::new(place.uri.as_deref().unwrap_or_default());
            match &place.access_key {
                Some(id) if !id.is_empty() && uri.storage() == Storage::S3 => Ok((id.clone(), uri)),
                _ => failure(format!(
                    "places[{index}] must have access_key, the id of an access key, and uri, its storage as s3://HOST/BUCKET/FOLDER. Pass the list places \
                     from the result of aspera_access_keys_info."
                )),
            }
        };
        let places: Result<_> = places.iter().enumerate().map(place).collect();
        places.map(Some)
    }

    fn which(&self) -> Result<Which> {
        if self.uploaded_by_aspera && self.keys.is_none() {
            return failure(
                "The option uploaded_by_aspera goes with keys: it says that Aspera has uploaded these objects. Set keys, or leave it out.",
            );
        }
        let Some(keys) = &self.keys else {
            return Ok(match self.prefix.as_deref() {
                None | Some("") => Which::All,
                Some(prefix) if prefix.starts_with('/') => {
                    return failure(
                        "The option prefix starts with a slash. Write it from the docroot on, such as 2026/11/.",
                    );
                }
                Some(prefix) => Which::Prefix(prefix.to_owned()),
            });
        };
        if self.prefix.is_some() || self.since.is_some() {
            return failure(
                "The option keys does not go with prefix or since: it names the objects itself. Leave one of them out.",
            );
        }
        if keys.is_empty() || keys.iter().any(String::is_empty) {
            return failure(
                "The option keys is empty, or has an empty key in it. Name the objects below the docroot, or leave it out.",
            );
        }
        number(
            "keys",
            i64::try_from(keys.len()).unwrap_or(i64::MAX),
            1..=MOST_HEADS,
        )?;
        Ok(Which::Keys(keys.clone()))
    }
}

/// The word for the time since which the services run with the setting.
const SETTING: &str = "setting";

/// Returns whether a text is a value of the option `since`, and can be repeated.
pub(super) fn is_since(text: &str) -> bool {
    text == SETTING || Utc::parse(text).is_some()
}

fn since(text: &str, now: SystemTime) -> Result<Since> {
    if text == SETTING {
        return Ok(Since::Setting);
    }
    match Utc::parse(text) {
        None => failure(
            "The option since is neither the word setting nor a time such as 2026-11-27T08:00:00Z. Correct it.",
        ),
        Some(time) if time > now => failure(
            "The option since is in the future, so no object can match. Correct it, or the clock of this host.",
        ),
        Some(time) => Ok(Since::Time(time)),
    }
}
