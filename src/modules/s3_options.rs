//! The options by which modules that ask S3 choose docroots, reach S3, and say as whom they ask.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use serde::Deserialize;

use super::file_failure;
use crate::ansible::{Failure, Kind, OptionSpec};
use crate::aspera::docroot::Scope;
use crate::files;
use crate::http::{Credentials, Origin, Role, authorities};
use crate::s3::Style;

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
    .default("auto")
    .choices(&["auto", "path", "virtual"]);

/// The options that choose docroots.
#[derive(Deserialize)]
pub(super) struct ScopeOptions {
    user: Option<String>,
    group: Option<String>,
    global: bool,
    all: bool,
}

/// The options that say how S3 is reached, and as whom. A module may have no options for credentials.
#[derive(Deserialize)]
pub(super) struct AccessOptions {
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
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum AddressingStyle {
    Auto,
    Path,
    Virtual,
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

impl ScopeOptions {
    /// Returns whether all docroots are asked for by name.
    pub(super) fn is_all(&self) -> bool {
        self.all
    }

    /// Returns the scope of which the docroots are wanted, or `None` for all.
    pub(super) fn scope(&self) -> Result<Option<Scope>> {
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
}

impl AccessOptions {
    pub(super) fn access(&self) -> Result<Access> {
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

/// Returns a failure with a message.
pub(super) fn failure<T>(message: impl Into<String>) -> Result<T> {
    Err(Failure::new(message).into())
}

/// Returns the number in an option, if it is in a range.
pub(super) fn number(
    option: &str,
    value: i64,
    range: std::ops::RangeInclusive<i64>,
) -> Result<usize> {
    match usize::try_from(value) {
        Ok(number) if range.contains(&value) => Ok(number),
        _ => failure(format!(
            "The option {option} must be a number from {} to {}. Correct it.",
            range.start(),
            range.end()
        )),
    }
}

/// Reads the file with the certificates of authorities.
pub(super) fn read_authorities(
    path: &Path,
) -> Result<Vec<rustls::pki_types::CertificateDer<'static>>> {
    match files::read(path) {
        Err(error) => {
            let remedy = file_failure::remedy(&error).unwrap_or_default();
            failure(format!("ca_file: {} {remedy}", error.sentence()).trim_end())
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

/// Returns whether a text is the address of a server and nothing else, so that it can be repeated.
pub(super) fn is_origin(text: &str) -> bool {
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
