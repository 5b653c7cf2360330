//! Letting another program write a file: whose content the plan is made from, and what is read afterwards.

use std::cell::Cell;
use std::convert::Infallible;
use std::fs;
use std::path::{Path, PathBuf};

use aspera_sse::files::{EditError, EditedByProgram, Problem, edit_by_program};
use tempfile::TempDir;

const OLD: &[u8] = b"old\n";

type Written = Result<EditedByProgram<(), ()>, EditError<Infallible>>;

fn old_file() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    fs::write(&path, OLD).unwrap();
    (folder, path)
}

fn let_program_write(path: &Path, backup: bool, content: &[u8]) -> Written {
    let plan = |_: Option<&[u8]>| Ok(((), true));
    edit_by_program(path, backup, plan, |()| fs::write(path, content).unwrap())
}

#[test]
fn what_the_program_wrote_is_read_again() {
    let (folder, path) = old_file();
    let written = let_program_write(&path, true, b"new\n").unwrap();
    assert_eq!(
        (written.before.as_slice(), written.after.as_slice()),
        (OLD, &b"new\n"[..])
    );
    assert!(written.changed() && written.outcome.is_some() && written.warnings.is_empty());
    let backup = written.backup.unwrap();
    assert_eq!(fs::read(&backup).unwrap(), OLD);
    assert_eq!(backup.parent(), Some(folder.path()));
}

#[test]
fn a_program_that_writes_the_same_changes_nothing() {
    let (_folder, path) = old_file();
    let written = let_program_write(&path, false, OLD).unwrap();
    assert!(!written.changed() && written.outcome.is_some() && written.backup.is_none());
}

#[test]
fn a_program_that_removes_the_file_leaves_nothing() {
    let (_folder, path) = old_file();
    let plan = |_: Option<&[u8]>| Ok::<_, Infallible>(((), true));
    let written =
        edit_by_program(&path, false, plan, |()| fs::remove_file(&path).unwrap()).unwrap();
    assert!(written.changed() && written.after.is_empty());
}

#[test]
fn where_the_plan_is_not_to_write_nobody_writes() {
    let (folder, path) = old_file();
    let plan = |_: Option<&[u8]>| Ok::<_, Infallible>(((), false));
    let write = |()| panic!("written");
    let written = edit_by_program(&path, true, plan, |&()| write(())).unwrap();
    assert!(!written.changed() && written.outcome.is_none() && written.backup.is_none());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_change_between_the_plan_and_the_lock_is_planned_for_again() {
    for wants_to_write in [true, false] {
        let (_folder, path) = old_file();
        let calls = Cell::new(0);
        let plan = |bytes: Option<&[u8]>| {
            calls.set(calls.get() + 1);
            if calls.get() == 1 {
                // Another program writes after the file was read, and before it is locked.
                fs::write(&path, "theirs\n").unwrap();
                return Ok::<_, Infallible>((bytes.unwrap().to_vec(), true));
            }
            Ok((bytes.unwrap().to_vec(), wants_to_write))
        };
        let written = edit_by_program(&path, true, plan, |_| ()).unwrap();
        assert_eq!(calls.get(), 2);
        assert_eq!(written.plan, b"theirs\n");
        assert_eq!(written.before, b"theirs\n");
        assert_eq!(written.outcome.is_some(), wants_to_write);
        assert_eq!(written.backup.is_some(), wants_to_write);
        assert!(!written.changed());
    }
}

#[test]
fn a_missing_file_is_planned_for_and_an_error() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().join("f"), folder.path().join("none/f")] {
        let calls = Cell::new(0);
        let plan = |bytes: Option<&[u8]>| {
            assert_eq!(bytes, None);
            calls.set(calls.get() + 1);
            Ok::<_, Infallible>(((), true))
        };
        let error = edit_by_program(&path, false, plan, |&()| panic!("written")).err();
        match error {
            Some(EditError::File(error)) => assert_eq!(error, Problem::Missing.at(&path)),
            other => panic!("{other:?}"),
        }
        assert_eq!(calls.get(), 1);
    }
}
