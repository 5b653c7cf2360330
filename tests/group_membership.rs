//! What the audit says for certain of the members of groups, against what the C library of this machine says (`id`, `getent`).
//!
//! The library reads `/etc/passwd` and `/etc/group`, so each test puts files of its own there, in a mount namespace that ends with it.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use aspera_sse::aspera::host::OsAccounts;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tempfile::TempDir;

const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\na:x:1000:100::/:/bin/sh\n";
const GROUP: &str = "root:x:0:\nusers:x:100:\n";

/// Files of accounts that the C library reads instead of those of the machine.
struct Files(TempDir);

impl Files {
    /// Runs a test in a mount namespace of its own.
    fn test(test: impl FnOnce(&Self) + Send) {
        let files = Self(tempfile::tempdir().unwrap());
        fs::create_dir(files.path("etc")).unwrap();
        files.write(PASSWD.as_bytes(), GROUP.as_bytes());
        // No directory and no cache, which may know other accounts.
        fs::write(
            files.path("etc/nsswitch.conf"),
            "passwd: files\ngroup: files\n",
        )
        .unwrap();
        std::thread::scope(|scope| {
            let run = scope.spawn(|| {
                unshare(CloneFlags::CLONE_NEWNS).unwrap();
                let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
                mount(None::<&str>, "/", None::<&str>, private, None::<&str>).unwrap();
                for name in ["etc/passwd", "etc/group", "etc/nsswitch.conf"] {
                    let place = Path::new("/").join(name);
                    let from = files.path(name);
                    mount(
                        Some(&from),
                        &place,
                        None::<&str>,
                        MsFlags::MS_BIND,
                        None::<&str>,
                    )
                    .unwrap();
                }
                test(&files);
            });
            if let Err(panic) = run.join() {
                std::panic::resume_unwind(panic);
            }
        });
    }

    fn path(&self, below: &str) -> PathBuf {
        self.0.path().join(below)
    }

    /// Writes in place: another file would not be the mounted one.
    fn write(&self, passwd: &[u8], group: &[u8]) {
        fs::write(self.path("etc/passwd"), passwd).unwrap();
        fs::write(self.path("etc/group"), group).unwrap();
    }

    /// Returns whether the audit is certain that the user `a` is in the group `g`, or is not.
    fn answer_of_audit(&self) -> Option<bool> {
        let found = OsAccounts::read(self.0.path());
        assert!(found.unread.is_empty(), "{:?}", found.unread);
        let members = found.accounts.members("g")?;
        let is_certain = found.accounts.is_local("a");
        is_certain.then(|| members.contains(&"a"))
    }
}

/// Returns whether the user `a` is in the group `g` for the C library, or `None` if it does not know one of them.
fn answer_of_library() -> Option<bool> {
    let entry = output(Command::new("getent").args(["group", "g"]))?;
    let number = entry.split(':').nth(2)?.to_owned();
    let numbers = output(Command::new("id").args(["-G", "a"]))?;
    Some(numbers.split_ascii_whitespace().any(|one| one == number))
}

