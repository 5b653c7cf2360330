//! The possible readings of the options of an S3 docroot.

use super::doubt::Doubt;
use crate::aspera::docroot::{DocrootUri, Mark, Query};
use crate::aspera::setting::{ENCRYPTION_KEY, HTTPS_KEY, KMS_KEY_KEY, is_nearly, sets_endpoint};

/// The values of the two options, each in the order of the query.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct OptionValues {
    pub encryptions: Vec<String>,
    pub kms_keys: Vec<String>,
}

/// One reading of a query.
pub struct QueryReading {
    pub values: OptionValues,
    /// The reason why this reading is possible, or `None` for the plain reading.
    pub doubt: Option<Doubt>,
}

/// Returns all readings of the query of a docroot, the plain one first. The exact names come before the nearly right ones, because a name is nearly right
/// also with a part of the path before it: then the `?` between them is the better reason.
pub fn readings(uri: &DocrootUri) -> Vec<QueryReading> {
    let queries = uri.queries();
    let exactly = queries.iter().map(|query| QueryReading {
        values: OptionValues::exactly(*query),
        doubt: query.mark.map(|mark| match mark {
            Mark::QuestionMark => Doubt::QuestionMark,
            Mark::Hash => Doubt::Fragment,
        }),
    });
    // In these names and in the encryption, nothing needs percent-encoding (RFC 3986, 2.3), and whether Aspera decodes it is not documented.
    let verbatim = queries.iter().map(|query| QueryReading {
        values: OptionValues::verbatim(*query),
        doubt: Some(Doubt::NearlyAnOption),
    });
    let nearly = queries.iter().map(|query| QueryReading {
        values: OptionValues::nearly(*query),
        doubt: Some(Doubt::NearlyAnOption),
    });
    let mut readings: Vec<QueryReading> = Vec::new();
    for reading in exactly.chain(verbatim).chain(nearly) {
        if readings.iter().all(|known| known.values != reading.values) {
            readings.push(reading);
        }
    }
    readings
}

impl OptionValues {
    /// Reads the options with exactly our names.
    fn exactly(query: Query) -> Self {
        let mut values = Self::default();
        for (name, value) in query.options() {
            match &*name {
                ENCRYPTION_KEY => values.encryptions.push(value.into_owned()),
                KMS_KEY_KEY => values.kms_keys.push(value.into_owned()),
                _ => {}
            }
        }
        values
    }

    /// Reads the options with exactly our names, and decodes the keys only.
    fn verbatim(query: Query) -> Self {
        let mut values = Self::default();
        for ((name, value), (_, decoded)) in query.encoded_options().zip(query.options()) {
            match name {
                ENCRYPTION_KEY => values.encryptions.push(value.to_owned()),
                KMS_KEY_KEY => values.kms_keys.push(decoded.into_owned()),
                _ => {}
            }
        }
        values
    }

    /// Reads also the options with nearly our names. A program may decode the query before it splits it, or decode it twice, and may split it at a `;`, as
    /// HTML 4 recommended, or at a `,`. A name may follow the value of another option without a separator.
    fn nearly(query: Query) -> Self {
        let mut values = Self::default();
        for (name, value) in lenient_options(&query.decoded()) {
            if is_nearly(name, ENCRYPTION_KEY) {
                values.encryptions.push(value.to_owned());
            } else if is_nearly(name, KMS_KEY_KEY) {
                values.kms_keys.push(value.to_owned());
            }
        }
        values
    }
}

/// Returns whether a docroot may switch off HTTPS for itself. The vendor documents that settings of `s3.properties` can also be set in docroots.
pub fn may_switch_off_https(uri: &DocrootUri) -> bool {
    uri.queries().iter().any(|query| {
        let text = query.decoded();
        let mut options = lenient_options(&text);
        options
            .any(|(name, value)| is_nearly(name, HTTPS_KEY) && !value.eq_ignore_ascii_case("true"))
    })
}

/// Returns whether an option of a docroot may set the endpoint or the signature of requests.
pub fn may_set_endpoint(uri: &DocrootUri) -> bool {
    uri.queries().iter().any(|query| {
        let text = query.decoded();
        lenient_options(&text).any(|(name, _)| sets_endpoint(name))
    })
}

/// Returns each name with its value, as a lenient program may find them in a text.
fn lenient_options(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split(['&', ';', ',']).flat_map(|option| {
        let fields: Vec<&str> = option.split('=').collect();
        // What follows the last = is a value, unless there is no = at all.
        let names = fields.len().saturating_sub(1).max(1);
        (0..names).map(move |index| {
            (
                fields[index],
                fields.get(index + 1).copied().unwrap_or_default(),
            )
        })
    })
}
