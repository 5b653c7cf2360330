//! The readings of a docroot's URI: where a bare `?`, `#` or `@` stands that may belong to the credentials or the path, programs split it in different
//! places.

use std::borrow::Cow;

use super::uri::{DocrootUri, decoded, decoded_fully};

/// Marks of one kind that are read. Nobody writes a docroot with more.
const MOST_MARKS: usize = 16;

/// A possible text of the query. It may hold a secret, so it cannot be printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Query<'u> {
    /// The text, not decoded.
    pub text: &'u str,
    /// The mark that makes this reading possible, or `None` for the plain reading.
    pub mark: Option<Mark>,
}

/// A mark that some programs take for the end of the URI, or for the start of its query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mark {
    /// A `?` that may belong to the path, or another one after it.
    QuestionMark,
    /// A `#`, which starts the fragment (RFC 3986, 3.5).
    Hash,
}

impl<'u> Query<'u> {
    /// Returns the decoded options with their values, in their order. The value is empty if there is no `=`.
    pub fn options(self) -> impl Iterator<Item = (Cow<'u, str>, Cow<'u, str>)> {
        let options = self.encoded_options();
        options.map(|(name, value)| (decoded(name), decoded(value)))
    }

    /// Returns the options as they are written.
    pub fn encoded_options(self) -> impl Iterator<Item = (&'u str, &'u str)> {
        let options = self.text.split('&');
        options.map(|option| option.split_once('=').unwrap_or((option, "")))
    }

    /// Returns the text without percent-encoding, also if it is encoded twice.
    pub fn decoded(self) -> Cow<'u, str> {
        decoded_fully(self.text)
    }
}

impl DocrootUri {
    /// Returns the possible texts of the query, the plain one first.
    ///
    /// The query starts after the first `?` (RFC 3986, 3.4), but a program may look for another one. It ends at the end of the text, or at the first `#`,
    /// which a program may look for in the whole text or only in the query. If no `?` stands before an option, all of them may belong to the path.
    pub fn queries(&self) -> Vec<Query<'_>> {
        let text = self.after_scheme();
        let first_hash = text.find('#');
        let plain = |text| Query { text, mark: None };
        let mut queries = Vec::new();
        for (question_mark, _) in text.match_indices('?').take(MOST_MARKS) {
            let query = &text[question_mark + 1..];
            let mark = (!queries.is_empty()).then_some(Mark::QuestionMark);
            queries.push(Query { text: query, mark });
            if let Some(hash) = query.find('#') {
                queries.push(Query {
                    text: &query[..hash],
                    mark: mark.or(Some(Mark::Hash)),
                });
            }
            if first_hash.is_some_and(|hash| hash < question_mark) {
                queries.push(Query {
                    text: "",
                    mark: Some(Mark::Hash),
                });
            }
        }
        let mut all = queries.iter().map(|query: &Query| query.text);
        if !queries.is_empty() && !all.any(starts_with_option) {
            queries.push(Query {
                text: "",
                mark: Some(Mark::QuestionMark),
            });
        }
        if queries.is_empty() {
            queries.push(plain(""));
        }
        queries
    }

    /// Returns the possible hosts with their ports, the plain one first.
    ///
    /// A host stands before the first `/`, `?` or `#` (RFC 3986, 3.2), after the credentials if there are any. Credentials end at an `@`. They may contain a
    /// bare `/` or `@`, so each `@` before the options may be the one.
    pub fn hosts(&self) -> Vec<&str> {
        let text = self.after_scheme();
        let options = text.rfind('?').unwrap_or(text.len());
        let host = |start: usize| {
            let text = &text[start..];
            &text[..text.find(['/', '?', '#']).unwrap_or(text.len())]
        };
        let has_credentials = host(0).contains('@');
        let ends = text[..options].match_indices('@').take(MOST_MARKS);
        let starts = ends.map(|(at, _)| at + 1);
        let starts = (!has_credentials).then_some(0).into_iter().chain(starts);
        let mut hosts = vec![self.host()];
        for host in starts.map(host) {
            if !hosts.contains(&host) {
                hosts.push(host);
            }
        }
        hosts
    }

    /// Returns whether there are so many marks that not all readings are known.
    pub fn has_too_many_marks(&self) -> bool {
        let count = |mark| self.after_scheme().matches(mark).count();
        count('?') > MOST_MARKS || count('@') > MOST_MARKS
    }
}

fn starts_with_option(query: &str) -> bool {
    let first = query.split(['&', '#', '?']).next().unwrap_or_default();
    first.is_empty() || first.contains('=')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bare_mark_makes_a_reading_of_the_query() {
        for (uri, texts) in [
            ("s3://h/b", &[""] as &[_]),
            ("s3://h/b?a=1", &["a=1"]),
            ("s3://h/b?a=1#f", &["a=1#f", "a=1"]),
            ("s3://h/b#f?a=1", &["a=1", ""]),
            ("s3://h/b?c/?a=1", &["c/?a=1", "a=1"]),
            ("s3://h/b??a=1", &["?a=1", "a=1"]),
            ("s3://h/b#?c?a#=1", &["c?a#=1", "c?a", "", "a#=1", "a", ""]),
            ("s3://h/b?c/", &["c/", ""]),
            ("s3://h/b?a=1?c&d=1", &["a=1?c&d=1", "c&d=1"]),
            ("s3://h/b?c/&a=1", &["c/&a=1", ""]),
            ("s3://h/b?&a=1", &["&a=1"]),
            ("/b?a=1", &[""]),
        ] {
            let uri_text = uri;
            let uri = DocrootUri::new(uri);
            let found: Vec<&str> = uri.queries().iter().map(|query| query.text).collect();
            assert_eq!(found, texts, "{uri_text}");
            assert_eq!(uri.queries()[0].mark, None);
        }
    }

    #[test]
    fn each_bare_at_makes_a_reading_of_the_host() {
        for (uri, hosts) in [
            ("s3://h/b", &["h"] as &[_]),
            ("s3://h:443", &["h:443"]),
            ("s3://k:s@h/b", &["h"]),
            ("s3://k:s/@h/b", &["h", "k:s"]),
            ("s3://h/b/x@i/", &["i", "h"]),
            ("s3://h/b@h/", &["h"]),
            ("s3://h#@i/b/", &["i", "h"]),
            ("s3://k:a#b@h/b", &["h", "k:a"]),
            ("s3://k@s@h/b", &["h", "s@h"]),
            ("s3://h/b?x=a@b", &["h"]),
            ("s3://h/b?x@i/?a=1", &["h", "i"]),
            ("", &[""]),
        ] {
            assert_eq!(DocrootUri::new(uri).hosts(), hosts, "{uri}");
        }
    }

    #[test]
    fn the_number_of_readings_has_a_limit() {
        let uri = DocrootUri::new(format!("s3://{}", "@#?".repeat(100_000)));
        assert!(uri.has_too_many_marks());
        assert!(uri.queries().len() + uri.hosts().len() < 100);
        for mark in ["?", "@"] {
            let has_too_many = |count| {
                DocrootUri::new(format!("s3://{}", mark.repeat(count))).has_too_many_marks()
            };
            assert!(!has_too_many(MOST_MARKS), "{mark}");
            assert!(has_too_many(MOST_MARKS + 1), "{mark}");
        }
    }
}
