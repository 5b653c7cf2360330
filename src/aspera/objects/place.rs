//! Where a docroot puts uploads: server, bucket and folder. The vendor documents that special characters in a docroot are percent-encoded, and that
//! `$(name)` stands for the name of the user.

use percent_encoding::percent_decode_str;

use crate::aspera::audit::Endpoint;
use crate::aspera::docroot::{DocrootUri, Scope};

/// The place of the uploads to a docroot. It may hold credentials, so it cannot be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct S3Place {
    /// The host with its port.
    pub host: String,
    pub bucket: String,
    /// The start of all keys: empty, or a folder with its slash.
    pub prefix: String,
    /// The credentials in the docroot.
    pub credentials: GivenCredentials,
}

/// The credentials in a docroot.
#[derive(Clone, PartialEq, Eq)]
pub enum GivenCredentials {
    /// None: the server uses the role of its instance.
    None,
    /// An access key id and its secret, decoded.
    Key(String, String),
    /// A text that is not both.
    Malformed,
}

/// Why the place is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unclear {
    /// Programs may split the URI in several ways.
    Reading,
    /// The scheme in capitals, or a form that the vendor's pages do not have.
    Form,
    /// The host is missing, or not one in plain form.
    Host,
    /// The host has a bucket in it, or is an access point.
    BucketInHost,
    /// The URI names no bucket.
    NoBucket,
    /// A folder that servers may shorten: `//`, `.` or `..`, or one that is not text.
    Folder,
    /// A place that differs from user to user.
    Substitution,
}

impl Unclear {
    /// Returns its name in results.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reading => "unclear_docroot",
            Self::Form => "unknown_docroot",
            Self::Host => "unclear_host",
            Self::BucketInHost => "bucket_in_host",
            Self::NoBucket => "no_bucket_named",
            Self::Folder => "unclear_folder",
            Self::Substitution => "substitution",
        }
    }

    /// Returns the reason as a sentence without a full stop.
    pub fn why(self) -> &'static str {
        match self {
            Self::Reading => {
                "the docroot has a bare ?, #, @ or the like, so programs may split it in different places"
            }
            Self::Form => "the docroot does not have a form that the vendor documents",
            Self::Host => "the docroot has no host in plain form",
            Self::BucketInHost => {
                "the host of the docroot has a bucket in it, or is an access point or an accelerated endpoint"
            }
            Self::NoBucket => "the docroot names no bucket",
            Self::Folder => {
                "the folder of the docroot has //, . or .. in it, or is not text, and the vendor does not document how the server reads it"
            }
            Self::Substitution => "the docroot leads each user to a different place",
        }
    }

    /// Returns what to do, as a sentence.
    pub fn fix(self) -> &'static str {
        match self {
            Self::Reading => "Percent-encode special characters in the docroot.",
            Self::Form => "Correct the docroot.",
            Self::Host => {
                "Name the host in the docroot, such as s3.eu-west-1.amazonaws.com, or set endpoint_url."
            }
            Self::BucketInHost => {
                "Write the docroot as s3://s3.REGION.amazonaws.com/BUCKET/FOLDER, or check the bucket in another way."
            }
            Self::NoBucket => "Name the bucket in the docroot.",
            Self::Folder => "Name the folder of the docroot without them.",
            Self::Substitution => {
                "Check the docroots of the users, in which it is replaced, or check the bucket in another way."
            }
        }
    }
}

impl S3Place {
    /// Finds the place of the uploads to an S3 docroot of a scope.
    pub fn of(uri: &DocrootUri, scope: &Scope) -> Result<Self, Unclear> {
        let has_marks =
            uri.queries().iter().any(|query| query.mark.is_some()) || uri.hosts().len() > 1;
        if has_marks || uri.has_question_mark_in_credentials() || uri.has_too_many_marks() {
            return Err(Unclear::Reading);
        }
        let path = uri.path();
        if path.contains('#') {
            return Err(Unclear::Reading);
        }
        let path = substituted(path, scope)?;
        let (bucket, folder) = path.split_once('/').unwrap_or((&path, ""));
        if bucket.is_empty() {
            return Err(Unclear::NoBucket);
        }
        let is_plain = |segment: &str| !matches!(segment, "" | "." | "..");
        if !folder.is_empty() && !folder.split('/').all(is_plain) {
            return Err(Unclear::Folder);
        }
        Ok(Self {
            host: uri.host().to_owned(),
            bucket: bucket.to_owned(),
            prefix: if folder.is_empty() {
                String::new()
            } else {
                format!("{folder}/")
            },
            credentials: GivenCredentials::of(uri.credentials()),
        })
    }

    /// Returns the endpoint, if the host is the name of a server alone.
    pub fn endpoint(&self) -> Result<Endpoint, Unclear> {
        let endpoint = Endpoint::parse(&self.host);
        if self.host.is_empty() || self.host.starts_with(':') || !endpoint.is_clear() {
            return Err(Unclear::Host);
        }
        if endpoint.is_amazon() && !endpoint.is_plain_service() {
            return Err(Unclear::BucketInHost);
        }
        Ok(endpoint)
    }
}

