//! No reader panics and no plan goes wrong, whatever bytes are in the input: each reader returns an answer or an error that describes the problem.

use aspera_sse::aspera::docroot::{
    self, AsperaConf, DocrootUri, KeyEncoding, PlanError, Request, Selection,
};
use aspera_sse::aspera::setting::{Encryption, EncryptionSetting, FoundValue, KmsKey};
use aspera_sse::aspera::trapd;
use aspera_sse::aspera::version::Version;
use aspera_sse::text::xml::is_allowed;
use proptest::prelude::*;
use proptest::sample::{Index, select};

const CONF: &str = "<?xml version='1.0' encoding='UTF-8'?>\n<CONF version=\"2\">\n  <default><file_system><access><paths><path>\
    <absolute peer_ip=\"192.0.2.1\">s3://k:s@h/b?x=1&amp;server-side-encryption=AES256</absolute></path></paths></access></file_system></default>\n\
    <aaa><realms><realm><users><user><name>a</name><file_system><access><paths><path><absolute><![CDATA[s3://h/b;c?&]]>&#59;</absolute></path>\
    </paths></access></file_system></user></users><groups><group><name>\u{e4}</name><precedence>1</precedence></group></groups></realm></realms>\
    </aaa>\n</CONF>\n";
const PROPERTIES: &str = "# server-side-encryption=NONE\r\nserver-side-encryption : AWS\\u005fKMS\\\n  x\r# server-side-encryption-aws-kms-key-id\n\
    server-side-encryption-aws-kms-key-id=alias/a\ns3service.https-only=true";

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(20_000) })]

    #[test]
    fn of_aspera_conf(bytes in bytes_like(CONF), docroot in text()) {
        let settings = [None, Some((Encryption::Aes256, None)), Some((Encryption::AwsKms, Some("alias/b")))];
        for setting in settings.map(setting) {
            let whole = setting.is_some().then(|| DocrootUri::new(format!("s3://h/{}", docroot.replace(is_refused, ";"))));
            for (selection, docroot) in [(Selection::All, None), (first_scope(&bytes), whole)] {
                let request = Request { selection, desired: setting.clone(), aws_managed_key: true, encoding: Some(KeyEncoding::Percent), docroot };
                match docroot::plan(&bytes, &[request]) {
                    Ok(plan) => drop(docroot::changed_places(&bytes, &plan, 9)),
                    Err(error) => prop_assert_ne!(error, PlanError::NotAsIntended),
                }
            }
        }
    }

    #[test]
    fn of_s3_properties(bytes in bytes_like(PROPERTIES)) {
        drop(trapd::read(&bytes));
        trapd::kms_warning(&bytes);
        let settings = [None, Some((Encryption::None, None)), Some((Encryption::AwsKms, Some("alias/b")))];
        for setting in settings.map(setting) {
            match trapd::plan(&bytes, setting.as_ref()) {
                Ok(plan) => drop(plan),
                Err(error) => prop_assert_ne!(error, trapd::PlanError::NotAsIntended),
            }
        }
    }

    #[test]
    fn of_texts(text in text()) {
        let uri = DocrootUri::new(&*text);
        for setting in [None, Some((Encryption::AwsKms, Some("alias/b")))].map(setting) {
            uri.with(&uri.edits(setting.as_ref(), Some(KeyEncoding::Percent))).masked(None);
            uri.holds(setting.as_ref());
        }
        uri.storage();
        uri.may_hold_credentials();
        uri.has_question_mark_in_credentials();
        uri.options().count();
        uri.hosts();
        uri.queries();
        uri.has_too_many_marks();
        let _ = Encryption::parse(&text);
        let _ = Encryption::parse(&text);
        if let Ok(key) = KmsKey::parse(&text) {
            key.doubts();
            prop_assert_eq!(key.is_same(&key), Ok(true));
        }
        FoundValue::kms_key(&text, None);
        Version::from_ascp_output(&text);
        Version::from_ascp_output(&format!("ascp version {text}"));
        aspera_sse::ansible::near(&text, ["server_side_encryption", "a", ""].into_iter());
    }
}

/// Returns whether the module refuses a character in a docroot that the task sets.
fn is_refused(c: char) -> bool {
    c.is_whitespace() || c.is_control() || !is_allowed(c)
}

fn setting(setting: Option<(Encryption, Option<&str>)>) -> Option<EncryptionSetting> {
    let (encryption, key) = setting?;
    let key = key.map(|key| KmsKey::parse(key).unwrap());
    Some(EncryptionSetting::new(encryption, key).unwrap())
}

fn first_scope(bytes: &[u8]) -> Selection {
    let conf = AsperaConf::parse(bytes).ok();
    let scope = conf
        .as_ref()
        .and_then(|conf| Some(conf.scope(conf.blocks.first()?)));
    scope.map_or(Selection::All, Selection::Of)
}

/// Generates any bytes, or a file with some damage.
fn bytes_like(file: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        2 => prop::collection::vec(any::<u8>(), 0..4),
        2 => text().prop_map(String::into_bytes),
        1 => Just(Vec::new()),
    ];
    let damage = prop::collection::vec((any::<Index>(), 0_usize..12, piece), 0..4);
    prop_oneof![
        1 => prop::collection::vec(any::<u8>(), 0..40),
        6 => damage.prop_map(move |damage| {
            let mut bytes = file.as_bytes().to_vec();
            for (at, length, piece) in damage {
                let start = at.index(bytes.len() + 1);
                let end = (start + length).min(bytes.len());
                bytes.splice(start..end, piece);
            }
            bytes
        }),
    ]
}

fn text() -> impl Strategy<Value = String> {
    let special = select(vec![
        ";",
        "&",
        "<",
        ">",
        "\"",
        "'",
        "%",
        "%3",
        "%FF",
        "?",
        "@",
        ":",
        "/",
        "=",
        "#",
        "\\",
        "\\u",
        "\\u12",
        "s3://",
        "S3://",
        "azu://",
        "://",
        "AS_NULL",
        "arn:aws:kms:",
        ":key/",
        "alias/",
        "mrk-",
        "server-side-encryption=",
        "server-side-encryption-aws-kms-key-id=",
        "AWS_KMS",
        "]]>",
        "<![CDATA[",
        "<!--",
        "-->",
        "&#",
        "&#59;",
        "&#x110000;",
        "99999999999",
        ".",
        "-",
        "\u{0}",
        "\u{e4}",
        "\u{1f600}",
        "\u{85}",
        "\r",
        "\n",
        "\r\n",
        " ",
        "\t",
        "</absolute>",
        "<user>",
        "<name>",
        "<absolute/>",
        "<default>",
    ]);
    let piece = prop_oneof![3 => special.prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from)];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}
