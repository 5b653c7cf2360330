//! The text that Ansible sends: the options of a task, and the settings beside them.

use serde_json::{Map, Value};

use super::arguments_error::ArgumentsError;
use super::coerce::coerce;
use super::invalid_json::{self, Reason};
use super::option::Kind;

/// The settings that Ansible sends to each module beside the options of its task: the keys that start with `_ansible_`.
///
/// The set of keys changes with each release; unknown ones are ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskSettings {
    /// Change nothing, but say what would change.
    pub check_mode: bool,
    /// Say how the file changes.
    pub diff: bool,
    /// Write nothing to the system log.
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

/// Splits the text that Ansible sends into the options of the task and its settings.
pub(super) fn parse(text: &[u8]) -> Result<(Map<String, Value>, TaskSettings), ArgumentsError> {
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

fn read_settings(settings: &Map<String, Value>) -> TaskSettings {
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
    TaskSettings {
        check_mode: careful("_ansible_check_mode"),
        diff: flag("_ansible_diff").unwrap_or(false),
        no_log: careful("_ansible_no_log"),
        ignore_unknown_options: flag("_ansible_ignore_unknown_opts").unwrap_or(false),
        inject_invocation: flag("_ansible_inject_invocation").unwrap_or(true),
        syslog_facility: text("_ansible_syslog_facility"),
        log_prefix: text("_ansible_target_log_info"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
        let expected = TaskSettings {
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
        let expected = TaskSettings {
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
