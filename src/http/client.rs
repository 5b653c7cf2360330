//! The client: requests with limits, sent again a few times where that helps.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ring::rand::{SecureRandom, SystemRandom};
use rustls::pki_types::CertificateDer;
use ureq::Agent;
use ureq::http;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::transport::DefaultConnector;

use super::addresses::{Addresses, addresses};
use super::failure::Failure;
use super::issuer::issuer;
use super::origin::{Origin, Scheme};
use super::proxy::{self, Proxies};
use super::tls;

/// The most that is read of a body.
const BODY_LIMIT: u64 = 8 * 1024 * 1024;
/// The most that is read of a header.
const HEADER_LIMIT: usize = 64 * 1024;
/// How often a request is sent at most.
const ATTEMPTS: u32 = 4;
/// The longest first pause; each later one may be twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// The connections that are kept for later requests.
const KEPT_CONNECTIONS: usize = 8;

/// The limits on time.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Until a connection is there.
    pub connect: Duration,
    /// For one request, from its start to the end of the answer.
    pub request: Duration,
    /// Until when requests may start.
    pub deadline: Option<Instant>,
}

/// The method of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Get,
    Head,
    Put,
    Post,
    Delete,
}

#[derive(Debug)]
pub struct Request<'r> {
    pub method: Method,
    pub origin: &'r Origin,
    pub path: &'r str,
    /// The query, encoded, without `?`.
    pub query: &'r str,
    pub headers: &'r [(&'static str, String)],
    pub body: &'r [u8],
}

#[derive(Debug)]
pub struct Response {
    pub status: u16,
    headers: http::HeaderMap,
    pub body: Vec<u8>,
}

/// How many requests were sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// All requests, including those that were repeated.
    pub sent: u32,
    /// Those that were sent again, among them.
    pub repeated: u32,
}

/// The client. Its connections are kept and shared.
pub struct Client {
    limits: Limits,
    proxies: Proxies,
    authorities: Vec<CertificateDer<'static>>,
    takes_any_certificate: bool,
    body_limit: u64,
    agents: [OnceLock<Result<Agent, Failure>>; 4],
    sent: AtomicU32,
    repeated: AtomicU32,
}

impl Method {
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

impl Response {
    /// Makes an answer of its parts. A header with a value that HTTP does not allow is left out.
    pub fn new<'h>(
        status: u16,
        headers: impl Iterator<Item = (&'static str, &'h [u8])>,
        body: Vec<u8>,
    ) -> Self {
        let mut all = http::HeaderMap::new();
        for (name, value) in headers {
            if let Ok(value) = http::HeaderValue::from_bytes(value.trim_ascii()) {
                all.append(name, value);
            }
        }
        Self {
            status,
            headers: all,
            body,
        }
    }

    /// Returns the value of a header, if it is printable ASCII, and if the answer does not have it with another value, too.
    pub fn header(&self, name: &str) -> Option<&str> {
        let value = self.headers.get(name)?;
        (!self.is_ambiguous(name))
            .then(|| value.to_str().ok())
            .flatten()
    }

    /// Returns whether an answer has a header several times with different values.
    pub fn is_ambiguous(&self, name: &str) -> bool {
        let mut values = self.headers.get_all(name).iter();
        let first = values.next();
        values.any(|value| Some(value) != first)
    }

    /// Returns whether the body is in an encoding.
    fn is_compressed(&self) -> bool {
        let encoding = self.header("content-encoding");
        encoding.is_some_and(|encoding| {
            !encoding.is_empty() && encoding != "identity" && encoding != "aws-chunked"
        })
    }
}

impl Client {
    /// Creates a client that uses proxies and trusts authorities beside those of the host.
    pub fn new(
        limits: Limits,
        proxies: Proxies,
        authorities: Vec<CertificateDer<'static>>,
    ) -> Self {
        Self {
            limits,
            proxies,
            authorities,
            takes_any_certificate: false,
            body_limit: BODY_LIMIT,
            agents: std::array::from_fn(|_| OnceLock::new()),
            sent: AtomicU32::new(0),
            repeated: AtomicU32::new(0),
        }
    }

    /// Takes any certificate, so that nothing proves which server answers.
    #[must_use]
    pub fn with_any_certificate(mut self) -> Self {
        self.takes_any_certificate = true;
        self
    }

    /// Sets the most bytes that are read of a body.
    #[must_use]
    pub fn with_body_limit(mut self, bytes: u64) -> Self {
        self.body_limit = bytes;
        self
    }

    /// Returns how many requests were sent so far.
    pub fn counts(&self) -> Counts {
        Counts {
            sent: self.sent.load(Ordering::Relaxed),
            repeated: self.repeated.load(Ordering::Relaxed),
        }
    }

