//! Who issued the certificate of a server that is not trusted: mostly a private authority, or a proxy that reads along. Both are named by it.

use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme,
};

use super::addresses::addresses;
use super::origin::Origin;
use super::tls::cryptography;

/// Connects once more, sends nothing, and returns the name of the issuer of the server's certificate.
pub(super) fn issuer(origin: &Origin, time_limit: Duration) -> Option<String> {
    let verifier = Arc::new(Witness::default());
    let config = ClientConfig::builder_with_provider(cryptography())
        .with_safe_default_protocol_versions()
        .ok()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&verifier) as _)
        .with_no_client_auth();
    let name = ServerName::try_from(origin.host().to_owned()).ok()?;
    let mut connection = ClientConnection::new(Arc::new(config), name).ok()?;
    let address = addresses(origin).ok()?.into_iter().next()?;
    let mut stream = TcpStream::connect_timeout(&address, time_limit).ok()?;
    stream.set_read_timeout(Some(time_limit)).ok()?;
    stream.set_write_timeout(Some(time_limit)).ok()?;
    // Always an error: the witness refuses every certificate.
    let _ = connection.complete_io(&mut stream);
    let seen = verifier.0.lock().ok()?.take()?;
    issuer_of(&seen)
}

/// Sees a certificate, and refuses it.
#[derive(Debug, Default)]
struct Witness(Mutex<Option<Vec<u8>>>);

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Ok(mut seen) = self.0.lock() {
            *seen = Some(end_entity.to_vec());
        }
        Err(refusal())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(refusal())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(refusal())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        cryptography()
            .signature_verification_algorithms
            .supported_schemes()
    }
}

fn refusal() -> Error {
    Error::InvalidCertificate(CertificateError::UnknownIssuer)
}

/// Returns the common name of the issuer in a certificate, or its organisation (RFC 5280, 4.1).
fn issuer_of(certificate: &[u8]) -> Option<String> {
    const SEQUENCE: u8 = 0x30;
    const VERSION: u8 = 0xa0;
    const COMMON_NAME: &[u8] = &[0x55, 4, 3];
    const ORGANISATION: &[u8] = &[0x55, 4, 10];
    let (_, certificate, _) = value(certificate)?;
    let (_, mut rest, _) = value(certificate)?;
    if rest.first() == Some(&VERSION) {
        rest = value(rest)?.2;
    }
    // The serial number and the algorithm of the signature.
    for _ in 0..2 {
        rest = value(rest)?.2;
    }
    let (tag, mut names, _) = value(rest)?;
    if tag != SEQUENCE {
        return None;
    }
    let mut found: [Option<String>; 2] = [None, None];
    while let Some((_, name, others)) = value(names) {
        names = others;
        let (_, pair, _) = value(name)?;
        let (_, kind, rest) = value(pair)?;
        let (_, text, _) = value(rest)?;
        match kind {
            COMMON_NAME => found[0] = Some(plain(text)),
            ORGANISATION => found[1] = Some(plain(text)),
            _ => {}
        }
    }
    found.into_iter().flatten().find(|name| !name.is_empty())
}

/// Splits the first value off some DER (X.690, 8.1): its tag, its content, and what follows it.
fn value(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x83 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let digit = |length, &digit: &u8| length << 8 | usize::from(digit);
            (digits.iter().fold(0, digit), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// Returns what of a name may stand in a message: it comes from the network.
fn plain(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '.' | '-' | '_');
    text.chars().filter(is_plain).take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn der(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).unwrap();
        let header: &[u8] = if length < 0x80 {
            &[tag, length]
        } else {
            &[tag, 0x81, length]
        };
        [header, content].concat()
    }

    fn certificate(names: &[(u8, &str)]) -> Vec<u8> {
        let name = |(kind, text): &(u8, &str)| {
            let pair = [der(6, &[0x55, 4, *kind]), der(0x0c, text.as_bytes())].concat();
            der(0x31, &der(0x30, &pair))
        };
        let issuer = der(0x30, &names.iter().flat_map(name).collect::<Vec<u8>>());
        let parts = [der(0xa0, &[2, 1, 2]), der(2, &[1]), der(0x30, &[]), issuer];
        der(0x30, &der(0x30, &parts.concat()))
    }

    #[test]
    fn the_issuer_is_named_in_plain_letters() {
        let cases: [(&[(u8, &str)], _); 5] = [
            (
                &[(10, "Initech"), (3, "Private CA 1")],
                Some("Private CA 1"),
            ),
            (&[(10, "Initech")], Some("Initech")),
            (&[(3, "a\u{1b}[31m{{b}}\n")], Some("a31mb")),
            (&[(3, "\u{202e}"), (10, "O")], Some("O")),
            (&[], None),
        ];
        for (names, expected) in cases {
            assert_eq!(issuer_of(&certificate(names)).as_deref(), expected);
        }
    }

    #[test]
    fn broken_certificates_have_no_issuer() {
        let whole = certificate(&[(
            3,
            "A name that is long enough for a length of its own, more than 127 bytes in all, is it not, and a half more",
        )]);
        assert!(issuer_of(&whole).is_some());
        for length in 0..whole.len() {
            assert_eq!(issuer_of(&whole[..length]), None);
        }
        assert_eq!(issuer_of(&[0x30, 0x84, 1, 1, 1, 1]), None);
    }
}
