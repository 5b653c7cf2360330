//! The laws of the arguments of a task.

use aspera_sse::ansible::{Kind, Module, OptionSpec, Shown as MayBeShown, Task};
use aspera_sse::modules::{
    AsperaAccessKeysInfo, AsperaDocrootSse, AsperaS3ObjectsInfo, AsperaS3TrialUpload,
    AsperaSseInfo, AsperaTrapdSse,
};
use serde_json::{Map, Value};

use super::choice::Choice;
use super::secret::{SECRET, Shown, is_in};

/// Every law, for a text that comes after a byte of choice.
pub fn any_input(input: &[u8]) {
    let (mut choice, text) = Choice::of(input);
    let check = *choice.one_of(&[
        of_module::<AsperaDocrootSse>,
        of_module::<AsperaTrapdSse>,
        of_module::<AsperaSseInfo>,
        of_module::<AsperaS3ObjectsInfo>,
        of_module::<AsperaS3TrialUpload>,
        of_module::<AsperaAccessKeysInfo>,
    ]);
    check(&mut choice, text);
}

fn of_module<M: Module>(choice: &mut Choice, text: &[u8]) {
    if let Ok(task) = Task::read::<M>(text) {
        checked_again::<M>(&task);
    }
    let Ok(Value::Object(mut given)) = serde_json::from_slice(text) else {
        return;
    };
    let mut texts = Vec::new();
    for (name, value) in &mut given {
        if !name.starts_with("_ansible_") {
            collect(value, &mut texts);
        }
    }
    if texts.is_empty() || is_in(text) {
        return;
    }
    let index = choice.rest() % texts.len();
    texts[index].push_str(SECRET);
    no_secret::<M>(&given);
}

/// Checks that what was checked passes as it is: types and defaults are filled in once.
fn checked_again<M: Module>(task: &Task) {
    let options: Map<String, Value> = task.arguments.typed();
    let again = Task::read::<M>(Value::Object(options.clone()).to_string().as_bytes());
    let again = again.unwrap_or_else(|error| panic!("{error}: {options:?}"));
    assert_eq!(again.arguments, task.arguments);
}

/// Checks that a value is repeated only where its option may be shown.
fn no_secret<M: Module>(given: &Map<String, Value>) {
    let text = Value::Object(given.clone()).to_string();
    let mut shown = Shown::default();
    match Task::read::<M>(text.as_bytes()) {
        Ok(task) => {
            let mut masked = task.arguments.masked(M::OPTIONS);
            leave_out_names(&mut masked, M::OPTIONS);
            shown.take(masked);
        }
        Err(error) => shown.say(&error),
    }
    shown.is_clean(text.as_bytes());
}

/// Takes away the values that a person must see: what names a user, a path, a key.
fn leave_out_names(masked: &mut Map<String, Value>, specs: &[OptionSpec]) {
    for spec in specs {
        match (masked.get_mut(spec.name), &spec.kind, spec.shown) {
            (Some(Value::Object(inner)), Kind::Dict(specs), _) => leave_out_names(inner, specs),
            (Some(Value::Array(elements)), Kind::List(Kind::Dict(specs)), _) => {
                let inner = elements.iter_mut().filter_map(Value::as_object_mut);
                inner.for_each(|inner| leave_out_names(inner, specs));
            }
            (Some(_), _, MayBeShown::Always) => drop(masked.remove(spec.name)),
            (Some(value), _, MayBeShown::If(recognises)) => {
                let is_key = |value: &Value| value.as_str().is_some_and(recognises);
                let is_known = match value {
                    Value::Array(elements) => elements.iter().all(is_key),
                    value => is_key(value),
                };
                if is_known {
                    masked.remove(spec.name);
                }
            }
            _ => {}
        }
    }
}

/// Finds the texts in a value.
fn collect<'v>(value: &'v mut Value, texts: &mut Vec<&'v mut String>) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(elements) => elements.iter_mut().for_each(|inner| collect(inner, texts)),
        Value::Object(dict) => dict.values_mut().for_each(|inner| collect(inner, texts)),
        _ => {}
    }
}
