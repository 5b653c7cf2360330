//! The short forms in which the table writes a configuration, and their expansion.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::configuration::{
    self, Block, Docroot, LocalGroup, S3Settings, State, Trapd, UnclearName,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Configuration {
    aspera_conf: Readable,
    users: Option<Blocks>,
    groups: Option<Blocks>,
    default: Option<Defaults>,
    s3_properties: S3Properties,
    passwd: Option<Passwd>,
    more_passwd: Vec<String>,
    group: Option<Group>,
    more_group: Vec<String>,
    trapd: Trapd,
    version: String,
    service_options: bool,
    older_aspera_conf: bool,
    older_s3_properties: bool,
    settled: Vec<configuration::Settled>,
}

/// Returns Aspera 3.9.6 with trapd, which sets HTTPS and nothing else.
impl Default for Configuration {
    fn default() -> Self {
        Self {
            aspera_conf: Readable::Readable,
            users: None,
            groups: None,
            default: None,
            s3_properties: S3Properties::Settings(Settings::default()),
            passwd: None,
            more_passwd: Vec::new(),
            group: None,
            more_group: Vec::new(),
            trapd: Trapd::Enabled,
            version: "3.9.6".to_owned(),
            service_options: false,
            older_aspera_conf: false,
            older_s3_properties: false,
            settled: Vec::new(),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Readable {
    Readable,
    Unreadable,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Blocks {
    ByName(BTreeMap<String, Option<Body>>),
    List(Vec<Named>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Defaults {
    List(Vec<Body>),
    One(Body),
}

#[derive(Deserialize)]
struct Named {
    name: String,
    #[serde(flatten)]
    body: Full,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Body {
    Docroot(String),
    Full(Full),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Full {
    docroot: Option<Element>,
    #[serde(default)]
    docroots: Vec<Element>,
    #[serde(default)]
    restrictions: bool,
    unclear_name: Option<UnclearName>,
    precedence: Option<Precedence>,
    #[serde(default)]
    second_precedence: bool,
    #[serde(default)]
    pvcl: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Precedence {
    Whole(u32),
    Text(String),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Element {
    Text(String),
    ForPeer { peer_ip: String, docroot: String },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum S3Properties {
    State(FileState),
    Settings(Settings),
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum FileState {
    Missing,
    Unreadable,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Settings {
    encryption: Option<String>,
    key: Option<String>,
    https_only: Option<Flag>,
    nearly: Vec<(String, String)>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Flag {
    Flag(bool),
    Text(String),
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            encryption: None,
            key: None,
            https_only: Some(Flag::Flag(true)),
            nearly: Vec::new(),
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Passwd {
    Unreadable(Unreadable),
    Lines(BTreeMap<String, u32>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Group {
    Unreadable(Unreadable),
    Lines(BTreeMap<String, GroupLine>),
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Unreadable {
    Unreadable,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum GroupLine {
    Members(Vec<String>),
    Full { gid: u32, members: Vec<String> },
}

#[derive(Deserialize)]
#[serde(untagged)]
pub enum Expectation {
    Encryption(String),
    Full(FullExpectation),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FullExpectation {
    encryption: Option<String>,
    #[serde(default)]
    keys: Vec<String>,
    #[serde(default)]
    scopes: Vec<String>,
    #[serde(default = "present")]
    state: State,
}

fn present() -> State {
    State::Present
}

/// The primary group of users who are in no group of aspera.conf.
const OTHER_GID: u32 = 100;
/// The number of the first group whose row does not give one.
const FIRST_GID: u32 = 3000;

impl TryFrom<Configuration> for configuration::Configuration {
    type Error = String;

    fn try_from(short: Configuration) -> Result<Self, String> {
        let users = blocks(short.users);
        let groups = blocks(short.groups);
        let defaults = match short.default {
            None => Vec::new(),
            Some(Defaults::One(body)) => vec![block("", Some(body))],
            Some(Defaults::List(bodies)) => bodies
                .into_iter()
                .map(|body| block("", Some(body)))
                .collect(),
        };
        let passwd = match short.passwd {
            None => Some(names(&users).map(|name| (name, OTHER_GID)).collect()),
            Some(Passwd::Lines(lines)) => Some(lines),
            Some(Passwd::Unreadable(_)) => None,
        };
        let group = match short.group {
            None => Some(lines_of_groups(
                names(&groups).map(|name| (name, GroupLine::Members(Vec::new()))),
            )),
            Some(Group::Lines(lines)) => Some(lines_of_groups(lines)),
            Some(Group::Unreadable(_)) => None,
        };
        let version = match short.version.as_str() {
            "unknown" => None,
            version if version.starts_with(|first: char| first.is_ascii_digit()) => {
                Some(version.to_owned())
            }
            other => return Err(format!("{other} is not a version")),
        };
        Ok(Self {
            aspera_conf_readable: matches!(short.aspera_conf, Readable::Readable),
            users,
            groups,
            defaults,
            s3_properties: match short.s3_properties {
                S3Properties::State(FileState::Missing) => configuration::S3Properties::Missing,
                S3Properties::State(FileState::Unreadable) => {
                    configuration::S3Properties::Unreadable
                }
                S3Properties::Settings(set) => configuration::S3Properties::Set(S3Settings {
                    encryption: set.encryption,
                    key: set.key,
                    https_only: set.https_only.map(|value| match value {
                        Flag::Flag(flag) => flag.to_string(),
                        Flag::Text(text) => text,
                    }),
                    nearly: set.nearly,
                }),
            },
            passwd,
            more_passwd: short.more_passwd,
            group,
            more_group: short.more_group,
            trapd: short.trapd,
            version,
            service_options: short.service_options,
            older_aspera_conf: short.older_aspera_conf,
            older_s3_properties: short.older_s3_properties,
            settled: short.settled,
            expect: Vec::new(),
        })
    }
}

impl From<Expectation> for configuration::Expectation {
    fn from(short: Expectation) -> Self {
        match short {
            Expectation::Encryption(encryption) => Self {
                encryption,
                keys: Vec::new(),
                scopes: Vec::new(),
                state: State::Present,
            },
            Expectation::Full(full) => Self {
                encryption: full.encryption.unwrap_or_else(|| "NONE".to_owned()),
                keys: full.keys,
                scopes: full.scopes,
                state: full.state,
            },
        }
    }
}

fn blocks(short: Option<Blocks>) -> Vec<Block> {
    match short {
        None => Vec::new(),
        Some(Blocks::ByName(by_name)) => by_name
            .into_iter()
            .map(|(name, body)| block(&name, body))
            .collect(),
        Some(Blocks::List(list)) => list
            .into_iter()
            .map(|named| block(&named.name, Some(Body::Full(named.body))))
            .collect(),
    }
}

fn block(name: &str, body: Option<Body>) -> Block {
    let name = name.to_owned();
    match body {
        None => Block {
            name,
            ..Block::default()
        },
        Some(Body::Docroot(text)) => Block {
            name,
            docroots: vec![docroot(Element::Text(text))],
            ..Block::default()
        },
        Some(Body::Full(full)) => Block {
            name,
            docroots: full
                .docroot
                .into_iter()
                .chain(full.docroots)
                .map(docroot)
                .collect(),
            restrictions: full.restrictions,
            unclear_name: full.unclear_name,
            second_precedence: full.second_precedence,
            precedence: full.precedence.map(|precedence| match precedence {
                Precedence::Whole(number) => number.to_string(),
                Precedence::Text(text) => text,
            }),
            pvcl: full.pvcl,
        },
    }
}

fn docroot(element: Element) -> Docroot {
    match element {
        Element::Text(text) => Docroot {
            text,
            peer_ip: None,
        },
        Element::ForPeer { peer_ip, docroot } => Docroot {
            text: docroot,
            peer_ip: Some(peer_ip),
        },
    }
}

fn names(blocks: &[Block]) -> impl Iterator<Item = String> {
    blocks.iter().map(|block| block.name.clone())
}

fn lines_of_groups(
    lines: impl IntoIterator<Item = (String, GroupLine)>,
) -> BTreeMap<String, LocalGroup> {
    let numbered = lines.into_iter().zip(FIRST_GID..);
    numbered
        .map(|((name, line), next)| match line {
            GroupLine::Members(members) => (name, LocalGroup { gid: next, members }),
            GroupLine::Full { gid, members } => (name, LocalGroup { gid, members }),
        })
        .collect()
}
