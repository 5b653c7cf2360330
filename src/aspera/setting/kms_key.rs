//! Names of AWS KMS keys.

use std::fmt;

use super::kms_key_form::{Form, InvalidKmsKey, has_id_of_a_real_key, is_multi_region_id};

/// The name of a key, in one of the four forms that AWS knows. Every instance is well-formed.
#[derive(Clone, PartialEq, Eq)]
pub struct KmsKey {
    text: String,
    form: Form,
}

impl KmsKey {
    /// Parses a name: key id, key ARN, `alias/name` or alias ARN.
    pub fn parse(text: &str) -> Result<Self, InvalidKmsKey> {
        let form = Form::of(text)?;
        Ok(Self {
            text: text.to_owned(),
            form,
        })
    }

    /// Parses a name as [`Self::parse`] does, but refuses a bare key id that does not have the form of AWS key ids: otherwise any word could be one, a
    /// password too. An ARN is recognisable as one, and AWS's pattern for it allows any id.
    pub fn parse_for_aws(text: &str) -> Result<Self, InvalidKmsKey> {
        let key = Self::parse(text)?;
        if key.is_unmistakable() {
            Ok(key)
        } else {
            Err(InvalidKmsKey::KeyId)
        }
    }

    /// Returns whether a text is unmistakably the name of a key, so that it is safe to show.
    pub fn is_recognised(text: &str) -> bool {
        Self::parse_for_aws(text).is_ok()
    }

    /// Returns the name as it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns whether the text can hardly be anything but the name of a key. Any word is a well-formed key id, and so may be a password in the wrong
    /// place.
    pub fn is_unmistakable(&self) -> bool {
        self.form != Form::KeyId || has_id_of_a_real_key(&self.text)
    }

    /// Whether two names name the same key, or why only AWS knows.
    pub fn is_same(&self, other: &Self) -> Result<bool, OnlyAwsKnows> {
        if self == other {
            return Ok(true);
        }
        if self.is_alias() || other.is_alias() {
            return Err(OnlyAwsKnows::Alias);
        }
        // A bare id is a part of the key's ARN. Two ARNs, or two ids, name the same key only if they are equal.
        let [one, another] = if self.form == other.form {
            [self.as_str(), other.as_str()]
        } else {
            [self.id(), other.id()]
        };
        match one == another {
            true if is_multi_region_id(one) => Err(OnlyAwsKnows::MultiRegion),
            // A UUID means the same in both cases (RFC 9562, section 4), and AWS does not document whether it accepts upper case.
            false if one.eq_ignore_ascii_case(another) => Err(OnlyAwsKnows::LetterCase),
            is_same => Ok(is_same),
        }
    }

    /// Returns whether it is an alias, so that only AWS knows the key.
    pub fn is_alias(&self) -> bool {
        matches!(self.form, Form::AliasName | Form::AliasArn)
    }

    /// Returns whether it is an id without the region and account of its key.
    pub fn is_bare_id(&self) -> bool {
        self.form == Form::KeyId
    }

    fn id(&self) -> &str {
        self.text.rsplit('/').next().unwrap_or_default()
    }

    /// Returns its partition and region, if it is an ARN.
    pub fn partition_and_region(&self) -> Option<(&str, &str)> {
        let mut fields = self.text.split(':').skip(1);
        let is_arn = matches!(self.form, Form::KeyArn | Form::AliasArn);
        is_arn.then_some(())?;
        Some((fields.next()?, fields.nth(1)?))
    }

    /// Returns the possible problems of a well-formed name, as sentences.
    pub fn doubts(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        match self.form {
            Form::KeyId | Form::KeyArn => {
                if !has_id_of_a_real_key(&self.text) {
                    doubts.push(format!(
                        "The id in the KMS key {self} is neither a UUID nor mrk- and 32 hexadecimal digits, unlike the ids of real keys. \
                         Check it: uploads fail if AWS does not know the key."
                    ));
                } else if self.id().bytes().any(|byte| byte.is_ascii_uppercase()) {
                    // A UUID means the same in upper case (RFC 9562, section 4). AWS shows key ids in lower case only, and does not document
                    // whether it accepts others.
                    doubts.push(format!(
                        "The id in the KMS key {self} has upper-case letters. AWS gives out lower-case ids and does not document whether it \
                         accepts others. Write it in lower case."
                    ));
                }
            }
            Form::AliasName => doubts.push(format!(
                "Aspera does not document alias names such as {self} as KMS keys. Prefer the key ARN, or verify an upload."
            )),
            Form::AliasArn => {}
        }
        doubts
    }
}

impl fmt::Display for KmsKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl fmt::Debug for KmsKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "KmsKey({})", self.text)
    }
}

