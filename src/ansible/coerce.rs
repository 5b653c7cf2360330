//! Values as Ansible's own modules take them: `ansible/module_utils/common/validation.py` in ansible-core.

use std::env;

use nix::unistd::User;
use serde_json::{Map, Value};

use super::option::Kind;

/// A value is not of the type that its option has, nor a text that stands for one.
#[derive(Debug, PartialEq, Eq)]
pub struct ExpectedKind(pub &'static str);

/// Turns a value into one of the given type, where Ansible's modules would. Options inside a `dict` are not looked at.
pub fn coerce(value: &Value, kind: &Kind) -> Result<Value, ExpectedKind> {
    match kind {
        Kind::Str => text(value).map(Value::String),
        Kind::Path => text(value).map(|path| Value::String(expand(&path))),
        Kind::Bool => boolean(value).map(Value::Bool),
        Kind::Int => integer(value).map(Value::from),
        Kind::List(element) => list(value)?
            .iter()
            .map(|value| coerce(value, element))
            .collect::<Result<_, _>>()
            .map(Value::Array)
            .map_err(|_| list_of(element)),
        Kind::Dict(_) => dict(value).map(Value::Object),
    }
}

fn text(value: &Value) -> Result<String, ExpectedKind> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        // As Python spells them.
        Value::Bool(true) => Ok("True".to_owned()),
        Value::Bool(false) => Ok("False".to_owned()),
        _ => Err(ExpectedKind("a string")),
    }
}

fn boolean(value: &Value) -> Result<bool, ExpectedKind> {
    const EXPECTED: ExpectedKind = ExpectedKind("a boolean (true or false)");
    match value {
        Value::Bool(boolean) => Ok(*boolean),
        Value::Number(number) => truth(number.as_str()).ok_or(EXPECTED),
        Value::String(text) => truth(&text.trim().to_ascii_lowercase()).ok_or(EXPECTED),
        _ => Err(EXPECTED),
    }
}

/// The words of `ansible/module_utils/parsing/convert_bool.py`.
fn truth(word: &str) -> Option<bool> {
    match word {
        "y" | "yes" | "on" | "1" | "true" | "t" | "1.0" => Some(true),
        "n" | "no" | "off" | "0" | "false" | "f" | "0.0" => Some(false),
        _ => None,
    }
}

fn integer(value: &Value) -> Result<i64, ExpectedKind> {
    const EXPECTED: ExpectedKind = ExpectedKind("an integer");
    match value {
        Value::Number(number) => number.as_i64().ok_or(EXPECTED),
        Value::String(text) => text.trim().parse().map_err(|_| EXPECTED),
        _ => Err(EXPECTED),
    }
}

fn list(value: &Value) -> Result<Vec<Value>, ExpectedKind> {
    match value {
        Value::Array(elements) => Ok(elements.clone()),
        Value::String(text) => Ok(text.split(',').map(Value::from).collect()),
        Value::Number(_) => Ok(vec![value.clone()]),
        _ => Err(ExpectedKind("a list")),
    }
}

fn list_of(element: &Kind) -> ExpectedKind {
    ExpectedKind(match element {
        Kind::Str | Kind::Path => "a list of strings",
        Kind::Dict(_) => "a list of dictionaries",
        Kind::Bool | Kind::Int | Kind::List(_) => "a list",
    })
}

fn dict(value: &Value) -> Result<Map<String, Value>, ExpectedKind> {
    const EXPECTED: ExpectedKind = ExpectedKind("a dictionary");
    match value {
        Value::Object(dict) => Ok(dict.clone()),
        Value::String(text) if text.starts_with('{') => {
            serde_json::from_str(text).map_err(|_| EXPECTED)
        }
        Value::String(text) if text.contains('=') => {
            let mut dict = Map::new();
            for pair in pairs(text) {
                let (key, value) = pair.ok_or(EXPECTED)?;
                dict.insert(key, value);
            }
            Ok(dict)
        }
        _ => Err(EXPECTED),
    }
}