fn output(command: &mut Command) -> Option<String> {
    let output = command.output().unwrap();
    let is_success = output.status.success();
    is_success.then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
#[ignore = "needs root"]
fn files_in_the_usual_form_are_certain() {
    Files::test(|files| {
        for (primary, group, is_member) in [
            (100, "g:x:200:\n", false),
            (100, "g:x:200:a\n", true),
            (100, "g:x:200:b,a\n", true),
            (100, "g:x:200:b\n", false),
            (200, "g:x:200:\n", true),
            (100, "# g:x:201:a\n\n# the group g: see\ng:x:200:", false),
            (
                100,
                "# g:x:200:\n# g: number: 200 or so: a\ng:x:200:\n",
                false,
            ),
            (100, "# g:x:200abc:a\n#g:x:-200:a\ng:x:200:\n", false),
        ] {
            let passwd = format!("root:x:0:0::/:/bin/sh\na:x:1000:{primary}::/:/bin/sh\n");
            files.write(passwd.as_bytes(), format!("{GROUP}{group}").as_bytes());
            let answers = (files.answer_of_audit(), answer_of_library());
            assert_eq!(
                answers,
                (Some(is_member), Some(is_member)),
                "{primary} {group}"
            );
        }
    });
}

/// Each of these files has been read in another way than the C library reads it.
#[test]
#[ignore = "needs root"]
fn files_that_the_library_reads_in_its_own_way_are_not_certain() {
    Files::test(|files| {
        for (passwd, group, of_library) in [
            (PASSWD, "g:x:200:\ng:x:200:a\n", Some(true)),
            (PASSWD, "g:x:200:\ng2:x:200:a\n", Some(true)),
            (PASSWD, "g:x:0200:a\n", Some(true)),
            (PASSWD, "g:x:200:\ng2:x:0200:a\n", Some(true)),
            (PASSWD, "g:x:200: a\n", Some(true)),
            (PASSWD, "g:x:200:\n# g:x:200:a\n", Some(true)),
            (PASSWD, "  # any text: : 0200:a\ng:x:200:\n", Some(true)),
            (PASSWD, "g:x:4294967295:a\n", Some(true)),
            (PASSWD, " g:x:200:a\n", Some(true)),
            (PASSWD, "g:x:200:a\r\n", Some(false)),
            (PASSWD, "g:\0:200:a\n", None),
            (PASSWD, "g:x:200\n", Some(false)),
            (PASSWD, "g:x:200:\n+:::\n", Some(false)),
            ("  a:x:1000:200::/:/bin/sh\n", "g:x:200:\n", Some(true)),
            ("a:x:1000:200\n", "g:x:200:\n", Some(true)),
            // id(1) looks at the first user with the id.
            (
                "b:x:1000:200::/:/bin/sh\na:x:1000:201::/:/bin/sh\n",
                "g:x:200:\n",
                Some(true),
            ),
            ("a:\0:1000:200::/:/bin/sh\n", "g:x:200:\n", None),
            (
                "a:x:1000:100::/:/bin/sh\n+::::::\n",
                "g:x:200:\n",
                Some(false),
            ),
        ] {
            files.write(passwd.as_bytes(), format!("{GROUP}{group}").as_bytes());
            let answers = (files.answer_of_audit(), answer_of_library());
            assert_eq!(answers, (None, of_library), "{passwd:?} {group:?}");
        }
    });
}

/// Whatever the files are, a certain answer is the one of the library.
#[test]
#[ignore = "needs root"]
fn no_certain_answer_is_another_than_that_of_the_library() {
    let usual = |usual: &[&'static str], rare: &[&'static str]| {
        let (usual, rare) = (usual.to_owned(), rare.to_owned());
        prop_oneof![25 => prop::sample::select(usual), 1 => prop::sample::select(rare)]
    };
    let number = || {
        usual(
            &["200", "201"],
            &["0200", " 200", "+200", "-200", "", "4294967496", "200x"],
        )
    };
    let end = || usual(&["\n"], &["\r\n", "\n\n", " \n", ":\n", ""]);
    let group = (
        usual(
            &["g", "g", "h"],
            &[" g", "+g", "-g", "+", "#g", "# h", "g ", ""],
        ),
        usual(&["x", ""], &["\0", "\u{b}", "x:x"]),
        number(),
        usual(
            &["", "a", "b", "b,a"],
            &["b, a", "a ", "a,", ",", "a\tb", "b:a", "\0a"],
        ),
        end(),
    );
    let group = group.prop_map(|(name, password, number, members, end)| {
        format!("{name}:{password}:{number}:{members}{end}")
    });
    let passwd = (
        usual(&["a", "a", "b"], &[" a", "+a", "-a", "#a", "a\0", ""]),
        usual(&["x:1000"], &["x", "\0:1000", "x:01000", "x: 1000"]),
        number(),
        usual(
            &["::/:/bin/sh"],
            &[":\0:/:/bin/sh", "", ":", "::/:/bin/sh:"],
        ),
        end(),
    );
    let passwd = passwd
        .prop_map(|(name, user, number, rest, end)| format!("{name}:{user}:{number}{rest}{end}"));
    let lists = (
        prop::collection::vec(passwd, 1..3),
        prop::collection::vec(group, 1..4),
    );
    Files::test(|files| {
        let config = ProptestConfig {
            failure_persistence: None,
            ..ProptestConfig::with_cases(1_000)
        };
        let certain = Cell::new([0, 0]);
        let mut runner = TestRunner::new(config);
        let result = runner.run(&lists, |(passwd, group)| {
            files.write(passwd.concat().as_bytes(), group.concat().as_bytes());
            if let Some(answer) = files.answer_of_audit() {
                let mut answers = certain.get();
                answers[usize::from(answer)] += 1;
                certain.set(answers);
                prop_assert_eq!(Some(answer), answer_of_library());
            }
            Ok(())
        });
        result.unwrap();
        // Otherwise the test would say nothing.
        let answers = certain.get();
        assert!(answers.iter().all(|count| *count > 10), "{answers:?}");
    });
}
