//! Documentation and code agree.

mod invocation;
mod store;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use aspera_sse::ansible::{Kind, Module, OptionDefault, OptionSpec};
use aspera_sse::modules::{
    AsperaAccessKeysInfo, AsperaDocrootSse, AsperaS3ObjectsInfo, AsperaS3TrialUpload,
    AsperaSseInfo, AsperaTrapdSse,
};
use invocation::{ACCESS_KEYS, INFO, Module as Program, OBJECTS, Sandbox, TRIAL};
use serde_yaml_ng::Value;

#[test]
fn aspera_access_keys_info() {
    check::<AsperaAccessKeysInfo>(results_of_sample(ACCESS_KEYS, "mixed"));
}

#[test]
fn aspera_docroot_sse() {
    check::<AsperaDocrootSse>(results_of_cases::<AsperaDocrootSse>());
}

#[test]
fn aspera_s3_objects_info() {
    check::<AsperaS3ObjectsInfo>(results_of_sample(OBJECTS, "mixed"));
}

#[test]
fn aspera_s3_trial_upload() {
    check::<AsperaS3TrialUpload>(results_of_sample(TRIAL, "refused"));
}

#[test]
fn aspera_sse_info() {
    check::<AsperaSseInfo>(results_of_info());
}

#[test]
fn aspera_trapd_sse() {
    check::<AsperaTrapdSse>(results_of_cases::<AsperaTrapdSse>());
}

fn check<M: Module>(results: Vec<Value>) {
    let documentation = read(&repository().join(format!("library/{}.yml", M::NAME)));
    assert_eq!(documentation["DOCUMENTATION"]["module"], M::NAME);
    check_options(
        &documentation["DOCUMENTATION"]["options"],
        M::OPTIONS,
        M::NAME,
    );
    let documented = &documentation["RETURN"];
    check_results(documented, &without_common(results, documented), M::NAME);
}

fn check_options(documented: &Value, specs: &[OptionSpec], place: &str) {
    let names: BTreeSet<String> = specs.iter().map(|spec| spec.name.to_owned()).collect();
    assert_eq!(keys(documented), names, "options of {place}");
    for spec in specs {
        let place = format!("{place}.{}", spec.name);
        let option = &documented[spec.name];
        assert_eq!(option["type"], spec.kind.name(), "{place}");
        assert_eq!(
            option["required"].as_bool().unwrap_or(false),
            spec.required,
            "{place}"
        );
        let default = match spec.default {
            OptionDefault::Absent => Value::Null,
            OptionDefault::Str(text) => Value::from(text),
            OptionDefault::Bool(boolean) => Value::from(boolean),
            OptionDefault::Int(number) => Value::from(number),
        };
        assert_eq!(
            option.get("default").cloned().unwrap_or(Value::Null),
            default,
            "{place}"
        );
        let choices: Vec<Value> = spec
            .choices
            .iter()
            .map(|choice| Value::from(*choice))
            .collect();
        let documented_choices = option.get("choices").and_then(Value::as_sequence).cloned();
        assert_eq!(documented_choices.unwrap_or_default(), choices, "{place}");
        match spec.kind {
            Kind::Dict(inner) => check_options(&option["suboptions"], inner, &place),
            Kind::List(element) => {
                assert_eq!(option["elements"], element.name(), "{place}");
                if let Kind::Dict(inner) = element {
                    check_options(&option["suboptions"], inner, &place);
                }
            }
            _ => {}
        }
    }
}

/// Compares results with the documented return values, at every depth: each key is documented with its type, and each documented key is in some
/// result. The collection passes on only the documented values of a host's answer, so nothing else would arrive.
fn check_results(documented: &Value, results: &[Value], place: &str) {
    let mut seen = BTreeSet::new();
    for result in results {
        for key in keys(result) {
            let place = format!("{place}.{key}");
            let documented = documented.get(&key);
            let documented = documented.unwrap_or_else(|| panic!("{place} is not documented"));
            check_type(&documented["type"], &result[&*key], &place);
            seen.insert(key);
        }
    }
    assert_eq!(seen, keys(documented), "what is documented of {place}");
    for key in seen {
        let place = format!("{place}.{key}");
        let documented = &documented[&*key];
        let values = results.iter().filter_map(|result| result.get(&key));
        let values: Vec<Value> = values.filter(|value| !value.is_null()).cloned().collect();
        match documented["type"].as_str().unwrap() {
            "dict" => check_results(&documented["contains"], &values, &place),
            "list" => {
                let elements = values.iter().filter_map(Value::as_sequence).flatten();
                let elements: Vec<Value> = elements.cloned().collect();
                for element in &elements {
                    check_type(&documented["elements"], element, &place);
                }
                // Without a running service, objects settle nothing.
                if documented["elements"] == "dict" && key != "settles" {
                    check_results(&documented["contains"], &elements, &place);
                }
            }
            _ => {}
        }
    }
}

