//! Which encryption an upload gets, as far as the vendor documents it.
//!
//! Where the documentation leaves several readings open, all of them are kept: what holds under each of them is certain, and nothing else is.

use std::fmt;

use serde::Serialize;

use super::encryption::Encryption;
use super::found_value::FoundValue;

/// The two settings as they are written somewhere.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Values {
    /// The encryption.
    pub encryption: Option<String>,
    /// The key.
    pub kms_key: Option<String>,
}

/// Where a setting comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The query of the docroot.
    Docroot,
    /// `s3.properties`.
    Trapd,
    /// It is set nowhere.
    None,
}

/// One reading of what is in effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The settings.
    pub values: Values,
    /// Where they come from.
    pub source: Source,
}

/// What is in effect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effective {
    /// All readings that are open, the natural one first; none where nothing is known.
    pub readings: Vec<Reading>,
    /// Whether something else than all these may be in effect.
    pub is_open: bool,
    /// Whether a value that is documented stands where it is not: then no reading is as good as said, though nothing else than these may be in effect.
    pub is_undocumented: bool,
    /// Why it is not certain, if it is not.
    pub doubt: Option<&'static str>,
}

/// What the server as a whole brings to each docroot.
#[derive(Debug, Clone, Default)]
pub struct Server {
    /// Whether trapd is enabled.
    pub trapd_enabled: Option<bool>,
    /// The settings in `s3.properties`; nothing if they cannot be read. An absent file sets nothing.
    pub trapd: Option<Values>,
    /// Whether `pvcl_cloud` serves object storage here.
    pub pvcl_cloud: Option<bool>,
}

const PVCL: &str =
    "pvcl_cloud may serve this storage, and whether it takes these settings is not documented";
const UNREADABLE: &str = "s3.properties cannot be read as trapd reads it";
const TRAPD_OFF: &str = "trapd is not enabled, and what s3.properties does then is not documented";
const TRAPD_UNKNOWN: &str = "whether trapd is enabled cannot be told";
const REPEATED: &str =
    "an option stands in the docroot more than once, and which one Aspera takes is not documented";
const BOTH: &str =
    "docroot and s3.properties say different things, and which of them wins is not documented";
const KEY_OF_TRAPD: &str = "the key stands in s3.properties only, and whether a docroot with AWS_KMS takes it is not documented";
const NO_ENCRYPTION: &str =
    "the docroot names a key and no encryption, and what Aspera makes of that is not documented";
const NONE_IN_DOCROOT: &str = "NONE in a docroot is not documented";
const UNDOCUMENTED_VALUE: &str = "a value is none that the vendor documents";

impl Effective {
    /// Nothing is known, for a reason.
    pub fn unknown(doubt: &'static str) -> Self {
        Self {
            readings: Vec::new(),
            is_open: true,
            is_undocumented: false,
            doubt: Some(doubt),
        }
    }

    /// Whether all is said.
    pub fn is_certain(&self) -> bool {
        !self.is_open && !self.is_undocumented && self.readings.len() == 1
    }

    /// Whether an encryption may be in effect.
    pub fn may_be(&self, encryption: Encryption) -> bool {
        let is_it = |reading: &Reading| {
            let text = reading.values.encryption.as_deref();
            text.is_some_and(|text| Encryption::parse(text) == Ok(encryption))
        };
        self.readings.iter().any(is_it)
    }

    /// Of an S3 docroot with certain values in its query, each perhaps several times.
    pub fn of_docroot(own: (&[String], &[String]), server: &Server) -> Self {
        let (encryptions, kms_keys) = own;
        let mut found = Self::default();
        match encryptions {
            [] if kms_keys.is_empty() => found.add_trapd(server),
            [] => {
                found.doubt = Some(NO_ENCRYPTION);
                found.add_trapd(server);
                for kms_key in kms_keys {
                    let mut with_key: Vec<Reading> = found.readings.clone();
                    for reading in &mut with_key {
                        reading.values.kms_key = Some(kms_key.clone());
                    }
                    for reading in with_key {
                        found.add(reading);
                    }
                }
            }
            _ => found.add_own(encryptions, kms_keys, server),
        }
        if server.pvcl_cloud != Some(false) {
            found.leave_open(PVCL);
        }
        let is_undocumented = |reading: &Reading| {
            let text = reading.values.encryption.as_deref();
            text.is_some_and(|text| Encryption::parse(text).is_err())
        };
        if found.readings.iter().any(is_undocumented) {
            found.leave_open(UNDOCUMENTED_VALUE);
        }
        if found.is_certain() {
            found.doubt = None;
        }
        found
    }

