//! The arguments as they may be shown.

use serde_json::{Map, Value};

use super::option::{Kind, OptionSpec, Shown};

fn may_be_shown(value: &Value, shown: Shown) -> bool {
    match shown {
        Shown::Always => true,
        Shown::Never => false,
        Shown::If(recognises) => match value {
            Value::Array(elements) => elements
                .iter()
                .all(|element| element.as_str().is_some_and(recognises)),
            value => value.as_str().is_some_and(recognises),
        },
    }
}

/// Returns arguments with secrets hidden.
pub(super) fn mask(values: &Map<String, Value>, specs: &[OptionSpec]) -> Map<String, Value> {
    let masked = |spec: &OptionSpec| {
        let value = values.get(spec.name).cloned().unwrap_or_default();
        match (value, &spec.kind) {
            (Value::Null, _) => Value::Null,
            (value, _) if !may_be_shown(&value, spec.shown) => {
                Value::from("VALUE_SPECIFIED_IN_NO_LOG_PARAMETER")
            }
            (Value::Object(dict), Kind::Dict(specs)) => Value::Object(mask(&dict, specs)),
            (Value::Array(elements), Kind::List(Kind::Dict(specs))) => elements
                .iter()
                .filter_map(Value::as_object)
                .map(|dict| Value::Object(mask(dict, specs)))
                .collect(),
            (value, _) => value,
        }
    };
    let mut fields = Map::new();
    fields.extend(
        specs
            .iter()
            .map(|spec| (spec.name.to_owned(), masked(spec))),
    );
    fields
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_shown_if_all_of_it_is_recognised() {
        let known = Shown::If(|text| text == "known");
        for (value, expected) in [
            (json!("known"), true),
            (json!("other"), false),
            (json!(["known", "known"]), true),
            (json!(["known", "other"]), false),
            (json!([1]), false),
            (json!(1), false),
            (json!([]), true),
        ] {
            assert_eq!(may_be_shown(&value, known), expected, "{value}");
            assert!(may_be_shown(&value, Shown::Always));
            assert!(!may_be_shown(&value, Shown::Never));
        }
    }
}
