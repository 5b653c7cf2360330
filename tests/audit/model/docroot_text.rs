//! The content of a docroot's text.

use super::host::Host;
use super::worlds::World;
use crate::configuration::COMMENT;

/// The content of a docroot's text.
pub enum Docroot {
    NotS3,
    /// A form that the vendor does not describe.
    Unknown,
    /// Not known, for a reason that is named already.
    Anything,
    S3(S3),
}

pub struct S3 {
    pub scheme_in_capitals: bool,
    pub blanks_around: bool,
    pub comment: bool,
    pub question_mark_in_credentials: bool,
    /// Whether an option may switch off HTTPS.
    pub https_off: bool,
    /// Whether an option may name another endpoint.
    pub other_endpoint: bool,
    hosts: Vec<Host>,
    queries: Vec<Query>,
    /// Whether each `?` may be a part of the path.
    may_be_without_query: bool,
}

/// The text after one of the `?`s.
struct Query {
    hash_before: bool,
    whole: Options,
    /// Up to the first bare `#` in it.
    before_hash: Option<Options>,
}

/// The values of the two options, by exact names, and by names that are nearly ours.
struct Options {
    exactly: [Vec<String>; 2],
    /// With names and encryptions that are not decoded.
    verbatim: [Vec<String>; 2],
    nearly: [Vec<String>; 2],
}

const OTHER_SCHEMES: [&str; 9] = [
    "adl",
    "azu",
    "azure-files",
    "file",
    "google-gcs",
    "gs",
    "hdfs",
    "oss",
    "swift",
];

/// The values of the two options in the query, as read in one world.
#[derive(Default)]
pub struct Own<'a> {
    pub encryptions: Vec<&'a str>,
    pub keys: Vec<&'a str>,
}

impl Docroot {
    /// Parses a text that is neither unset nor empty.
    pub fn read(text: &str) -> Self {
        let comment = text.contains(COMMENT);
        let text = text.replace(COMMENT, "");
        let blanks_around = text.trim_ascii() != text;
        let text = text.trim_ascii();
        if text.starts_with(['/', '$']) {
            return Self::NotS3;
        }
        match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("s3") => Self::S3(S3 {
                blanks_around,
                comment,
                ..S3::read(scheme != "s3", rest)
            }),
            Some((scheme, _)) if OTHER_SCHEMES.contains(&scheme) => Self::NotS3,
            _ => Self::Unknown,
        }
    }
}

impl S3 {
    fn read(scheme_in_capitals: bool, rest: &str) -> Self {
        let marks: Vec<usize> = rest.match_indices('?').map(|(mark, _)| mark).collect();
        let queries = marks.iter().map(|&mark| {
            let query = &rest[mark + 1..];
            Query {
                hash_before: rest[..mark].contains('#'),
                whole: Options::read(query),
                before_hash: query
                    .split_once('#')
                    .map(|(before, _)| Options::read(before)),
            }
        });
        let begins_with_option = |mark: &usize| {
            let first = rest[mark + 1..]
                .split(['&', '#', '?'])
                .next()
                .unwrap_or_default();
            first.is_empty() || first.contains('=')
        };
        Self {
            scheme_in_capitals,
            blanks_around: false,
            comment: false,
            question_mark_in_credentials: has_question_mark_in_credentials(rest),
            other_endpoint: marks.iter().any(|mark| {
                let fields = names_of_lenient_options(&rest[mark + 1..]);
                fields.iter().any(|name| names_an_endpoint(name))
            }),
            https_off: marks
                .iter()
                .any(|mark| switches_off_https(&rest[mark + 1..])),
            hosts: hosts(rest),
            queries: queries.collect(),
            may_be_without_query: !marks.iter().any(begins_with_option),
        }
    }

    /// Returns the options as read in one world.
    pub fn own_options<'a>(&'a self, world: &mut World) -> Own<'a> {
        let nothing = Own::default();
        if self.queries.is_empty() {
            return nothing;
        }
        let ways = self.queries.len() + usize::from(self.may_be_without_query);
        let Some(query) = self.queries.get(world.choose("question_mark", ways)) else {
            return nothing;
        };
        if query.hash_before && world.may("fragment") {
            return nothing;
        }
        let options = match &query.before_hash {
            Some(before) if world.may("fragment") => before,
            _ => &query.whole,
        };
        let mut readings = vec![&options.exactly];
        for other in [&options.verbatim, &options.nearly] {
            if !readings.contains(&other) {
                readings.push(other);
            }
        }
        let [encryptions, keys] = readings[world.choose("nearly_an_option", readings.len())];
        Own {
            encryptions: encryptions.iter().map(String::as_str).collect(),
            keys: keys.iter().map(String::as_str).collect(),
        }
    }

    /// Returns the host as read in one world.
    pub fn host(&self, world: &mut World) -> &Host {
        &self.hosts[world.choose("unclear_host", self.hosts.len())]
    }
}

