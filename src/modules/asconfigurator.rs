//! `method: asconfigurator` of `aspera_docroot_sse`: the vendor's program writes the docroot.

use std::path::{Path, PathBuf};

use super::docroot_failure::{Refusal, failure};
use crate::ansible::Failure;
use crate::aspera::docroot::{self, Plan, Request};
use crate::aspera::host::{Installation, Instruction, Unsuccessful, trusted_program};
use crate::files::{EditOptions, Edited, EditedByProgram, edit_by_program};

/// The plan, with the instruction for `asconfigurator` and the real path of the program if something must change.
type Planned = (Plan, Option<(Instruction, PathBuf)>);

/// Sets one docroot. The result is the same as if the module had edited the file.
pub(super) fn edit(
    path: &Path,
    aspera_root: &Path,
    request: &Request,
    options: EditOptions,
) -> Result<Edited<Plan>, Failure> {
    let program = Installation::at(aspera_root).asconfigurator();
    let written = edit_by_program(
        path,
        options.backup,
        |bytes| {
            let planned = plan(bytes, request, &program)?;
            let wants_write = planned.1.is_some() && !options.check_only;
            Ok((planned, wants_write))
        },
        |(_, instruction)| {
            let instruction = instruction.as_ref();
            instruction.map_or(Ok(()), |(instruction, real)| instruction.carry_out(real))
        },
    );
    let written = written.map_err(|error| failure(error, path))?;
    if let Some(problem) = problem(&written) {
        return Err(unsuccessful(&problem, &written, &program, path));
    }
    let (plan, instruction) = written.plan;
    Ok(Edited {
        changed: instruction.is_some(),
        before: Some(written.before),
        plan,
        backup: written.backup,
        warnings: written.warnings,
    })
}

fn plan(bytes: Option<&[u8]>, request: &Request, program: &Path) -> Result<Planned, Refusal> {
    let bytes = bytes.ok_or(Refusal::Missing)?;
    let plan = docroot::plan(bytes, std::slice::from_ref(request))?;
    let instruction = match (plan.changes.as_slice(), plan.docroots.as_slice()) {
        ([], _) => None,
        ([_], [docroot]) if docroot.peer_ip(bytes).is_none() => {
            let instruction = Instruction::new(&docroot.scope(bytes), &docroot.uri(bytes))?;
            // Before anything is written, so that check mode predicts the failure.
            Some((instruction, trusted_program(program)?))
        }
        _ => return Err(Refusal::SeveralForAsconfigurator),
    };
    Ok((plan, instruction))
}

/// Returns the problem, unless the docroot is known to be set.
fn problem(written: &EditedByProgram<Planned, Result<(), Unsuccessful>>) -> Option<String> {
    match written.outcome.as_ref()? {
        Err(unsuccessful) => Some(unsuccessful.to_string()),
        Ok(()) => {
            let (plan, _) = &written.plan;
            let before = &written.before;
            let is_set = plan.changes.iter().all(|change| {
                let docroot = &plan.docroots[change.docroot];
                let (scope, uri) = (docroot.scope(before), docroot.uri(before));
                docroot::holds(&written.after, &scope, &uri)
            });
            (!is_set).then(|| "reported success, but the file does not hold the docroot".to_owned())
        }
    }
}

fn unsuccessful(
    problem: &str,
    written: &EditedByProgram<Planned, Result<(), Unsuccessful>>,
    program: &Path,
    path: &Path,
) -> Failure {
    let changed = written.changed();
    let program = program.display();
    let mut message = format!("{program} {problem}. ");
    let advice = match (&written.backup, changed) {
        (_, false) => {
            "The file is unchanged. Run the program by hand to see its output, or use method: file."
                .to_owned()
        }
        (Some(backup), true) => format!(
            "{} was changed and may be incomplete: check it with asuserdata -v, or restore it from {}.",
            path.display(),
            backup.display()
        ),
        (None, true) => format!(
            "{} was changed and may be incomplete: check it with asuserdata -v.",
            path.display()
        ),
    };
    message += &advice;
    Failure {
        changed,
        ..Failure::new(message)
    }
}
