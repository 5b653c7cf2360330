//! The credentials of a role that an identity may assume (AWS STS API Reference, `AssumeRole`).

use std::env;
use std::time::SystemTime;

use super::client::{Client, Method, Request};
use super::credentials::Credentials;
use super::encoding::query;
use super::failure::Failure;
use super::origin::{InvalidOrigin, Origin};
use super::signature::{Signer, ToSign};
use super::xml::Element;

/// A role to assume.
#[derive(Debug, Clone)]
pub struct Role {
    pub arn: String,
    /// The external id that its trust policy may demand.
    pub external_id: Option<String>,
}

/// The credentials of a role.
pub type AssumedRole = Credentials;

/// Why there are none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// STS says no: the code of its error, if it is one.
    #[error("STS refused it{}", code(.0.as_deref()))]
    ByService(Option<String>),
    #[error("STS did not answer: {0}")]
    NoAnswer(#[from] Failure),
    /// Not an answer of STS.
    #[error("the answer is not from STS")]
    NotSts,
    /// The variable with the endpoint.
    #[error("the variable AWS_ENDPOINT_URL_STS {0}")]
    Endpoint(InvalidOrigin),
}

fn code(code: Option<&str>) -> String {
    code.map_or(String::new(), |code| format!(" ({code})"))
}

/// Assumes a role, for the shortest time that STS allows.
pub fn assume_role(
    client: &Client,
    credentials: &Credentials,
    region: &str,
    role: &Role,
) -> Result<AssumedRole, Refused> {
    let origin = endpoint(region)?;
    let mut parameters = vec![
        ("Action", "AssumeRole"),
        ("Version", "2011-06-15"),
        ("DurationSeconds", "900"),
        ("RoleSessionName", "aspera-sse"),
        ("RoleArn", &*role.arn),
    ];
    parameters.extend(role.external_id.as_deref().map(|id| ("ExternalId", id)));
    let body = query(&parameters);
    let signer = Signer {
        credentials,
        region,
        service: "sts",
    };
    let host = origin.authority();
    let plain = [(
        "content-type",
        "application/x-www-form-urlencoded; charset=utf-8".to_owned(),
    )];
    let answer = client.repeat(|| {
        let to_sign = ToSign {
            method: Method::Post.name(),
            host: &host,
            path: "/",
            query: "",
            headers: &plain,
            body: body.as_bytes(),
        };
        let mut headers = plain.to_vec();
        headers.extend(signer.headers(&to_sign, SystemTime::now()));
        client.send(&Request {
            method: Method::Post,
            origin: &origin,
            path: "/",
            query: "",
            headers: &headers,
            body: body.as_bytes(),
        })
    })?;
    let root = Element::parse(&answer.body).map_err(|_| Refused::NotSts)?;
    if answer.status != 200 {
        // Some stores put the error into a list.
        let code = root.text_at(&["Error", "Code"]);
        let code = code.or_else(|| root.text_at(&["Errors", "Error", "Code"]));
        return Err(Refused::ByService(
            code.filter(|code| is_code(code)).map(str::to_owned),
        ));
    }
    let field = |name| root.text_at(&["AssumeRoleResult", "Credentials", name]);
    let found = (
        field("AccessKeyId"),
        field("SecretAccessKey"),
        field("SessionToken"),
    );
    let (Some(id), Some(secret), Some(token)) = found else {
        return Err(Refused::NotSts);
    };
    Credentials::new(id, secret, Some(token.to_owned())).ok_or(Refused::NotSts)
}

fn endpoint(region: &str) -> Result<Origin, Refused> {
    match env::var("AWS_ENDPOINT_URL_STS") {
        Ok(url) if !url.is_empty() => Origin::parse(&url).map_err(Refused::Endpoint),
        _ => {
            let end = if region.starts_with("cn-") { ".cn" } else { "" };
            Ok(Origin::https(format!("sts.{region}.amazonaws.com{end}")))
        }
    }
}

/// The codes of errors are documented to be letters, sometimes with dots.
fn is_code(text: &str) -> bool {
    text.len() <= 64
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphabetic() || byte == b'.')
}
