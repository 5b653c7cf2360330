//! The possible readings of the options of an S3 docroot.

use super::doubt::Doubt;
use crate::aspera::docroot::DocrootUri;
use crate::aspera::setting::{ENCRYPTION_KEY, KMS_KEY_KEY};

/// The values of the two options, each in the order of the query.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Values {
    pub encryptions: Vec<String>,
    pub kms_keys: Vec<String>,
}

/// One reading of a query.
pub struct QueryReading {
    pub values: Values,
    /// The reason why this reading is possible, or `None` for the plain reading.
    pub doubt: Option<Doubt>,
}

/// Returns all readings of the query of a docroot, the plain one first.
pub fn readings(uri: &DocrootUri) -> Vec<QueryReading> {
    let mut readings = Vec::new();
    add_readings(&mut readings, uri, None);
    // A bare # starts the fragment (RFC 3986, 3.5), which java.net.URI does not count as part of the query.
    for uri in uri.without_fragment() {
        add_readings(&mut readings, &uri, Some(Doubt::Fragment));
    }
    readings
}

fn add_readings(readings: &mut Vec<QueryReading>, uri: &DocrootUri, doubt: Option<Doubt>) {
    let ways = [
        (Names::Exact, doubt),
        (Names::Near, Some(Doubt::NearlyAnOption)),
    ];
    for (names, doubt) in ways {
        let values = Values::read(uri, names);
        if readings.iter().all(|reading| reading.values != values) {
            readings.push(QueryReading { values, doubt });
        }
    }
}

/// The rule for the names of options.
#[derive(Clone, Copy)]
enum Names {
    Exact,
    /// Also names that differ in case, by blanks around them, or by the rest of an `&amp;` that was escaped twice.
    Near,
}

impl Values {
    fn read(uri: &DocrootUri, names: Names) -> Self {
        let mut values = Self::default();
        for (name, value) in uri.options() {
            if names.take(name, ENCRYPTION_KEY) {
                values.encryptions.push(value.to_owned());
            } else if names.take(name, KMS_KEY_KEY) {
                values.kms_keys.push(value.to_owned());
            }
        }
        values
    }
}

impl Names {
    fn take(self, name: &str, wanted: &str) -> bool {
        match self {
            Self::Exact => name == wanted,
            Self::Near => {
                let name = name.trim();
                let name = name.strip_prefix("amp;").unwrap_or(name);
                name.eq_ignore_ascii_case(wanted)
            }
        }
    }
}
