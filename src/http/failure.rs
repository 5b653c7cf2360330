//! Why there is no answer.

use std::io;

use super::proxy::ProxyFailure;

/// Why a request got no answer. Holds nothing that a server sent but the name of a certificate's issuer, in plain letters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The name has no address.
    #[error("the name of the server has no address (DNS)")]
    NoAddress,
    #[error("the server refuses connections")]
    Refused,
    #[error("no network leads to the server")]
    Unreachable,
    /// The time limit was reached.
    #[error("there was no answer within the time limit ({0})")]
    TimeOut(Phase),
    /// The time for everything is over.
    #[error("the time for all requests together is over")]
    Deadline,
    /// The connection ended in the middle.
    #[error("the connection was closed before the answer was complete")]
    Closed,
    /// A certificate that is not trusted.
    #[error("the certificate of the server is not trusted{}: {why}", issued_by(.issuer.as_deref()))]
    Certificate {
        /// What is wrong with it.
        why: &'static str,
        /// Who issued it, in plain letters.
        issuer: Option<String>,
    },
    #[error(
        "no TLS connection could be made: the server may speak plain HTTP on this port, or only versions of TLS that are out of use"
    )]
    Tls,
    /// No certificates of authorities.
    #[error("no trusted certificate authorities were found on this host")]
    NoAuthorities,
    /// The file of authorities.
    #[error("ca_file {0}")]
    Authorities(InvalidAuthority),
    /// The proxy does not let the request through.
    #[error("{0}")]
    Proxy(ProxyFailure),
    /// More than the limit.
    #[error("the answer is larger than the limit")]
    TooLarge,
    #[error("the answer is not HTTP")]
    NotHttp,
    /// A body in an encoding that nobody asked for.
    #[error("the answer is compressed, which was not asked for")]
    Compressed,
    #[error("the connection failed")]
    Other,
}

/// Where the time went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Phase {
    /// Looking up the name.
    #[error("while the name was looked up")]
    Name,
    #[error("while connecting")]
    Connect,
    #[error("while reading")]
    Read,
}

/// Why a file has no authorities to trust, as what comes after its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAuthority {
    /// No certificate at all.
    #[error(
        "has no certificate in PEM form (BEGIN CERTIFICATE). Name the file with the certificate of the authority."
    )]
    None,
    /// One that cannot be read.
    #[error("has a certificate that cannot be read. Export it again in PEM form.")]
    Malformed,
}

fn issued_by(issuer: Option<&str>) -> String {
    issuer.map_or(String::new(), |issuer| format!(" (issued by \"{issuer}\")"))
}

impl Failure {
    /// Returns whether the same request may have an answer a moment later.
    pub(super) fn may_pass(&self) -> bool {
        matches!(self, Self::Closed)
    }
}

impl From<&ureq::Error> for Failure {
    fn from(error: &ureq::Error) -> Self {
        match error {
            ureq::Error::HostNotFound => Self::NoAddress,
            ureq::Error::Timeout(ureq::Timeout::Resolve) => Self::TimeOut(Phase::Name),
            ureq::Error::Timeout(ureq::Timeout::Connect) => Self::TimeOut(Phase::Connect),
            ureq::Error::Timeout(_) => Self::TimeOut(Phase::Read),
            ureq::Error::BodyExceedsLimit(_) | ureq::Error::LargeResponseHeader(..) => {
                Self::TooLarge
            }
            ureq::Error::Protocol(_) | ureq::Error::Http(_) => Self::NotHttp,
            ureq::Error::ConnectProxyFailed(_) => Self::Proxy(ProxyFailure::Refused),
            ureq::Error::Rustls(error) => of_tls(error),
            ureq::Error::Tls(_) => Self::Tls,
            ureq::Error::Io(error) => of_system(error),
            _ => Self::Other,
        }
    }
}

fn of_system(error: &io::Error) -> Failure {
    let inner = error.get_ref();
    if let Some(error) = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return of_tls(error);
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Failure::Refused,
        io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::AddrNotAvailable => Failure::Unreachable,
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Failure::TimeOut(Phase::Read),
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::UnexpectedEof => Failure::Closed,
        _ => Failure::Other,
    }
}

fn of_tls(error: &rustls::Error) -> Failure {
    use rustls::CertificateError as E;
    let rustls::Error::InvalidCertificate(error) = error else {
        return Failure::Tls;
    };
    let why = match error {
        E::UnknownIssuer => "no trusted authority issued it",
        E::Expired | E::ExpiredContext { .. } => "it is expired",
        E::NotValidYet | E::NotValidYetContext { .. } => "it is not valid yet",
        E::NotValidForName | E::NotValidForNameContext { .. } => "it is for another name",
        E::Revoked => "it is revoked",
        // As `openssl req -x509` makes it, unless it is told otherwise.
        E::Other(error) if error.to_string() == "CaUsedAsEndEntity" => {
            "it is the certificate of an authority, not of a server"
        }
        _ => "it is malformed, or not the certificate of a server",
    };
    Failure::Certificate { why, issuer: None }
}
