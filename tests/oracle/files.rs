//! Files for the laws of `s3.properties`: nasty ones, and generators for any number of others.

#![allow(dead_code, reason = "each program uses its part of it")]

use proptest::prelude::*;
use proptest::sample::select;

pub const ENCRYPTION: &str = "server-side-encryption";
pub const KMS_KEY: &str = "server-side-encryption-aws-kms-key-id";

/// Files that once broke a law, or look as if they could.
pub const NASTY: &[&[u8]] = &[
    b"",
    b"\n",
    b"\\",
    b"\\\n",
    b"\\\r\n",
    b"a=b\\\r\n",
    b"\\\n\\\n",
    b"\\\n# server-side-encryption=NONE",
    b"\\\n\n# server-side-encryption-aws-kms-key-id\n",
    b"server-side-encryption",
    b"server-side-encryption\\\n  ",
    b"server-side-encryption=NONE\\",
    b"server-side-encryption-aws-kms-key-id=",
    b"server-side-encryption=NONE\\\n",
    b"server-side-encryption = \\\n  \\\n  AWS_\\\r\n  KMS\n",
    b"  server-side-encryption:  NONE  \n",
    b"\x0cserver-side-encryption\tAES256\r",
    b"server-side-encryption=AWS_KMS\nserver-side-encryption=NONE",
    b"server-side-encryption NONE\nserver\\-side-encryption=AES256\n",
    b"s\\u0065rver-side-encryption=AWS_\\u004bMS\n",
    b"a=b\\\n# server-side-encryption=NONE\n",
    b"a=b\\\n\n# server-side-encryption=NONE\n",
    b"a=b\\\\\n# server-side-encryption=NONE\n",
    b"# c\\\nserver-side-encryption=NONE\n",
    b"! server-side-encryption = NONE",
    b"# server-side-encryption = AWS_KMS turns on KMS\n",
    b"# Set server-side-encryption to AWS_KMS to encrypt\n",
    b"# server-side-encryption\n#server-side-encryption=AES256\n",
    b"#server-side-encryption-aws-kms-key-id =\n",
    b"server-side-encryption-aws-kms-key-id=a\nserver-side-encryption-aws-kms-key-id=b\\\n   c\nx=y\n",
    b"=empty key\n:\n = \n",
    b"a=\xe4\xff\x00\x80\n",
    b"a=\\ud83d\\ude00\\udfff\n",
    b"a=\\u12\n",
    b"a=\\uuuuu\n",
    b"a\\u00=b\n",
    b"a=\\",
    b"a\r\nb\rc\n\r\n\rd",
];

/// Generates lines with mixed endings, with or without one after the last line.
pub fn file(line: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let ended = (line, ending()).prop_map(|(line, ending)| [&line, ending.as_bytes()].concat());
    (prop::collection::vec(ended, 0..8), any::<bool>()).prop_map(|(lines, ends)| {
        let mut file = lines.concat();
        if !ends {
            while file.pop_if(|byte| matches!(byte, b'\n' | b'\r')).is_some() {}
        }
        file
    })
}

/// Generates a file with an escape that Java refuses unless it is in a comment.
pub fn broken_file() -> impl Strategy<Value = Vec<u8>> {
    let escapes = [
        r"\u",
        r"\u0",
        r"\u00e",
        r"\u00g4",
        r"\uD83D\uDE",
        r"\uu0065",
    ];
    (
        file(any_line()),
        any::<prop::sample::Index>(),
        select(escapes.to_vec()),
    )
        .prop_map(|(mut file, place, escape)| {
            let place = place.index(file.len() + 1);
            file.splice(place..place, escape.bytes());
            file
        })
}

/// Generates a line ending.
pub fn ending() -> impl Strategy<Value = String> {
    prop_oneof![6 => Just("\n"), 3 => Just("\r\n"), 1 => Just("\r")].prop_map(str::to_owned)
}