    /// Sends a request by `send`, and again if the server is busy, stumbles or closes the connection. It is made anew each time: its signature holds the
    /// time.
    pub fn repeat(
        &self,
        send: impl Fn() -> Result<Response, Failure>,
    ) -> Result<Response, Failure> {
        let mut attempt = 1;
        loop {
            let result = send();
            let may_pass = match &result {
                Ok(answer) => matches!(answer.status, 429 | 500 | 502 | 503 | 504),
                Err(failure) => failure.may_pass(),
            };
            if !may_pass || attempt == ATTEMPTS || self.is_late() {
                return result;
            }
            thread::sleep(pause(attempt));
            self.repeated.fetch_add(1, Ordering::Relaxed);
            attempt += 1;
        }
    }

    /// Sends a request once.
    pub fn send(&self, request: &Request) -> Result<Response, Failure> {
        if self.is_late() {
            return Err(Failure::Deadline);
        }
        let agent = self.agent(request.origin)?;
        self.sent.fetch_add(1, Ordering::Relaxed);
        let answer =
            exchange(&agent, request, self.body_limit).map_err(|error| Failure::from(&error));
        match answer {
            Ok(answer) if !answer.body.is_empty() && answer.is_compressed() => {
                Err(Failure::Compressed)
            }
            Err(Failure::Certificate { why, .. }) => Err(Failure::Certificate {
                why,
                issuer: match self.proxies.of(request.origin) {
                    None => issuer(request.origin, self.limits.connect),
                    Some(_) => None,
                },
            }),
            Err(Failure::Other)
                if self.proxies.of(request.origin).is_none() && !has_address(request.origin) =>
            {
                Err(Failure::NoAddress)
            }
            answer => answer,
        }
    }

    fn is_late(&self) -> bool {
        self.limits
            .deadline
            .is_some_and(|deadline| Instant::now() >= deadline)
    }

    fn agent(&self, origin: &Origin) -> Result<Agent, Failure> {
        let proxy = self.proxies.of(origin);
        let is_https = origin.scheme() == Scheme::Https;
        let index = usize::from(is_https) * 2 + usize::from(proxy.is_some());
        let agent = self.agents[index].get_or_init(|| self.new_agent(is_https, proxy));
        agent.clone()
    }

    fn new_agent(&self, is_https: bool, proxy: Option<&str>) -> Result<Agent, Failure> {
        let proxy = proxy
            .map(proxy::parse)
            .transpose()
            .map_err(Failure::Proxy)?;
        let authorities = if is_https && !self.takes_any_certificate {
            tls::trusted(&self.authorities)?
        } else {
            Vec::new()
        };
        let authorities = authorities
            .iter()
            .map(|one| Certificate::from_der(one).to_owned());
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::Specific(std::sync::Arc::new(
                authorities.collect(),
            )))
            .unversioned_rustls_crypto_provider(tls::cryptography())
            .disable_verification(self.takes_any_certificate)
            .build();
        let config = Agent::config_builder()
            .tls_config(tls)
            .proxy(proxy)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("aspera-sse/", env!("CARGO_PKG_VERSION")))
            .max_response_header_size(HEADER_LIMIT)
            .max_idle_connections(KEPT_CONNECTIONS)
            .max_idle_connections_per_host(KEPT_CONNECTIONS)
            .timeout_resolve(Some(self.limits.connect))
            .timeout_connect(Some(self.limits.connect))
            .timeout_global(Some(self.limits.request))
            .build();
        Ok(Agent::with_parts(
            config,
            DefaultConnector::default(),
            Addresses::default(),
        ))
    }
}

/// Returns whether the name of a server has an address. The error of the system says nothing else of that than a text.
fn has_address(origin: &Origin) -> bool {
    addresses(origin).is_ok()
}

fn exchange(agent: &Agent, request: &Request, body_limit: u64) -> Result<Response, ureq::Error> {
    let mark = if request.query.is_empty() { "" } else { "?" };
    let url = format!(
        "{}{}{mark}{}",
        request.origin.url(),
        request.path,
        request.query
    );
    let mut builder = http::Request::builder()
        .method(request.method.name())
        .uri(url);
    for (name, value) in request.headers {
        builder = builder.header(*name, value);
    }
    let response = match request.method {
        Method::Put | Method::Post => agent.run(builder.body(request.body)?)?,
        Method::Get | Method::Head | Method::Delete => agent.run(builder.body(())?)?,
    };
    let (parts, mut body) = response.into_parts();
    Ok(Response {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: body.with_config().limit(body_limit).read_to_vec()?,
    })
}

/// Returns a pause before the next attempt. It is a random one, so that many hosts do not come back at the same time.
fn pause(attempt: u32) -> Duration {
    let mut bytes = [0; 2];
    // Without random numbers the pause is the shortest one.
    let _ = SystemRandom::new().fill(&mut bytes);
    let longest = FIRST_PAUSE * 2_u32.pow(attempt - 1);
    longest * (u32::from(u16::from_le_bytes(bytes)) + 1) / 65_536
}
