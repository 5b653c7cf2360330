//! The part of a docroot that is shown, and the docroots that are refused because the boundary between credentials and options is ambiguous.

use aspera_sse::aspera::docroot::DocrootUri;
use aspera_sse::aspera::setting::KmsKey;

#[test]
fn possible_secrets_are_masked() {
    for (uri, shown) in [
        ("", ""),
        ("AS_NULL", "AS_NULL"),
        ("/data/$(user)", "/data/$(user)"),
        ("/data/a@b", "****"),
        ("/KEY:SECRET@host", "****"),
        ("$HOME", "$HOME"),
        ("data", "****"),
        ("SECRET://host/b", "****"),
        ("s3://host/b/p", "s3://host/b/p"),
        ("S3://KEY:SECRET@host/b", "S3://****:****@host/b"),
        ("azu://KEY:SECRET@host/b", "azu://****:****@host/b"),
        ("s3://host:443/b", "s3://host:443/b"),
        ("s3://KEY:SECRET/b", "s3://****"),
        ("s3://host%3aSECRET/b", "s3://****"),
        ("s3://KEY%40host/b", "s3://****"),
        ("s3://host/SECRET%40b", "s3://****"),
        ("s3://host/SECRET%2540b", "s3://****"),
        ("s3://KEY:12/SECRET%40host/b", "s3://****"),
        ("s3://KEY:/SECRET/b", "s3://****"),
        ("s3://KEY;SECRET/b", "s3://****"),
        ("/s3://KEY:SECRET%40host/", "****"),
        (
            "s3://KEY%3ASECRET%40x@host/b%2Fp",
            "s3://****:****@host/b%2Fp",
        ),
        ("s3://KEY:SECRET@host/b", "s3://****:****@host/b"),
        ("s3://KEY:SEC@RET@host/b", "s3://****:****@host/b"),
        ("s3://KEY:SEC/RET@host/b", "s3://****:****@host/b"),
        ("s3://KEY:SEC/R@ET@host/b", "s3://****:****@host/b"),
        ("s3://KEY:SEC?RET@host/b", "s3://****?****"),
        ("s3://KEY:SEC@RE?T@host/b", "s3://****?****"),
        (
            "s3://KEY:SECRET@host/b?x=SECRET",
            "s3://****:****@host/b?****",
        ),
        ("s3://host/b?", "s3://host/b?"),
        ("s3://host/b?&", "s3://host/b?&"),
        ("s3://host/b?=SECRET", "s3://host/b?****"),
        ("s3://host/b?SECRET", "s3://host/b?****"),
    ] {
        assert_eq!(DocrootUri::new(uri).masked(None), shown, "{uri}");
    }
}

#[test]
fn options_are_shown_only_with_values_that_hold_no_secret() {
    let key = KmsKey::parse("alias/tenant").unwrap();
    for (option, shown) in [
        ("storage-class=STANDARD_IA", true),
        ("storage-class=standard", false),
        ("storage-class=SECRET1", false),
        ("storage-class=", true),
        ("storage-class", true),
        ("server-side-encryption=AES256", true),
        ("server-side-encryption=SECRET", false),
        ("server-side-encryption-aws-kms-key-id=alias/tenant", true),
        ("server-side-encryption-aws-kms-key-id=SE+CRET", false),
        ("secret-access-key=X", false),
    ] {
        let uri = DocrootUri::new(format!("s3://h/b?{option}&x=SECRET"));
        let expected = if shown { option } else { "****" };
        let expected = format!("s3://h/b?{expected}&****");
        assert_eq!(uri.masked(Some(&key)), expected, "{option}");
        assert_eq!(
            format!("{uri:?}"),
            format!("DocrootUri({})", uri.masked(None))
        );
    }
}

#[test]
fn a_question_mark_in_the_credentials_is_noticed() {
    for (uri, expected) in [
        ("s3://KEY:SEC?RET@host/b", true),
        (
            "s3://KEY:SEC?RET@host/b?server-side-encryption=AES256",
            true,
        ),
        ("s3://KEY:SEC?R=ET@host/b", true),
        ("s3://KEY?SECRET@host/b", true),
        ("s3://host:443/b?SECRET@host", true),
        ("s3://KEY:SECRET@host/b", false),
        ("s3://KEY:SECRET@host/b?x=a@b", false),
        ("s3://KEY:SECRET@host/b?a@b", false),
        ("s3://host/b?x=a@b", false),
        ("s3://host:443/b?x=a@b", false),
        ("s3://host/b?x=1", false),
        ("s3://host/b", false),
        ("KEY:SEC?RET@host", false),
    ] {
        let uri_text = uri;
        let uri = DocrootUri::new(uri);
        assert_eq!(
            uri.has_question_mark_in_credentials(),
            expected,
            "{uri_text}"
        );
    }
}

#[test]
fn credentials_are_suspected_in_any_spelling() {
    for (uri, expected) in [
        ("s3://host/b", false),
        ("s3://host:443/b", false),
        ("s3://host/b?x=a:b", false),
        ("s3://host/a:b", false),
        ("s3://host%2eexample/b", false),
        ("s3://KEY:SECRET@host/b", true),
        ("s3://KEY@host/b", true),
        ("s3://KEY:SECRET/b", true),
        ("s3://KEY%3ASECRET%40host/b", true),
        ("s3://KEY%3aSECRET/b", true),
        ("s3://host/b?x=KEY@host", true),
    ] {
        let found = DocrootUri::new(uri).may_hold_credentials();
        assert_eq!(found, expected, "{uri}");
    }
}

#[test]
fn a_repeated_setting_is_noticed() {
    const ENCRYPTION: &str = "server-side-encryption=AES256";
    const KMS_KEY: &str = "server-side-encryption-aws-kms-key-id=alias/a";
    for (options, expected) in [
        (vec![], false),
        (vec![ENCRYPTION, KMS_KEY], false),
        (vec!["x", "x", ENCRYPTION], false),
        (vec![ENCRYPTION, ENCRYPTION], true),
        (vec![ENCRYPTION, "x", "server-side-encryption"], true),
        (vec![KMS_KEY, KMS_KEY], true),
        (vec![ENCRYPTION, "server%2Dside-encryption=NONE"], true),
    ] {
        let uri = DocrootUri::new(format!("s3://h/b?{}", options.join("&")));
        assert_eq!(uri.repeats_a_setting(), expected, "{options:?}");
    }
}
