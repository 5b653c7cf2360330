//! Read, plan, replace: the whole way of one edit.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::{Mode, fstat};
use nix::unistd::{fsync, ftruncate};

use super::backup::Backup;
use super::content::equal;
use super::error::{During, FileError, Step, errno_of};
use super::folder::Folder;
use super::location::find;
use super::metadata::{self, NewFile};
use super::snapshot::{self, SIZE_LIMIT, Snapshot};
use super::temporary::{self, Temporary};

/// The number of times that an edit starts over because another program changed the file meanwhile.
const ATTEMPTS: usize = 5;

/// Options of an edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EditOptions {
    /// The largest file that is edited, in bytes.
    pub size_limit: u64,
    /// Plan, but write nothing.
    pub check_only: bool,
    /// Keep a copy of the old file beside it.
    pub backup: bool,
    /// Write into the file if it cannot be replaced. This is not safe against interruptions.
    pub allow_in_place: bool,
    /// Owner and mode of the file if it is missing and the plan makes it.
    pub new_file: Option<NewFile>,
}

impl Default for EditOptions {
    fn default() -> Self {
        Self {
            size_limit: SIZE_LIMIT,
            check_only: false,
            backup: false,
            allow_in_place: false,
            new_file: None,
        }
    }
}

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
    /// The plan.
    pub plan: T,
    /// The copy of the old file, if one was made.
    pub backup: Option<PathBuf>,
    /// Warnings for the user.
    pub warnings: Vec<String>,
}

/// The reason why an edit failed.
#[derive(Debug, thiserror::Error)]
pub enum EditError<E> {
    /// The plan refused.
    #[error("{0}")]
    Plan(E),
    /// The file could not be read or replaced.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Edits a file by a plan: a pure function from the bytes of the file, or from `None` if it is missing.
///
/// The plan is made again if the file changes before it is replaced. Nothing is written if the plan proposes no content or the same content.
/// content.
pub fn edit<T: Proposal, E>(
    path: &Path,
    options: EditOptions,
    mut plan: impl FnMut(Option<&[u8]>) -> Result<T, E>,
) -> Result<Edited<T>, EditError<E>> {
    let place = match find(path) {
        Ok(place) => place,
        Err(FileError::Missing(missing)) => {
            // The plan may have a better message for that. But if the folder is missing, no file can be created.
            let proposal = plan(None).map_err(EditError::Plan)?;
            return match proposal.content() {
                Some(_) => Err(FileError::Missing(missing).into()),
                None => Ok(untouched(None, proposal)),
            };
        }
        Err(error) => return Err(error.into()),
    };
    let old = Snapshot::read(&place.folder, &place.name, path, options.size_limit)?;
    let mut planned = Planned::new(old, &mut plan)?;
    if planned.content().is_none() || options.check_only {
        return Ok(planned.checked(path)?);
    }
    let target = Target {
        folder: Folder::open(&place, path)?,
        name: &place.name,
        path,
    };
    let file_owner = planned.old.as_ref().map(|old| old.stat.st_uid);
    target
        .folder
        .sweep(&temporary::prefix(target.name), file_owner);
    for _ in 0..ATTEMPTS {
        if !target.is_current(planned.old.as_ref())? {
            let now = Snapshot::read(&target.folder.handle, target.name, path, options.size_limit)?;
            planned = Planned::new(now, &mut plan)?;
        }
        let Some(content) = planned.content() else {
            return Ok(planned.checked(path)?);
        };
        planned.refuse_hard_links(path)?;
        match target.replace(planned.old.as_ref(), content, options)? {
            Replaced::Done { backup } => {
                let mut edited = planned.checked(path)?;
                edited.backup = backup.map(|name| path.with_file_name(name));
                edited.warnings.extend(target.folder.warning);
                return Ok(edited);
            }
            Replaced::ChangedMeanwhile => {}
        }
    }
    Err(FileError::KeepsChanging(path.to_owned()).into())
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
    ) -> Result<Self, EditError<E>> {
        let bytes = old.as_ref().map(|old| old.bytes.as_slice());
        let plan = plan(bytes).map_err(EditError::Plan)?;
        let is_old = |content| bytes.is_some_and(|bytes| equal(bytes, content));
        let differs = plan.content().is_some_and(|content| !is_old(content));
        Ok(Self { old, plan, differs })
    }

    /// Returns the new content, if it differs.
    fn content(&self) -> Option<&[u8]> {
        self.plan.content().filter(|_| self.differs)
    }

    /// Returns the result in check mode, or the error that a real run would have.
    fn checked(self, path: &Path) -> Result<Edited<T>, FileError> {
        if self.differs {
            self.refuse_hard_links(path)?;
        }
        Ok(Edited {
            changed: self.differs,
            ..untouched(self.old.map(|old| old.bytes), self.plan)
        })
    }

