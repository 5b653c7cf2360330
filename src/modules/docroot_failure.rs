//! The messages for docroots that were not set.

use std::path::Path;

use super::file_failure;
use crate::ansible::{Failure, near};
use crate::aspera::docroot::{PlanError, RollbackError};
use crate::aspera::host::{InstructionError, NotRun};
use crate::files::EditError;

/// The reason why there is no plan.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("{0}")]
    Plan(#[from] PlanError),
    #[error("{0}")]
    Rollback(#[from] RollbackError),
    #[error("no file")]
    Missing,
    #[error("{0}")]
    Instruction(#[from] InstructionError),
    #[error("method: asconfigurator cannot be used: {} Use method: file.", why_not_run(.0))]
    Program(#[from] NotRun),
    #[error(
        "method: asconfigurator sets the only docroot of a user, a group or the default; here are several, or one for a client address (peer_ip). Use method: file."
    )]
    SeveralForAsconfigurator,
}

/// Returns the failure of a task on a file.
pub(super) fn failure(error: EditError<Refusal>, path: &Path) -> Failure {
    let path = path.display();
    let changed = matches!(&error, EditError::File(error) if error.file_was_changed());
    let message = match error {
        EditError::Plan(Refusal::Missing) => {
            format!(
                "{path} does not exist. It comes with Aspera: install that, or set aspera_root or path to where it is."
            )
        }
        EditError::Plan(Refusal::Plan(error)) => {
            let hint = hint(&error);
            format!("{path} {error}{hint} Nothing was changed.")
        }
        EditError::Plan(Refusal::Rollback(error)) => {
            format!("{path} {error} Nothing was changed.")
        }
        EditError::Plan(refusal) => format!("{path}: {refusal} Nothing was changed."),
        EditError::File(error) => file_failure::message(&error),
    };
    Failure {
        changed,
        ..Failure::new(message)
    }
}

fn why_not_run(program: &NotRun) -> String {
    match program {
        NotRun::Unread(error) => file_failure::message(error),
        _ => program.to_string(),
    }
}

fn hint(error: &PlanError) -> String {
    let PlanError::Unknown(scope, known) = error else {
        return String::new();
    };
    let near = near(
        scope.name().unwrap_or_default(),
        known.iter().map(String::as_str),
    );
    if near.is_empty() {
        return String::new();
    }
    format!(" Did you mean {}?", near.join(" or "))
}
