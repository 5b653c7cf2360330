//! The vendor's `asconfigurator`, in the form that the vendor's reference documents: `-x "set_user_data;user_name,U;absolute,URI"`.

use std::path::Path;
use std::time::Duration;

use super::child::Exit;
use super::command::{ProgramResult, ask};
use crate::aspera::docroot::{DocrootUri, Scope};

/// The time limit. If it is killed while it writes, it may leave half a file, so this is far more than it needs.
const TIME_LIMIT: Duration = Duration::from_mins(2);

/// An instruction for `asconfigurator`: one docroot.
#[derive(Debug)]
pub struct Instruction(String);

/// The reason why a docroot cannot be given to `asconfigurator`.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InstructionError {
    /// Credentials in the docroot: every user of the host can read the command line.
    #[error(
        "method: asconfigurator puts the docroot of {0} on a command line, which every user of the host can read, and the docroot holds credentials or options that may be secret. Use method: file."
    )]
    Credentials(Scope),
    /// A separator in the name or docroot: `asconfigurator` would split the instruction at the wrong place.
    #[error(
        "asconfigurator splits its instruction at ; and , and the name or the docroot of {0} contains one of them. Use method: file."
    )]
    Separator(Scope),
}

/// The result of a run without success.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsuccessful {
    /// It could not be started.
    #[error("could not be started")]
    NotStarted,
    #[error("did not end within 120 seconds and was killed, perhaps while it was writing")]
    TimedOut,
    /// It ended with an error status.
    #[error("ended with an error")]
    ExitStatus,
    /// It did not report success. In practice the exit status is not reliable, so its output must report success.
    #[error("did not report success")]
    NoSuccess,
}

impl Instruction {
    /// Creates the instruction to give a scope a docroot.
    pub fn new(scope: &Scope, uri: &DocrootUri) -> Result<Self, InstructionError> {
        // What is masked anywhere else has no place on a command line either.
        if uri.may_hold_credentials() || uri.masked(None) != uri.text() {
            return Err(InstructionError::Credentials(scope.clone()));
        }
        let name = scope.name().unwrap_or_default();
        let is_separator = |c: char| matches!(c, ';' | ',') || c.is_control();
        if name.contains(is_separator) || uri.text().contains(is_separator) {
            return Err(InstructionError::Separator(scope.clone()));
        }
        let whose = match scope {
            Scope::User(name) => format!("set_user_data;user_name,{name}"),
            Scope::Group(name) => format!("set_group_data;group_name,{name}"),
            Scope::Global => "set_node_data".to_owned(),
        };
        Ok(Self(format!("{whose};absolute,{}", uri.text())))
    }

    /// Has `asconfigurator` carry it out. Its output is not passed on, because it may contain anything.
    pub fn carry_out(&self, program: &Path) -> Result<(), Unsuccessful> {
        self.carry_out_within(program, TIME_LIMIT)
    }

    fn carry_out_within(&self, program: &Path, limit: Duration) -> Result<(), Unsuccessful> {
        match ask(program, &["-x", &self.0], limit) {
            ProgramResult::Ended {
                exit: Exit::SUCCESS,
                output,
            } if output.contains("success") => Ok(()),
            ProgramResult::Ended {
                exit: Exit::SUCCESS,
                ..
            } => Err(Unsuccessful::NoSuccess),
            ProgramResult::Ended { .. } => Err(Unsuccessful::ExitStatus),
            ProgramResult::TimedOut => Err(Unsuccessful::TimedOut),
            ProgramResult::Unavailable => Err(Unsuccessful::NotStarted),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_program_that_hangs_is_killed_and_the_sentence_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("asconfigurator");
        // Another process writes the script: the kernel runs no file that a program of a test beside this one has inherited open for writing.
        let write = "printf '#!/bin/sh\necho success\nexec sleep 600\n' >\"$0\"; chmod 755 \"$0\"";
        let writer = Command::new("sh")
            .args(["-c", write])
            .arg(&program)
            .status();
        assert!(writer.unwrap().success());
        let uri = DocrootUri::new("s3://h/b");
        let instruction = Instruction::new(&Scope::Global, &uri).unwrap();
        let unsuccessful = instruction
            .carry_out_within(&program, Duration::from_millis(500))
            .unwrap_err();
        assert_eq!(unsuccessful, Unsuccessful::TimedOut);
        let seconds = format!("within {} seconds", TIME_LIMIT.as_secs());
        let sentence = unsuccessful.to_string();
        assert!(sentence.contains(&seconds), "{sentence}");
        assert!(
            sentence.contains("killed, perhaps while it was writing"),
            "{sentence}"
        );
    }

    #[test]
    fn the_documented_form_is_used() {
        let instruction = |scope: Scope, uri: &str| {
            let uri = DocrootUri::new(uri);
            Instruction::new(&scope, &uri).map(|instruction| instruction.0)
        };
        let user = || Scope::User("xfer".to_owned());
        assert_eq!(
            instruction(user(), "s3://h/b?server-side-encryption=AES256").unwrap(),
            "set_user_data;user_name,xfer;absolute,s3://h/b?server-side-encryption=AES256"
        );
        assert_eq!(
            instruction(Scope::Group("g".to_owned()), "s3://h/b").unwrap(),
            "set_group_data;group_name,g;absolute,s3://h/b"
        );
        assert_eq!(
            instruction(Scope::Global, "s3://h/b").unwrap(),
            "set_node_data;absolute,s3://h/b"
        );
        for uri in [
            "s3://k:s@h/b",
            "s3://k:s",
            "s3://k%3As%40h/b",
            "s3://h/b?x=a@b",
            "s3://h/b?secret-access-key=s",
        ] {
            let error = instruction(user(), uri).unwrap_err();
            assert_eq!(error, InstructionError::Credentials(user()), "{uri}");
        }
        for (name, uri) in [("a;b", "s3://h"), ("a", "s3://h/b;c"), ("a", "s3://h/b,c")] {
            let error = instruction(Scope::User(name.to_owned()), uri).unwrap_err();
            assert!(
                matches!(error, InstructionError::Separator(_)),
                "{name} {uri}"
            );
        }
    }
}