    fn refuse_hard_links(&self, path: &Path) -> Result<(), FileError> {
        match &self.old {
            Some(old) if old.stat.st_nlink > 1 => Err(FileError::HardLinked(path.to_owned())),
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

/// The place of the file in its open, locked folder.
struct Target<'p> {
    folder: Folder,
    name: &'p Path,
    /// The path as the user gave it, for messages.
    path: &'p Path,
}

enum Replaced {
    Done { backup: Option<PathBuf> },
    ChangedMeanwhile,
}

impl Target<'_> {
    fn replace(
        &self,
        old: Option<&Snapshot>,
        content: &[u8],
        options: EditOptions,
    ) -> Result<Replaced, FileError> {
        match (self.replace_by_rename(old, content, options), old) {
            (Err(error), Some(old)) if options.allow_in_place && needs_in_place(&error) => {
                self.write_in_place(old, content, options)
            }
            (replaced, _) => replaced,
        }
    }

    fn replace_by_rename(
        &self,
        old: Option<&Snapshot>,
        content: &[u8],
        options: EditOptions,
    ) -> Result<Replaced, FileError> {
        let mut new = Temporary::create(&self.folder, self.name, self.path)?;
        match (old, options.new_file) {
            (Some(old), _) => metadata::equal_to(old, &new.file, self.path)?,
            (None, Some(wanted)) => metadata::initial(wanted, &new.file, self.path)?,
            (None, None) => return Err(FileError::Missing(self.path.to_owned())),
        }
        new.fill(content, self.path)?;
        if !self.is_current(old)? {
            return Ok(Replaced::ChangedMeanwhile);
        }
        let backup = self.backup(old, options)?;
        new.rename_to(self.name).during(Step::Rename, self.path)?;
        let backup = backup.map(Backup::keep);
        self.folder
            .sync()
            .map_err(|errno| FileError::FolderNotSynced {
                path: self.path.to_owned(),
                errno,
            })?;
        Ok(Replaced::Done { backup })
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the file that was read, by its folder and without following a link"
    )]
    fn write_in_place(
        &self,
        old: &Snapshot,
        content: &[u8],
        options: EditOptions,
    ) -> Result<Replaced, FileError> {
        // The file may have been exchanged meanwhile. The program must neither wait for the new one nor write into it.
        let flags = OFlag::O_WRONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let file = openat(&self.folder.handle, self.name, flags, Mode::empty())
            .during(Step::Open, self.path)?;
        let opened = fstat(&file).during(Step::Open, self.path)?;
        let is_same = (opened.st_dev, opened.st_ino) == (old.stat.st_dev, old.stat.st_ino);
        if !is_same || !self.is_current(Some(old))? {
            return Ok(Replaced::ChangedMeanwhile);
        }
        let backup = self.backup(Some(old), options)?.map(Backup::keep);
        match overwrite(File::from(file), content) {
            Ok(()) => Ok(Replaced::Done { backup }),
            Err(errno) => Err(FileError::BrokenInPlace {
                path: self.path.to_owned(),
                errno,
                backup: backup.map(|name| self.path.with_file_name(name)),
            }),
        }
    }

    fn is_current(&self, old: Option<&Snapshot>) -> Result<bool, FileError> {
        match old {
            Some(old) => old.is_current(&self.folder.handle, self.name, self.path),
            None => snapshot::is_missing(&self.folder.handle, self.name, self.path),
        }
    }

    fn backup(
        &self,
        old: Option<&Snapshot>,
        options: EditOptions,
    ) -> Result<Option<Backup<'_>>, FileError> {
        match old {
            Some(old) if options.backup => {
                Backup::make(&self.folder, old, self.name, self.path).map(Some)
            }
            _ => Ok(None),
        }
    }
}

/// Returns whether a file cannot be replaced but may be writable in place: a mount of its own, or a folder that accepts no new file.
fn needs_in_place(error: &FileError) -> bool {
    matches!(
        error,
        FileError::Io {
            step: Step::CreateTemporary | Step::Rename,
            errno: Errno::EBUSY | Errno::EXDEV | Errno::EROFS | Errno::EACCES | Errno::EPERM,
            ..
        }
    )
}

