//! Documentation and code say the same.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use aspera_sse::ansible::{Default, Kind, Module, OptionSpec};
use aspera_sse::modules::{AsperaDocrootSse, AsperaSseInfo, AsperaTrapdSse};
use serde_yaml_ng::Value;

#[test]
fn aspera_docroot_sse() {
    check::<AsperaDocrootSse>();
}

#[test]
fn aspera_sse_info() {
    check::<AsperaSseInfo>();
}

#[test]
fn aspera_trapd_sse() {
    check::<AsperaTrapdSse>();
}

fn check<M: Module>() {
    let documentation = read(&repository().join(format!("library/{}.yml", M::NAME)));
    assert_eq!(documentation["DOCUMENTATION"]["module"], M::NAME);
    check_options(
        &documentation["DOCUMENTATION"]["options"],
        M::OPTIONS,
        M::NAME,
    );
    let documented = keys(&documentation["RETURN"]);
    for key in returned::<M>() {
        assert!(documented.contains(&key), "{}: RETURN lacks {key}", M::NAME);
    }
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
            Default::Absent => Value::Null,
            Default::Str(text) => Value::from(text),
            Default::Bool(boolean) => Value::from(boolean),
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

/// The keys of all results that the cases expect, but those that every module returns. What a module without cases returns is held against its
/// documentation by `tests/ansible/test_info.py`.
fn returned<M: Module>() -> BTreeSet<String> {
    let Ok(cases) = fs::read_dir(repository().join("tests/cases").join(M::NAME)) else {
        return BTreeSet::new();
    };
    let results = cases.map(|case| read(&case.unwrap().path().join("result.json")));
    let mut keys: BTreeSet<String> = results.flat_map(|result| keys(&result)).collect();
    for common in ["changed", "failed", "msg", "warnings"] {
        keys.remove(common);
    }
    assert!(keys.len() > 5, "{} returns {keys:?}", M::NAME);
    keys
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
