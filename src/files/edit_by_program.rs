//! Letting another program write a file by a plan of ours.

use std::path::{Path, PathBuf};

use super::backup::Backup;
use super::content::equal;
use super::edit::{EditError, Stopped};
use super::error::Problem;
use super::folder::Folder;
use super::location::{Place, find};
use super::snapshot::{SIZE_LIMIT, Snapshot};

/// What became of the file.
#[derive(Debug)]
pub struct EditedByProgram<T, W> {
    /// The content from which the plan was made.
    pub before: Vec<u8>,
    /// The content after the program ran.
    pub after: Vec<u8>,
    /// What `plan` returned beside whether to write.
    pub plan: T,
    /// What `write` returned, or `None` if nothing had to be written.
    pub outcome: Option<W>,
    /// The copy of the old file, if one was made.
    pub backup: Option<PathBuf>,
    /// What deserves a warning.
    pub warnings: Vec<String>,
}

/// Makes a plan from a file and, where the plan is to write, has another program do it, under the lock that keeps runs of ours apart.
///
/// `plan` says whether to write; what `write` does to the file is read again, and held against nothing here.
pub fn edit_by_program<T, W, E>(
    path: &Path,
    wants_backup: bool,
    plan: impl Fn(Option<&[u8]>) -> Result<(T, bool), E>,
    write: impl FnOnce(&T) -> W,
) -> Result<EditedByProgram<T, W>, EditError<E>> {
    let place = match find(path) {
        Err(error) if error.problem == Problem::Missing => {
            plan(None).map_err(EditError::Plan)?;
            return Err(error.into());
        }
        place => place?,
    };
    let written = edit_by_program_at(&place, wants_backup, plan, write);
    let written = written.map_err(|stopped| stopped.at(path))?;
    Ok(EditedByProgram {
        backup: written.backup.map(|name| path.with_file_name(name)),
        ..written
    })
}

/// Does the same for the file at a place. Of the backup, only the name is known here.
fn edit_by_program_at<T, W, E>(
    place: &Place,
    wants_backup: bool,
    plan: impl Fn(Option<&[u8]>) -> Result<(T, bool), E>,
    write: impl FnOnce(&T) -> W,
) -> Result<EditedByProgram<T, W>, Stopped<E>> {
    let (mut old, mut planned) = read(place, &plan)?;
    let mut written = None;
    let mut backup = None;
    let mut warnings = Vec::new();
    if planned.1 {
        let folder = Folder::open(place)?;
        if !old.is_current(&folder.handle, &place.name)? {
            (old, planned) = read(place, &plan)?;
        }
        if planned.1 {
            if wants_backup {
                backup = Some(Backup::make(&folder, &old, &place.name)?.keep());
            }
            written = Some(write(&planned.0));
        }
        warnings.extend(folder.warning);
    }
    let after = match &written {
        Some(_) => Snapshot::read(&place.folder, &place.name, SIZE_LIMIT)?
            .map_or_else(Vec::new, |now| now.bytes),
        None => old.bytes.clone(),
    };
    Ok(EditedByProgram {
        before: old.bytes,
        after,
        plan: planned.0,
        outcome: written,
        backup,
        warnings,
    })
}

impl<T, W> EditedByProgram<T, W> {
    /// Whether the file is no longer what it was.
    pub fn changed(&self) -> bool {
        !equal(&self.before, &self.after)
    }
}

fn read<T, E>(
    place: &Place,
    plan: impl Fn(Option<&[u8]>) -> Result<(T, bool), E>,
) -> Result<(Snapshot, (T, bool)), Stopped<E>> {
    let Some(old) = Snapshot::read(&place.folder, &place.name, SIZE_LIMIT)? else {
        plan(None).map_err(Stopped::Plan)?;
        return Err(Problem::Missing.into());
    };
    let planned = plan(Some(&old.bytes)).map_err(Stopped::Plan)?;
    Ok((old, planned))
}
