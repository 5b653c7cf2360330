//! What a module answers to Ansible.

use serde::Serialize;
use serde_json::{Map, Value};

use super::diff::Diff;

/// The result of a task that did what it was asked to.
#[derive(Debug)]
pub struct Outcome<V> {
    /// Whether something changed, or would have in check mode.
    pub changed: bool,
    /// The module's own keys: what becomes a JSON object.
    pub values: V,
    /// Sentences that Ansible shows as warnings.
    pub warnings: Vec<String>,
    /// How the file changed, where Ansible asks for it.
    pub diff: Option<Diff>,
}

/// The result of a task that failed: full sentences that say what is wrong, where, and what to do.
#[derive(Debug, Default, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What is wrong, where, and what to do.
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
}

/// The one object that Ansible reads.
#[derive(Debug, Serialize)]
pub(super) struct Report<'r, V> {
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<bool>,
    changed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    msg: Option<&'r str>,
    #[serde(flatten)]
    values: Option<&'r V>,
    #[serde(skip_serializing_if = "Option::is_none")]
    warnings: Option<&'r [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    diff: Option<&'r Diff>,
    #[serde(skip_serializing_if = "Option::is_none")]
    invocation: Option<Invocation<'r>>,
}

/// The arguments, for people who look for them in the result.
#[derive(Debug, Serialize)]
pub(super) struct Invocation<'r> {
    pub(super) module_args: &'r Map<String, Value>,
}

impl<'r, V> Report<'r, V> {
    pub(super) fn of_success(outcome: &'r Outcome<V>, invocation: Option<Invocation<'r>>) -> Self {
        Self {
            failed: None,
            changed: outcome.changed,
            msg: None,
            values: Some(&outcome.values),
            warnings: Some(&outcome.warnings),
            diff: outcome.diff.as_ref(),
            invocation,
        }
    }

    pub(super) fn of_failure(failure: &'r Failure, invocation: Option<Invocation<'r>>) -> Self {
        let warnings = Some(failure.warnings.as_slice());
        Self {
            failed: Some(true),
            changed: failure.changed,
            msg: Some(&failure.message),
            values: None,
            warnings: warnings.filter(|warnings| !warnings.is_empty()),
            diff: None,
            invocation,
        }
    }

    pub(super) fn is_success(&self) -> bool {
        self.failed.is_none()
    }
}
