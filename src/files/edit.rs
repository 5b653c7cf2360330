//! Read, plan, replace: the whole way of one edit.

use std::path::{Path, PathBuf};

use super::content::equal;
use super::error::{FileError, Problem};
use super::location::{Place, find};
use super::options::EditOptions;
use super::replace::{Replaced, Target};
use super::snapshot::Snapshot;

/// The number of times that an edit starts over because another program changed the file meanwhile.
const ATTEMPTS: usize = 5;

/// A plan for a file.
pub trait Proposal {
    /// Returns the new content, or `None` to leave the file alone.
    fn content(&self) -> Option<&[u8]>;
}

/// The new content alone.
impl Proposal for Option<Vec<u8>> {
    fn content(&self) -> Option<&[u8]> {
        self.as_deref()
    }
}

/// The result of an edit.
#[derive(Debug)]
pub struct Edited<T> {
    /// Whether the content changed, or would have if only checked.
    pub changed: bool,
    /// The content from which the plan was made, or `None` if the file was missing.
    pub before: Option<Vec<u8>>,
    /// What `plan` returned beside the edits.
    pub plan: T,
    /// The copy of the old file, if one was made.
    pub backup: Option<PathBuf>,
    /// Warnings for the user.
    pub warnings: Vec<String>,
}

/// The reason why an edit failed.
#[derive(Debug, thiserror::Error)]
pub enum EditError<E> {
    /// The plan refused the content of the file.
    #[error("{0}")]
    Plan(E),
    /// The file could not be read or replaced.
    #[error(transparent)]
    File(#[from] FileError),
}

/// The same, before it has the path of the file.
pub(super) enum Stopped<E> {
    Plan(E),
    Problem(Problem),
}

impl<E> From<Problem> for Stopped<E> {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl<E> Stopped<E> {
    pub(super) fn at(self, path: &Path) -> EditError<E> {
        match self {
            Self::Plan(refusal) => EditError::Plan(refusal),
            Self::Problem(problem) => EditError::File(problem.at(path)),
        }
    }
}

/// Edits a file by a plan: a pure function from the bytes of the file, or from `None` if it is missing.
///
/// The plan is made again if the file changes before it is replaced. Nothing is written if the plan proposes no content or the same content.
pub fn edit<T: Proposal, E>(
    path: &Path,
    options: EditOptions,
    mut plan: impl FnMut(Option<&[u8]>) -> Result<T, E>,
) -> Result<Edited<T>, EditError<E>> {
    let place = match find(path) {
        Err(error) if error.problem == Problem::Missing => {
            // The plan may have a better message for that. But if the folder is missing, no file can be created.
            let proposal = plan(None).map_err(EditError::Plan)?;
            return match proposal.content() {
                Some(_) => Err(error.into()),
                None => Ok(untouched(None, proposal)),
            };
        }
        place => place?,
    };
    let edited = edit_at(&place, options, plan).map_err(|stopped| stopped.at(path))?;
    Ok(Edited {
        backup: edited.backup.map(|name| path.with_file_name(name)),
        ..edited
    })
}

/// Edits the file at a place. Of the backup, only the name is known here.
fn edit_at<T: Proposal, E>(
    place: &Place,
    options: EditOptions,
    mut plan: impl FnMut(Option<&[u8]>) -> Result<T, E>,
) -> Result<Edited<T>, Stopped<E>> {
    let read = |folder: &_| Snapshot::read(folder, &place.name, options.size_limit);
    let mut planned = Planned::new(read(&place.folder)?, &mut plan)?;
    if planned.content().is_none() || options.check_only {
        return Ok(planned.checked()?);
    }
    let target = Target::open(place)?;
    target.sweep(planned.old.as_ref());
    for _ in 0..ATTEMPTS {
        if !target.is_current(planned.old.as_ref())? {
            planned = Planned::new(read(target.folder())?, &mut plan)?;
        }
        let Some(content) = planned.content() else {
            return Ok(planned.checked()?);
        };
        planned.refuse_hard_links()?;
        if let Replaced::Done { backup } = target.replace(planned.old.as_ref(), content, options)? {
            let mut edited = planned.checked()?;
            edited.backup = backup;
            edited.warnings.extend(target.into_warning());
            return Ok(edited);
        }
    }
    Err(Problem::KeepsChanging.into())
}

/// A reading of the file with the plan made from it.
struct Planned<T> {
    old: Option<Snapshot>,
    plan: T,
    /// Whether the plan has other content than the file.
    differs: bool,
}

impl<T: Proposal> Planned<T> {
    fn new<E>(
        old: Option<Snapshot>,
        plan: &mut impl FnMut(Option<&[u8]>) -> Result<T, E>,
    ) -> Result<Self, Stopped<E>> {
        let bytes = old.as_ref().map(|old| old.bytes.as_slice());
        let plan = plan(bytes).map_err(Stopped::Plan)?;
        let is_old = |content| bytes.is_some_and(|bytes| equal(bytes, content));
        let differs = plan.content().is_some_and(|content| !is_old(content));
        Ok(Self { old, plan, differs })
    }

    /// Returns the new content, if it differs.
    fn content(&self) -> Option<&[u8]> {
        self.plan.content().filter(|_| self.differs)
    }

    /// Returns the result in check mode, or the error that a real run would have.
    fn checked(self) -> Result<Edited<T>, Problem> {
        if self.differs {
            self.refuse_hard_links()?;
        }
        Ok(Edited {
            changed: self.differs,
            ..untouched(self.old.map(|old| old.bytes), self.plan)
        })
    }

    fn refuse_hard_links(&self) -> Result<(), Problem> {
        match &self.old {
            Some(old) if old.stat.st_nlink > 1 => Err(Problem::HardLinked),
            _ => Ok(()),
        }
    }
}

fn untouched<T>(before: Option<Vec<u8>>, plan: T) -> Edited<T> {
    Edited {
        changed: false,
        before,
        plan,
        backup: None,
        warnings: Vec::new(),
    }
}