/// Each text that follows the `//` or an `@` may be the host, up to the next `/`, `?` or `#`. It does not follow the `//` if there are credentials there. It
/// does not follow an `@` in the options, which begin after the last `?` at the latest.
fn hosts(rest: &str) -> Vec<Host> {
    let up_to_mark = |text: &str| {
        text.split(['/', '?', '#'])
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    let before_options = rest.rsplit_once('?').map_or(rest, |(before, _)| before);
    let mut hosts = Vec::new();
    if !up_to_mark(rest).contains('@') {
        hosts.push(Host::read(&up_to_mark(rest)));
    }
    for (at, _) in before_options.match_indices('@') {
        hosts.push(Host::read(&up_to_mark(&rest[at + 1..])));
    }
    hosts.sort();
    hosts.dedup();
    hosts
}

/// Returns whether a `?` seems to belong to the credentials: the first `@` follows it, and the text before it is not a host, or no option is between them.
fn has_question_mark_in_credentials(rest: &str) -> bool {
    let Some((base, query)) = rest.split_once('?') else {
        return false;
    };
    let Some((before_at, _)) = query.split_once('@') else {
        return false;
    };
    let authority = base.split('/').next().unwrap_or_default();
    !base.contains('@') && (!Host::read(authority).is_clear() || !before_at.contains('='))
}

/// Returns all texts that may be the name of an option, for any way to split the text.
fn names_of_lenient_options(query: &str) -> Vec<String> {
    let cut = query.split_once('#').map(|(before, _)| before);
    let texts = [Some(query), cut].into_iter().flatten();
    let names = texts.flat_map(|text| {
        let text = decoded(&decoded(text)).replace([';', ','], "&");
        let of_option = |option: &str| -> Vec<String> {
            let fields: Vec<&str> = option.split('=').collect();
            let count = fields.len().max(2) - 1;
            fields[..count]
                .iter()
                .map(|&name| name.to_owned())
                .collect()
        };
        text.split('&').flat_map(of_option).collect::<Vec<String>>()
    });
    names.collect()
}

/// Returns whether a name ends like one of those that say where requests go, or how they are signed.
pub fn names_an_endpoint(name: &str) -> bool {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    let name = letters.collect::<String>().to_lowercase();
    let ends = ["", "httpport", "httpsport", "virtualpath"];
    ends.iter()
        .any(|end| name.ends_with(&format!("s3endpoint{end}")))
        || name.ends_with("requestsignatureversion")
}

/// Returns whether an option named like that of HTTPS is anything but true, for any way to split the text.
fn switches_off_https(query: &str) -> bool {
    let cut = query.split_once('#').map(|(before, _)| before);
    [Some(query), cut].into_iter().flatten().any(|text| {
        let text = decoded(&decoded(text));
        text.split(['&', ';', ',']).any(|option| {
            let fields: Vec<&str> = option.split('=').collect();
            let is_ours = |name: &str| {
                let letters = name.chars().filter(char::is_ascii_alphanumeric);
                let name: String = letters.collect();
                name.to_lowercase().ends_with("s3servicehttpsonly")
            };
            let value = |index: usize| fields.get(index + 1).copied().unwrap_or_default();
            (0..fields.len().max(2) - 1)
                .any(|index| is_ours(fields[index]) && !value(index).eq_ignore_ascii_case("true"))
        })
    })
}

impl Options {
    fn read(query: &str) -> Self {
        let mut exactly = [Vec::new(), Vec::new()];
        let mut verbatim = [Vec::new(), Vec::new()];
        for option in query.split('&') {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            if name == NAMES[0] {
                verbatim[0].push(value.to_owned());
            } else if name == NAMES[1] {
                verbatim[1].push(decoded(value));
            }
            let name = decoded(name);
            for (values, ours) in exactly.iter_mut().zip(NAMES) {
                if name == ours {
                    values.push(decoded(value));
                }
            }
        }
        // Whoever is lenient may decode twice and before all else, take ; and , for an &, and not see where the value before a name ends.
        let mut nearly = [Vec::new(), Vec::new()];
        let text = decoded(&decoded(query));
        for option in text.replace([';', ','], "&").split('&') {
            let fields: Vec<&str> = option.split('=').collect();
            let pairs: Vec<(&str, &str)> = match fields[..] {
                [name] => vec![(name, "")],
                _ => fields.windows(2).map(|pair| (pair[0], pair[1])).collect(),
            };
            for (name, value) in pairs {
                if let Some(which) = nearly_ours(name) {
                    nearly[which].push(value.to_owned());
                }
            }
        }
        Self {
            exactly,
            verbatim,
            nearly,
        }
    }
}

/// The names of the encryption and of the key.
const NAMES: [&str; 2] = [
    "server-side-encryption",
    "server-side-encryption-aws-kms-key-id",
];

/// Returns which of our names a name ends in, if only letters and digits count.
pub fn nearly_ours(name: &str) -> Option<usize> {
    let bare = |name: &str| -> String {
        let characters = name.chars().filter(char::is_ascii_alphanumeric);
        characters.collect::<String>().to_lowercase()
    };
    NAMES
        .iter()
        .position(|ours| bare(name).ends_with(&bare(ours)))
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, behind @ ..] = rest {
        let digits = behind
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits
            .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (first, byte) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            (&other, _) => {
                bytes.push(other);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
