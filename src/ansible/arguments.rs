//! The options of a task: checks their values, and fills in defaults.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::arguments_error::ArgumentsError;
use super::coerce::{ExpectedKind, coerce};
use super::mask::mask;
use super::misplaced::holds_credentials;
use super::near::near;
use super::option::{Kind, OptionDefault, OptionSpec, Shown, is_plain_name};

/// The options of a task, each of its type, with defaults filled in. Options that are not given are null.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arguments(Map<String, Value>);

impl Arguments {
    /// Checks the options of a task against those of its module.
    pub fn new(
        given: &Map<String, Value>,
        specs: &'static [OptionSpec],
        ignore_unknown: bool,
    ) -> Result<Self, ArgumentsError> {
        check_options(given, specs, ignore_unknown, "").map(Self)
    }

    /// Returns the values as a type whose fields have the names of the options.
    ///
    /// # Panics
    /// If the type does not fit the options of the module, which is a bug that each run of the module would show.
    pub fn typed<'a, T: Deserialize<'a>>(&'a self) -> T {
        T::deserialize(&self.0)
            .unwrap_or_else(|_| panic!("the argument type does not fit the options"))
    }

    /// Returns the arguments for the result and the log, with secrets hidden.
    pub fn masked(&self, specs: &[OptionSpec]) -> Map<String, Value> {
        mask(&self.0, specs)
    }
}

/// `place` is the text before the name of an option in messages, such as `docroots[2].`.
fn check_options(
    given: &Map<String, Value>,
    specs: &'static [OptionSpec],
    ignore_unknown: bool,
    place: &str,
) -> Result<Map<String, Value>, ArgumentsError> {
    let is_known = |name: &String| specs.iter().any(|spec| spec.name == *name);
    if let Some(name) = given
        .keys()
        .find(|name| !is_known(name))
        .filter(|_| !ignore_unknown)
    {
        return Err(unknown(name, specs, place));
    }
    // Not collected: a map made at once brings its own sort, 7 KB of each binary.
    let mut checked = Map::new();
    for spec in specs {
        let value = check_option(given.get(spec.name), spec, ignore_unknown, place)?;
        checked.insert(spec.name.to_owned(), value);
    }
    Ok(checked)
}

fn check_option(
    given: Option<&Value>,
    spec: &'static OptionSpec,
    ignore_unknown: bool,
    place: &str,
) -> Result<Value, ArgumentsError> {
    // Only messages need it, and a task may have very many docroots.
    let option = || format!("{place}{}", spec.name);
    let given = given.filter(|value| !value.is_null());
    let Some(given) = given else {
        return match spec.default {
            _ if spec.required => Err(ArgumentsError::Missing(option())),
            OptionDefault::Absent => Ok(Value::Null),
            OptionDefault::Str(text) => Ok(Value::from(text)),
            OptionDefault::Bool(boolean) => Ok(Value::from(boolean)),
            OptionDefault::Int(number) => Ok(Value::from(number)),
        };
    };
    if holds_leaked_omit(given) {
        return Err(ArgumentsError::LeakedOmit(option()));
    }
    let value =
        coerce(given, &spec.kind).map_err(|ExpectedKind(expected)| ArgumentsError::Type {
            option: option(),
            expected,
        })?;
    // In a list that is given as text with commas, it is an element only now.
    if holds_leaked_omit(&value) {
        return Err(ArgumentsError::LeakedOmit(option()));
    }
    // A docroot is never shown. Of a key or an encryption only what is recognised is, but a list of scopes may name anything.
    let names_something = matches!(spec.shown, Shown::Always) || matches!(spec.kind, Kind::List(_));
    let is_secret = matches!(spec.shown, Shown::Never);
    if names_something && !is_secret && holds_credentials(&value) {
        return Err(ArgumentsError::Misplaced(option()));
    }
    if let (Kind::Path, Some(path)) = (&spec.kind, value.as_str())
        && !path.starts_with('/')
    {
        return Err(ArgumentsError::RelativePath(option()));
    }
    if let Some(text) = value.as_str()
        && !spec.choices.is_empty()
        && !spec.choices.contains(&text)
    {
        return Err(ArgumentsError::Choice {
            option: option(),
            choices: spec.choices.join(", "),
        });
    }
    match (value, &spec.kind) {
        (Value::Object(dict), Kind::Dict(specs)) => {
            check_options(&dict, specs, ignore_unknown, &format!("{}.", option()))
                .map(Value::Object)
        }
        (Value::Array(elements), Kind::List(Kind::Dict(specs))) => elements
            .iter()
            .enumerate()
            .map(|(index, element)| {
                let dict = element.as_object().cloned().unwrap_or_default();
                let place = format!("{}[{index}].", option());
                check_options(&dict, specs, ignore_unknown, &place).map(Value::Object)
            })
            .collect::<Result<_, _>>()
            .map(Value::Array),
        (value, _) => Ok(value),
    }
}

fn holds_leaked_omit(value: &Value) -> bool {
    match value {
        Value::String(text) => text.starts_with("__omit_place_holder__"),
        Value::Array(elements) => elements.iter().any(holds_leaked_omit),
        Value::Object(dict) => dict.values().any(holds_leaked_omit),
        _ => false,
    }
}

