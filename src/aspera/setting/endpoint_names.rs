//! The options that change where a request to S3 goes, or how it is signed.

use super::nearly::is_nearly;

/// The names in `JetS3t`, the library whose names trapd uses (`s3service.https-only` is one of them). In its files they begin with `s3service.` or
/// `storage-service.`.
const NAMES: [&str; 5] = [
    "s3-endpoint",
    "s3-endpoint-http-port",
    "s3-endpoint-https-port",
    "s3-endpoint-virtual-path",
    "request-signature-version",
];

/// Returns whether an option or setting may set the endpoint or the signature of requests.
pub fn sets_endpoint(name: &str) -> bool {
    NAMES.iter().any(|known| is_nearly(name, known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_count_with_any_prefix() {
        for (name, sets) in [
            ("s3service.s3-endpoint", true),
            ("S3Service.S3-Endpoint", true),
            ("s3service.s3-endpoint-https-port", true),
            ("storage-service.request-signature-version", true),
            ("s3-endpoint", true),
            ("s3service.https-only", false),
            ("endpoint", false),
            ("s3service.s3-endpoints", false),
        ] {
            assert_eq!(sets_endpoint(name), sets, "{name}");
        }
    }
}
