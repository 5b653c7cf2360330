//! Replacing a file: the ordinary cases, and the faults that need no injection.

use std::cell::Cell;
use std::convert::Infallible;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use aspera_sse::files::{EditError, EditOptions, Edited, FileError, NewFile, Problem, edit};
use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::stat::Mode;
use nix::unistd::{Gid, Uid, chown, mkfifo};
use tempfile::TempDir;
use xattr::FileExt;

const OLD: &[u8] = b"old\n";
const NEW: &[u8] = b"new content\n";

#[test]
fn content_is_replaced_and_mode_and_attributes_are_kept() {
    let (_folder, path) = old_file();
    fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
    File::open(&path)
        .unwrap()
        .set_xattr("user.origin", b"test")
        .unwrap();
    let inode = fs::metadata(&path).unwrap().ino();
    let edited = replace(&path, EditOptions::default()).unwrap();
    assert!(edited.changed);
    assert_eq!(edited.before.as_deref(), Some(OLD));
    assert_eq!(fs::read(&path).unwrap(), NEW);
    let metadata = fs::metadata(&path).unwrap();
    assert_eq!(metadata.mode() & 0o7777, 0o640);
    assert_ne!(metadata.ino(), inode, "replaced, not written in place");
    let attribute = File::open(&path).unwrap().get_xattr("user.origin").unwrap();
    assert_eq!(attribute.as_deref(), Some(&b"test"[..]));
    assert_eq!(names(path.parent().unwrap()), ["f"]);
}

#[test]
#[ignore = "needs root"]
fn owner_and_group_are_kept() {
    let (_folder, path) = old_file();
    chown(&path, Some(Uid::from_raw(12)), Some(Gid::from_raw(34))).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o4755)).unwrap();
    replace(
        &path,
        EditOptions {
            backup: true,
            ..EditOptions::default()
        },
    )
    .unwrap();
    for name in names(path.parent().unwrap()) {
        let metadata = fs::metadata(path.with_file_name(name)).unwrap();
        assert_eq!((metadata.uid(), metadata.gid()), (12, 34));
        assert_eq!(metadata.mode() & 0o7777, 0o4755);
    }
}

#[test]
fn nothing_is_written_when_nothing_changes() {
    let (folder, path) = old_file();
    let before = (state(&path), state(folder.path()));
    let edited = propose(
        &path,
        EditOptions {
            backup: true,
            ..EditOptions::default()
        },
        Some(OLD),
    )
    .unwrap();
    assert!(!edited.changed && edited.backup.is_none());
    propose(&path, EditOptions::default(), None).unwrap();
    let checked = replace(
        &path,
        EditOptions {
            check_only: true,
            ..EditOptions::default()
        },
    )
    .unwrap();
    assert!(checked.changed);
    assert_eq!((state(&path), state(folder.path())), before);
}

#[test]
fn a_symbolic_link_stays_one() {
    let (folder, path) = old_file();
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).unwrap();
    symlink("../f", inner.join("link")).unwrap();
    symlink("inner", folder.path().join("outer")).unwrap();
    let link = folder.path().join("outer/link");
    replace(&link, EditOptions::default()).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::read(&path).unwrap(), NEW);
}

#[test]
fn links_in_a_circle_are_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    symlink("b", &path).unwrap();
    symlink("a", folder.path().join("b")).unwrap();
    assert_eq!(
        file_error(replace(&path, EditOptions::default())),
        Problem::LinkLoop.at(&path)
    );
}

#[test]
#[ignore = "needs root"]
fn a_link_of_another_user_is_not_followed() {
    let (folder, _) = old_file();
    let link = folder.path().join("link");
    symlink("f", &link).unwrap();
    std::os::unix::fs::lchown(&link, Some(12), Some(34)).unwrap();
    assert_eq!(
        file_error(replace(&link, EditOptions::default())),
        Problem::ForeignLink.at(&link)
    );
}

#[test]
fn anything_but_a_regular_file_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("directory")).unwrap();
    mkfifo(&path("fifo"), Mode::S_IRWXU).unwrap();
    let _socket = UnixListener::bind(path("socket")).unwrap();
    for (name, expected) in [
        (path("directory"), "a directory"),
        (path("fifo"), "a FIFO"),
        (path("socket"), "a socket"),
        ("/dev/null".into(), "a device"),
    ] {
        let error = file_error(replace(&name, EditOptions::default()));
        assert_eq!(error.problem, Problem::NotRegular(expected));
    }
}

