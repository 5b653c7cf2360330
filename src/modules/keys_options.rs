//! The options of `aspera_access_keys_info`, checked.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use rustls::pki_types::CertificateDer;
use serde::Deserialize;

use super::expect;
use super::s3_options::{failure, is_origin, number, read_authorities};
use crate::ansible::{Failure, Kind, OptionSpec};
use crate::aspera::audit::Expectation;
use crate::http::{Login, Origin, Scheme};

/// The option for the address of the Node API.
pub(super) const URL: OptionSpec = OptionSpec::new("url", Kind::Str)
    .default("https://localhost:9092")
    .shown_if(is_origin);

/// The options as they come.
#[derive(Deserialize)]
pub(super) struct Options {
    aspera_root: PathBuf,
    url: String,
    username: Option<String>,
    password: Option<String>,
    access_key: Option<String>,
    secret: Option<String>,
    ca_file: Option<PathBuf>,
    validate_certs: bool,
    timeout: i64,
    max_response_entries: i64,
    expect: Option<Vec<expect::Entry>>,
    ignore_metadata_changes: bool,
}

/// What the task asks.
pub(super) struct Question {
    pub(super) aspera_root: PathBuf,
    pub(super) origin: Origin,
    pub(super) login: Login,
    /// The name of the login, which an access key has as its id.
    pub(super) name: String,
    pub(super) is_access_key: bool,
    pub(super) authorities: Vec<CertificateDer<'static>>,
    pub(super) validate_certs: bool,
    pub(super) timeout: Duration,
    /// The number of access keys at which the node may have cut the list.
    pub(super) most_entries: usize,
    pub(super) expectations: Option<Vec<Expectation>>,
    pub(super) ignore_metadata_changes: bool,
}

impl Options {
    pub(super) fn question(self) -> Result<Question> {
        let origin = Origin::parse(&self.url)
            .map_err(|error| Failure::new(format!("The option url {}", of_node(error))))?;
        if origin.scheme() == Scheme::Http && !origin.is_loopback() {
            return failure(
                "The option url starts with http://, so anyone on the network could read the password. Use https://; http:// is for \
                 localhost only.",
            );
        }
        let (name, password, is_access_key) = self.names()?;
        let Some(login) = Login::new(&name, &password) else {
            let [name, password] = if is_access_key {
                ["access_key", "secret"]
            } else {
                ["username", "password"]
            };
            return failure(format!(
                "The option {name} is empty or has a colon, or it or {password} has a line break, a control character or one that is not ASCII. Correct it."
            ));
        };
        let expectations = self.expect.as_deref().map(expect::expectations);
        Ok(Question {
            origin,
            login,
            name,
            is_access_key,
            authorities: self
                .ca_file
                .as_deref()
                .map_or(Ok(Vec::new()), read_authorities)?,
            validate_certs: self.validate_certs,
            timeout: Duration::from_secs(number("timeout", self.timeout, 1..=600)? as u64),
            most_entries: number(
                "max_response_entries",
                self.max_response_entries,
                1..=1_000_000,
            )?,
            expectations: expectations.transpose()?,
            ignore_metadata_changes: self.ignore_metadata_changes,
            aspera_root: self.aspera_root,
        })
    }

    /// Returns the name and the password of the login, and whether it is an access key.
    fn names(&self) -> Result<(String, String, bool)> {
        let user = (&self.username, &self.password);
        let key = (&self.access_key, &self.secret);
        match (user, key) {
            ((Some(name), Some(password)), (None, None)) => {
                Ok((name.clone(), password.clone(), false))
            }
            ((None, None), (Some(key), Some(secret))) => Ok((key.clone(), secret.clone(), true)),
            ((None, None), (None, None)) => failure(
                "There is no login for the Node API. Set username and password of one of its users who may see access keys (acl key_master), or access_key and secret.",
            ),
            _ => failure(
                "Set either username and password, or access_key and secret: both options of one pair, and none of the other.",
            ),
        }
    }
}

/// Returns the rest of a sentence about an address that is not one, in words that fit the Node API.
fn of_node(error: crate::http::InvalidOrigin) -> String {
    use crate::http::InvalidOrigin as E;
    match error {
        E::Credentials => "has an @ in it. Give the login by username and password.".to_owned(),
        E::Path => "has a path, query or fragment. Write only https://HOST:PORT.".to_owned(),
        error => error.to_string(),
    }
}
