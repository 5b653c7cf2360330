//! The option `expect` of `aspera_sse_info`.

use std::rc::Rc;

use anyhow::Result;
use serde::Deserialize;

use super::setting::{OTHER_KEY_IDS, State, VALIDATE_KMS_KEY_ID, parsed_key};
use crate::ansible::{Failure, Kind, OptionSpec};
use crate::aspera::audit::{Expectation, ScopePattern, Wanted};
use crate::aspera::docroot::Scope;
use crate::aspera::setting::{Encryption, EncryptionSetting, InvalidKmsKey, KmsKey};

/// An entry of the option.
pub(super) const ENTRY: &[OptionSpec] = &[
    OptionSpec::new("state", Kind::Str)
        .default("present")
        .choices(&["present", "absent"]),
    OptionSpec::new("server_side_encryption", Kind::Str).shown_if(Encryption::is_recognised),
    OptionSpec::new("kms_key_ids", Kind::List(&Kind::Str)).shown_if(KmsKey::is_recognised),
    VALIDATE_KMS_KEY_ID,
    OptionSpec::flag("docroots_follow"),
    OptionSpec::new("scopes", Kind::List(&Kind::Str)).shown_if(|text| pattern(text).is_some()),
];

/// An entry in the form of the option.
#[derive(Deserialize)]
pub(super) struct Entry {
    state: State,
    server_side_encryption: Option<String>,
    kms_key_ids: Option<Vec<String>>,
    validate_kms_key_id: bool,
    docroots_follow: bool,
    scopes: Option<Vec<String>>,
}

pub(super) fn expectations(entries: &[Entry]) -> Result<Vec<Expectation>> {
    let expectation = |(index, entry): (usize, &Entry)| {
        let expectation = entry.expectation();
        expectation.map_err(|what| Failure::new(format!("expect[{index}]: {what}")).into())
    };
    if entries.is_empty() {
        return Err(Failure::new(
            "The option expect is an empty list. Name what you expect in it, or leave it out.",
        )
        .into());
    }
    entries.iter().enumerate().map(expectation).collect()
}

impl Entry {
    fn expectation(&self) -> Result<Expectation, String> {
        let scopes = self.scopes.as_deref().unwrap_or_default();
        let scope = |(index, text): (usize, &String)| {
            pattern(text).ok_or_else(|| format!(
                "scopes[{index}] is not one of system, user, group, global, access_key, user NAME, group NAME and access_key ID. Correct it."
            ))
        };
        let scopes: Vec<ScopePattern> = scopes
            .iter()
            .enumerate()
            .map(scope)
            .collect::<Result<_, _>>()?;
        let wanted = match self.state {
            State::Absent => self.absent(&scopes)?,
            State::Present => self.present()?,
        };
        if self.docroots_follow
            && (!scopes.contains(&ScopePattern::System) || wanted == Wanted::Absent)
        {
            return Err("docroots_follow goes with an encryption that is expected of system. Add system to scopes, or remove docroots_follow.".to_owned());
        }
        Ok(Expectation {
            wanted: Rc::new(wanted),
            scopes,
            docroots_follow: self.docroots_follow,
        })
    }

    fn absent(&self, scopes: &[ScopePattern]) -> Result<Wanted, String> {
        if scopes != [ScopePattern::System] {
            return Err("state: absent goes with scopes: [system] only. For docroots, expect the encryption that their uploads should get.".to_owned());
        }
        if self.server_side_encryption.is_some() || self.kms_key_ids.is_some() {
            return Err("state: absent expects no encryption and no key. Remove server_side_encryption and kms_key_ids.".to_owned());
        }
        Ok(Wanted::Absent)
    }

    fn present(&self) -> Result<Wanted, String> {
        let text = self.server_side_encryption.as_deref();
        let text =
            text.ok_or("server_side_encryption is missing. Set it to NONE, AES256 or AWS_KMS.")?;
        let encryption =
            Encryption::parse(text).map_err(|error| format!("server_side_encryption {error}"))?;
        // A variable that is empty for one host must not accept any key there.
        if self.kms_key_ids.as_ref().is_some_and(Vec::is_empty) {
            return Err("kms_key_ids is an empty list. Name the keys that you accept, or leave it out to accept any key.".to_owned());
        }
        let texts = self.kms_key_ids.as_deref().unwrap_or_default();
        let key = |(index, text): (usize, &String)| {
            let key = parsed_key(text, self.validate_kms_key_id).map_err(|error| {
                let remedy = match error {
                    InvalidKmsKey::KeyId => OTHER_KEY_IDS,
                    _ => "",
                };
                format!("kms_key_ids[{index}] {error}{remedy}")
            })?;
            EncryptionSetting::new(encryption, Some(key.clone()))
                .map_err(|_| "kms_key_ids goes with server_side_encryption AWS_KMS only. Remove one of the two.")?;
            Ok(key)
        };
        let keys = texts
            .iter()
            .enumerate()
            .map(key)
            .collect::<Result<_, String>>()?;
        Ok(Wanted::Encryption(encryption, keys))
    }
}

fn pattern(scope: &str) -> Option<ScopePattern> {
    let named = |name: &str| (!name.is_empty()).then(|| name.to_owned());
    Some(match (scope, scope.split_once(' ')) {
        ("system", _) => ScopePattern::System,
        ("user", _) => ScopePattern::Users,
        ("group", _) => ScopePattern::Groups,
        ("global", _) => ScopePattern::One(Scope::Global),
        ("access_key", _) => ScopePattern::AccessKeys,
        (_, Some(("user", name))) => ScopePattern::One(Scope::User(named(name)?)),
        (_, Some(("group", name))) => ScopePattern::One(Scope::Group(named(name)?)),
        (_, Some(("access_key", id))) => ScopePattern::AccessKey(named(id)?),
        _ => return None,
    })
}