/// The pairs of `key=value, key="a value"`, separated by blanks or commas outside quotes.
fn pairs(text: &str) -> impl Iterator<Item = Option<(String, Value)>> {
    let mut fields = Vec::new();
    let mut field = String::new();
    let mut quote = None;
    let mut characters = text.trim().chars();
    while let Some(character) = characters.next() {
        match (character, quote) {
            ('\\', _) => field.extend(characters.next()),
            (c, Some(open)) if c == open => quote = None,
            ('"' | '\'', None) => quote = Some(character),
            (',' | ' ', None) => fields.push(std::mem::take(&mut field)),
            _ => field.push(character),
        }
    }
    fields.push(field);
    fields
        .into_iter()
        .filter(|field| !field.is_empty())
        .map(|field| {
            let (key, value) = field.split_once('=')?;
            Some((key.to_owned(), Value::from(value)))
        })
}

/// Expands `$VAR`, `${VAR}`, then `~` and `~user` at the start; what is unknown stays, as in Python.
fn expand(path: &str) -> String {
    let path = expand_variables(path);
    let Some(rest) = path.strip_prefix('~') else {
        return path;
    };
    let (user, below) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    match home(user) {
        Some(home) => home.trim_end_matches('/').to_owned() + below,
        None => path,
    }
}

fn home(user: &str) -> Option<String> {
    if user.is_empty()
        && let Ok(home) = env::var("HOME")
    {
        return Some(home);
    }
    let entry = if user.is_empty() {
        User::from_uid(nix::unistd::getuid())
    } else {
        User::from_name(user)
    };
    entry.ok()??.dir.into_os_string().into_string().ok()
}

fn expand_variables(path: &str) -> String {
    let mut expanded = String::new();
    let mut rest = path;
    while let Some(start) = rest.find('$') {
        expanded.push_str(&rest[..start]);
        rest = &rest[start..];
        let (name, length) = variable(rest);
        match env::var(name) {
            Ok(value) => expanded.push_str(&value),
            _ => expanded.push_str(&rest[..length]),
        }
        rest = &rest[length..];
    }
    expanded + rest
}

