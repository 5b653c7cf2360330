//! The options of `aspera_s3_objects_info`, checked.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::Result;
use serde::Deserialize;

use super::expect;
use crate::ansible::{Failure, Kind, OptionSpec};
use crate::aspera::audit::Expectation;
use crate::aspera::docroot::Scope;
use crate::files;
use crate::http::{Credentials, Origin, Role, authorities};
use crate::s3::Style;
use crate::utc::Utc;

/// The options that say how S3 is reached, and as whom.
pub(super) const ACCESS_KEY_ID: OptionSpec = OptionSpec::new("access_key_id", Kind::Str).secret();
pub(super) const SECRET_ACCESS_KEY: OptionSpec =
    OptionSpec::new("secret_access_key", Kind::Str).secret();
pub(super) const SESSION_TOKEN: OptionSpec = OptionSpec::new("session_token", Kind::Str).secret();
pub(super) const ASSUME_ROLE_ARN: OptionSpec =
    OptionSpec::new("assume_role_arn", Kind::Str).shown_if(is_role_arn);
pub(super) const ASSUME_ROLE_EXTERNAL_ID: OptionSpec =
    OptionSpec::new("assume_role_external_id", Kind::Str).secret();
pub(super) const REGION: OptionSpec = OptionSpec::new("region", Kind::Str).shown_if(is_region);
pub(super) const ENDPOINT_URL: OptionSpec =
    OptionSpec::new("endpoint_url", Kind::Str).shown_if(is_origin);
pub(super) const ADDRESSING_STYLE: OptionSpec = OptionSpec::new("addressing_style", Kind::Str)
    .or("auto")
    .one_of(&["auto", "path", "virtual"]);

/// The most objects that are looked at.
const MOST_HEADS: i64 = 10_000;
/// The most objects that are listed in a docroot.
const MOST_LISTED: i64 = 1_000_000;

/// The options as they come.
#[derive(Deserialize)]
pub(super) struct Options {
    aspera_root: PathBuf,
    path: Option<PathBuf>,
    user: Option<String>,
    group: Option<String>,
    global: bool,
    all: bool,
    keys: Option<Vec<String>>,
    prefix: Option<String>,
    list_limit: i64,
    head_limit: i64,
    since: Option<String>,
    expect: Option<Vec<expect::Entry>>,
    access_key_id: Option<String>,
    secret_access_key: Option<String>,
    session_token: Option<String>,
    assume_role_arn: Option<String>,
    assume_role_external_id: Option<String>,
    region: Option<String>,
    endpoint_url: Option<String>,
    addressing_style: AddressingStyle,
    ca_file: Option<PathBuf>,
    timeout: i64,
    show_keys: bool,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum AddressingStyle {
    Auto,
    Path,
    Virtual,
}

/// What the task asks.
pub(super) struct Question {
    pub(super) aspera_root: PathBuf,
    pub(super) conf_path: PathBuf,
    /// The scope of which the docroots are wanted, or `None` for all.
    pub(super) scope: Option<Scope>,
    pub(super) which: Which,
    pub(super) list_limit: usize,
    pub(super) head_limit: usize,
    pub(super) since: Option<Since>,
    pub(super) expectations: Option<Vec<Expectation>>,
    pub(super) show_keys: bool,
    pub(super) access: Access,
}

/// How S3 is reached, and as whom.
pub(super) struct Access {
    pub(super) credentials: Option<Credentials>,
    pub(super) role: Option<Role>,
    pub(super) region: Option<String>,
    pub(super) endpoint: Option<Origin>,
    pub(super) style: Option<Style>,
    pub(super) authorities: Vec<rustls::pki_types::CertificateDer<'static>>,
    pub(super) timeout: Duration,
}

/// Which objects below a docroot are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Which {
    /// All of them.
    All,
    /// Those with a prefix.
    Prefix(String),
    /// Just these.
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
    /// Checks all options.
    pub(super) fn question(self, now: SystemTime) -> Result<Question> {
        let access = self.access()?;
        let expectations = self
            .expect
            .as_deref()
            .map(expect::expectations)
            .transpose()?;
        Ok(Question {
            conf_path: self
                .path
                .clone()
                .unwrap_or_else(|| self.aspera_root.join("etc/aspera.conf")),
            scope: self.scope()?,
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
            aspera_root: self.aspera_root,
            access,
        })
    }

    fn scope(&self) -> Result<Option<Scope>> {
        let named = [
            self.user.clone().map(Scope::User),
            self.group.clone().map(Scope::Group),
            self.global.then_some(Scope::Global),
        ];
        let ways = named.iter().flatten().count() + usize::from(self.all);
        if ways > 1 {
            return failure(
                "Set at most one of the options user, group, global and all. Without one, all S3 docroots are looked at.",
            );
        }
        for (option, name) in [("user", &self.user), ("group", &self.group)] {
            if name.as_deref() == Some("") {
                return failure(format!(
                    "The option {option} is empty. Name the {option}, or leave it out."
                ));
            }
        }
        Ok(named.into_iter().flatten().next())
    }

