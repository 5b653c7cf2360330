//! The line that Ansible's modules leave in the system log of the host.

use std::os::unix::net::UnixDatagram;

use serde_json::{Map, Value};

use super::message::TaskSettings;

/// Where local programs send records, on every Linux that keeps a log.
const SOCKET: &str = "/dev/log";
/// The severity of a record that only informs (RFC 5424, table 2).
const INFORMATIONAL: u8 = 6;
/// What a record may hold, in bytes: the least that all logs take (RFC 5424, 6.1).
const RECORD_LIMIT: usize = 2048;

/// Logs that a module was invoked, unless Ansible asks for silence. Where there is no system log, nothing happens.
///
/// The text is that of `_log_invocation` in `ansible/module_utils/basic.py`. The record is written here, as `<priority>tag: text`, because
/// `syslog` of the C library brings its formatting and time zones, 14 KB of each binary.
pub fn log_invocation(module: &str, arguments: &Map<String, Value>, settings: &TaskSettings) {
    if settings.no_log {
        return;
    }
    let record = record(module, arguments, settings);
    if let Ok(socket) = UnixDatagram::unbound() {
        // A log that does not read must not hold up the task.
        let _ = socket.set_nonblocking(true);
        let _ = socket.send_to(record.as_bytes(), SOCKET);
    }
}

fn record(module: &str, arguments: &Map<String, Value>, settings: &TaskSettings) -> String {
    let priority = facility(settings.syslog_facility.as_deref()) * 8 + INFORMATIONAL;
    let text = text(arguments, settings.log_prefix.as_deref());
    let mut record = format!("<{priority}>ansible-{module}: {text}");
    record.truncate(record.floor_char_boundary(RECORD_LIMIT));
    record
}

fn text(arguments: &Map<String, Value>, prefix: Option<&str>) -> String {
    let mut text = String::new();
    if let Some(prefix) = prefix {
        text += prefix;
        text += " ";
    }
    text += "Invoked with";
    for (name, value) in arguments {
        text += &format!(" {name}={}", as_python_shows(value));
    }
    // One record is one line: nobody writes another one by a line break in a path.
    text.replace(char::is_control, " ")
}

fn as_python_shows(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The number of a facility (RFC 5424, table 1).
fn facility(name: Option<&str>) -> u8 {
    const LOG_USER: u8 = 1;
    const NUMBERED: [&str; 12] = [
        "KERN", "USER", "MAIL", "DAEMON", "AUTH", "SYSLOG", "LPR", "NEWS", "UUCP", "CRON",
        "AUTHPRIV", "FTP",
    ];
    let Some(name) = name.and_then(|name| name.strip_prefix("LOG_")) else {
        return LOG_USER;
    };
    let local = name.strip_prefix("LOCAL").map(str::as_bytes);
    match (local, NUMBERED.iter().position(|known| *known == name)) {
        (Some([digit @ b'0'..=b'7']), _) => 16 + (digit - b'0'),
        (_, Some(number)) => u8::try_from(number).unwrap_or(LOG_USER),
        _ => LOG_USER,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_text_is_one_line_in_pythons_spelling() {
        let arguments = json!({"backup": true, "kms_key_id": null, "path": "/a\nb"});
        assert_eq!(
            text(arguments.as_object().unwrap(), Some("run 7")),
            "run 7 Invoked with backup=True kms_key_id=None path=/a b"
        );
    }

    #[test]
    fn a_record_is_cut_between_two_characters_to_what_all_logs_take() {
        let arguments = br#"{"_ansible_syslog_facility": "LOG_DAEMON"}"#;
        let (_, settings) = super::super::message::parse(arguments).unwrap();
        let start = "<30>ansible-m: Invoked with path=";
        for (length, cut) in [(0, 0), (1, 1), (2015, 2015), (2016, 2015), (5000, 2015)] {
            let arguments = json!({"path": "x".repeat(length)});
            let record = record("m", arguments.as_object().unwrap(), &settings);
            assert_eq!(record, format!("{start}{}", "x".repeat(cut)), "{length}");
        }
        let arguments = json!({"path": "\u{e4}".repeat(2_000)});
        let record = record("m", arguments.as_object().unwrap(), &settings);
        assert_eq!(record.len(), RECORD_LIMIT - 1);
    }

    #[test]
    fn values_are_spelled_as_python_spells_them() {
        let arguments = json!({"a": false, "b": 7, "c": ["x"], "d": "\u{85}y\u{7f}"});
        assert_eq!(
            text(arguments.as_object().unwrap(), None),
            "Invoked with a=False b=7 c=[\"x\"] d= y "
        );
    }

    #[test]
    fn facilities_have_their_numbers() {
        for (name, number) in [
            (None, 1),
            (Some("DAEMON"), 1),
            (Some("LOG_KERN"), 0),
            (Some("LOG_USER"), 1),
            (Some("LOG_FTP"), 11),
            (Some("LOG_LOCAL"), 1),
            (Some("LOG_LOCAL07"), 1),
            (Some("LOG_LOCAL/"), 1),
            (Some("LOG_DAEMON"), 3),
            (Some("LOG_AUTHPRIV"), 10),
            (Some("LOG_LOCAL0"), 16),
            (Some("LOG_LOCAL7"), 23),
            (Some("LOG_LOCAL8"), 1),
            (Some("nonsense"), 1),
        ] {
            assert_eq!(facility(name), number, "{name:?}");
        }
    }
}
