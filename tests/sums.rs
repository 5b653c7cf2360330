//! The sums of `aspera_sse_info` under a key.

mod invocation;

use std::fs;

use invocation::{INFO, Sandbox};
use serde_json::{Value, json};

const KEY: &str = "4b8f2c6d1e907a3354c1d2e8f9076b5a4b8f2c6d1e907a3354c1d2e8f9076b5a";

/// Equal files have equal sums under one key, files that differ in a byte do not, and without a key there are none.
#[test]
fn nights_can_be_compared() {
    let sandbox = Sandbox::of(INFO, "<CONF></CONF>\n");
    let sum = |key: &str| {
        let result = sandbox.run(&json!({"sums_key": key}));
        let text = Value::Object(result.clone()).to_string();
        assert!(!text.contains(key), "the key is in the result");
        result["sums"].clone()
    };
    let first = sum(KEY);
    assert_eq!(first["aspera_conf"].as_str().unwrap().len(), 64);
    assert_eq!(first["s3_properties"], Value::Null);
    assert_eq!(sum(KEY), first);
    assert_ne!(sum(&KEY.replace('a', "b")), first);
    fs::write(sandbox.file(), "<CONF></CONF> \n").unwrap();
    assert_ne!(sum(KEY)["aspera_conf"], first["aspera_conf"]);
    // A file that is no configuration has a sum as well: it is the file that is compared.
    fs::write(sandbox.file(), "<CONF>").unwrap();
    assert!(sum(KEY)["aspera_conf"].is_string());
    assert!(!sandbox.run(&json!({})).contains_key("sums"));
}

/// What somebody gave for a key is not repeated.
#[test]
fn a_malformed_key_is_refused() {
    let sandbox = Sandbox::of(INFO, "<CONF></CONF>\n");
    sandbox.expect_failure(
        &json!({"sums_key": "DUMMY-SECRET"}),
        "sums_key is not 64 hexadecimal digits.",
    );
}