/// The name of the variable that a text starts with, and the length of its whole reference.
fn variable(reference: &str) -> (&str, usize) {
    if let Some(braced) = reference.strip_prefix("${")
        && let Some(end) = braced.find('}')
    {
        return (&braced[..end], end + 3);
    }
    let after = &reference[1..];
    let is_part = |c: char| c == '_' || c.is_ascii_alphanumeric();
    let length = after.find(|c| !is_part(c)).unwrap_or(after.len());
    (&after[..length], length + 1)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn all(kind: Kind, cases: &[(Value, Option<Value>)]) {
        for (given, expected) in cases {
            assert_eq!(coerce(given, &kind).ok(), *expected, "{given} as {kind:?}");
        }
    }

    #[test]
    fn scalars_are_taken_as_ansible_takes_them() {
        all(
            Kind::Str,
            &[
                (json!("a"), Some(json!("a"))),
                (json!(5), Some(json!("5"))),
                (json!(1.5), Some(json!("1.5"))),
                (json!(true), Some(json!("True"))),
                (json!(false), Some(json!("False"))),
                (json!([]), None),
                (json!({}), None),
            ],
        );
        all(
            Kind::Bool,
            &[
                (json!("YES"), Some(json!(true))),
                (json!(" on "), Some(json!(true))),
                (json!(false), Some(json!(false))),
                (json!("off"), Some(json!(false))),
                (json!(1.0), Some(json!(true))),
                (json!(null), None),
                (json!("f"), Some(json!(false))),
                (json!(1), Some(json!(true))),
                (json!(0.0), Some(json!(false))),
                (json!("2"), None),
                (json!(2), None),
                (json!(""), None),
                (json!([true]), None),
            ],
        );
        all(
            Kind::Int,
            &[
                (json!("5"), Some(json!(5))),
                (json!(" -7 "), Some(json!(-7))),
                (json!(3), Some(json!(3))),
                (json!("5.5"), None),
                (json!("-0"), Some(json!(0))),
                (json!(1.5), None),
                (json!([]), None),
                (json!(true), None),
            ],
        );
    }

    #[test]
    fn lists_and_dicts_are_read_from_texts() {
        all(
            Kind::List(&Kind::Int),
            &[
                (json!("1,2"), Some(json!([1, 2]))),
                (json!([1, "2"]), Some(json!([1, 2]))),
                (json!([]), Some(json!([]))),
                (json!(true), None),
                (json!(3), Some(json!([3]))),
                (json!("1,x"), None),
                (json!({}), None),
            ],
        );
        all(
            Kind::Dict(&[]),
            &[
                (json!({"a": 1}), Some(json!({"a": 1}))),
                (json!("{\"a\": 1}"), Some(json!({"a": 1}))),
                (json!("a=1, b='x y'"), Some(json!({"a": "1", "b": "x y"}))),
                (json!("a=x\\,y"), Some(json!({"a": "x,y"}))),
                (json!("a=\"x'y, z\"b"), Some(json!({"a": "x'y, zb"}))),
                (json!("a='x\\'y'"), Some(json!({"a": "x'y"}))),
                (json!(" a=1,,b=2, "), Some(json!({"a": "1", "b": "2"}))),
                (json!("a=b=c"), Some(json!({"a": "b=c"}))),
                (json!("{a=1}"), None),
                (json!(""), None),
                (json!(" "), None),
                (json!("a=1 b"), None),
                (json!("a"), None),
                (json!([]), None),
            ],
        );
    }

    #[test]
    fn what_is_expected_is_named() {
        for (kind, expected) in [
            (Kind::Str, "a string"),
            (Kind::Path, "a string"),
            (Kind::Bool, "a boolean (true or false)"),
            (Kind::Int, "an integer"),
            (Kind::List(&Kind::Str), "a list"),
            (Kind::Dict(&[]), "a dictionary"),
        ] {
            let error = coerce(&json!(null), &kind).unwrap_err();
            assert_eq!(error, ExpectedKind(expected), "{kind:?}");
        }
        for (element, expected) in [
            (&Kind::Str, "a list of strings"),
            (&Kind::Path, "a list of strings"),
            (&Kind::Dict(&[]), "a list of dictionaries"),
            (&Kind::Int, "a list"),
        ] {
            let error = coerce(&json!([null]), &Kind::List(element)).unwrap_err();
            assert_eq!(error, ExpectedKind(expected), "{element:?}");
        }
    }

    #[test]
    fn paths_expand_home_and_variables() {
        let home = env::var("HOME").unwrap();
        for (given, expected) in [
            ("~", home.clone()),
            ("~/x", format!("{home}/x")),
            ("$HOME/x", format!("{home}/x")),
            ("$HOME", home.clone()),
            ("${HOME}", home.clone()),
            ("$HOME$HOME", format!("{home}{home}")),
            ("$HOME-x", format!("{home}-x")),
            ("$HOME_x", "$HOME_x".to_owned()),
            ("/${}/$", "/${}/$".to_owned()),
            ("x~", "x~".to_owned()),
            ("a/${HOME}b", format!("a/{home}b")),
            ("~root/x", "/root/x".to_owned()),
            (
                "~nobody-of-that-name/x",
                "~nobody-of-that-name/x".to_owned(),
            ),
            (
                "/a/$ASPERA_SSE_UNSET/${ASPERA_SSE_UNSET}",
                "/a/$ASPERA_SSE_UNSET/${ASPERA_SSE_UNSET}".to_owned(),
            ),
            ("/a$/b", "/a$/b".to_owned()),
            ("/a/${open", "/a/${open".to_owned()),
        ] {
            assert_eq!(expand(given), expected);
        }
    }
}