#[test]
fn hard_links_are_not_separated() {
    let (folder, path) = old_file();
    fs::hard_link(&path, folder.path().join("other")).unwrap();
    for check_only in [false, true] {
        let options = EditOptions {
            check_only,
            ..EditOptions::default()
        };
        assert_eq!(
            file_error(replace(&path, options)),
            Problem::HardLinked.at(&path)
        );
    }
    assert_eq!(fs::read(&path).unwrap(), OLD);
}

#[test]
fn a_missing_file_is_created_only_on_request() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    let error = file_error(replace(&path, EditOptions::default()));
    assert_eq!(error, Problem::Missing.at(&path));
    let owner = fs::metadata(folder.path()).unwrap();
    let new_file = Some(NewFile {
        owner: owner.uid(),
        group: owner.gid(),
        mode: 0o604,
    });
    let options = EditOptions {
        new_file,
        backup: true,
        ..EditOptions::default()
    };
    let edited = replace(&path, options).unwrap();
    assert!(edited.changed && edited.before.is_none() && edited.backup.is_none());
    assert_eq!(fs::read(&path).unwrap(), NEW);
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o604);
    let below = folder.path().join("none/f");
    assert_eq!(
        file_error(replace(&below, options)),
        Problem::Missing.at(&below)
    );
}

#[test]
fn a_backup_is_the_old_file() {
    let (_folder, path) = old_file();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    let edited = replace(
        &path,
        EditOptions {
            backup: true,
            ..EditOptions::default()
        },
    )
    .unwrap();
    let backup = edited.backup.unwrap();
    let name = backup.file_name().unwrap().to_str().unwrap();
    let start = format!("f.{}.20", std::process::id());
    assert!(
        name.starts_with(&start) && name.ends_with('~') && name.contains('@'),
        "{name}"
    );
    assert_eq!(fs::read(&backup).unwrap(), OLD);
    assert_eq!(fs::metadata(&backup).unwrap().mode() & 0o7777, 0o600);
    assert_eq!(names(path.parent().unwrap()).len(), 2);
}

#[test]
fn a_change_by_another_program_is_not_lost() {
    let (_folder, path) = old_file();
    let calls = Cell::new(0);
    let edited = edit(&path, EditOptions::default(), |bytes| {
        calls.set(calls.get() + 1);
        // Another program writes after the file was read and before it is replaced.
        if calls.get() == 1 {
            fs::write(&path, b"theirs\n").unwrap();
        }
        Ok::<_, Infallible>(Some(added(bytes)))
    })
    .unwrap();
    assert!(edited.changed);
    assert_eq!(calls.get(), 2);
    assert_eq!(fs::read(&path).unwrap(), b"theirs\nadded\n");
}

#[test]
fn a_file_that_keeps_changing_is_given_up() {
    let (_folder, path) = old_file();
    let calls = Cell::new(0);
    let result = edit(&path, EditOptions::default(), |bytes| {
        calls.set(calls.get() + 1);
        fs::write(&path, format!("theirs {}\n", calls.get())).unwrap();
        Ok::<_, Infallible>(Some(added(bytes)))
    });
    assert_eq!(file_error(result), Problem::KeepsChanging.at(&path));
    assert_eq!(
        fs::read(&path).unwrap(),
        format!("theirs {}\n", calls.get()).as_bytes()
    );
    assert_eq!(names(path.parent().unwrap()), ["f"]);
}

#[test]
fn the_leftovers_of_a_killed_run_are_removed() {
    let (folder, path) = old_file();
    let left = ".f.aspera-sse-0123456789abcdef";
    fs::write(folder.path().join(left), "half").unwrap();
    let in_use = File::create(folder.path().join(".f.aspera-sse-fedcba9876543210")).unwrap();
    in_use.lock().unwrap();
    fs::write(
        folder.path().join(".g.aspera-sse-0123456789abcdef"),
        "of another file",
    )
    .unwrap();
    replace(&path, EditOptions::default()).unwrap();
    assert_eq!(
        names(folder.path()),
        [
            ".f.aspera-sse-fedcba9876543210",
            ".g.aspera-sse-0123456789abcdef",
            "f"
        ]
    );
}