/// Why only AWS knows whether two names name the same key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnlyAwsKnows {
    /// One of them is an alias.
    Alias,
    /// A multi-Region key has the same id in each Region and is another key there.
    MultiRegion,
    /// The names differ in letter case only.
    LetterCase,
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

    #[test]
    fn all_forms_of_aws_are_accepted() {
        let arn = |partition: &str, resource: &str| {
            format!("arn:{partition}:kms:us-east-2:111122223333:{resource}")
        };
        for (text, doubts) in [
            (UUID.to_owned(), 0),
            ("mrk-1234abcd12ab34cd56ef1234567890ab".to_owned(), 0),
            (arn("aws", &format!("key/{UUID}")), 0),
            (arn("aws-cn", &format!("key/{UUID}")), 0),
            (
                arn("aws-us-gov", "key/mrk-1234abcd12ab34cd56ef1234567890ab"),
                0,
            ),
            (arn("aws", "alias/tenant/a_b-c"), 0),
            ("alias/tenant".to_owned(), 1),
            ("alias/aws/s3".to_owned(), 1),
            ("no-uuid".to_owned(), 1),
        ] {
            let key = KmsKey::parse(&text).unwrap();
            assert_eq!(key.as_str(), text);
            assert_eq!(key.doubts().len(), doubts, "{text}");
        }
    }

    #[test]
    fn the_vendors_impossible_example_is_accepted_with_a_doubt() {
        let example = "arn:aws:kms:us-west-2:289669785124:key/9120a367-8204-4752-8b0f-1ca9d90j8ec3";
        for parse in [KmsKey::parse, KmsKey::parse_for_aws] {
            assert_eq!(parse(example).unwrap().doubts().len(), 1);
        }
    }

    #[test]
    fn a_bare_id_of_aws_is_a_uuid_or_of_a_multi_region_key() {
        let upper_case = UUID.to_uppercase();
        for id in [
            UUID,
            &upper_case,
            "mrk-1234abcd12ab34cd56ef1234567890ab",
            "mrk-1234ABCD12AB34CD56EF1234567890AB",
        ] {
            assert_eq!(KmsKey::parse_for_aws(id), KmsKey::parse(id));
        }
        for id in [
            "my-key",
            "password1",
            "1234abcd12ab34cd56ef1234567890ab",
            "1234abcd-12ab-34cd-56ef-1234567890a",
            "1234abcd-12ab-34cd-56ef-1234567890ag",
            "1234abcd-12ab-34cd-56ef-1234567890ab-1",
            "1234abcd1-2ab-34cd-56ef-1234567890ab",
            "-1234abcd-12ab-34cd-56ef-1234567890ab",
            "mrk-1234abcd-12ab-34cd-56ef-1234567890ab",
            "mrk-1234abcd12ab34cd56ef1234567890a",
            "mrk-1234abcd12ab34cd56ef1234567890ag",
            "MRK-1234abcd12ab34cd56ef1234567890ab",
            "alias-tenant",
            "key",
        ] {
            assert!(KmsKey::parse(id).is_ok(), "{id}");
            assert_eq!(KmsKey::parse_for_aws(id), Err(InvalidKmsKey::KeyId), "{id}");
            assert!(!KmsKey::is_recognised(id), "{id}");
        }
        for other in ["alias/tenant", "arn:aws:kms:us-east-2:111122223333:alias/a"] {
            assert_eq!(KmsKey::parse_for_aws(other), KmsKey::parse(other));
        }
        // A malformed name keeps its own reason.
        assert_eq!(KmsKey::parse_for_aws(""), Err(InvalidKmsKey::Empty));
        assert_eq!(KmsKey::parse_for_aws("a b"), Err(InvalidKmsKey::Blank));
        assert_eq!(
            KmsKey::parse_for_aws("None"),
            Err(InvalidKmsKey::TemplateWord)
        );
    }

    #[test]
    fn an_id_in_upper_case_is_doubtful() {
        let upper_case = UUID.to_uppercase();
        let arn = |id: &str| format!("arn:aws:kms:us-east-2:111122223333:key/{id}");
        let of_alias = "arn:aws:kms:us-east-2:111122223333:alias/Tenant";
        for (key, has_doubt) in [
            (&*upper_case, true),
            (&*arn(&upper_case), true),
            ("mrk-1234ABCD12AB34CD56EF1234567890AB", true),
            (&*arn(UUID), false),
            (of_alias, false),
        ] {
            let doubts = KmsKey::parse(key).unwrap().doubts();
            assert_eq!(doubts.len(), usize::from(has_doubt), "{key}");
            assert!(
                doubts
                    .iter()
                    .all(|doubt| doubt.contains("upper-case letters"))
            );
        }
    }

    #[test]
    fn every_other_text_is_refused_with_its_reason() {
        use InvalidKmsKey as E;
        for (text, error) in [
            ("", E::Empty),
            (" ", E::Blank),
            ("a b", E::Blank),
            ("key\n", E::Blank),
            ("a\u{a0}b", E::Blank),
            ("a\0b", E::Control),
            ("a\u{7f}", E::Control),
            ("schl\u{fc}ssel", E::NotAscii),
            ("arn:aws:kms", E::Form),
            ("arn:azure:kms:eu-west-1:111122223333:key/a", E::Partition),
            ("arn:aws:s3:eu-west-1:111122223333:key/a", E::Service),
            ("arn:aws:kms::111122223333:key/a", E::Region),
            ("arn:aws:kms:EU:111122223333:key/a", E::Region),
            ("arn:aws:kms:eu-west-1:11112222333:key/a", E::Account),
            ("arn:aws:kms:eu-west-1:11112222333x:key/a", E::Account),
            ("arn:aws:kms:eu-west-1:111122223333:key/", E::Resource),
            ("arn:aws:kms:eu-west-1:111122223333:key/a/b", E::Resource),
            ("arn:aws:kms:eu-west-1:111122223333:grant/a", E::Resource),
            ("arn:aws:kms:eu-west-1:111122223333:alias/", E::Alias),
            ("alias/", E::Alias),
            ("alias/a:b", E::Alias),
            ("None", E::TemplateWord),
            ("null", E::TemplateWord),
            ("undefined", E::TemplateWord),
            ("omit", E::TemplateWord),
            ("True", E::TemplateWord),
            ("0", E::TemplateWord),
            ("-1", E::TemplateWord),
            ("a&b=c", E::Form),
            ("a\\", E::Form),
            ("<a>", E::Form),
        ] {
            assert_eq!(KmsKey::parse(text), Err(error), "{text:?}");
        }
        assert_eq!(KmsKey::parse(&"a".repeat(3000)), Err(E::Length));
        assert_eq!(
            KmsKey::parse(&format!("alias/{}", "a".repeat(251))),
            Err(E::Alias)
        );
    }
}
