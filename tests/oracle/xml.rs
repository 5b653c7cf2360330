//! lxml, in one Python for all questions: what is in an XML document.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{LazyLock, Mutex, PoisonError};

use crate::laws::xml::Element;

static LXML: LazyLock<Mutex<Lxml>> = LazyLock::new(|| Mutex::new(Lxml::start()));

/// The elements of a document as lxml reads them; nothing if it refuses the document.
pub fn lxml(document: &[u8]) -> Option<Vec<Element>> {
    let mut oracle = LXML.lock().unwrap_or_else(PoisonError::into_inner);
    oracle.ask(document)
}

struct Lxml {
    /// Ends by itself when its input does, with this process.
    _process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Lxml {
    fn start() -> Self {
        let repository = env!("CARGO_MANIFEST_DIR");
        let mut process = Command::new(format!("{repository}/target/venv/tools/bin/python"))
            .arg(format!("{repository}/tests/oracle/xml_oracle.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python with lxml, the oracle of these tests, starts; make test installs it");
        Self {
            questions: process.stdin.take().unwrap(),
            answers: BufReader::new(process.stdout.take().unwrap()),
            _process: process,
        }
    }

    fn ask(&mut self, document: &[u8]) -> Option<Vec<Element>> {
        let length = u32::try_from(document.len()).unwrap().to_be_bytes();
        self.questions
            .write_all(&[&length, document].concat())
            .unwrap();
        self.questions.flush().unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).expect("an answer of the oracle")
    }
}