fn unknown(name: &str, specs: &'static [OptionSpec], place: &str) -> ArgumentsError {
    let known: Vec<&'static str> = specs.iter().map(|spec| spec.name).collect();
    ArgumentsError::Unknown {
        given: is_plain_name(name).then(|| format!("{place}{name}")),
        nearest: near(name, known.iter().copied()).first().copied(),
        known: known.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const INNER: &[OptionSpec] = &[
        OptionSpec::new("name", Kind::Str),
        OptionSpec {
            required: true,
            shown: Shown::Never,
            ..OptionSpec::new("token", Kind::Str)
        },
    ];
    const OUTER: &[OptionSpec] = &[
        OptionSpec::new("path", Kind::Path).default("/opt"),
        OptionSpec::new("state", Kind::Str)
            .default("present")
            .choices(&["present", "absent"]),
        OptionSpec::flag("backup"),
        OptionSpec::new("one", Kind::Dict(INNER)),
        OptionSpec::new("many", Kind::List(&Kind::Dict(INNER))),
    ];

    #[test]
    fn a_leaked_omit_is_found_in_a_list_given_as_text() {
        const LIST: &[OptionSpec] = &[OptionSpec::new("names", Kind::List(&Kind::Str))];
        let given = json!({"names": "a,__omit_place_holder__1"});
        let error = Arguments::new(given.as_object().unwrap(), LIST, false).unwrap_err();
        assert_eq!(error, ArgumentsError::LeakedOmit("names".to_owned()));
    }

    fn check(given: Value) -> Result<Value, String> {
        let Value::Object(given) = given else {
            panic!("not an object");
        };
        Arguments::new(&given, OUTER, false)
            .map(|arguments| Value::Object(arguments.0))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn defaults_fill_what_is_not_given() {
        let defaults =
            json!({"path": "/opt", "state": "present", "backup": false, "one": null, "many": null});
        assert_eq!(check(json!({})).unwrap(), defaults);
        assert_eq!(
            check(json!({"path": null, "state": null})).unwrap(),
            defaults
        );
    }

    #[test]
    fn nested_options_are_checked_with_their_place() {
        let token = json!({"name": null, "token": "1"});
        assert_eq!(check(json!({"one": "token=1"})).unwrap()["one"], token);
        assert_eq!(
            check(json!({"many": [{"token": 1}]})).unwrap()["many"],
            json!([token])
        );
        assert_eq!(
            check(json!({"many": [{"token": 1}, {}]})).unwrap_err(),
            "The option many[1].token is missing. Set it."
        );
        assert_eq!(
            check(json!({"many": [{"tokne": 1}]})).unwrap_err(),
            "There is no option many[0].tokne. Did you mean token? The options are: name, token."
        );
    }

    #[test]
    fn errors_name_the_option_and_never_the_value() {
        for (given, message) in [
            (
                json!({"stat": "s3cret"}),
                "There is no option stat. Did you mean state? The options are: path, state, backup, one, many.",
            ),
            (
                json!({"s3://KEY:SECRET@host": "s3cret"}),
                "There is an option whose name is not valid. The options are: path, state, backup, one, many.",
            ),
            (
                json!({"state": "s3cret"}),
                "The option state must be one of: present, absent.",
            ),
            (
                json!({"backup": "s3cret"}),
                "The option backup must be a boolean (true or false).",
            ),
            (
                json!({"path": ["s3cret"]}),
                "The option path must be a string.",
            ),
            (
                json!({"many": ["__omit_place_holder__abc"]}),
                "The option many contains omit inside a list or dictionary, which this version of ansible-core does not resolve. Remove the element instead.",
            ),
        ] {
            assert_eq!(check(given).unwrap_err(), message);
        }
    }

    #[test]
    fn secrets_are_masked_at_any_depth() {
        let given = json!({"one": {"token": "s3cret"}, "many": [{"token": "s3cret", "name": "n"}]});
        let arguments = Arguments::new(given.as_object().unwrap(), OUTER, false).unwrap();
        let masked = Value::Object(arguments.masked(OUTER)).to_string();
        assert!(!masked.contains("s3cret"), "{masked}");
        assert!(masked.contains("\"n\""), "{masked}");
    }

    #[test]
    fn credentials_in_the_place_of_a_name_are_refused_without_being_repeated() {
        for given in [
            json!({"path": "/x/s3://KEY:SECRET@h/b"}),
            json!({"state": "KEY:SECRET@h"}),
            json!({"one": {"name": "KEY%3ASECRET%40h", "token": "1"}}),
            json!({"many": [{"name": "s3://KEY:SECRET@h", "token": "1"}]}),
        ] {
            let error = check(given.clone()).unwrap_err();
            assert!(error.contains("holds credentials"), "{error}");
            assert!(!error.contains("SECRET"), "{error}");
        }
        assert!(check(json!({"one": {"token": "s3://KEY:SECRET@h"}})).is_ok());
    }

    #[test]
    fn a_leaked_omit_is_found_at_any_depth() {
        for (value, expected) in [
            (json!("__omit_place_holder__1"), true),
            (json!(["a", ["__omit_place_holder__1"]]), true),
            (json!({"a": {"b": "__omit_place_holder__1"}}), true),
            (json!("x__omit_place_holder__1"), false),
            (json!({"__omit_place_holder__1": 1}), false),
            (json!([1, null, true]), false),
        ] {
            assert_eq!(holds_leaked_omit(&value), expected, "{value}");
        }
    }

    #[test]
    fn unknown_options_are_dropped_only_on_request() {
        let given = json!({"x": 1, "one": {"token": "1", "y": 2}});
        let given = given.as_object().unwrap();
        assert!(Arguments::new(given, OUTER, false).is_err());
        let arguments = Arguments::new(given, OUTER, true).unwrap();
        assert_eq!(arguments.0["one"], json!({"name": null, "token": "1"}));
        assert_eq!(arguments.0.get("x"), None);
    }
}
