//! The content of a docroot's text.

use super::decisions;
use super::worlds::World;

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
    pub question_mark_in_credentials: bool,
    hash_before_query: bool,
    host: String,
    query: Vec<QueryOption>,
    /// The query up to the first bare `#` in it.
    query_before_hash: Option<Vec<QueryOption>>,
}

struct QueryOption {
    is_key: bool,
    /// Whether its name is nearly one of ours.
    is_near: bool,
    value: String,
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
        let blanks_around = text.trim_ascii() != text;
        let text = text.trim_ascii();
        if text.starts_with(['/', '$']) {
            return Self::NotS3;
        }
        match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("s3") => Self::S3(S3 {
                blanks_around,
                ..S3::read(scheme != "s3", rest)
            }),
            Some((scheme, _)) if OTHER_SCHEMES.contains(&scheme) => Self::NotS3,
            _ => Self::Unknown,
        }
    }
}

impl S3 {
    fn read(scheme_in_capitals: bool, rest: &str) -> Self {
        let (base, query) = match rest.split_once('?') {
            Some((base, query)) => (base, Some(query)),
            None => (rest, None),
        };
        let behind_credentials = base.rsplit('@').next().unwrap_or_default();
        let host = behind_credentials
            .split(['/', '#', ':'])
            .next()
            .unwrap_or_default();
        Self {
            scheme_in_capitals,
            blanks_around: false,
            question_mark_in_credentials: !base.contains(['/', '@'])
                && query.is_some_and(|query| query.contains('@')),
            hash_before_query: base.contains('#') && query.is_some(),
            host: host.to_ascii_lowercase(),
            query: query.map(options).unwrap_or_default(),
            query_before_hash: query
                .and_then(|query| query.split_once('#'))
                .map(|(before, _)| options(before)),
        }
    }

    /// Returns the options as read in one world.
    pub fn own_options<'a>(&'a self, world: &mut World) -> Own<'a> {
        let mut own = Own::default();
        if self.hash_before_query && world.may("fragment") {
            return own;
        }
        let query = match &self.query_before_hash {
            Some(before) if world.may("fragment") => before,
            _ => &self.query,
        };
        let near = query.iter().any(|option| option.is_near) && world.may("nearly_an_option");
        for option in query.iter().filter(|option| near || !option.is_near) {
            let values = if option.is_key {
                &mut own.keys
            } else {
                &mut own.encryptions
            };
            values.push(&option.value);
        }
        own
    }

    pub fn is_amazon(&self) -> bool {
        let ends = [".amazonaws.com", ".amazonaws.com.cn"];
        ends.iter().any(|end| self.host.ends_with(end))
            && (!decisions::AMAZON_HOSTS_NAME_S3 || self.labels().any(is_label_of_s3))
    }

    fn labels(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.host.split('.')
    }

    /// Returns the region that the host names, after its last S3 label.
    fn region(&self) -> Option<&str> {
        let labels: Vec<&str> = self.labels().collect();
        let s3 = labels.iter().rposition(|label| is_label_of_s3(label))?;
        let with_dash = labels[s3].strip_prefix("s3-");
        let candidates = with_dash
            .into_iter()
            .chain(labels[s3 + 1..].iter().copied());
        candidates.into_iter().find(|label| is_region(label))
    }

    /// Returns whether S3 at this host refuses a key, because it belongs to another region or partition.
    pub fn refuses(&self, key: &str) -> bool {
        let fields: Vec<&str> = key.splitn(6, ':').collect();
        let ["arn", partition, "kms", region, _, _] = fields[..] else {
            return false;
        };
        if !self.is_amazon() {
            return false;
        }
        let own_region = self.region();
        let own_partition = if self.host.ends_with(".amazonaws.com.cn") {
            "aws-cn"
        } else if own_region.is_some_and(|region| region.starts_with("us-gov-")) {
            "aws-us-gov"
        } else {
            "aws"
        };
        let of_another_partition = partition != own_partition;
        match own_region {
            Some(own_region) => own_region != region || of_another_partition,
            None => decisions::PARTITION_COUNTS_WITHOUT_REGION && of_another_partition,
        }
    }
}

fn is_label_of_s3(label: &str) -> bool {
    label == "s3" || label.starts_with("s3-")
}

/// Returns whether a label is a region such as eu-west-1 or us-gov-west-1.
fn is_region(label: &str) -> bool {
    let parts: Vec<&str> = label.split('-').collect();
    parts.len() >= 3
        && parts[..parts.len() - 1]
            .iter()
            .all(|part| part.len() >= 2 && part.bytes().all(|byte| byte.is_ascii_lowercase()))
        && parts[parts.len() - 1]
            .bytes()
            .all(|byte| byte.is_ascii_digit())
}

fn options(query: &str) -> Vec<QueryOption> {
    query.split('&').filter_map(option).collect()
}

fn option(text: &str) -> Option<QueryOption> {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    let name = decoded(name);
    let trimmed = name.trim();
    let plain = trimmed
        .strip_prefix("amp;")
        .unwrap_or(trimmed)
        .to_lowercase();
    let is_key = match plain.as_str() {
        "server-side-encryption" => false,
        "server-side-encryption-aws-kms-key-id" => true,
        _ => return None,
    };
    Some(QueryOption {
        is_key,
        is_near: name != plain,
        value: decoded(value),
    })
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
