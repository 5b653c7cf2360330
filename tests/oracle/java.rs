//! `java.util.Properties` itself, in one JVM for all questions.

use std::collections::HashMap;
use std::io::{BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};

/// Keys and values as UTF-16 code units.
pub type Loaded = HashMap<Vec<u16>, Vec<u16>>;

static ORACLE: LazyLock<Mutex<Oracle>> = LazyLock::new(|| Mutex::new(Oracle::start()));

/// What Java loads from a file; nothing if it refuses the file.
pub fn load(file: &[u8]) -> Option<Loaded> {
    // A failed law leaves a poisoned lock, and the oracle between two questions.
    let mut oracle = ORACLE.lock().unwrap_or_else(PoisonError::into_inner);
    oracle.ask(file)
}

struct Oracle {
    /// Ends by itself when its input does, with this process.
    _process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Oracle {
    fn start() -> Self {
        let source = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/oracle/PropertiesOracle.java"
        );
        let mut process = Command::new("java")
            .args([
                "-XX:+UseSerialGC",
                "-XX:-UsePerfData",
                "-Xshare:auto",
                source,
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("java, the oracle of these tests, starts; as root, make test installs it");
        Self {
            questions: process.stdin.take().unwrap(),
            answers: BufReader::new(process.stdout.take().unwrap()),
            _process: process,
        }
    }

    fn ask(&mut self, file: &[u8]) -> Option<Loaded> {
        let length = u32::try_from(file.len()).unwrap().to_be_bytes();
        self.questions.write_all(&[&length, file].concat()).unwrap();
        self.questions.flush().unwrap();
        let count = self.number();
        (count >= 0).then(|| (0..count).map(|_| (self.text(), self.text())).collect())
    }

    fn text(&mut self) -> Vec<u16> {
        let length = usize::try_from(self.number()).unwrap();
        let mut bytes = vec![0; 2 * length];
        self.answers.read_exact(&mut bytes).unwrap();
        bytes
            .chunks(2)
            .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
            .collect()
    }

    fn number(&mut self) -> i32 {
        let mut bytes = [0; 4];
        self.answers.read_exact(&mut bytes).unwrap();
        i32::from_be_bytes(bytes)
    }
}
