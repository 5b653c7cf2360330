//! Parses the text that Ansible sends and checks the values in it.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::coerce::{ExpectedKind, coerce};
use super::invalid_json::{self, Reason};
use super::misplaced::holds_credentials;
use super::near::near;
use super::option::{Default, Kind, OptionSpec, Shown, is_plain_name};

/// The settings that Ansible sends to each module beside the options of its task: the keys that start with `_ansible_`.
///
/// The set of keys changes with each release; unknown ones are ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Change nothing, but say what would change.
    pub check_mode: bool,
    /// Say how the file changes.
    pub diff: bool,
    /// Log nothing.
    pub no_log: bool,
    /// Drop unknown options instead of failing.
    pub ignore_unknown_options: bool,
    /// Repeat the arguments in the result. Up to ansible-core 2.20 all modules do so; since then Ansible asks for it.
    pub inject_invocation: bool,
    /// The facility of the line in the system log, such as `LOG_USER`.
    pub syslog_facility: Option<String>,
    /// The text to put before that line.
    pub log_prefix: Option<String>,
}

/// The options of a task, each of its type, with defaults filled in. Options that are not given are null.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arguments(Map<String, Value>);

/// The reason why arguments cannot be used. Contains no value: any may be a secret in the wrong place.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentsError {
    /// Not JSON.
    #[error(
        "The arguments are not valid JSON. Run the module through Ansible, or give it a file with a JSON object."
    )]
    Syntax,
    /// JSON, but not an object.
    #[error(
        "The arguments are JSON but not an object. Run the module through Ansible, or give it a file with a JSON object."
    )]
    NotAnObject,
    /// Python's extension of JSON.
    #[error("{} is not a finite number (NaN or Infinity), which no option accepts. Correct the value or the template that makes it.", option_or_some(.0.as_ref()))]
    NotFinite(Option<String>),
    /// Bytes that were not UTF-8 on the controller.
    #[error("{} contains bytes that are not UTF-8 text. Correct the value or the encoding of the file it comes from.", option_or_some(.0.as_ref()))]
    LoneSurrogate(Option<String>),
    /// `omit` inside a list or dict, by ansible-core before 2.19.
    #[error(
        "The option {0} contains omit inside a list or dictionary, which this version of ansible-core does not resolve. Remove the element instead."
    )]
    LeakedOmit(String),
    /// An option that the module does not have.
    #[error("{}", unknown_option(.given.as_deref(), *.nearest, .known))]
    Unknown {
        /// Its name, if it is one that may be shown.
        given: Option<String>,
        /// The most similar known option.
        nearest: Option<&'static str>,
        /// All known options.
        known: String,
    },
    /// A required option that is not given.
    #[error("The option {0} is missing. Set it.")]
    Missing(String),
    /// A value of another type.
    #[error("The option {option} must be {expected}.")]
    Type {
        /// The option, with its place.
        option: String,
        /// What is expected, with an article.
        expected: &'static str,
    },
    /// A URI or credentials in the place of a name or path. The value is not repeated.
    #[error(
        "The value of the option {0} looks like a URI or holds credentials, so it is not shown. Give a name or a path."
    )]
    Misplaced(String),
    /// A path that depends on the folder in which the module happens to run.
    #[error(
        "The option {0} must be an absolute path. Correct it, or leave it out (in a template: default(omit))."
    )]
    RelativePath(String),
    /// A value that is not among the choices.
    #[error("The option {option} must be one of: {choices}.")]
    Choice {
        /// The option, with its place.
        option: String,
        /// The choices.
        choices: String,
    },
}

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

/// Splits the text that Ansible sends into the options of the task and its settings.
pub(super) fn parse(text: &[u8]) -> Result<(Map<String, Value>, Settings), ArgumentsError> {
    let value: Value =
        serde_json::from_slice(text).map_err(|_| match invalid_json::explain(text) {
            (Reason::NotFinite, option) => ArgumentsError::NotFinite(option),
            (Reason::LoneSurrogate, option) => ArgumentsError::LoneSurrogate(option),
            (Reason::Syntax, _) => ArgumentsError::Syntax,
        })?;
    let Value::Object(all) = value else {
        return Err(ArgumentsError::NotAnObject);
    };
    let (settings, options): (Map<_, _>, Map<_, _>) = all
        .into_iter()
        .partition(|(name, _)| name.starts_with("_ansible_"));
    Ok((options, read_settings(&settings)))
}

