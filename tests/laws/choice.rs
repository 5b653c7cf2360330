//! What an input chooses beside its file: the setting, the scope, the place of a secret.

use aspera_sse::aspera::setting::{Encryption, EncryptionSetting, KmsKey};

pub const ENCRYPTION: &str = "server-side-encryption";
pub const KMS_KEY: &str = "server-side-encryption-aws-kms-key-id";

/// The first byte of an input, which chooses once or several times. It is a byte, so that one mutation changes one choice, and that of a text is readable.
pub struct Choice(usize);

impl Choice {
    /// Splits an input into what it chooses and its file.
    pub fn of(input: &[u8]) -> (Self, &[u8]) {
        let (first, file) = input.split_first().unwrap_or((&0, &[]));
        (Self(usize::from(*first)), file)
    }

    /// Chooses one of some values, and leaves the rest for the next choice.
    pub fn one_of<'v, T>(&mut self, values: &'v [T]) -> &'v T {
        let chosen = &values[self.0 % values.len()];
        self.0 /= values.len();
        chosen
    }
}

impl Choice {
    /// What is left to choose by.
    pub fn rest(&self) -> usize {
        self.0
    }
}

/// Returns a setting of each kind, and no setting.
pub fn all_desired() -> Vec<Option<EncryptionSetting>> {
    let key = |key| KmsKey::parse(key).unwrap();
    let setting = |encryption, key| Some(EncryptionSetting::new(encryption, key).unwrap());
    let arn = "arn:aws:kms:us-east-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    vec![
        None,
        setting(Encryption::None, None),
        setting(Encryption::Aes256, None),
        setting(Encryption::AwsKms, None),
        setting(Encryption::AwsKms, Some(key("alias/tenant"))),
        setting(Encryption::AwsKms, Some(key(arn))),
    ]
}