    fn leave_open(&mut self, doubt: &'static str) {
        self.is_open = true;
        self.doubt.get_or_insert(doubt);
    }

    /// The readings in which the docroot says what is in effect, and those in which it does not.
    fn add_own(&mut self, encryptions: &[String], kms_keys: &[String], server: &Server) {
        if encryptions.len() > 1 || kms_keys.len() > 1 {
            self.doubt = Some(REPEATED);
        }
        for encryption in encryptions {
            let is_kms = encryption == Encryption::AwsKms.as_str();
            let mut keys: Vec<Option<String>> = kms_keys.iter().cloned().map(Some).collect();
            if keys.is_empty() {
                keys.push(None);
                let key_of_trapd = server
                    .trapd
                    .as_ref()
                    .and_then(|trapd| trapd.kms_key.clone());
                if is_kms && key_of_trapd.is_some() {
                    keys.push(key_of_trapd);
                    self.doubt.get_or_insert(KEY_OF_TRAPD);
                }
            }
            if encryption == Encryption::None.as_str() {
                self.is_undocumented = true;
                self.doubt.get_or_insert(NONE_IN_DOCROOT);
            }
            for kms_key in keys {
                self.add(Reading {
                    values: Values {
                        encryption: Some(encryption.clone()),
                        kms_key,
                    },
                    source: Source::Docroot,
                });
            }
        }
        match &server.trapd {
            None => self.leave_open(UNREADABLE),
            Some(trapd) => {
                let is_told_so = self.readings.iter().any(|reading| reading.values == *trapd);
                if trapd.encryption.is_some() && !is_told_so {
                    self.doubt.get_or_insert(BOTH);
                    self.add(Reading {
                        values: trapd.clone(),
                        source: Source::Trapd,
                    });
                }
            }
        }
    }

    /// The readings in which the server as a whole says what is in effect.
    fn add_trapd(&mut self, server: &Server) {
        let nothing = Reading {
            values: Values::default(),
            source: Source::None,
        };
        let Some(trapd) = &server.trapd else {
            self.leave_open(UNREADABLE);
            return;
        };
        if *trapd == Values::default() {
            self.add(nothing);
            return;
        }
        let set = Reading {
            values: trapd.clone(),
            source: Source::Trapd,
        };
        match server.trapd_enabled {
            Some(true) => self.add(set),
            Some(false) => {
                self.doubt.get_or_insert(TRAPD_OFF);
                self.add(nothing);
                self.add(set);
            }
            None => {
                self.doubt.get_or_insert(TRAPD_UNKNOWN);
                self.add(set);
                self.add(nothing);
            }
        }
    }

    /// Adds the readings of another docroot that may be the one that counts.
    pub fn or(&mut self, other: Self) {
        for reading in other.readings {
            self.add(reading);
        }
        self.is_open |= other.is_open;
        self.is_undocumented |= other.is_undocumented;
        self.doubt = self.doubt.or(other.doubt);
    }

    /// Says that this may not be what is in effect, for a reason.
    #[must_use]
    pub fn or_else(mut self, doubt: &'static str) -> Self {
        self.leave_open(doubt);
        self
    }

    fn add(&mut self, reading: Reading) {
        if !self
            .readings
            .iter()
            .any(|known| known.values == reading.values)
        {
            self.readings.push(reading);
        }
    }
}

impl Values {
    /// The encryption as it may be shown.
    pub fn shown_encryption(&self) -> Option<String> {
        let found = self.encryption.as_deref().map(FoundValue::encryption);
        found.map(|value| value.shown().to_owned())
    }

    /// The key as it may be shown.
    pub fn shown_kms_key(&self) -> Option<String> {
        let found = self.kms_key.as_deref();
        let found = found.map(|text| FoundValue::kms_key(text, None));
        found.map(|value| value.shown().to_owned())
    }
}

/// Only what may be shown.
impl fmt::Debug for Values {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = (self.shown_encryption(), self.shown_kms_key());
        fmt::Debug::fmt(&shown, formatter)
    }
}
