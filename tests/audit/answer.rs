//! The answer of an audit: the same type for the product, the model and the table.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;

/// The whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub compliant: Option<bool>,
    /// By place: `user a`, `group g` or `global`, each followed by ` for PEER` if it is for one client address, and `system`.
    /// Places may occur more than once; their verdicts are sorted.
    pub rows: BTreeMap<String, Vec<Verdict>>,
}

/// The verdict on one row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub enum Verdict {
    Met,
    NotS3,
    NotJudged,
    Violated,
    /// The names of the reasons.
    Unknown(BTreeSet<String>),
}

impl Answer {
    pub fn new(compliant: Option<bool>, rows: impl IntoIterator<Item = (String, Verdict)>) -> Self {
        let mut by_place: BTreeMap<String, Vec<Verdict>> = BTreeMap::new();
        for (place, verdict) in rows {
            by_place.entry(place).or_default().push(verdict);
        }
        for verdicts in by_place.values_mut() {
            verdicts.sort();
        }
        Self {
            compliant,
            rows: by_place,
        }
    }

    /// Returns the same answer without the reasons of unknown rows.
    pub fn without_reasons(&self) -> Self {
        let mut bare = self.clone();
        for verdict in bare.rows.values_mut().flatten() {
            if let Verdict::Unknown(reasons) = verdict {
                reasons.clear();
            }
        }
        bare
    }

    /// Returns whether each place with unknown rows has a reason that it has in another answer as well, and each of these rows has a reason.
    pub fn shares_a_reason_with(&self, other: &Self) -> bool {
        self.rows.iter().all(|(place, verdicts)| {
            let unknown = verdicts.iter().filter_map(|verdict| match verdict {
                Verdict::Unknown(reasons) => Some(reasons),
                _ => None,
            });
            let of_other: BTreeSet<&String> = reasons(&other.rows[place]).collect();
            unknown
                .into_iter()
                .all(|reasons| reasons.iter().any(|reason| of_other.contains(reason)))
        })
    }

    /// Returns whether the answer is the wanted one, and names at least its reasons.
    pub fn gives(&self, wanted: &Self) -> bool {
        self.without_reasons() == wanted.without_reasons()
            && wanted.rows.iter().all(|(place, verdicts)| {
                let given: BTreeSet<&String> = reasons(&self.rows[place]).collect();
                reasons(verdicts).all(|reason| given.contains(reason))
            })
    }
}

fn reasons(verdicts: &[Verdict]) -> impl Iterator<Item = &String> {
    verdicts.iter().flat_map(|verdict| match verdict {
        Verdict::Unknown(reasons) => reasons.iter().collect(),
        _ => Vec::new(),
    })
}

impl TryFrom<String> for Verdict {
    type Error = String;

    /// Parses `met`, `violated`, `not_s3`, `not_judged`, `unknown`, or `unknown (reason, reason)`.
    fn try_from(text: String) -> Result<Self, String> {
        let (word, reasons) = match text.split_once(" (") {
            Some((word, rest)) => (word, rest.strip_suffix(')').ok_or("a ) is missing")?),
            None => (text.as_str(), ""),
        };
        let reasons: BTreeSet<String> = reasons
            .split(", ")
            .filter(|reason| !reason.is_empty())
            .map(str::to_owned)
            .collect();
        match word {
            "unknown" => Ok(Self::Unknown(reasons)),
            _ if !reasons.is_empty() => Err(format!("{word} has no reasons")),
            "met" => Ok(Self::Met),
            "not_s3" => Ok(Self::NotS3),
            "not_judged" => Ok(Self::NotJudged),
            "violated" => Ok(Self::Violated),
            other => Err(format!("{other} is not a verdict")),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Met => formatter.write_str("met"),
            Self::NotS3 => formatter.write_str("not_s3"),
            Self::NotJudged => formatter.write_str("not_judged"),
            Self::Violated => formatter.write_str("violated"),
            Self::Unknown(reasons) if reasons.is_empty() => formatter.write_str("unknown"),
            Self::Unknown(reasons) => {
                let reasons: Vec<&str> = reasons.iter().map(String::as_str).collect();
                write!(formatter, "unknown ({})", reasons.join(", "))
            }
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.compliant {
            Some(compliant) => writeln!(formatter, "compliant: {compliant}")?,
            None => writeln!(formatter, "compliant: null")?,
        }
        for (place, verdicts) in &self.rows {
            for verdict in verdicts {
                writeln!(formatter, "  {place}: {verdict}")?;
            }
        }
        Ok(())
    }
}
