//! Listing a bucket (`ListObjectsV2`). The order is that of the keys, never that of time.

use std::time::SystemTime;

use percent_encoding::percent_decode;

use super::refusal::Refusal;
use super::store::Store;
use crate::http::{Element, Method, Response};
use crate::utc::Utc;

/// The most keys that S3 lists in one page.
const PAGE: usize = 1_000;

/// An object in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its key, or `None` if it is not a text in UTF-8, as all keys of S3 are.
    pub key: Option<String>,
    /// When it was last modified. That of a multipart upload may be the time of its start.
    pub last_modified: Option<SystemTime>,
}

/// A page of a listing.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    pub objects: Vec<Listed>,
    /// What to give for the next page, or `None` if this is the last one.
    pub next: Option<String>,
}

impl Store<'_> {
    /// Lists a page of the objects with a prefix: at most 1,000.
    pub fn list(&self, prefix: &str, most: usize, from: Option<&str>) -> Result<Page, Refusal> {
        let most = most.clamp(1, PAGE).to_string();
        let mut parameters = vec![
            ("list-type", "2"),
            ("encoding-type", "url"),
            ("max-keys", &most),
            ("prefix", prefix),
        ];
        parameters.extend(from.map(|from| ("continuation-token", from)));
        let answer = self.ask(Method::Get, "", &parameters, &[], b"")?;
        Page::of(&answer)
    }
}

impl Page {
    /// Reads a page of the keys of a bucket.
    pub fn of(answer: &Response) -> Result<Self, Refusal> {
        if answer.status != 200 {
            return Err(match Refusal::of(answer) {
                Refusal::NoObject => Refusal::NoBucket,
                refusal => refusal,
            });
        }
        let root = Element::parse(&answer.body).map_err(|_| Refusal::NotS3)?;
        Self::of_root(&root).ok_or(Refusal::NotS3)
    }

    fn of_root(root: &Element) -> Option<Self> {
        if root.name != "ListBucketResult" {
            return None;
        }
        let is_encoded = root.text_at(&["EncodingType"]) == Some("url");
        let objects = root.all("Contents").map(|object| {
            let key = object.text_at(&["Key"])?;
            let key = if is_encoded {
                decoded(key)
            } else {
                Some(key.to_owned())
            };
            let time = object.text_at(&["LastModified"]);
            Some(Listed {
                key,
                last_modified: time.and_then(Utc::parse),
            })
        });
        let is_last = match root.text_at(&["IsTruncated"])? {
            "true" => false,
            "false" => true,
            _ => return None,
        };
        let next = root.text_at(&["NextContinuationToken"]);
        let next = match (is_last, next) {
            (true, _) => None,
            (false, Some(next)) if !next.is_empty() => Some(next.to_owned()),
            (false, _) => return None,
        };
        Some(Self {
            objects: objects.collect::<Option<_>>()?,
            next,
        })
    }
}

/// Decodes a key: a blank comes as `+`.
fn decoded(key: &str) -> Option<String> {
    let key = key.replace('+', " ");
    let bytes = percent_decode(key.as_bytes());
    bytes.decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(inner: &str) -> Option<Page> {
        let text =
            format!("<ListBucketResult><EncodingType>url</EncodingType>{inner}</ListBucketResult>");
        Page::of_root(&Element::parse(text.as_bytes()).unwrap())
    }

    #[test]
    fn keys_are_decoded() {
        let object = |key: &str| {
            format!(
                "<Contents><Key>{key}</Key><LastModified>2026-11-25T00:00:00.000Z</LastModified></Contents>"
            )
        };
        let text = format!(
            "<IsTruncated>false</IsTruncated>{}{}{}",
            object("a+b%2Bc/%C3%A9"),
            object("..%2F%26amp;"),
            object("%FF")
        );
        let page = page(&text).unwrap();
        let keys: Vec<_> = page
            .objects
            .iter()
            .map(|object| object.key.as_deref())
            .collect();
        assert_eq!(keys, [Some("a b+c/\u{e9}"), Some("../&amp;"), None]);
        assert!(
            page.objects
                .iter()
                .all(|object| object.last_modified.is_some())
        );
        assert_eq!(page.next, None);
    }

    #[test]
    fn what_is_not_a_page_is_none() {
        let end = "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>";
        assert_eq!(page(end).unwrap().next.as_deref(), Some("t"));
        for text in [
            "",
            "<IsTruncated>maybe</IsTruncated>",
            "<IsTruncated>true</IsTruncated>",
            "<IsTruncated>true</IsTruncated><NextContinuationToken/>",
            "<IsTruncated>false</IsTruncated><Contents><Size>1</Size></Contents>",
        ] {
            assert_eq!(page(text), None, "{text}");
        }
        assert_eq!(Page::of_root(&Element::parse(b"<html/>").unwrap()), None);
    }
}
