//! The bucket, and the server that has it.

use crate::http::{Origin, encode_path};

/// A bucket at a server.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// The server, without the bucket.
    pub origin: Origin,
    /// The name of the bucket.
    pub bucket: String,
    /// Where the name of the bucket stands.
    pub style: Style,
    /// Whether the server is Amazon's, so that each region has its own.
    pub is_amazon: bool,
}

/// Where the name of a bucket stands in a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Style {
    /// At the start of the path.
    Path,
    /// At the start of the host.
    VirtualHost,
}

impl Place {
    /// Returns whether a text may be the name of a bucket: those of today, and the older ones with upper case and underscores.
    pub fn is_bucket(name: &str) -> bool {
        let is_character =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        (3..=255).contains(&name.len())
            && name.bytes().all(is_character)
            && !matches!(name, "..." | "....")
    }

    /// Returns the style that fits a bucket at a server: a certificate for `*.s3.amazonaws.com` is good for one label only, and a name that is no label of a
    /// host goes into the path.
    pub fn fitting_style(bucket: &str, is_amazon: bool) -> Style {
        let is_character =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if is_amazon && bucket.len() <= 63 && bucket.bytes().all(is_character) {
            Style::VirtualHost
        } else {
            Style::Path
        }
    }

    /// Returns the server for a region, and the path of a key there. Amazon has a server in each region.
    pub(super) fn target(&self, region: &str, key: &str) -> (Origin, String) {
        let mut origin = self.origin.clone();
        let named = format!(".{region}.");
        if self.is_amazon
            && !origin.host().contains(&named)
            && !origin.host().contains(&format!("-{region}."))
        {
            let end = if region.starts_with("cn-") { ".cn" } else { "" };
            origin = origin.with_host(format!("s3.{region}.amazonaws.com{end}"));
        }
        let key = encode_path(key);
        match self.style {
            Style::Path => (origin, format!("/{}/{key}", self.bucket)),
            Style::VirtualHost => {
                let host = format!("{}.{}", self.bucket, origin.host());
                (origin.with_host(host), format!("/{key}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amazon_has_a_server_in_each_region() {
        let target = |host: &str, bucket: &str, region| {
            let place = Place {
                origin: Origin::parse(&format!("https://{host}")).unwrap(),
                bucket: bucket.to_owned(),
                style: Place::fitting_style(bucket, true),
                is_amazon: true,
            };
            let (origin, path) = place.target(region, "a b/../c");
            format!("{}{path}", origin.authority())
        };
        for (host, bucket, region, url) in [
            (
                "s3.amazonaws.com",
                "media",
                "us-east-1",
                "media.s3.us-east-1.amazonaws.com/a%20b/../c",
            ),
            (
                "s3.amazonaws.com",
                "m.x",
                "eu-west-1",
                "s3.eu-west-1.amazonaws.com/m.x/a%20b/../c",
            ),
            (
                "s3.eu-west-1.amazonaws.com",
                "Media_1",
                "eu-west-1",
                "s3.eu-west-1.amazonaws.com/Media_1/a%20b/../c",
            ),
            (
                "s3-eu-west-1.amazonaws.com",
                "media",
                "eu-west-1",
                "media.s3-eu-west-1.amazonaws.com/a%20b/../c",
            ),
            (
                "s3.dualstack.eu-west-1.amazonaws.com",
                "media",
                "us-east-2",
                "media.s3.us-east-2.amazonaws.com/a%20b/../c",
            ),
            (
                "s3.cn-north-1.amazonaws.com.cn",
                "media",
                "cn-northwest-1",
                "media.s3.cn-northwest-1.amazonaws.com.cn/a%20b/../c",
            ),
        ] {
            assert_eq!(target(host, bucket, region), url);
        }
    }

    #[test]
    fn other_servers_stay_as_they_are() {
        let place = Place {
            origin: Origin::parse("https://store.example:9000").unwrap(),
            bucket: "media".to_owned(),
            style: Place::fitting_style("media", false),
            is_amazon: false,
        };
        let (origin, path) = place.target("eu-west-1", "");
        assert_eq!(
            (&*origin.authority(), &*path),
            ("store.example:9000", "/media/")
        );
    }

    #[test]
    fn names_of_buckets_are_plain() {
        for name in ["abc", "my.bucket-1", "Old_Bucket"] {
            assert!(Place::is_bucket(name), "{name}");
        }
        for name in ["", "ab", "a b", "a/b", "a%b", "...", "b\u{fc}cher", "a:b"] {
            assert!(!Place::is_bucket(name), "{name}");
        }
    }
}
