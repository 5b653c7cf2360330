//! Whoever owns a folder of the installation exchanges it while root works in it: root reads and writes nothing that he leads it to.

use std::convert::Infallible;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use aspera_sse::files::{EditOptions, NewFile, edit, read};
use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
use tempfile::TempDir;

const ATTACKER: u32 = 64_001;
/// How often the folders are exchanged while root works.
const EXCHANGES: usize = 10_000;
/// How often root works at least.
const EDITS: usize = 200;
const OF_THE_VICTIM: &[u8] = b"of the victim\n";

/// An installation of the attacker's, whose `etc` he exchanges for a link to a folder of root's.
struct Scene {
    _folder: TempDir,
    etc: PathBuf,
    trap: PathBuf,
    victim: PathBuf,
}

impl Scene {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let at = |name: &str| folder.path().join(name);
        let (etc, trap, victim) = (at("aspera/etc"), at("aspera/trap"), at("victim"));
        for place in [&etc, &victim] {
            fs::create_dir_all(place.join("trapd")).unwrap();
        }
        fs::write(etc.join("trapd/s3.properties"), "a=0\n").unwrap();
        fs::write(victim.join("trapd/s3.properties"), OF_THE_VICTIM).unwrap();
        symlink(&victim, &trap).unwrap();
        for own in [
            &at("aspera"),
            &etc,
            &etc.join("trapd"),
            &etc.join("trapd/s3.properties"),
            &trap,
        ] {
            lchown(own, Some(ATTACKER), Some(ATTACKER)).unwrap();
        }
        Self {
            _folder: folder,
            etc,
            trap,
            victim,
        }
    }

    /// Exchanges the folder and the link again and again while root works, and counts how often root got through.
    fn attack(&self, work: impl Fn(usize) -> bool) -> usize {
        let is_over = AtomicBool::new(false);
        let exchanges = AtomicUsize::new(0);
        let mut done = 0;
        thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    let flags = RenameFlags::RENAME_EXCHANGE;
                    renameat2(AT_FDCWD, &self.etc, AT_FDCWD, &self.trap, flags).unwrap();
                    exchanges.fetch_add(1, Ordering::Relaxed);
                }
            });
            // Also where an assertion fails, so that the other thread ends.
            let _over = OnDrop(&is_over);
            let mut turn = 0;
            while turn < EDITS || exchanges.load(Ordering::Relaxed) < EXCHANGES {
                turn += 1;
                done += usize::from(work(turn));
            }
        });
        done
    }

    fn path(&self, name: &str) -> PathBuf {
        self.etc.join("trapd").join(name)
    }

    fn assert_victim_is_untouched(&self) {
        let folder = self.victim.join("trapd");
        let names: Vec<_> = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(names, ["s3.properties"]);
        let file = folder.join("s3.properties");
        assert_eq!(fs::read(&file).unwrap(), OF_THE_VICTIM);
        assert_eq!(fs::metadata(file).unwrap().uid(), 0);
    }
}

/// Says so when it goes out of scope.
struct OnDrop<'f>(&'f AtomicBool);

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn write(path: &Path, turn: usize) -> bool {
    let content = format!("a={turn}\n").into_bytes();
    let options = EditOptions {
        backup: turn.is_multiple_of(50),
        new_file: Some(NewFile {
            owner: ATTACKER,
            group: ATTACKER,
            mode: 0o600,
        }),
        ..EditOptions::default()
    };
    edit(path, options, |_| {
        Ok::<_, Infallible>(Some(content.clone()))
    })
    .is_ok()
}

#[test]
#[ignore = "needs root"]
fn root_writes_nowhere_that_a_link_of_another_leads_to() {
    let names: [fn(usize) -> String; 2] =
        [|_| "s3.properties".to_owned(), |turn| format!("new-{turn}")];
    for name in names {
        let scene = Scene::new();
        let done = scene.attack(|turn| write(&scene.path(&name(turn)), turn));
        assert!(done > 0, "nothing was written at all");
        scene.assert_victim_is_untouched();
    }
}

#[test]
#[ignore = "needs root"]
fn root_reads_no_file_that_a_link_of_another_leads_to() {
    let scene = Scene::new();
    let done = scene.attack(|_| match read(&scene.path("s3.properties")) {
        Ok(content) => {
            assert_ne!(content.as_deref(), Some(OF_THE_VICTIM));
            true
        }
        Err(_) => false,
    });
    assert!(done > 0, "nothing was read at all");
}
