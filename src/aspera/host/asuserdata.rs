//! The vendor's `asuserdata -v`, which validates the configuration.

use std::path::{Path, PathBuf};

use super::child::Exit;
use super::command::{ProgramResult, RunningProgram, TIME_LIMIT};
use super::installation::Installation;
use super::program::{NotRun, Untrusted, trusted_program};
use crate::files::FileError;

/// What `asuserdata -v` says about the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Validity {
    /// It does not refuse it. This proves nothing, because neither its exit status nor its output is documented.
    NotRefused,
    /// It refuses it: it says so, and its exit status is an error.
    Refused,
    /// The installation does not have the program.
    NoProgram,
    /// The program cannot be examined, or something else has its name.
    Unread(FileError),
    /// Others may change the program, so it was not run.
    Untrusted(Untrusted),
    /// It gave no answer.
    Silent(Silence),
}

/// A reason why a program gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silence {
    /// It could not be started.
    NotStarted,
    /// It did not end in time.
    TimedOut,
    /// A signal ended it, or it reported that by its exit status.
    Signal,
    /// It failed with this exit status and does not say that the configuration is invalid: perhaps it could not look at it.
    Failed(u8),
    /// It ended without an error, and says that something is invalid.
    Contradiction,
}

/// A validation that has started and may not have finished.
#[derive(Debug)]
pub struct Validation {
    program: PathBuf,
    question: Result<RunningProgram, Validity>,
}

impl Validation {
    /// Starts the program of the installation below a root.
    pub fn start(aspera_root: &Path) -> Self {
        let program = Installation::at(aspera_root).asuserdata();
        let question = match trusted_program(&program) {
            Ok(real) => Ok(RunningProgram::start_with_errors(&real, &["-v"])),
            Err(NotRun::Missing(_)) => Err(Validity::NoProgram),
            Err(NotRun::Unread(error)) => Err(Validity::Unread(error)),
            Err(NotRun::Untrusted(untrusted)) => Err(Validity::Untrusted(untrusted)),
        };
        Self { program, question }
    }

    /// Returns the path of the program and its answer.
    pub fn finish(self) -> (PathBuf, Validity) {
        let validity = match self.question {
            Ok(question) => validity(&question.answer(TIME_LIMIT)),
            Err(validity) => validity,
        };
        (self.program, validity)
    }
}

/// The vendor documents neither exit status nor output, so an answer counts only where both agree. A shell reports by its exit status that it could not
/// start a program (126 and 127) or that a signal ended it (128 and the number of the signal), and `asuserdata` may be a script.
fn validity(answer: &ProgramResult) -> Validity {
    let (exit, output) = match answer {
        ProgramResult::Ended { exit, output } => (*exit, output),
        ProgramResult::TimedOut => return Validity::Silent(Silence::TimedOut),
        ProgramResult::Unavailable => return Validity::Silent(Silence::NotStarted),
    };
    match (exit, speaks_of_an_invalid_configuration(output)) {
        (Exit::Status(126 | 127), _) => Validity::Silent(Silence::NotStarted),
        (Exit::Status(129..=192) | Exit::Signal, _) => Validity::Silent(Silence::Signal),
        (Exit::SUCCESS, false) => Validity::NotRefused,
        (Exit::SUCCESS, true) => Validity::Silent(Silence::Contradiction),
        (Exit::Status(_), true) => Validity::Refused,
        (Exit::Status(status), false) => Validity::Silent(Silence::Failed(status)),
    }
}

/// Returns whether a text has a word that programs use for input that they refuse.
fn speaks_of_an_invalid_configuration(output: &str) -> bool {
    let output = output.to_ascii_lowercase();
    let words = [
        "invalid",
        "not valid",
        "reject",
        "refuse",
        "malformed",
        "not well-formed",
        "not well formed",
        "syntax error",
        "parse error",
        "parsing error",
        "parser error",
    ];
    words.iter().any(|word| output.contains(word))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn only_exit_status_and_output_that_agree_are_an_answer() {
        let silent = Validity::Silent;
        let (usage, refusal) = ("usage: asuserdata [-u user]", "aspera.conf: Invalid value");
        for (exit, output, expected) in [
            (Exit::Status(0), "", Validity::NotRefused),
            (Exit::Status(0), "Configuration OK", Validity::NotRefused),
            (Exit::Status(0), refusal, silent(Silence::Contradiction)),
            (Exit::Status(1), refusal, Validity::Refused),
            (Exit::Status(1), "", silent(Silence::Failed(1))),
            (Exit::Status(2), usage, silent(Silence::Failed(2))),
            (Exit::Status(125), "file was rejected", Validity::Refused),
            (Exit::Status(126), refusal, silent(Silence::NotStarted)),
            (Exit::Status(127), "", silent(Silence::NotStarted)),
            (Exit::Status(137), "", silent(Silence::Signal)),
            (Exit::Status(139), refusal, silent(Silence::Signal)),
            (Exit::Status(255), "SYNTAX ERROR", Validity::Refused),
            (Exit::Signal, "", silent(Silence::Signal)),
            (Exit::Signal, refusal, silent(Silence::Signal)),
        ] {
            let output = output.to_owned();
            let answer = ProgramResult::Ended { exit, output };
            assert_eq!(validity(&answer), expected, "{answer:?}");
        }
        let found = validity(&ProgramResult::TimedOut);
        assert_eq!(found, silent(Silence::TimedOut));
        let found = validity(&ProgramResult::Unavailable);
        assert_eq!(found, silent(Silence::NotStarted));
    }

    #[test]
    fn a_program_that_is_missing_or_cannot_be_started_gives_no_answer() {
        let root = tempfile::tempdir().unwrap();
        let validity = || Validation::start(root.path()).finish().1;
        assert_eq!(validity(), Validity::NoProgram);
        let program = root.path().join("bin/asuserdata");
        fs::create_dir_all(&program).unwrap();
        assert!(matches!(validity(), Validity::Unread(_)));
        fs::remove_dir(&program).unwrap();
        // One that others may change is not even started: it would leave a trace.
        let trace = root.path().join("trace");
        fs::write(&program, format!("#!/bin/sh\n: >'{}'\n", trace.display())).unwrap();
        for mode in [0o775, 0o757] {
            fs::set_permissions(&program, fs::Permissions::from_mode(mode)).unwrap();
            assert!(matches!(validity(), Validity::Untrusted(_)), "{mode:o}");
            assert!(!trace.exists());
        }
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(validity(), Validity::NotRefused);
        assert!(trace.exists());
        // No program of any format, with and without the permission to run it.
        fs::write(&program, [0; 16]).unwrap();
        for mode in [0o644, 0o755] {
            fs::set_permissions(&program, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(validity(), Validity::Silent(Silence::NotStarted));
        }
    }
}
