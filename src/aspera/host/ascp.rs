//! The version of Aspera, from `ascp`.

use std::path::Path;

use super::command::{ProgramResult, RunningProgram, TIME_LIMIT};
use super::installation::Installation;
use super::program::{NotRun, Untrusted, trusted_program};
use crate::aspera::version::Version;

/// The reason why the version of an installation is not known.
#[derive(Debug, PartialEq, Eq)]
pub enum UnknownVersion {
    /// There is no `bin/ascp` that runs.
    NoAscp,
    /// Others may change `bin/ascp`, so it was not run.
    Untrusted(Untrusted),
    /// It did not end in time.
    TimedOut,
    /// Its output has no version line.
    Unreadable,
}

/// A question to `ascp` for its version, or why it was not asked.
#[derive(Debug)]
pub struct VersionQuery(Result<RunningProgram, UnknownVersion>);

/// Asks `ascp` for the version; [`read_version`] waits for the answer.
pub fn ask_version(aspera_root: &Path) -> VersionQuery {
    let program = trusted_program(&Installation::at(aspera_root).ascp());
    VersionQuery(match program {
        Ok(program) => Ok(RunningProgram::start(&program, &["-A"])),
        Err(NotRun::Untrusted(untrusted)) => Err(UnknownVersion::Untrusted(untrusted)),
        Err(NotRun::Missing(_) | NotRun::Unread(_)) => Err(UnknownVersion::NoAscp),
    })
}

/// Reads the version from the answer of `ascp`.
pub fn read_version(question: VersionQuery) -> Result<Version, UnknownVersion> {
    match question.0?.answer(TIME_LIMIT) {
        ProgramResult::Ended { output, .. } => {
            Version::from_ascp_output(&output).ok_or(UnknownVersion::Unreadable)
        }
        ProgramResult::TimedOut => Err(UnknownVersion::TimedOut),
        ProgramResult::Unavailable => Err(UnknownVersion::NoAscp),
    }
}

/// Reads from the answer of `ascp` whether an installation supports SSE-KMS. Returns an error if it certainly does not, and a warning if that is not known.
pub fn check_kms_support(
    aspera_root: &Path,
    question: VersionQuery,
) -> Result<Option<String>, KmsUnsupported> {
    let ascp = Installation::at(aspera_root).ascp();
    let ascp = ascp.display();
    match read_version(question) {
        Ok(found) if found < Version::first_with_kms() => Err(KmsUnsupported { found }),
        Ok(_) => Ok(None),
        Err(UnknownVersion::NoAscp) => Ok(Some(format!(
            "Could not run {ascp} to learn the version of Aspera. AWS_KMS needs 3.6.1 or later."
        ))),
        Err(UnknownVersion::Untrusted(untrusted)) => Ok(Some(format!(
            "{untrusted} AWS_KMS needs Aspera 3.6.1 or later."
        ))),
        Err(UnknownVersion::TimedOut) => Ok(Some(format!(
            "{ascp} -A did not answer within 5 seconds. AWS_KMS needs Aspera 3.6.1 or later."
        ))),
        Err(UnknownVersion::Unreadable) => Ok(Some(format!(
            "{ascp} -A did not print its version. AWS_KMS needs Aspera 3.6.1 or later."
        ))),
    }
}

/// The error for an installed version that is too old.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "Aspera {found} does not know AWS_KMS, which came with {}. Upgrade Aspera, or use AES256.",
    Version::first_with_kms()
)]
pub struct KmsUnsupported {
    found: Version,
}
