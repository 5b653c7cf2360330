//! A program of the host that runs in a session of its own: it has no terminal of the login, and all that it starts is killed with it.

use std::collections::BTreeSet;
use std::ffi::{CString, NulError};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::errno::Errno;
use nix::libc::POSIX_SPAWN_SETSID;
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawn};
use nix::sys::signal::{SigSet, Signal, kill, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getsid};

use super::names::names;

/// The limit on the looks for processes of a session: one that starts others without end must not hold up the task.
const LOOKS: usize = 20;

/// The environment of a program: nothing of that of the task, in which PATH, `LD_PRELOAD` or `BASH_ENV` could run anything.
const ENVIRONMENT: [&std::ffi::CStr; 3] = [
    c"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
    c"LC_ALL=C",
    c"TZ=UTC",
];

/// A program whose end nobody has waited for. As long as that is so, no other process gets its number.
#[derive(Debug)]
pub(super) struct Child {
    leader: Pid,
}

/// The end of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It ended by itself, with an exit status.
    Status(u8),
    /// A signal ended it.
    Signal,
}

impl Exit {
    /// The exit status of success.
    pub const SUCCESS: Self = Self::Status(0);
}

impl Child {
    /// Starts a program with these files as its standard input, output and error, and no others.
    ///
    /// `std::process::Command` cannot do it: its `setsid` is not stable yet, and calling setsid(2) between fork and exec needs unsafe code.
    pub(super) fn start(
        program: &Path,
        arguments: &[&str],
        files: [BorrowedFd; 3],
    ) -> Result<Self, Errno> {
        let mut actions = PosixSpawnFileActions::init()?;
        // A copy stays open in the program. All files of ours are closed on exec, and what the module inherited is closed already.
        for (number, file) in (0..).zip(files) {
            actions.add_dup2(file.as_raw_fd(), number)?;
        }
        let mut attributes = PosixSpawnAttr::init()?;
        // As Command does it: no signal is blocked, and SIGPIPE, which Rust ignores, ends the program.
        attributes.set_sigmask(&SigSet::empty())?;
        attributes.set_sigdefault(&SigSet::from_iter([Signal::SIGPIPE]))?;
        let new_session = PosixSpawnFlags::from_bits_retain(POSIX_SPAWN_SETSID.into());
        attributes.set_flags(
            new_session
                | PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK
                | PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF,
        )?;
        let words = words(program, arguments).map_err(|_| Errno::EINVAL)?;
        let leader = posix_spawn(program, &actions, &attributes, &words, &ENVIRONMENT)?;
        Ok(Self { leader })
    }

    /// Returns how the program ended, or the program itself if it has not ended.
    pub(super) fn try_wait(self) -> Result<Exit, Self> {
        match waitpid(self.leader, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(_, status)) => {
                Ok(Exit::Status(status.try_into().unwrap_or(u8::MAX)))
            }
            // nix has no name for the signals of real time (EINVAL).
            Ok(WaitStatus::Signaled(..)) | Err(Errno::EINVAL) => Ok(Exit::Signal),
            _ => Err(self),
        }
    }

    /// Kills all processes of the session, whatever process groups they made in it, also where only the program itself has ended.
    pub(super) fn kill_all(self) {
        let _ = killpg(self.leader, Signal::SIGKILL);
        // What was killed stays in the list until its parent takes note.
        let mut killed = BTreeSet::from([self.leader]);
        for _ in 0..LOOKS {
            let others: Vec<Pid> = self.session().filter(|pid| killed.insert(*pid)).collect();
            if others.is_empty() {
                break;
            }
            for pid in others {
                let _ = kill(pid, Signal::SIGKILL);
            }
        }
        while waitpid(self.leader, None) == Err(Errno::EINTR) {}
    }

    /// Returns the processes of the session.
    fn session(&self) -> impl Iterator<Item = Pid> {
        let leader = self.leader;
        let pids = names(Path::new("/proc")).into_iter();
        let pids = pids.filter_map(|name| name.parse().ok().map(Pid::from_raw));
        pids.filter(move |pid| getsid(Some(*pid)) == Ok(leader))
    }

    #[cfg(test)]
    pub(super) fn pid(&self) -> Pid {
        self.leader
    }
}

fn words(program: &Path, arguments: &[&str]) -> Result<Vec<CString>, NulError> {
    let arguments = arguments.iter().map(|argument| argument.as_bytes());
    [program.as_os_str().as_bytes()]
        .into_iter()
        .chain(arguments)
        .map(CString::new)
        .collect()
}
