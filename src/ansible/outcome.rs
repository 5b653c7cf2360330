//! What a module tells Ansible.

use serde::Serialize;
use serde_json::{Map, Value};

use super::diff::Diff;

/// The result of a task that did what it was asked to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Whether something changed, or would have in check mode.
    pub changed: bool,
    /// The module's own keys.
    pub values: Map<String, Value>,
    /// Sentences that Ansible shows as warnings.
    pub warnings: Vec<String>,
    /// How the file changed, where Ansible asks for it.
    pub diff: Option<Diff>,
}

impl Outcome {
    /// Takes the module's own keys from a structure.
    ///
    /// # Panics
    /// If the structure does not become a JSON object, a bug that each run of the module would show.
    pub fn new(changed: bool, values: impl Serialize) -> Self {
        let Ok(Value::Object(values)) = serde_json::to_value(values) else {
            panic!("a result must be an object");
        };
        Self {
            changed,
            values,
            ..Self::default()
        }
    }

    pub(super) fn into_result(self) -> Map<String, Value> {
        let mut result = self.values;
        result.insert("changed".to_owned(), self.changed.into());
        result.insert("warnings".to_owned(), self.warnings.into());
        if let Some(diff) = self.diff {
            result.insert("diff".to_owned(), diff.into_value());
        }
        result
    }
}

/// The result of a task that failed: full sentences that say what is wrong, where, and what to do.
#[derive(Debug, Default, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The sentences.
    pub message: String,
    /// Whether something changed before the failure.
    pub changed: bool,
    /// Sentences that Ansible shows as warnings.
    pub warnings: Vec<String>,
}

impl Failure {
    /// A failure before anything changed.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            ..Self::default()
        }
    }

    pub(super) fn into_result(self) -> Map<String, Value> {
        let mut result = Map::new();
        result.insert("failed".to_owned(), true.into());
        result.insert("changed".to_owned(), self.changed.into());
        result.insert("msg".to_owned(), self.message.into());
        if !self.warnings.is_empty() {
            result.insert("warnings".to_owned(), self.warnings.into());
        }
        result
    }
}
