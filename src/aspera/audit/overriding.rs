//! The docroots that say something else than `s3.properties` is expected to say, and that no entry judges.
//!
//! Which of the two wins is not documented. So whoever expects an encryption of the whole server wants to know of them, although the expectation is about
//! `s3.properties` alone.

use std::rc::Rc;

use super::expectation::{Comparison, Difference, Expectation, ScopePattern, Wanted};
use super::possible::Request;
use super::row::Row;
use super::verdict::{Place, Violation};
use crate::aspera::docroot::{DocrootUri, Storage};
use crate::aspera::setting::{ENCRYPTION_KEY, KMS_KEY_KEY};

/// What the expectation of the whole server says about docroots that no entry judges.
#[derive(Debug)]
pub(super) struct Overriding {
    wanted: Rc<Wanted>,
    /// Whether it forbids them a setting of their own.
    pub(super) is_forbidden: bool,
}

impl Overriding {
    /// Returns nothing if no encryption is expected of the whole server.
    pub(super) fn new(expectations: &[Expectation]) -> Option<Self> {
        let mut expectations = expectations.iter();
        let of_system =
            expectations.find(|expectation| expectation.scopes.contains(&ScopePattern::System))?;
        // Where the whole server is to have no setting, the docroots are meant to have their own.
        matches!(*of_system.wanted, Wanted::Encryption(..)).then(|| Self {
            wanted: Rc::clone(&of_system.wanted),
            is_forbidden: of_system.docroots_follow,
        })
    }

    /// Returns the setting of a row's own, if it has another one than the whole server is expected to have.
    pub(super) fn of_row(&self, row: Row, place: Place) -> Option<Violation> {
        let Wanted::Encryption(encryption, _) = &*self.wanted else {
            return None;
        };
        let uri = row.uri()?;
        let own = own_setting(&uri)?;
        // A key alone goes with the encryption of the server.
        let completed = Request::new(
            own.encryption
                .clone()
                .or_else(|| Some(encryption.to_string())),
            own.kms_key.clone(),
        );
        let is_same =
            self.wanted.compare(&completed) == Comparison::Meets && !uri.repeats_a_setting();
        (!is_same).then(|| Violation {
            place,
            found: own,
            is_of_docroot: true,
            expected: Rc::clone(&self.wanted),
            difference: Difference::OwnSetting,
        })
    }
}

/// Returns the setting in the query of an S3 docroot, or `None` if it has none.
fn own_setting(uri: &DocrootUri) -> Option<Request> {
    if !matches!(uri.storage(), Storage::S3 | Storage::MisspelledS3) {
        return None;
    }
    let value = |wanted: &str| {
        let mut options = uri.options();
        Some(options.find(|(name, _)| *name == wanted)?.1.to_owned())
    };
    let own = Request::new(value(ENCRYPTION_KEY), value(KMS_KEY_KEY));
    (!own.is_empty()).then_some(own)
}

#[cfg(test)]
mod tests {
    use super::super::{Facts, judge, rows};
    use super::*;
    use crate::aspera::docroot::{AsperaConf, Scope};
    use crate::aspera::setting::{Encryption, KmsKey};

    const KEY: &str = "arn:aws:kms:us-east-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

    /// Returns the names of the users that are reported, and of those that are violations, for an expectation of the whole server with another one.
    fn reported(wanted: Wanted, docroots_follow: bool, other: &[ScopePattern]) -> [Vec<String>; 2] {
        let user = |(name, uri): (&str, &str)| {
            format!(
                "<user><name>{name}</name><file_system><access><paths><path><absolute>{uri}</absolute></path></paths></access></file_system></user>"
            )
        };
        let [encryption, key] = [ENCRYPTION_KEY, KMS_KEY_KEY];
        let users: Vec<String> = [
            ("silent", "s3://s3.amazonaws.com/b/"),
            ("same", &format!("s3://s3.amazonaws.com/b/?{encryption}=AWS_KMS&amp;{key}={KEY}")),
            ("key_alone", &format!("s3://s3.amazonaws.com/b/?{key}={KEY}")),
            ("weaker", &format!("s3://s3.amazonaws.com/b/?{encryption}=AES256")),
            ("none", &format!("s3://s3.amazonaws.com/b/?{encryption}=NONE")),
            ("other_key", &format!("s3://s3.amazonaws.com/b/?{key}=alias/a")),
            ("no_key", &format!("s3://s3.amazonaws.com/b/?{encryption}=AWS_KMS")),
            ("twice", &format!("s3://s3.amazonaws.com/b/?{encryption}=AWS_KMS&amp;{key}={KEY}&amp;{encryption}=NONE")),
            ("local", &format!("/data?{encryption}=AES256")),
        ]
        .map(user)
        .into();
        let file = format!(
            "<CONF><aaa><realms><realm><users>{}</users></realm></realms></aaa></CONF>",
            users.concat()
        );
        let conf = AsperaConf::parse(file.as_bytes()).unwrap();
        let facts = Facts::of(Some(&conf));
        let mut expectations = vec![Expectation {
            wanted: Rc::new(wanted.clone()),
            scopes: vec![ScopePattern::System],
            docroots_follow,
        }];
        if !other.is_empty() {
            expectations.push(Expectation {
                wanted: Rc::new(wanted),
                scopes: other.to_vec(),
                docroots_follow: false,
            });
        }
        let rows = rows(&facts);
        let judgement = judge(&facts, &rows, &expectations);
        let overriding = judgement.overriding(&rows).collect();
        let violations: Vec<Violation> = judgement.violations(&rows).collect();
        [overriding, violations].map(|violations| {
            let own = violations
                .into_iter()
                .filter(|violation| violation.difference == Difference::OwnSetting);
            let place = |violation: Violation| match violation.place {
                Place::System => "system".to_owned(),
                Place::Row(index) => rows.get(index).scope().into_name().unwrap_or_default(),
            };
            own.map(place).collect()
        })
    }

    fn kms() -> Wanted {
        Wanted::Encryption(Encryption::AwsKms, vec![KmsKey::parse(KEY).unwrap()])
    }

    const OTHERS: [&str; 5] = ["weaker", "none", "other_key", "no_key", "twice"];

    #[test]
    fn docroots_that_say_something_else_are_reported_or_are_violations() {
        assert_eq!(reported(kms(), false, &[]), [OTHERS.to_vec(), Vec::new()]);
        assert_eq!(reported(kms(), true, &[]), [Vec::new(), OTHERS.to_vec()]);
    }

    #[test]
    fn docroots_that_another_entry_judges_are_not() {
        let weaker = ScopePattern::One(Scope::User("weaker".to_owned()));
        let [overriding, _] = reported(kms(), false, &[weaker]);
        assert_eq!(overriding, OTHERS[1..].to_vec());
        assert!(
            reported(kms(), true, &[ScopePattern::Users])
                .concat()
                .is_empty()
        );
    }

    #[test]
    fn no_docroot_is_if_the_server_is_to_have_no_setting() {
        assert!(reported(Wanted::Absent, false, &[]).concat().is_empty());
    }
}
