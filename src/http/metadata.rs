//! The metadata service of EC2, version 2: the credentials of the instance's role, and the region ("Instance metadata" in the Amazon EC2 User Guide).

use std::env;
use std::time::Duration;

use serde::Deserialize;

use super::client::{Client, Limits, Method, Request, Response};
use super::credentials::Credentials;
use super::failure::Failure;
use super::origin::Origin;
use super::proxy::Proxies;

/// The service answers from the machine below within milliseconds, or there is none.
const LIMITS: Limits = Limits {
    connect: Duration::from_secs(1),
    request: Duration::from_secs(2),
    deadline: None,
};
/// How long a token is good for, in seconds.
const TOKEN_LIFE: &str = "60";
/// The longest name of a role (IAM User Guide, quotas).
const LONGEST_ROLE: usize = 64;

/// The service. A token is asked for once.
pub struct Metadata {
    client: Client,
    origin: Origin,
    token: String,
}

/// Why the instance gives no credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoMetadata {
    #[error(
        "there is no metadata service: this is not an EC2 instance, the service is off, or its hop limit is too low for a container"
    )]
    NoService,
    #[error("the instance has no role")]
    NoRole,
    #[error("the metadata service gave an answer that is not documented")]
    Undocumented,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RoleCredentials {
    code: Option<String>,
    access_key_id: Option<String>,
    secret_access_key: Option<String>,
    token: Option<String>,
}

impl Metadata {
    /// Asks for a token. No proxy is used. `AWS_EC2_METADATA_DISABLED` and `AWS_EC2_METADATA_SERVICE_ENDPOINT` count as in AWS's own programs.
    pub fn open() -> Result<Self, NoMetadata> {
        let variable = |name| env::var(name).ok().filter(|value| !value.is_empty());
        if variable("AWS_EC2_METADATA_DISABLED")
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
        {
            return Err(NoMetadata::NoService);
        }
        let endpoint = variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
        let endpoint = endpoint.as_deref().unwrap_or("http://169.254.169.254");
        let origin = Origin::parse(endpoint).map_err(|_| NoMetadata::NoService)?;
        let client = Client::new(LIMITS, Proxies::default(), Vec::new());
        let headers = [(
            "x-aws-ec2-metadata-token-ttl-seconds",
            TOKEN_LIFE.to_owned(),
        )];
        let answer = client.send(&Request {
            method: Method::Put,
            origin: &origin,
            path: "/latest/api/token",
            query: "",
            headers: &headers,
            body: b"",
        });
        let token = text(answer, NoMetadata::NoService)?;
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(NoMetadata::NoService);
        }
        Ok(Self {
            client,
            origin,
            token,
        })
    }

    /// Returns the credentials of the instance's role.
    pub fn credentials(&self) -> Result<Credentials, NoMetadata> {
        let list = self.get(
            "/latest/meta-data/iam/security-credentials/",
            NoMetadata::NoRole,
        )?;
        let role = list.lines().next().unwrap_or_default();
        let is_in_name = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte);
        if role.is_empty() || role.len() > LONGEST_ROLE || !role.bytes().all(is_in_name) {
            return Err(NoMetadata::NoRole);
        }
        let path = format!("/latest/meta-data/iam/security-credentials/{role}");
        let text = self.get(&path, NoMetadata::NoRole)?;
        let found: RoleCredentials =
            serde_json::from_str(&text).map_err(|_| NoMetadata::Undocumented)?;
        let is_complete = found.code.as_deref().is_none_or(|code| code == "Success");
        let credentials = (found.access_key_id.zip(found.secret_access_key))
            .filter(|_| is_complete)
            .and_then(|(id, secret)| Credentials::new(id, secret, found.token));
        credentials.ok_or(NoMetadata::Undocumented)
    }

    /// Returns the region of the instance.
    pub fn region(&self) -> Option<String> {
        let region = self.get(
            "/latest/meta-data/placement/region",
            NoMetadata::Undocumented,
        );
        region.ok().filter(|text| is_region(text))
    }

    fn get(&self, path: &str, otherwise: NoMetadata) -> Result<String, NoMetadata> {
        let headers = [("x-aws-ec2-metadata-token", self.token.clone())];
        let answer = self.client.send(&Request {
            method: Method::Get,
            origin: &self.origin,
            path,
            query: "",
            headers: &headers,
            body: b"",
        });
        text(answer, otherwise)
    }
}

fn is_region(text: &str) -> bool {
    let is_in_region =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=32).contains(&text.len()) && text.bytes().all(is_in_region)
}

fn text(answer: Result<Response, Failure>, otherwise: NoMetadata) -> Result<String, NoMetadata> {
    match answer {
        Ok(answer) if answer.status == 200 => {
            let text = String::from_utf8(answer.body).map_err(|_| otherwise)?;
            Ok(text.trim_ascii().to_owned())
        }
        _ => Err(otherwise),
    }
}
