//! The certificate authorities that are trusted: those of the host, and those of a file that the user names.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::failure::{Failure, InvalidAuthority};

/// Reads the certificates in a file in PEM form.
pub fn authorities(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, InvalidAuthority> {
    let mut certificates = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|_| InvalidAuthority::Malformed)?;
        rustls::RootCertStore::empty()
            .add(certificate.clone())
            .map_err(|_| InvalidAuthority::Malformed)?;
        certificates.push(certificate);
    }
    if certificates.is_empty() {
        return Err(InvalidAuthority::None);
    }
    Ok(certificates)
}

/// Returns the authorities of the host, which the variable `SSL_CERT_FILE` may name, and others.
pub(super) fn trusted(
    others: &[CertificateDer<'static>],
) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let mut all = rustls_native_certs::load_native_certs().certs;
    all.extend_from_slice(others);
    if all.is_empty() {
        return Err(Failure::NoAuthorities);
    }
    Ok(all)
}

/// Returns the cryptography that TLS uses.
pub(super) fn cryptography() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_certificate_is_refused() {
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        for (text, error) in [
            ("", InvalidAuthority::None),
            (key, InvalidAuthority::None),
            (broken, InvalidAuthority::Malformed),
            (
                "-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----\n",
                InvalidAuthority::Malformed,
            ),
        ] {
            assert_eq!(authorities(text.as_bytes()), Err(error), "{text}");
        }
    }
}
