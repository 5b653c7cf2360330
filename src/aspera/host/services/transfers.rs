//! The transfers that run on a host: each is a process of `ascp`.
//!
//! `ascp` runs under the account of its transfer user, started by sshd or by `asperanoded`. So, other than for a service, any account counts.

use std::path::Path;

use super::host::Host;
use super::identity::{Installation, Part};
use super::processes::living;
use super::visibility::hides_processes;

/// The programs that transfer.
const PROGRAMS: [&[u8]; 2] = [b"ascp", b"ascp4"];

/// What asks `ascp` for its version, as this program does.
const QUESTIONS: [&[u8]; 2] = [b"-A", b"--version"];

/// Returns the number of transfers that run with the programs of an installation, or `None` if that is not known.
pub fn transfers(host: &Host, aspera_root: &Path) -> Option<usize> {
    if hides_processes(host) {
        return None;
    }
    let installation = Installation::of(host, aspera_root, None);
    let mut count = 0;
    for (pid, command_line) in host.command_lines() {
        let Some(command_line) = command_line else {
            if living(host, *pid).is_some() {
                return None;
            }
            continue;
        };
        let Some(transfer) = Transfer::of(command_line) else {
            continue;
        };
        if living(host, *pid).is_none() {
            continue;
        }
        match installation.part(host, *pid, transfer.script) {
            Part::Own => count += 1,
            // It may have ended meanwhile.
            Part::Unknown if host.has_process(*pid) => return None,
            Part::Other | Part::Unknown => {}
        }
    }
    Some(count)
}

/// A process that seems to be a transfer.
#[derive(Debug, PartialEq, Eq)]
struct Transfer<'c> {
    /// The path of the script that an interpreter runs, if it is one.
    script: Option<&'c [u8]>,
}

impl<'c> Transfer<'c> {
    fn of(command_line: &'c [u8]) -> Option<Self> {
        let text = command_line.strip_suffix(b"\0").unwrap_or(command_line);
        let words: Vec<&[u8]> = text.split(|&byte| byte == 0).take(4).collect();
        let is_program = |word: &[u8]| {
            let name = word.rsplit(|&byte| byte == b'/').next();
            PROGRAMS.contains(&name.unwrap_or_default())
        };
        let (script, arguments) = match words.as_slice() {
            [program, arguments @ ..] if is_program(program) => (None, arguments),
            [_, script, arguments @ ..] if script.starts_with(b"/") && is_program(script) => {
                (Some(*script), arguments)
            }
            _ => return None,
        };
        let asks = matches!(arguments, [question] if QUESTIONS.contains(question));
        (!asks).then_some(Self { script })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_of_ascp_is_a_transfer_unless_it_asks_for_the_version() {
        for (command_line, expected) in [
            (&b"ascp\0-T\0file\0host:/\0"[..], true),
            (b"/opt/aspera/bin/ascp\0-T\0", true),
            (b"/opt/aspera/bin/ascp4\0", true),
            (b"/bin/sh\0/opt/aspera/bin/ascp\0-T\0", true),
            (b"/opt/aspera/bin/ascp\0-A\0", false),
            (b"/bin/sh\0/opt/aspera/bin/ascp\0-A\0", false),
            (b"grep\0ascp\0", false),
            (b"/opt/aspera/bin/ascp-helper\0", false),
            (b"", false),
        ] {
            let found = Transfer::of(command_line).is_some();
            assert_eq!(found, expected, "{}", command_line.escape_ascii());
        }
    }
}