/// Generates a line that may be one of ours.
pub fn any_line() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => our_entry(),
        3 => our_comment(),
        4 => inert_line(),
    ]
}

/// Generates a setting of ours with an odd spelling.
fn our_entry() -> impl Strategy<Value = Vec<u8>> {
    let key = (
        select(vec![ENCRYPTION, KMS_KEY]),
        prop::collection::vec((0..37_usize, 0..4_u8), 0..3),
    )
        .prop_map(|(key, changes)| respell(key, &changes));
    let value = prop_oneof![
        4 => select(vec!["NONE", "AES256", "AWS_KMS", "aws:kms", "alias/tenant", ""])
            .prop_flat_map(|value| {
                prop::collection::vec((0..12_usize, 0..4_u8), 0..3).prop_map(move |changes| respell(value, &changes))
            }),
        1 => junk(),
    ];
    (blanks(), key, separator(), value, blanks()).prop_map(
        |(indent, key, separator, value, trail)| [indent, key, separator, value, trail].concat(),
    )
}

/// Returns the same text with some letters escaped or lines continued within it.
fn respell(text: &str, changes: &[(usize, u8)]) -> Vec<u8> {
    let mut spelled = Vec::new();
    for (index, byte) in text.bytes().enumerate() {
        match changes
            .iter()
            .find(|(at, _)| *at == index)
            .map(|(_, how)| how)
        {
            Some(0) => spelled.extend(format!("\\u{byte:04x}").bytes()),
            Some(1) if !b"unrtf".contains(&byte) => spelled.extend([b'\\', byte]),
            Some(2) => spelled.extend([b'\\', b'\n', b' ', byte]),
            Some(3) => spelled.extend([b'\\', b'\r', b'\n', b'\t', byte]),
            _ => spelled.push(byte),
        }
    }
    spelled
}

fn our_comment() -> impl Strategy<Value = Vec<u8>> {
    let rest = prop_oneof![
        Just(Vec::new()),
        Just(b"=NONE".to_vec()),
        Just(b" = AES256 ".to_vec()),
        Just(b"=".to_vec()),
        Just(b" turns encryption on".to_vec()),
        Just(b"=AWS_KMS turns encryption on".to_vec()),
        junk(),
    ];
    (
        blanks(),
        select(vec!["#", "# ", "!", "#\t", "##"]),
        select(vec![ENCRYPTION, KMS_KEY]),
        rest,
    )
        .prop_map(|(indent, sign, key, rest)| {
            [&indent, sign.as_bytes(), key.as_bytes(), &rest].concat()
        })
}

/// Generates a line that has nothing to do with us.
pub fn inert_line() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        2 => (blanks(), junk(), separator(), junk(), blanks())
            .prop_map(|(indent, key, separator, value, trail)| [indent, key, separator, value, trail].concat()),
        1 => junk().prop_map(|text| [b"# ".to_vec(), text].concat()),
        1 => blanks(),
    ]
}

fn separator() -> impl Strategy<Value = Vec<u8>> {
    let separators = ["=", " = ", ":", ": ", " ", "\t=", "\x0c", "\\\n =", ""];
    select(separators.to_vec()).prop_map(|text| text.as_bytes().to_vec())
}

fn blanks() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => Just(Vec::new()),
        1 => prop::collection::vec(select(b" \t\x0c".to_vec()), 1..3),
    ]
}

fn junk() -> impl Strategy<Value = Vec<u8>> {
    let letters = b"aaabcu0019fntr\\\\\\=: \t\x0c#!\xe4\x00\x85\xff\r\n".to_vec();
    let pieces = prop_oneof![
        12 => select(letters).prop_map(|byte| vec![byte]),
        1 => Just(b"\\u00e4".to_vec()),
        1 => Just(b"\\ud83d\\ude00".to_vec()),
        1 => Just(b"\\ud83d".to_vec()),
    ];
    prop::collection::vec(pieces, 0..6).prop_map(|pieces| pieces.concat())
}
