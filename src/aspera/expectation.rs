//! Whether what is in effect is what somebody expects.

use super::effective::{Effective, Reading, Values};
use super::encryption::Encryption;
use super::kms_key::KmsKey;

/// What is expected of each S3 docroot.
#[derive(Debug, Clone)]
pub struct Expectation {
    /// The encryption.
    pub encryption: Encryption,
    /// The keys of which one must be used; any, that of AWS included, if there are none.
    pub kms_keys: Vec<KmsKey>,
}

/// What came of holding an encryption against an expectation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It holds under every reading that is open.
    Met,
    /// It holds under none; what was found, and why that is not it.
    Violated {
        /// What is in effect.
        found: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// It may hold or not.
    Unknown {
        /// Why that cannot be told.
        why: &'static str,
    },
}

/// What one reading says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Match {
    Yes,
    No(&'static str),
    Unknown(&'static str),
}

impl Expectation {
    /// The expectation in words.
    pub fn words(&self) -> String {
        let keys: Vec<&str> = self.kms_keys.iter().map(KmsKey::as_str).collect();
        match keys.as_slice() {
            [] => self.encryption.to_string(),
            [key] => format!("{} with {key}", self.encryption),
            keys => format!("{} with one of {}", self.encryption, keys.join(", ")),
        }
    }

    /// Holds what is in effect against the expectation.
    pub fn judge(&self, effective: &Effective) -> Verdict {
        let matches: Vec<Match> = effective
            .readings
            .iter()
            .map(|reading| self.matches(&reading.values))
            .collect();
        let unknown = matches.iter().find_map(|found| match found {
            Match::Unknown(why) => Some(*why),
            _ => None,
        });
        let no = matches.iter().find_map(|found| match found {
            Match::No(why) => Some(*why),
            _ => None,
        });
        let undecided = effective.doubt.or(unknown);
        match (effective.is_open, no, unknown) {
            (false, None, None) if !effective.is_undocumented => Verdict::Met,
            (false, Some(why), _) if matches.iter().all(|found| matches!(found, Match::No(_))) => {
                Verdict::Violated {
                    found: effective.readings.first().map(words).unwrap_or_default(),
                    why,
                }
            }
            _ => Verdict::Unknown {
                why: undecided.unwrap_or("the vendor leaves open what is in effect"),
            },
        }
    }

    fn matches(&self, values: &Values) -> Match {
        let encryption = match values.encryption.as_deref().map(Encryption::parse) {
            None => Encryption::None,
            Some(Ok(encryption)) => encryption,
            Some(Err(_)) => return Match::Unknown("a value is none that the vendor documents"),
        };
        if encryption != self.encryption {
            return Match::No("another encryption is in effect");
        }
        if self.kms_keys.is_empty() {
            return Match::Yes;
        }
        let Some(text) = &values.kms_key else {
            return Match::No("no key is named, so the key that AWS manages is used");
        };
        let Ok(found) = KmsKey::parse(text) else {
            return Match::No("what stands in the place of the key is no name of one");
        };
        let same: Vec<Option<bool>> = self
            .kms_keys
            .iter()
            .map(|key| key.is_same(&found))
            .collect();
        if same.contains(&Some(true)) {
            Match::Yes
        } else if same.contains(&None) {
            Match::Unknown("one of the keys is an alias, and only AWS can tell of which key")
        } else {
            Match::No("another key is used")
        }
    }
}

fn words(reading: &Reading) -> String {
    let encryption = reading.values.shown_encryption();
    let encryption = encryption.unwrap_or_else(|| "no encryption".to_owned());
    match reading.values.shown_kms_key() {
        Some(key) => format!("{encryption} with {key}"),
        None => encryption,
    }
}
