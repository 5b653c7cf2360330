//! Names that are nearly those of the settings. Whether Aspera takes them for the settings is not documented.

/// Returns whether a name is one of the settings or nearly so: its letters and digits end in those of the setting, in any letter case.
///
/// So are names with other separators or with blanks, with the rest of an `&amp;` before them, and the names of other programs, such as
/// `x-amz-server-side-encryption`, the header of S3.
pub fn is_nearly(name: &str, setting: &str) -> bool {
    let mut characters = letters_and_digits(name);
    letters_and_digits(setting).all(|wanted| characters.next() == Some(wanted))
}

/// Returns the letters and digits of a text in lower case, from the last to the first.
fn letters_and_digits(text: &str) -> impl Iterator<Item = u8> {
    let characters = text.bytes().rev().filter(u8::is_ascii_alphanumeric);
    characters.map(|byte| byte.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::super::{ENCRYPTION_KEY, KMS_KEY_KEY};
    use super::*;

    #[test]
    fn stray_characters_and_letter_case_make_a_name_nearly_ours() {
        for name in [
            "server-side-encryption",
            "Server-Side-Encryption",
            "server-side-encryption+",
            "server-side-encryption\0",
            "\u{feff}server-side-encryption",
            "server_side_encryption",
            "serverSideEncryption",
            "amp;amp;server-side-encryption",
            "x-amz-server-side-encryption",
            "s3service.server-side-encryption",
        ] {
            assert!(is_nearly(name, ENCRYPTION_KEY), "{name}");
            assert!(!is_nearly(name, KMS_KEY_KEY), "{name}");
            let key = name.replace("ncryption", "ncryption-AWS-kms-key-id");
            assert!(is_nearly(&key, KMS_KEY_KEY), "{key}");
            assert!(!is_nearly(&key, ENCRYPTION_KEY), "{key}");
        }
        for name in [
            "",
            "server-side",
            "server-side-encryption-x",
            "encryption",
            "server-side-encrypti\u{f6}n",
        ] {
            assert!(!is_nearly(name, ENCRYPTION_KEY), "{name}");
        }
    }
}
