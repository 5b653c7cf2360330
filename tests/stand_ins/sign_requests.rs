//! Signs the requests on standard input, one in a line as JSON, and prints each header `Authorization`: for `tests/s3/test_signatures.py`.

use std::io::{BufRead, stdin};
use std::time::{Duration, UNIX_EPOCH};

use aspera_sse::http::{Credentials, Signer, ToSign, encode_path, query};
use serde::Deserialize;

#[derive(Deserialize)]
struct Wanted {
    method: String,
    host: String,
    path: String,
    parameters: Vec<(String, String)>,
    metadata: Option<String>,
    body: String,
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    region: String,
    service: String,
    time: u64,
}

fn main() {
    for line in stdin().lock().lines() {
        let wanted: Wanted = serde_json::from_str(&line.unwrap()).unwrap();
        let credentials = Credentials::new(
            wanted.access_key_id,
            wanted.secret_access_key,
            wanted.session_token,
        );
        let signer = Signer {
            credentials: &credentials.unwrap(),
            region: &wanted.region,
            service: if wanted.service == "s3" { "s3" } else { "sts" },
        };
        let parameters = wanted.parameters.iter();
        let parameters: Vec<(&str, &str)> = parameters
            .map(|(name, value)| (&**name, &**value))
            .collect();
        let metadata = wanted.metadata.map(|value| ("x-amz-meta-note", value));
        let method = ["GET", "HEAD", "PUT", "POST", "DELETE"];
        let method = method.into_iter().find(|known| *known == wanted.method);
        let headers = signer.headers(
            &ToSign {
                method: method.unwrap(),
                host: &wanted.host,
                path: &encode_path(&wanted.path),
                query: &query(&parameters),
                headers: metadata.as_slice(),
                body: wanted.body.as_bytes(),
            },
            UNIX_EPOCH + Duration::from_secs(wanted.time),
        );
        println!("{}", headers.last().unwrap().1);
    }
}
