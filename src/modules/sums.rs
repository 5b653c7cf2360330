//! Sums of the files that were read, by which two nights can be compared.
//!
//! A plain sum could be guessed: most of such a file is known. So it is an HMAC-SHA-256 (RFC 2104) under a key that the controller has.

use anyhow::Result;
use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use serde::Serialize;
use sha2::Sha256;

use crate::ansible::{Failure, Kind, OptionSpec, Shown};

/// The option with the key.
pub(super) const SUMS_KEY: OptionSpec = OptionSpec {
    shown: Shown::Never,
    ..OptionSpec::new("sums_key", Kind::Str)
};

/// As many as SHA-256 gives, less than which RFC 2104 discourages.
const KEY_BYTES: usize = 32;

/// A key from the option.
pub(super) struct SumsKey(Hmac<Sha256>);

/// The sums in a result. A file that was not read has none.
#[derive(Debug, Serialize)]
pub(super) struct Sums {
    pub(super) aspera_conf: Option<String>,
    pub(super) s3_properties: Option<String>,
}

impl SumsKey {
    /// Reads the value of the option.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let wrong = || {
            Failure::new(format!(
                "sums_key is not {} hexadecimal digits. Make a key with 'openssl rand -hex {KEY_BYTES}'.",
                2 * KEY_BYTES
            ))
        };
        let key = bytes_of(text).filter(|key| key.len() == KEY_BYTES);
        let key = key.ok_or_else(wrong)?;
        Ok(Self(Hmac::new_from_slice(&key).map_err(|_| wrong())?))
    }

    /// Returns the sum of a file in hexadecimal digits.
    pub(super) fn sum(&self, content: &[u8]) -> String {
        let sum = self.0.clone().chain_update(content).finalize().into_bytes();
        let digits = sum.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
        digits
            .filter_map(|digit| char::from_digit(digit.into(), 16))
            .collect()
    }
}

fn bytes_of(hexadecimal: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pairs = hexadecimal.as_bytes().chunks(2);
    pairs
        .map(|pair| match pair {
            [high, low] => u8::try_from(digit(*high)? * 16 + digit(*low)?).ok(),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf 'what do ya want for nothing?' | openssl dgst -sha256 -mac HMAC -macopt hexkey:KEY`
    #[test]
    fn is_the_hmac_that_openssl_gives() {
        let cases = [
            (
                "what do ya want for nothing?",
                "ebea23a7fdf4ec4d0568f260e66b96a2305bfcf055f000299861d1225256682b",
            ),
            (
                "",
                "90723e2e390624ef7a40d98d90c74695afc4729193fa1b48ed0b886418685195",
            ),
        ];
        let keys = ["0b0b4a65".repeat(8), "0B0B4A65".repeat(8)];
        for key in keys {
            let key = SumsKey::parse(&key).unwrap();
            for (content, sum) in cases {
                assert_eq!(key.sum(content.as_bytes()), sum);
            }
        }
    }

    #[test]
    fn a_key_of_another_form_is_refused_and_not_repeated() {
        let digits = "0b".repeat(KEY_BYTES);
        for wrong in [
            String::new(),
            digits[1..].to_owned(),
            format!("{digits}0b"),
            digits.replacen("0b", "0g", 1),
            digits.replacen("0b", "+b", 1),
            format!("{digits}\n"),
            "\u{e9}".repeat(KEY_BYTES),
        ] {
            let error = SumsKey::parse(&wrong).err().unwrap().to_string();
            assert!(error.contains("64 hexadecimal digits"), "{error}");
            assert!(wrong.is_empty() || !error.contains(&wrong), "{error}");
        }
    }
}
