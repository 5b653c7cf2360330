//! Requests to one bucket with one identity.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use super::place::Place;
use super::refusal::Refusal;
use crate::http::{Client, Credentials, Element, Method, Request, Response, Signer, ToSign, query};
use crate::utc::Utc;

/// A bucket, asked by one identity. Several threads may ask at once.
pub struct Store<'c> {
    client: &'c Client,
    place: Place,
    credentials: Credentials,
    state: Mutex<Learned>,
}

struct Learned {
    region: String,
    is_corrected: bool,
    /// By how many seconds the clock of this host is ahead of that of the store.
    ahead: Option<i64>,
}

impl<'c> Store<'c> {
    /// Creates a store. A region that is not the bucket's is corrected once.
    pub fn new(client: &'c Client, place: Place, credentials: Credentials, region: String) -> Self {
        let state = Learned {
            region,
            is_corrected: false,
            ahead: None,
        };
        Self {
            client,
            place,
            credentials,
            state: Mutex::new(state),
        }
    }

    /// Returns the region of the bucket, as far as it is known.
    pub fn region(&self) -> String {
        self.state().region.clone()
    }

    /// Returns by how many seconds the clock of this host is ahead of that of the store, from the last answer.
    pub fn clock_ahead(&self) -> Option<i64> {
        self.state().ahead
    }

    /// Sends a request, and once more if the bucket is in another region.
    pub(super) fn ask(
        &self,
        method: Method,
        key: &str,
        parameters: &[(&str, &str)],
        headers: &[(&'static str, String)],
        body: &[u8],
    ) -> Result<Response, Refusal> {
        loop {
            let region = self.region();
            let answer = self.ask_in(&region, method, key, parameters, headers, body)?;
            self.note_clock(&answer);
            if answer.status < 300 || !self.correct(&region, &answer) {
                return Ok(answer);
            }
        }
    }

    fn ask_in(
        &self,
        region: &str,
        method: Method,
        key: &str,
        parameters: &[(&str, &str)],
        headers: &[(&'static str, String)],
        body: &[u8],
    ) -> Result<Response, Refusal> {
        let (origin, path) = self.place.target(region, key);
        let host = origin.authority();
        let query = query(parameters);
        let signer = Signer {
            credentials: &self.credentials,
            region,
            service: "s3",
        };
        let send = || {
            let to_sign = ToSign {
                method: method.name(),
                host: &host,
                path: &path,
                query: &query,
                headers,
                body,
            };
            let mut all = headers.to_vec();
            all.extend(signer.headers(&to_sign, SystemTime::now()));
            self.client.send(&Request {
                method,
                origin: &origin,
                path: &path,
                query: &query,
                headers: &all,
                body,
            })
        };
        // A request that writes and was answered by an error may have been carried out nevertheless.
        let answer = match method {
            Method::Put | Method::Post => send(),
            Method::Get | Method::Head | Method::Delete => self.client.repeat(send),
        };
        answer.map_err(Refusal::NoAnswer)
    }

    /// Takes over the region that an answer names. Returns whether to ask again.
    fn correct(&self, used: &str, answer: &Response) -> bool {
        let named = region_of(answer);
        let mut state = self.state();
        // Another thread was faster.
        if state.region != used {
            return true;
        }
        match named.filter(|named| named != used && !state.is_corrected) {
            Some(named) => {
                state.region = named;
                state.is_corrected = true;
                true
            }
            None => false,
        }
    }

    fn note_clock(&self, answer: &Response) {
        let date = answer.header("date").and_then(Utc::parse_http);
        let seconds = |time: SystemTime| {
            let since = time.duration_since(SystemTime::UNIX_EPOCH);
            since
                .ok()
                .and_then(|since| i64::try_from(since.as_secs()).ok())
        };
        if let (Some(date), Some(now)) = (date.and_then(seconds), seconds(SystemTime::now())) {
            self.state().ahead = Some(now - date);
        }
    }

    fn state(&self) -> MutexGuard<'_, Learned> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the region of the bucket in an answer: in a header, or in the body of an error.
fn region_of(answer: &Response) -> Option<String> {
    let header = answer.header("x-amz-bucket-region").map(str::to_owned);
    let named = header.or_else(|| {
        let root = Element::parse(&answer.body).ok()?;
        let region = root.text_at(&["Region"])?;
        (root.name == "Error").then(|| region.to_owned())
    });
    let is_character =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    named.filter(|region| (1..=32).contains(&region.len()) && region.bytes().all(is_character))
}
