//! Which entry of `expect` judges the objects of a docroot.

mod invocation;
mod store;

use invocation::{OBJECTS, Sandbox};
use serde_json::{Value, json};
use store::{Store, error, listing, object};

const TIME: &str = "2025-11-20T10:00:00.000Z";

const CONF: &str = "<CONF><aaa><realms><realm><users><user><name>silent</name><file_system><access><paths><path><absolute>s3://A:s@h/media/in</absolute></path></paths>\
    </access></file_system></user><user><name>own</name><file_system><access><paths><path><absolute>s3://A:s@h/media/in?server-side-encryption=AES256</absolute>\
    </path></paths></access></file_system></user></users></realm></realms></aaa></CONF>";

#[test]
fn the_setting_of_the_server_is_that_of_docroots_without_one() {
    let store = Store::start(|asked| match &*asked.method {
        "HEAD" => object(
            "Thu, 20 Nov 2025 10:00:00 GMT",
            &[("x-amz-server-side-encryption", "AES256")],
        ),
        _ if asked.query.contains("list-type") => listing(&[("in/a", TIME)], None),
        _ => error(403, "AccessDenied"),
    });
    let aes = |scopes: &[&str]| json!({"server_side_encryption": "AES256", "scopes": scopes});
    let follow =
        json!({"server_side_encryption": "AES256", "scopes": ["system"], "docroots_follow": true});
    let absent = json!({"state": "absent", "scopes": ["system"]});
    for (expect, silent, own) in [
        (json!([aes(&["system"])]), json!(0), Value::Null),
        (json!([follow]), json!(0), json!(0)),
        (json!([absent]), Value::Null, Value::Null),
        (
            json!([aes(&["system"]), aes(&["user"])]),
            json!(1),
            json!(1),
        ),
        (
            json!([aes(&["system"]), aes(&["user own"])]),
            json!(0),
            json!(1),
        ),
        (
            json!([aes(&["user own"]), aes(&["system"])]),
            json!(1),
            json!(0),
        ),
        (
            json!([aes(&["system"]), aes(&["group"])]),
            json!(0),
            Value::Null,
        ),
        (
            json!([{"server_side_encryption": "AES256"}, aes(&["system"])]),
            json!(0),
            json!(0),
        ),
    ] {
        let result =
            Sandbox::of(OBJECTS, CONF).run(&json!({"endpoint_url": store.url, "expect": expect}));
        let judged = |index: usize| &result["docroots"][index]["judged_by"];
        assert_eq!((judged(0), judged(1)), (&silent, &own), "{expect}");
        let compliant = if silent == Value::Null {
            Value::Null
        } else {
            json!(true)
        };
        assert_eq!(result["compliant"], compliant, "{expect}");
    }
}