fn overwrite(mut file: File, content: &[u8]) -> Result<(), Errno> {
    file.write_all(content).map_err(|error| errno_of(&error))?;
    ftruncate(&file, content.len().try_into().map_err(|_| Errno::EFBIG)?)?;
    fsync(&file)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use nix::fcntl::AT_FDCWD;

    use super::*;

    const OLD: &[u8] = b"old\n";
    const NEW: &[u8] = b"new content\n";

    /// A folder with a file in it, and the file as it was read.
    struct Place {
        folder: tempfile::TempDir,
        path: PathBuf,
        old: Snapshot,
    }

    impl Place {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("f");
            fs::write(&path, OLD).unwrap();
            let old = Snapshot::read(AT_FDCWD, &path, &path, SIZE_LIMIT)
                .unwrap()
                .unwrap();
            Self { folder, path, old }
        }

        fn target(&self) -> Target<'_> {
            Target {
                folder: Folder::at(self.folder.path()),
                name: Path::new("f"),
                path: &self.path,
            }
        }

        fn names(&self) -> usize {
            fs::read_dir(self.folder.path()).unwrap().count()
        }
    }

    const WITH_BACKUP: EditOptions = EditOptions {
        size_limit: SIZE_LIMIT,
        check_only: false,
        backup: true,
        allow_in_place: true,
        new_file: None,
    };

    #[test]
    fn a_change_right_before_the_file_is_written_in_place_is_noticed() {
        let place = Place::new();
        fs::write(&place.path, b"of another program\n").unwrap();
        let written = place.target().write_in_place(&place.old, NEW, WITH_BACKUP);
        assert!(matches!(written, Ok(Replaced::ChangedMeanwhile)));
        assert_eq!(fs::read(&place.path).unwrap(), b"of another program\n");
        assert_eq!(place.names(), 1);
    }

    #[test]
    fn a_change_right_before_the_rename_is_noticed() {
        let place = Place::new();
        fs::write(&place.path, b"of another program\n").unwrap();
        let target = place.target();
        let replaced = target.replace_by_rename(Some(&place.old), NEW, WITH_BACKUP);
        assert!(matches!(replaced, Ok(Replaced::ChangedMeanwhile)));
        assert_eq!(fs::read(&place.path).unwrap(), b"of another program\n");
        assert_eq!(place.names(), 1);
    }

    #[test]
    fn a_file_that_appears_where_none_was_is_noticed() {
        let place = Place::new();
        let options = EditOptions {
            new_file: Some(NewFile {
                owner: place.old.stat.st_uid,
                group: place.old.stat.st_gid,
                mode: 0o600,
            }),
            ..EditOptions::default()
        };
        let replaced = place.target().replace_by_rename(None, NEW, options);
        assert!(matches!(replaced, Ok(Replaced::ChangedMeanwhile)));
        assert_eq!(fs::read(&place.path).unwrap(), OLD);
    }

    #[test]
    fn in_place_the_file_is_written_whole_and_cut_to_its_new_length() {
        for content in [NEW, b"", b"x"] {
            let place = Place::new();
            let written = place
                .target()
                .write_in_place(&place.old, content, WITH_BACKUP);
            let Ok(Replaced::Done {
                backup: Some(backup),
            }) = written
            else {
                panic!("not written");
            };
            assert_eq!(fs::read(&place.path).unwrap(), content);
            assert_eq!(fs::read(place.folder.path().join(backup)).unwrap(), OLD);
        }
    }

    #[test]
    fn a_link_is_not_written_through() {
        let place = Place::new();
        let real = place.folder.path().join("real");
        fs::rename(&place.path, &real).unwrap();
        std::os::unix::fs::symlink("real", &place.path).unwrap();
        match place.target().write_in_place(&place.old, NEW, WITH_BACKUP) {
            Err(FileError::Io { step, errno, .. }) => {
                assert_eq!((step, errno), (Step::Open, Errno::ELOOP));
            }
            _ => panic!("opened"),
        }
        assert_eq!(fs::read(real).unwrap(), OLD);
    }

    #[test]
    fn a_file_that_cannot_be_written_in_place_is_an_error() {
        let place = Place::new();
        let read_only = File::open(&place.path).unwrap();
        assert_eq!(overwrite(read_only, NEW), Err(Errno::EBADF));
        assert_eq!(fs::read(&place.path).unwrap(), OLD);
    }

    #[test]
    fn a_new_file_whose_folder_cannot_be_synced_is_reported_as_changed() {
        let place = Place::new();
        let target = Target {
            folder: Folder::only_named(place.folder.path()),
            ..place.target()
        };
        let replaced = target.replace_by_rename(Some(&place.old), NEW, EditOptions::default());
        match replaced {
            Err(error @ FileError::FolderNotSynced { errno, .. }) => {
                assert_eq!(errno, Errno::EBADF);
                assert!(error.file_was_changed());
            }
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("the folder was not synced"),
        }
        assert_eq!(fs::read(&place.path).unwrap(), NEW);
    }

    #[test]
    fn a_file_is_written_in_place_only_where_it_cannot_be_replaced() {
        let error = |step, errno| FileError::Io {
            step,
            path: "/f".into(),
            errno,
        };
        let reasons = [
            Errno::EBUSY,
            Errno::EXDEV,
            Errno::EROFS,
            Errno::EACCES,
            Errno::EPERM,
        ];
        for errno in reasons {
            assert!(needs_in_place(&error(Step::CreateTemporary, errno)));
            assert!(needs_in_place(&error(Step::Rename, errno)));
            assert!(!needs_in_place(&error(Step::Write, errno)));
            assert!(!needs_in_place(&error(Step::Chown, errno)));
            assert!(!needs_in_place(&error(Step::Backup, errno)));
        }
        for errno in [Errno::ENOSPC, Errno::EIO, Errno::EDQUOT, Errno::ENOENT] {
            assert!(!needs_in_place(&error(Step::CreateTemporary, errno)));
            assert!(!needs_in_place(&error(Step::Rename, errno)));
        }
        assert!(!needs_in_place(&FileError::HardLinked("/f".into())));
    }
}
