//! The signatures of AWS, version 4, in the header `Authorization` ("Authenticating Requests" in the Amazon S3 API Reference). A signature in the URL could be
//! forbidden by a policy, and would land in logs.

use std::time::SystemTime;

use ring::{digest, hmac};

use super::credentials::Credentials;
use crate::utc::Utc;

/// Signs requests to one service in one region.
#[derive(Debug, Clone, Copy)]
pub struct Signer<'c> {
    pub credentials: &'c Credentials,
    /// The region, such as `us-east-1`.
    pub region: &'c str,
    /// The service, such as `s3`.
    pub service: &'static str,
}

/// What a signature covers.
#[derive(Debug, Clone, Copy)]
pub struct ToSign<'r> {
    pub method: &'static str,
    pub host: &'r str,
    pub path: &'r str,
    /// The query, encoded and in order, without `?`.
    pub query: &'r str,
    /// Other headers, with names in lower case.
    pub headers: &'r [(&'static str, String)],
    pub body: &'r [u8],
}

impl Signer<'_> {
    /// Returns the headers to be sent beside those of the request.
    pub fn headers(&self, request: &ToSign, time: SystemTime) -> Vec<(&'static str, String)> {
        let (time, date) = stamps(time);
        let sum = hexadecimal_sum(request.body);
        let mut added = vec![("x-amz-date", time.clone())];
        // Other services do not want it.
        if self.service == "s3" {
            added.push(("x-amz-content-sha256", sum.clone()));
        }
        if let Some(token) = self.credentials.session_token() {
            added.push(("x-amz-security-token", token.to_owned()));
        }
        let mut signed: Vec<(&str, String)> = vec![("host", request.host.to_owned())];
        let headers = request.headers.iter().chain(&added);
        signed.extend(headers.map(|(name, value)| (*name, on_one_line(value))));
        signed.sort();
        let names: Vec<&str> = signed.iter().map(|(name, _)| *name).collect();
        let names = names.join(";");
        let lines = signed
            .iter()
            .map(|(name, value)| format!("{name}:{value}\n"));
        let canonical = format!(
            "{}\n{}\n{}\n{}\n{names}\n{sum}",
            request.method,
            request.path,
            request.query,
            lines.collect::<String>()
        );
        let scope = format!("{date}/{}/{}/aws4_request", self.region, self.service);
        let text = format!(
            "AWS4-HMAC-SHA256\n{time}\n{scope}\n{}",
            hexadecimal_sum(canonical.as_bytes())
        );
        let signature = hexadecimal(self.key(&date, text.as_bytes()).as_ref());
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
            self.credentials.access_key_id()
        );
        added.push(("authorization", authorization));
        added
    }

    /// Returns the signature of a text. The keys between live no longer than this.
    fn key(&self, date: &str, text: &[u8]) -> hmac::Tag {
        let secret = format!("AWS4{}", self.credentials.secret_access_key());
        let parts = [date, self.region, self.service, "aws4_request"];
        let mut tag = sign(secret.as_bytes(), parts[0].as_bytes());
        for part in &parts[1..] {
            tag = sign(tag.as_ref(), part.as_bytes());
        }
        sign(tag.as_ref(), text)
    }
}

/// Returns the SHA-256 of a text in hexadecimal digits.
pub fn hexadecimal_sum(content: &[u8]) -> String {
    hexadecimal(digest::digest(&digest::SHA256, content).as_ref())
}

fn sign(key: &[u8], text: &[u8]) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text)
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    digits
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

/// Returns the value of a header as it is signed: without blanks around it, and with one where there are several.
fn on_one_line(value: &str) -> String {
    let words = value.split(' ').filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

/// Returns a time as `20130524T000000Z`, and its date.
fn stamps(time: SystemTime) -> (String, String) {
    let text = Utc::from(time).to_string().replace(['-', ':'], "");
    let date = text.split('T').next().unwrap_or_default().to_owned();
    (text, date)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    /// The examples of the Amazon S3 API Reference, "Signature Calculations for the Authorization Header".
    fn signature(request: &ToSign) -> String {
        let credentials = Credentials::new(
            "AKIAIOSFODNN7EXAMPLE",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            None,
        );
        let signer = Signer {
            credentials: &credentials.unwrap(),
            region: "us-east-1",
            service: "s3",
        };
        let time = UNIX_EPOCH + Duration::from_hours(380_376);
        let headers = signer.headers(request, time);
        let (_, authorization) = headers.last().unwrap();
        authorization.rsplit('=').next().unwrap().to_owned()
    }

    #[test]
    fn the_published_examples_get_their_signatures() {
        let get = ToSign {
            method: "GET",
            host: "examplebucket.s3.amazonaws.com",
            path: "/",
            query: "",
            headers: &[],
            body: b"",
        };
        for (request, expected) in [
            (
                ToSign {
                    path: "/test.txt",
                    headers: &[("range", "bytes=0-9".to_owned())],
                    ..get
                },
                "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
            ),
            (
                ToSign {
                    method: "PUT",
                    path: "/test%24file.text",
                    headers: &[
                        ("date", "Fri, 24 May 2013 00:00:00 GMT".to_owned()),
                        ("x-amz-storage-class", "REDUCED_REDUNDANCY".to_owned()),
                    ],
                    body: b"Welcome to Amazon S3.",
                    ..get
                },
                "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
            ),
            (
                ToSign {
                    query: "lifecycle=",
                    ..get
                },
                "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
            ),
            (
                ToSign {
                    query: "max-keys=2&prefix=J",
                    ..get
                },
                "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
            ),
        ] {
            assert_eq!(signature(&request), expected, "{}", request.path);
        }
    }
}