#[test]
#[ignore = "needs root and namespaces"]
fn a_full_disk_leaves_the_old_file() {
    on_tmpfs("size=8k", |folder| {
        let path = folder.join("f");
        fs::write(&path, OLD).unwrap();
        for content in [vec![b'x'; 5000], vec![b'x'; 50_000]] {
            let error = file_error(propose(&path, EditOptions::default(), Some(&content)));
            let is_full = matches!(error.problem, Problem::Io(_, Errno::ENOSPC));
            assert!(is_full, "{error}");
        }
        assert_eq!(fs::read(&path).unwrap(), OLD);
        assert_eq!(names(folder), ["f"]);
    });
}

#[test]
#[ignore = "needs root and namespaces"]
fn a_read_only_file_system_is_named() {
    on_tmpfs("", |folder| {
        let path = folder.join("f");
        fs::write(&path, OLD).unwrap();
        let flags = MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
        mount(None::<&str>, folder, None::<&str>, flags, None::<&str>).unwrap();
        for allow_in_place in [false, true] {
            let options = EditOptions {
                allow_in_place,
                ..EditOptions::default()
            };
            let error = file_error(replace(&path, options));
            let is_read_only = matches!(error.problem, Problem::Io(_, Errno::EROFS));
            assert!(is_read_only, "{error}");
        }
        assert_eq!(fs::read(&path).unwrap(), OLD);
    });
}

#[test]
#[ignore = "needs root and namespaces"]
fn a_file_that_is_a_mount_is_written_in_place_where_allowed() {
    on_tmpfs("", |folder| {
        let source = folder.join("source");
        let path = folder.join("f");
        fs::write(
            &source,
            [OLD, b"and longer than the new content\n"].concat(),
        )
        .unwrap();
        fs::write(&path, "").unwrap();
        mount(
            Some(&source),
            &path,
            None::<&str>,
            MsFlags::MS_BIND,
            None::<&str>,
        )
        .unwrap();
        let error = file_error(replace(&path, EditOptions::default()));
        let is_busy = matches!(error.problem, Problem::Io(_, Errno::EBUSY));
        assert!(is_busy, "{error}");
        let options = EditOptions {
            allow_in_place: true,
            backup: true,
            ..EditOptions::default()
        };
        let edited = replace(&path, options).unwrap();
        assert_eq!(fs::read(&source).unwrap(), NEW);
        assert!(fs::read(edited.backup.unwrap()).unwrap().starts_with(OLD));
        assert_eq!(names(folder).len(), 3);
    });
}

fn old_file() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("f");
    fs::write(&path, OLD).unwrap();
    (folder, path)
}

fn replace(
    path: &Path,
    options: EditOptions,
) -> Result<Edited<Option<Vec<u8>>>, EditError<Infallible>> {
    propose(path, options, Some(NEW))
}

fn propose(
    path: &Path,
    options: EditOptions,
    content: Option<&[u8]>,
) -> Result<Edited<Option<Vec<u8>>>, EditError<Infallible>> {
    edit(path, options, |_| Ok(content.map(<[u8]>::to_vec)))
}

fn added(bytes: Option<&[u8]>) -> Vec<u8> {
    [bytes.unwrap_or_default(), b"added\n"].concat()
}

fn file_error<T>(result: Result<Edited<T>, EditError<Infallible>>) -> FileError {
    match result {
        Err(EditError::File(error)) => error,
        Err(EditError::Plan(never)) => match never {},
        Ok(_) => panic!("the edit succeeded"),
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn state(path: &Path) -> (u64, i64, i64, i64) {
    let metadata = fs::metadata(path).unwrap();
    (
        metadata.ino(),
        metadata.mtime_nsec(),
        metadata.ctime_nsec(),
        metadata.mtime(),
    )
}

/// Runs a test on a file system of its own, in a mount namespace that ends with its thread.
fn on_tmpfs(options: &str, test: impl FnOnce(&Path) + Send) {
    let folder = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        let run = scope.spawn(|| {
            unshare(CloneFlags::CLONE_NEWNS).unwrap();
            let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
            mount(None::<&str>, "/", None::<&str>, private, None::<&str>).unwrap();
            mount(
                Some("tmpfs"),
                folder.path(),
                Some("tmpfs"),
                MsFlags::empty(),
                Some(options),
            )
            .unwrap();
            test(folder.path());
        });
        if let Err(panic) = run.join() {
            std::panic::resume_unwind(panic);
        }
    });
}