    fn which(&self) -> Result<Which> {
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

    fn access(&self) -> Result<Access> {
        let endpoint = self.endpoint_url.as_deref().map(Origin::parse).transpose();
        let endpoint =
            endpoint.map_err(|error| Failure::new(format!("The option endpoint_url {error}")))?;
        if self
            .region
            .as_deref()
            .is_some_and(|region| !is_region(region))
        {
            return failure(
                "The option region is not the code of a region, such as eu-west-1. Correct it.",
            );
        }
        Ok(Access {
            credentials: self.credentials()?,
            role: self.role()?,
            region: self.region.clone(),
            endpoint,
            style: match self.addressing_style {
                AddressingStyle::Auto => None,
                AddressingStyle::Path => Some(Style::Path),
                AddressingStyle::Virtual => Some(Style::VirtualHost),
            },
            authorities: self
                .ca_file
                .as_deref()
                .map_or(Ok(Vec::new()), read_authorities)?,
            timeout: Duration::from_secs(number("timeout", self.timeout, 1..=600)? as u64),
        })
    }

    fn credentials(&self) -> Result<Option<Credentials>> {
        match (&self.access_key_id, &self.secret_access_key) {
            (None, None) if self.session_token.is_some() => failure(
                "The option session_token goes with access_key_id and secret_access_key. Set them, or leave it out.",
            ),
            (None, None) => Ok(None),
            (Some(id), Some(secret)) => {
                let credentials = Credentials::new(id, secret, self.session_token.clone());
                credentials.map(Some).map_or_else(
                    || failure("access_key_id, secret_access_key or session_token is empty, or has a blank, a line break or a character that is not ASCII. Correct it."),
                    Ok,
                )
            }
            _ => failure(
                "The options access_key_id and secret_access_key go together. Set both, or neither.",
            ),
        }
    }

    fn role(&self) -> Result<Option<Role>> {
        match &self.assume_role_arn {
            None if self.assume_role_external_id.is_some() => failure(
                "The option assume_role_external_id goes with assume_role_arn. Set both, or leave it out.",
            ),
            None => Ok(None),
            Some(arn) if !is_role_arn(arn) => failure(
                "The option assume_role_arn is not the ARN of a role: arn:aws:iam::ACCOUNT:role/NAME. Correct it.",
            ),
            Some(arn) => Ok(Some(Role {
                arn: arn.clone(),
                external_id: self.assume_role_external_id.clone(),
            })),
        }
    }
}

fn failure<T>(message: impl Into<String>) -> Result<T> {
    Err(Failure::new(message).into())
}

fn number(option: &str, value: i64, range: std::ops::RangeInclusive<i64>) -> Result<usize> {
    match usize::try_from(value) {
        Ok(number) if range.contains(&value) => Ok(number),
        _ => failure(format!(
            "The option {option} must be from {} to {}, in number. Correct it.",
            range.start(),
            range.end()
        )),
    }
}

fn since(text: &str, now: SystemTime) -> Result<Since> {
    if text == "setting" {
        return Ok(Since::Setting);
    }
    match Utc::parse(text) {
        None => failure(
            "The option since is neither the word setting nor a time such as 2026-11-27T08:00:00Z. Correct it.",
        ),
        Some(time) if time > now => failure(
            "The option since is in the future, so no object could be in question. Correct it, or the clock of this host.",
        ),
        Some(time) => Ok(Since::Time(time)),
    }
}

fn read_authorities(path: &Path) -> Result<Vec<rustls::pki_types::CertificateDer<'static>>> {
    match files::read(path) {
        Err(error) => {
            let remedy = error.remedy().unwrap_or_default();
            failure(format!("ca_file: {} {remedy}", error.problem()).trim_end())
        }
        Ok(None) => failure(format!(
            "ca_file: {} does not exist. Name the file with the certificate of the authority.",
            path.display()
        )),
        Ok(Some(pem)) => match authorities(&pem) {
            Ok(authorities) => Ok(authorities),
            Err(error) => failure(format!("ca_file: {} {error}", path.display())),
        },
    }
}

fn is_origin(text: &str) -> bool {
    Origin::parse(text).is_ok()
}

fn is_region(text: &str) -> bool {
    let is_character =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=32).contains(&text.len()) && text.bytes().all(is_character)
}

/// Returns whether a text is the ARN of a role (IAM User Guide, "IAM ARNs").
fn is_role_arn(text: &str) -> bool {
    let fields: Vec<&str> = text.splitn(6, ':').collect();
    let &["arn", partition, "iam", "", account, resource] = fields.as_slice() else {
        return false;
    };
    let is_in_path = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@_-/".contains(&byte);
    let name = resource.strip_prefix("role/").unwrap_or_default();
    partition.starts_with("aws")
        && account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && (1..=576).contains(&name.len())
        && name.bytes().all(is_in_path)
}