fn read_settings(settings: &Map<String, Value>) -> Settings {
    let flag = |name: &str| {
        let value = settings.get(name)?;
        coerce(value, &Kind::Bool).ok()?.as_bool()
    };
    // What cannot be understood must not write, or log.
    let careful = |name: &str| {
        let is_set = settings.get(name).is_some_and(|value| !value.is_null());
        flag(name).unwrap_or(is_set)
    };
    let text = |name: &str| Some(settings.get(name)?.as_str()?.to_owned());
    Settings {
        check_mode: careful("_ansible_check_mode"),
        diff: flag("_ansible_diff").unwrap_or(false),
        no_log: careful("_ansible_no_log"),
        ignore_unknown_options: flag("_ansible_ignore_unknown_opts").unwrap_or(false),
        inject_invocation: flag("_ansible_inject_invocation").unwrap_or(true),
        syslog_facility: text("_ansible_syslog_facility"),
        log_prefix: text("_ansible_target_log_info"),
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
    let option = format!("{place}{}", spec.name);
    let given = given.filter(|value| !value.is_null());
    let Some(given) = given else {
        return match spec.default {
            _ if spec.required => Err(ArgumentsError::Missing(option)),
            Default::Absent => Ok(Value::Null),
            Default::Str(text) => Ok(Value::from(text)),
            Default::Bool(boolean) => Ok(Value::from(boolean)),
            Default::Int(number) => Ok(Value::from(number)),
        };
    };
    if holds_leaked_omit(given) {
        return Err(ArgumentsError::LeakedOmit(option));
    }
    let value =
        coerce(given, &spec.kind).map_err(|ExpectedKind(expected)| ArgumentsError::Type {
            option: option.clone(),
            expected,
        })?;
    // A docroot is never shown. Of a key or an encryption only what is recognised is, but a list of scopes may name anything.
    let names_something = matches!(spec.shown, Shown::Always) || matches!(spec.kind, Kind::List(_));
    let is_secret = matches!(spec.shown, Shown::Never);
    if names_something && !is_secret && holds_credentials(&value) {
        return Err(ArgumentsError::Misplaced(option));
    }
    if let (Kind::Path, Some(path)) = (&spec.kind, value.as_str())
        && !path.starts_with('/')
    {
        return Err(ArgumentsError::RelativePath(option));
    }
    if let Some(text) = value.as_str()
        && !spec.choices.is_empty()
        && !spec.choices.contains(&text)
    {
        return Err(ArgumentsError::Choice {
            option,
            choices: spec.choices.join(", "),
        });
    }
    match (value, &spec.kind) {
        (Value::Object(dict), Kind::Dict(specs)) => {
            check_options(&dict, specs, ignore_unknown, &format!("{option}.")).map(Value::Object)
        }
        (Value::Array(elements), Kind::List(Kind::Dict(specs))) => elements
            .iter()
            .enumerate()
            .map(|(index, element)| {
                let dict = element.as_object().cloned().unwrap_or_default();
                let place = format!("{option}[{index}].");
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

fn unknown_option(given: Option<&str>, nearest: Option<&str>, known: &str) -> String {
    let mut message = match given {
        Some(given) => format!("There is no option {given}."),
        None => "There is an option whose name is not valid.".to_owned(),
    };
    if let Some(nearest) = nearest {
        message += &format!(" Did you mean {nearest}?");
    }
    message + &format!(" The options are: {known}.")
}

fn option_or_some(option: Option<&String>) -> String {
    match option {
        Some(option) => format!("The option {option}"),
        None => "An option".to_owned(),
    }
}

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

fn mask(values: &Map<String, Value>, specs: &[OptionSpec]) -> Map<String, Value> {
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

    const INNER: &[OptionSpec] = &[
        OptionSpec::new("name", Kind::Str),
        OptionSpec {
            required: true,
            shown: Shown::Never,
            ..OptionSpec::new("token", Kind::Str)
        },
    ];
    const OUTER: &[OptionSpec] = &[
        OptionSpec::new("path", Kind::Path).or("/opt"),
        OptionSpec::new("state", Kind::Str)
            .or("present")
            .one_of(&["present", "absent"]),
        OptionSpec::flag("backup"),
        OptionSpec::new("one", Kind::Dict(INNER)),
        OptionSpec::new("many", Kind::List(&Kind::Dict(INNER))),
    ];

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
    fn a_plain_name_may_be_shown() {
        let longest = "a".repeat(40);
        for (name, expected) in [
            ("a", true),
            ("kms_key_id", true),
            ("a1_", true),
            (longest.as_str(), true),
            (&format!("{longest}a"), false),
            ("", false),
            ("_a", false),
            ("1a", false),
            ("A", false),
            ("aB", false),
            ("a-b", false),
            ("a:b", false),
        ] {
            assert_eq!(is_plain_name(name), expected, "{name}");
        }
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

    #[test]
    fn unknown_options_are_dropped_only_on_request() {
        let given = json!({"x": 1, "one": {"token": "1", "y": 2}});
        let given = given.as_object().unwrap();
        assert!(Arguments::new(given, OUTER, false).is_err());
        let arguments = Arguments::new(given, OUTER, true).unwrap();
        assert_eq!(arguments.0["one"], json!({"name": null, "token": "1"}));
        assert_eq!(arguments.0.get("x"), None);
    }

    #[test]
    fn invalid_json_is_reported_with_its_reason() {
        for (text, expected) in [
            (r#"{"path": NaN}"#, "The option path is not a finite number"),
            (r#"{"P!": NaN}"#, "An option is not a finite number"),
            (r#"{"path": "\udc00"}"#, "The option path contains bytes"),
            ("{", "The arguments are not valid JSON."),
            ("[]", "The arguments are JSON but not an object."),
        ] {
            let message = parse(text.as_bytes()).unwrap_err().to_string();
            assert!(message.starts_with(expected), "{message}");
        }
    }

    #[test]
    fn every_setting_of_ansible_is_read() {
        let (_, defaults) = parse(b"{}").unwrap();
        let expected = Settings {
            check_mode: false,
            diff: false,
            no_log: false,
            ignore_unknown_options: false,
            inject_invocation: true,
            syslog_facility: None,
            log_prefix: None,
        };
        assert_eq!(defaults, expected);
        let text = br#"{"_ansible_check_mode": true, "_ansible_diff": "yes", "_ansible_no_log": 1,
            "_ansible_ignore_unknown_opts": true, "_ansible_inject_invocation": false,
            "_ansible_syslog_facility": "LOG_USER", "_ansible_target_log_info": "run", "_ansible_module_name": "m"}"#;
        let expected = Settings {
            check_mode: true,
            diff: true,
            no_log: true,
            ignore_unknown_options: true,
            inject_invocation: false,
            syslog_facility: Some("LOG_USER".to_owned()),
            log_prefix: Some("run".to_owned()),
        };
        assert_eq!(parse(text).unwrap().1, expected);
    }

    #[test]
    fn a_setting_that_cannot_be_understood_neither_writes_nor_logs() {
        for (value, expected) in [
            ("\"perhaps\"", true),
            ("{\"x\": 1}", true),
            ("[]", true),
            ("2", true),
            ("\"no\"", false),
            ("0", false),
            ("null", false),
        ] {
            let text =
                format!("{{\"_ansible_check_mode\": {value}, \"_ansible_no_log\": {value}}}");
            let (_, settings) = parse(text.as_bytes()).unwrap();
            let found = (settings.check_mode, settings.no_log);
            assert_eq!(found, (expected, expected), "{value}");
        }
    }

    #[test]
    fn settings_are_distinguished_from_options() {
        let (options, settings) =
            parse(br#"{"a": 1, "_ansible_check_mode": true, "_ansible_new_in_3": {"x": 1}}"#)
                .unwrap();
        assert_eq!(Value::Object(options), json!({"a": 1}));
        assert!(settings.check_mode && settings.inject_invocation && !settings.diff);
    }
}