/// Null stands for a value that does not exist or is not known, and `[HOST]` in the cases for a value that differs from host to host.
fn check_type(documented: &Value, value: &Value, place: &str) {
    let is_so = match documented.as_str() {
        _ if value.is_null() || *value == "[HOST]" => true,
        Some("bool") => value.is_bool(),
        Some("str") => value.is_string(),
        Some("int") => value.is_i64() || value.is_u64(),
        Some("list") => value.is_sequence(),
        Some("dict") => value.is_mapping(),
        _ => false,
    };
    assert!(
        is_so,
        "{place} is documented as {documented:?}, and is {value:?}"
    );
}

/// Returns the results of a module without the keys that every module returns, unless it documents them itself.
fn without_common(mut results: Vec<Value>, documented: &Value) -> Vec<Value> {
    for result in &mut results {
        let result = result.as_mapping_mut().unwrap();
        for common in ["changed", "failed", "msg", "warnings", "diff", "invocation"] {
            if documented.get(common).is_none() {
                result.remove(common);
            }
        }
    }
    results
}

/// Returns the results that the cases of a module expect.
fn results_of_cases<M: Module>() -> Vec<Value> {
    let cases = fs::read_dir(repository().join("tests/cases").join(M::NAME)).unwrap();
    cases
        .map(|case| read(&case.unwrap().path().join("result.json")))
        .collect()
}

/// Returns results of `aspera_sse_info` in which no list is empty.
fn results_of_info() -> Vec<Value> {
    let docroot = |uri: &str| {
        format!(
            "<file_system><access><paths><path><absolute>{uri}</absolute></path></paths></access></file_system>"
        )
    };
    let conf = format!(
        "<CONF><default>{}</default><aaa><realms><realm><users><user><name>a</name>{}</user><user><name>b</name></user></users></realm></realms>\
         </aaa></CONF>",
        docroot("s3://h/b"),
        docroot(
            "s3://h/b?server-side-encryption=AES256&amp;server-side-encryption-aws-kms-key-id=alias/a"
        ),
    );
    let sandbox = Sandbox::of(INFO, conf);
    let ascp = sandbox.root().join("bin/ascp");
    let properties = sandbox.root().join("etc/trapd/s3.properties");
    for (path, text) in [
        (&ascp, "#!/bin/sh\necho ascp version 4.3.1.100\n"),
        (&properties, "server-side-encryption=NONE\n"),
    ] {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    fs::set_permissions(ascp, fs::Permissions::from_mode(0o755)).unwrap();
    let expect = serde_json::json!({"server_side_encryption": "AES256", "scopes": ["user", "global", "user gone"]});
    let options = [
        serde_json::json!({"expect": [expect]}),
        serde_json::json!({"expect": [{"server_side_encryption": "AWS_KMS", "scopes": ["system"]}]}),
        serde_json::json!({"sums_key": "0b".repeat(32)}),
        serde_json::json!({"settled": [answer_about("a")]}),
    ];
    let results =
        options.map(|options| serde_json::Value::Object(sandbox.run(&options)).to_string());
    let results = results.map(|result| serde_yaml_ng::from_str(&result).unwrap());
    results.into()
}

/// An answer of `aspera_s3_objects_info`, which needs a running service to give one.
fn answer_about(user: &str) -> serde_json::Value {
    serde_json::json!({
        "scope": "user", "name": user, "peer_ip": null, "uri": "s3://h/b", "server_side_encryption": "AES256", "kms_key_id": null,
        "last_modified": "2025-11-21T11:30:00Z", "serving_since": "2025-11-20T08:00:00Z", "settles": ["pvcl_cloud"], "rules_out": ["NONE"],
    })
}

/// What one module returns is what the other takes.
#[test]
fn what_objects_settle_is_an_option_of_the_audit() {
    let of = |module: &str| read(&repository().join(format!("library/{module}.yml")));
    let given = &of("aspera_s3_objects_info")["RETURN"]["settles"]["contains"];
    let taken = &of("aspera_sse_info")["DOCUMENTATION"]["options"]["settled"]["suboptions"];
    assert_eq!(keys(given), keys(taken));
    let answer = answer_about("a").to_string();
    assert_eq!(
        keys(&serde_yaml_ng::from_str(&answer).unwrap()),
        keys(given)
    );
}

/// Returns the result of a sample of a module that asks S3, in which no list is empty.
fn results_of_sample(module: Program, run: &str) -> Vec<Value> {
    let sample = repository()
        .join("tests/samples")
        .join(module.name)
        .join(run);
    let conf = fs::read_to_string(sample.join("aspera/etc/aspera.conf")).unwrap();
    let task = fs::read_to_string(sample.join("task.json")).unwrap();
    let store = store::acme();
    let options = serde_json::from_str(&task.replace("[STORE]", &store.url)).unwrap();
    let result = Sandbox::of(module, conf).run(&options);
    let result = serde_json::Value::Object(result).to_string();
    vec![serde_yaml_ng::from_str(&result).unwrap()]
}

fn keys(mapping: &Value) -> BTreeSet<String> {
    let mapping = mapping.as_mapping().expect("a mapping");
    mapping
        .keys()
        .map(|key| key.as_str().unwrap().to_owned())
        .collect()
}

fn read(path: &Path) -> Value {
    let text =
        fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_yaml_ng::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