impl GivenCredentials {
    fn of(text: Option<&str>) -> Self {
        let decoded = |text: &str| {
            percent_decode_str(text)
                .decode_utf8()
                .ok()
                .map(String::from)
        };
        match text.map(|text| text.split_once(':')) {
            None | Some(Some(("", ""))) => Self::None,
            Some(Some((id, secret))) => match (decoded(id), decoded(secret)) {
                (Some(id), Some(secret)) if !id.is_empty() && !secret.is_empty() => {
                    Self::Key(id, secret)
                }
                _ => Self::Malformed,
            },
            Some(None) => Self::Malformed,
        }
    }
}

/// Returns the path without its slashes at the ends, decoded, with the name of the user in place of `$(name)`.
fn substituted(path: &str, scope: &Scope) -> Result<String, Unclear> {
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    let path = percent_decode_str(path)
        .decode_utf8()
        .map_err(|_| Unclear::Folder)?;
    let path = match scope {
        Scope::User(name) => path.replace("$(name)", name),
        Scope::Group(_) | Scope::Global => path.into_owned(),
    };
    if path.contains("$(") {
        return Err(Unclear::Substitution);
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(uri: &str) -> Result<(String, String, String), Unclear> {
        let place = S3Place::of(&DocrootUri::new(uri), &Scope::User("xfer".to_owned()))?;
        Ok((place.host, place.bucket, place.prefix))
    }

    #[test]
    fn bucket_and_folder_are_those_of_the_path() {
        for (uri, bucket, prefix) in [
            ("s3://h/b", "b", ""),
            ("s3://h/b/", "b", ""),
            ("s3://h/b/in", "b", "in/"),
            ("s3://h/b/in/2026/?storage-class=STANDARD", "b", "in/2026/"),
            ("s3://h/b/a%20b+c%2f%C3%A9", "b", "a b+c/\u{e9}/"),
            ("s3://h/b/$(name)/in", "b", "xfer/in/"),
            ("s3://h/b/%24(name)", "b", "xfer/"),
            ("s3://k:s@h:9000/b/in", "b", "in/"),
        ] {
            let (_, found, folder) = place(uri).unwrap();
            assert_eq!((&*found, &*folder), (bucket, prefix), "{uri}");
        }
    }

    #[test]
    fn what_is_not_clear_has_its_reason() {
        for (uri, reason) in [
            ("s3://h", Unclear::NoBucket),
            ("s3://h/", Unclear::NoBucket),
            ("s3://h//b", Unclear::NoBucket),
            ("s3://h/b//in", Unclear::Folder),
            ("s3://h/b/../c", Unclear::Folder),
            ("s3://h/b/%2e/c", Unclear::Folder),
            ("s3://h/b/%FF", Unclear::Folder),
            ("s3://h/b/$(home)", Unclear::Substitution),
            ("s3://h/b#x", Unclear::Reading),
            ("s3://h/b?c/?a=1", Unclear::Reading),
            ("s3://k:s/@h/b", Unclear::Reading),
        ] {
            assert_eq!(place(uri).err(), Some(reason), "{uri}");
        }
        let group = S3Place::of(
            &DocrootUri::new("s3://h/b/$(name)"),
            &Scope::Group("g".to_owned()),
        );
        assert!(group.err() == Some(Unclear::Substitution));
    }

    #[test]
    fn credentials_are_decoded() {
        let credentials = |uri: &str| {
            S3Place::of(&DocrootUri::new(uri), &Scope::Global).map(|place| place.credentials)
        };
        let key = |id: &str, secret: &str| GivenCredentials::Key(id.to_owned(), secret.to_owned());
        for (uri, expected) in [
            ("s3://h/b", GivenCredentials::None),
            ("s3://:@h/b", GivenCredentials::None),
            ("s3://AKIA:a%2Fb%2B%25@h/b", key("AKIA", "a/b+%")),
            ("s3://AKIA:a:b@h/b", key("AKIA", "a:b")),
            ("s3://AKIA@h/b", GivenCredentials::Malformed),
            ("s3://AKIA:@h/b", GivenCredentials::Malformed),
            ("s3://:x@h/b", GivenCredentials::Malformed),
            ("s3://AKIA:%FF@h/b", GivenCredentials::Malformed),
        ] {
            assert!(credentials(uri) == Ok(expected), "{uri}");
        }
    }

    #[test]
    fn the_host_must_be_a_server_alone() {
        let endpoint = |uri: &str| {
            S3Place::of(&DocrootUri::new(uri), &Scope::Global)
                .unwrap()
                .endpoint()
                .err()
        };
        for uri in [
            "s3://s3.amazonaws.com/b",
            "s3://s3-eu-west-1.amazonaws.com/b",
            "s3://s3.dualstack.us-east-2.amazonaws.com/b",
            "s3://store:9000/b",
        ] {
            assert_eq!(endpoint(uri), None, "{uri}");
        }
        for (uri, reason) in [
            ("s3:///b", Unclear::Host),
            ("s3://:9000/b", Unclear::Host),
            ("s3://h:x/b", Unclear::Host),
            ("s3://media.s3.amazonaws.com/b", Unclear::BucketInHost),
            ("s3://s3-accelerate.amazonaws.com/b", Unclear::BucketInHost),
            (
                "s3://a-1.s3-accesspoint.eu-west-1.amazonaws.com/b",
                Unclear::BucketInHost,
            ),
        ] {
            assert_eq!(endpoint(uri), Some(reason), "{uri}");
        }
    }
}
