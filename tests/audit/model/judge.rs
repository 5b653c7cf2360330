//! Compares outcomes with an expectation.

use std::collections::BTreeSet;

use super::decisions;
use super::docroot::{Outcome, Server};
use super::host::Host;
use super::worlds::Readings;
use crate::answer::Verdict;
use crate::configuration::Expectation;

/// Whether an outcome is the expected one, or the reason why that is not known.
type Meets = Result<bool, &'static str>;

/// Returns the verdict on a row.
pub fn verdict(
    readings: &Readings<Outcome>,
    expectation: &Expectation,
    server: &Server,
) -> Verdict {
    let mut reasons = readings.reasons.clone();
    let mut meets = BTreeSet::new();
    for outcome in &readings.results {
        match *outcome {
            Outcome::NotS3 => {}
            Outcome::Anything => return unknown(&reasons),
            Outcome::Asks(encryption, key) => {
                meets.insert(meets_on(encryption, key, None, expectation, server));
            }
            Outcome::AsksAt(encryption, key, host) => {
                meets.insert(meets_on(encryption, key, Some(host), expectation, server));
            }
        }
    }
    let may_not_be_s3 = readings.results.contains(&Outcome::NotS3);
    let meets: Vec<Meets> = meets.into_iter().collect();
    match meets[..] {
        [] if readings.against.is_empty() => Verdict::NotS3,
        [Ok(true)] if readings.against.is_empty() => Verdict::Met,
        [Ok(false)] if !(decisions::NOT_S3_IS_NO_VIOLATION && may_not_be_s3) => Verdict::Violated,
        _ => {
            reasons.extend(meets.iter().filter_map(|meets| meets.err()));
            unknown(&reasons)
        }
    }
}

pub fn unknown(reasons: &BTreeSet<&'static str>) -> Verdict {
    Verdict::Unknown(reasons.iter().map(|&reason| reason.to_owned()).collect())
}

/// Returns whether an outcome is the expected one on the version of Aspera of a server.
pub fn meets_on(
    encryption: Option<&str>,
    key: Option<&str>,
    host: Option<&Host>,
    expectation: &Expectation,
    server: &Server,
) -> Meets {
    let meets = meets_expectation(encryption, key, host, expectation);
    let old = match encryption {
        Some("AWS_KMS") => ((3, 6, 1), Ok(false)),
        Some("AES256") => ((3, 2, 1), Err("old_version")),
        _ => return meets,
    };
    match (meets, server.is_at_least(old.0)) {
        (Ok(true), None) => Err("version_unknown"),
        (Ok(true), Some(false)) => old.1,
        _ => meets,
    }
}

fn meets_expectation(
    encryption: Option<&str>,
    key: Option<&str>,
    host: Option<&Host>,
    expectation: &Expectation,
) -> Meets {
    let encryption = encryption.unwrap_or("NONE");
    if !["NONE", "AES256", "AWS_KMS"].contains(&encryption) {
        return Err("undocumented_value");
    }
    if encryption != expectation.encryption {
        return Ok(false);
    }
    if expectation.keys.is_empty() {
        return Ok(true);
    }
    let Some(key) = key else {
        // S3 then uses the key that AWS manages.
        return Ok(expectation.keys.iter().any(|key| key == "alias/aws/s3"));
    };
    if key.contains("$(") {
        return Err("substitution");
    }
    if !is_name_of_a_key(key) {
        let trimmed = key.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        return if is_name_of_a_key(trimmed) {
            Err("blanks_around_key")
        } else {
            Ok(false)
        };
    }
    let same: Vec<Meets> = expectation
        .keys
        .iter()
        .map(|wanted| match is_same(key, wanted) {
            // The bare id is one of a key where the request goes.
            Ok(true) if host.is_some_and(|host| host.refuses(wanted)) => {
                Err("key_of_another_region")
            }
            same => same,
        })
        .collect();
    if same.contains(&Ok(true)) {
        return Ok(true);
    }
    same.into_iter().find(Result::is_err).unwrap_or(Ok(false))
}

pub fn is_same(key: &str, wanted: &str) -> Meets {
    let is_alias = |key: &str| key.starts_with("alias/") || key.contains(":alias/");
    if key == wanted {
        return Ok(true);
    }
    if is_alias(key) || is_alias(wanted) {
        return Err("alias");
    }
    let (id, arn) = match (key.starts_with("arn:"), wanted.starts_with("arn:")) {
        (false, true) => (key, wanted),
        (true, false) => (wanted, key),
        _ if key.to_lowercase() == wanted.to_lowercase() => return Err("letter_case"),
        _ => return Ok(false),
    };
    let end = format!("/{id}");
    match arn.ends_with(&end) {
        true if id.starts_with("mrk-") => Err("multi_region_key"),
        false if arn.to_lowercase().ends_with(&end.to_lowercase()) => Err("letter_case"),
        same => Ok(same),
    }
}

/// Returns whether a text has one of AWS's forms: a key id, a key ARN, an alias name or an alias ARN.
pub fn is_name_of_a_key(text: &str) -> bool {
    let all = |text: &str, allowed: fn(char) -> bool| !text.is_empty() && text.chars().all(allowed);
    let is_id = |text: &str| all(text, |c| c.is_ascii_alphanumeric() || c == '-');
    let is_alias = |text: &str| {
        text.strip_prefix("alias/")
            .is_some_and(|name| all(name, |c| c.is_ascii_alphanumeric() || "/_-".contains(c)))
    };
    let fields: Vec<&str> = text.splitn(6, ':').collect();
    match fields[..] {
        ["arn", partition, "kms", region, account, resource] => {
            partition
                .strip_prefix("aws")
                .is_some_and(|rest| rest.is_empty() || is_id(rest))
                && all(region, |c| {
                    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'
                })
                && account.len() == 12
                && all(account, |c| c.is_ascii_digit())
                && (is_alias(resource) || resource.strip_prefix("key/").is_some_and(is_id))
        }
        _ => is_id(text) || is_alias(text),
    }
}
