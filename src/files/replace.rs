//! Putting new content in the place of a file.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::{Mode, fstat};
use nix::unistd::{fsync, ftruncate};

use super::backup::Backup;
use super::error::{During, Problem, Step, errno_of};
use super::folder::Folder;
use super::location::Place;
use super::metadata;
use super::options::EditOptions;
use super::snapshot::{self, Snapshot};
use super::temporary::{self, Temporary};

/// The place of the file in its open, locked folder.
pub(super) struct Target<'p> {
    folder: Folder,
    name: &'p Path,
}

/// What became of a file that was to be replaced.
pub(super) enum Replaced {
    /// The new one is in its place. The backup is given by its name.
    Done { backup: Option<PathBuf> },
    /// Another program changed it, so it was left alone.
    ChangedMeanwhile,
}

impl<'p> Target<'p> {
    pub(super) fn open(place: &'p Place) -> Result<Self, Problem> {
        Ok(Self {
            folder: Folder::open(place)?,
            name: &place.name,
        })
    }

    pub(super) fn folder(&self) -> &File {
        &self.folder.handle
    }

    /// Removes temporary files that a killed run left.
    pub(super) fn sweep(&self, old: Option<&Snapshot>) {
        let file_owner = old.map(|old| old.stat.st_uid);
        self.folder.sweep(&temporary::prefix(self.name), file_owner);
    }

    /// Returns whether the file is still the one that was read, or is still missing.
    pub(super) fn is_current(&self, old: Option<&Snapshot>) -> Result<bool, Problem> {
        match old {
            Some(old) => old.is_current(&self.folder.handle, self.name),
            None => snapshot::is_missing(&self.folder.handle, self.name),
        }
    }

    /// Returns why the folder was not locked, if it was not.
    pub(super) fn into_warning(self) -> Option<String> {
        self.folder.warning
    }

    /// Puts new content in the place of the old file.
    pub(super) fn replace(
        &self,
        old: Option<&Snapshot>,
        content: &[u8],
        options: EditOptions,
    ) -> Result<Replaced, Problem> {
        match (self.replace_by_rename(old, content, options), old) {
            (Err(problem), Some(old)) if options.allow_in_place && needs_in_place(&problem) => {
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
    ) -> Result<Replaced, Problem> {
        let mut new = Temporary::create(&self.folder, self.name)?;
        match (old, options.new_file) {
            (Some(old), _) => metadata::copy(old, &new.file)?,
            (None, Some(wanted)) => metadata::set(wanted, &new.file)?,
            (None, None) => return Err(Problem::Missing),
        }
        new.fill(content)?;
        if !self.is_current(old)? {
            return Ok(Replaced::ChangedMeanwhile);
        }
        let backup = self.backup(old, options)?;
        new.rename_to(self.name).during(Step::Rename)?;
        let backup = backup.map(Backup::keep);
        self.folder.sync().map_err(Problem::FolderNotSynced)?;
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
    ) -> Result<Replaced, Problem> {
        // The file may have been exchanged meanwhile. The program must neither wait for the new one nor write into it.
        let flags = OFlag::O_WRONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let file =
            openat(&self.folder.handle, self.name, flags, Mode::empty()).during(Step::Open)?;
        let opened = fstat(&file).during(Step::Open)?;
        let is_same = (opened.st_dev, opened.st_ino) == (old.stat.st_dev, old.stat.st_ino);
        if !is_same || !self.is_current(Some(old))? {
            return Ok(Replaced::ChangedMeanwhile);
        }
        let backup = self.backup(Some(old), options)?.map(Backup::keep);
        match overwrite(File::from(file), content) {
            Ok(()) => Ok(Replaced::Done { backup }),
            Err(errno) => Err(Problem::BrokenInPlace { errno, backup }),
        }
    }

    fn backup(
        &self,
        old: Option<&Snapshot>,
        options: EditOptions,
    ) -> Result<Option<Backup<'_>>, Problem> {
        match old {
            Some(old) if options.backup => Backup::make(&self.folder, old, self.name).map(Some),
            _ => Ok(None),
        }
    }
}

/// Returns whether a file cannot be replaced but may be writable in place: a mount of its own, or a folder that accepts no new file.
fn needs_in_place(problem: &Problem) -> bool {
    matches!(
        problem,
        Problem::Io(
            Step::CreateTemporary | Step::Rename,
            Errno::EBUSY | Errno::EXDEV | Errno::EROFS | Errno::EACCES | Errno::EPERM,
        )
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

    use super::super::metadata::NewFile;
    use super::super::snapshot::SIZE_LIMIT;
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
            let old = Snapshot::read(AT_FDCWD, &path, SIZE_LIMIT)
                .unwrap()
                .unwrap();
            Self { folder, path, old }
        }

        fn target(&self) -> Target<'_> {
            Target {
                folder: Folder::at(self.folder.path()),
                name: Path::new("f"),
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
            Err(Problem::Io(step, errno)) => {
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
            Err(problem @ Problem::FolderNotSynced(errno)) => {
                assert_eq!(errno, Errno::EBADF);
                assert!(problem.at(&place.path).file_was_changed());
            }
            Err(other) => panic!("{other:?}"),
            Ok(_) => panic!("the folder was not synced"),
        }
        assert_eq!(fs::read(&place.path).unwrap(), NEW);
    }

    #[test]
    fn a_file_is_written_in_place_only_where_it_cannot_be_replaced() {
        let error = Problem::Io;
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
        assert!(!needs_in_place(&Problem::HardLinked));
    }
}
