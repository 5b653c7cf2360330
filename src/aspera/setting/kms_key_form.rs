//! The forms of names of AWS KMS keys.
//!
//! They are those of the `KeyId` parameter of the AWS KMS API. The pattern of a key ARN is that of `SSEKMSEncryption` in the Amazon S3 API. It
//! does not require a UUID, and Aspera's own published example has none.

/// The form of a well-formed name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    KeyId,
    KeyArn,
    AliasName,
    AliasArn,
}

/// The longest name that AWS accepts.
const MAX_LENGTH: usize = 2048;
/// The longest alias name, including `alias/`.
const MAX_ALIAS_LENGTH: usize = 256;

impl Form {
    /// Returns the form of a name.
    pub(super) fn of(text: &str) -> Result<Self, InvalidKmsKey> {
        check_characters(text)?;
        if is_template_word(text) {
            return Err(InvalidKmsKey::TemplateWord);
        }
        if text.starts_with("arn:") {
            arn_form(text)
        } else if let Some(alias) = text.strip_prefix("alias/") {
            check_alias(alias).map(|()| Self::AliasName)
        } else if is_resource_id(text) {
            Ok(Self::KeyId)
        } else {
            Err(InvalidKmsKey::Form)
        }
    }
}

/// Why a text names no key, as what comes after the name of the option. Does not hold the text: it may be a secret in the wrong place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKmsKey {
    #[error("is empty. Name a key.")]
    Empty,
    /// A blank, tab or line break anywhere.
    #[error("contains a blank or a line break. Remove it.")]
    Blank,
    /// Any other control character.
    #[error("contains a control character. Remove it.")]
    Control,
    /// A character outside ASCII.
    #[error("contains a character that is not ASCII. Use only ASCII characters.")]
    NotAscii,
    /// A text that is longer than AWS accepts.
    #[error("is longer than {MAX_LENGTH} characters, more than AWS accepts.")]
    Length,
    /// An ARN of a partition that is not one of AWS's.
    #[error(
        "is an ARN whose partition does not start with aws: write arn:aws:kms:REGION:ACCOUNT:key/ID."
    )]
    Partition,
    /// An ARN of a service other than KMS.
    #[error("is an ARN of a service other than kms: write arn:aws:kms:REGION:ACCOUNT:key/ID.")]
    Service,
    /// An ARN with an invalid region.
    #[error("is an ARN without a valid region: write arn:aws:kms:REGION:ACCOUNT:key/ID.")]
    Region,
    /// An ARN whose account is not twelve digits.
    #[error("is an ARN whose account is not 12 digits: write arn:aws:kms:REGION:ACCOUNT:key/ID.")]
    Account,
    /// An ARN that ends in neither a key nor an alias.
    #[error("is an ARN that does not end in key/ID or alias/NAME.")]
    Resource,
    /// An alias with characters or a length that AWS refuses.
    #[error(
        "is not a valid alias: after alias/ come letters, digits, /, _ and -, {MAX_ALIAS_LENGTH} characters at most in all."
    )]
    Alias,
    /// A word that a template writes for a missing value, a Boolean or a number.
    #[error(
        "is a word that a template writes for a missing value, a Boolean or a number, not the name of a key. Name a key."
    )]
    TemplateWord,
    /// A bare key id that does not have the form of AWS key ids.
    #[error(
        "is a key id that is neither a UUID nor mrk- and 32 hexadecimal digits, unlike the key ids of AWS. Use the full key ARN."
    )]
    KeyId,
    /// A text that has none of the four forms.
    #[error(
        "is not a key id, a key ARN (arn:aws:kms:REGION:ACCOUNT:key/ID), alias/NAME or an alias ARN."
    )]
    Form,
}

fn check_characters(text: &str) -> Result<(), InvalidKmsKey> {
    if text.is_empty() {
        return Err(InvalidKmsKey::Empty);
    }
    if text.len() > MAX_LENGTH {
        return Err(InvalidKmsKey::Length);
    }
    if text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    match text.chars().find(|c| !c.is_ascii_graphic()) {
        None => Ok(()),
        Some(c) if c.is_whitespace() => Err(InvalidKmsKey::Blank),
        Some(c) if c.is_control() => Err(InvalidKmsKey::Control),
        Some(_) => Err(InvalidKmsKey::NotAscii),
    }
}

/// Returns whether Jinja or YAML writes a text for a value that is not a text.
fn is_template_word(text: &str) -> bool {
    const WORDS: [&str; 8] = [
        "none",
        "null",
        "undefined",
        "omit",
        "true",
        "false",
        "nan",
        "inf",
    ];
    // A number of up to 18 digits. No AWS key id is such a number.
    let is_number = text.len() <= 18
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-');
    is_number || WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

fn arn_form(text: &str) -> Result<Form, InvalidKmsKey> {
    let mut fields = text.splitn(6, ':').skip(1);
    let [
        Some(partition),
        Some(service),
        Some(region),
        Some(account),
        Some(resource),
    ] = std::array::from_fn(|_| fields.next())
    else {
        return Err(InvalidKmsKey::Form);
    };
    let is_partition = partition.strip_prefix("aws").is_some_and(is_id_or_empty);
    if !is_partition {
        return Err(InvalidKmsKey::Partition);
    }
    if service != "kms" {
        return Err(InvalidKmsKey::Service);
    }
    let is_region_byte = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    if region.is_empty() || !region.bytes().all(is_region_byte) {
        return Err(InvalidKmsKey::Region);
    }
    if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(InvalidKmsKey::Account);
    }
    match resource.split_once('/') {
        Some(("key", id)) if is_resource_id(id) => Ok(Form::KeyArn),
        Some(("alias", alias)) => check_alias(alias).map(|()| Form::AliasArn),
        _ => Err(InvalidKmsKey::Resource),
    }
}

fn check_alias(alias: &str) -> Result<(), InvalidKmsKey> {
    let is_alias_byte =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'-');
    let length = "alias/".len() + alias.len();
    if alias.is_empty() || length > MAX_ALIAS_LENGTH || !alias.bytes().all(is_alias_byte) {
        return Err(InvalidKmsKey::Alias);
    }
    Ok(())
}

/// Returns whether the id in a name has the form that AWS gives to the ids of keys.
pub(super) fn has_id_of_a_real_key(name: &str) -> bool {
    let id = name.rsplit('/').next().unwrap_or_default();
    is_uuid(id) || is_multi_region_id(id)
}

fn is_id_or_empty(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_resource_id(text: &str) -> bool {
    !text.is_empty() && is_id_or_empty(text)
}

fn is_uuid(text: &str) -> bool {
    let groups = text
        .split('-')
        .map(|group| is_hexadecimal(group).then_some(group.len()));
    groups.eq([8, 4, 4, 4, 12].map(Some))
}

/// Returns whether an id is that of a multi-Region key.
pub(super) fn is_multi_region_id(text: &str) -> bool {
    text.strip_prefix("mrk-")
        .is_some_and(|digits| digits.len() == 32 && is_hexadecimal(digits))
}

fn is_hexadecimal(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
