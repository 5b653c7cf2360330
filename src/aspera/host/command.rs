//! Runs a program of the host to ask it something, with a limit on its time and its output.

use std::fs::File;
use std::io::{self, PipeReader, Read};
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::child::{Child, Exit};

/// The time limit for a program that only reports something.
pub const TIME_LIMIT: Duration = Duration::from_secs(5);
/// The limit on the output that is read, in bytes.
const OUTPUT_LIMIT: usize = 1024 * 1024;
/// The intervals between looks at a process whose output has ended. Most end with their output, so the first is short, and each is twice the one before.
const FIRST_INTERVAL: Duration = Duration::from_micros(50);
const LONGEST_INTERVAL: Duration = Duration::from_millis(2);

/// The answer of a program.
#[derive(Debug, PartialEq, Eq)]
pub enum ProgramResult {
    /// It ended in time.
    Ended {
        exit: Exit,
        /// The start of what it wrote.
        output: String,
    },
    /// It was killed when its time was over.
    TimedOut,
    /// It could not be started, or its output could not be read.
    Unavailable,
}

/// A program, and what it writes.
type Running = (Child, PipeReader);

/// A program that was asked and may not have answered yet.
#[derive(Debug)]
pub struct RunningProgram {
    /// The program, or `None` if it could not be started.
    running: Option<Running>,
    asked: Instant,
}

impl RunningProgram {
    /// Starts a program in the C locale and in UTC, without input. Its standard error is dropped.
    pub fn start(program: &Path, arguments: &[&str]) -> Self {
        Self::of(start(program, arguments, false))
    }

    /// Starts a program in the same way. Its standard error is a part of its output.
    pub fn start_with_errors(program: &Path, arguments: &[&str]) -> Self {
        Self::of(start(program, arguments, true))
    }

    fn of(running: io::Result<Running>) -> Self {
        Self {
            running: running.ok(),
            asked: Instant::now(),
        }
    }

    /// Waits for its output and for its end. The limit counts from its start.
    pub fn answer(mut self, time_limit: Duration) -> ProgramResult {
        await_answer(&mut self.running, self.asked + time_limit)
    }
}

#[expect(clippy::disallowed_methods, reason = "a device of the system")]
fn start(program: &Path, arguments: &[&str], with_errors: bool) -> io::Result<Running> {
    // This function drops our end of the pipe for writing, and with it closes it. Otherwise reading would never end.
    let (reader, writer) = io::pipe()?;
    let nothing = File::options().read(true).write(true).open("/dev/null")?;
    let (nothing, writer) = (nothing.as_fd(), writer.as_fd());
    let errors = if with_errors { writer } else { nothing };
    let child = Child::start(program, arguments, [nothing, writer, errors])?;
    Ok((child, reader))
}

/// Kills the program with its session.
impl Drop for RunningProgram {
    fn drop(&mut self) {
        if let Some((child, _)) = self.running.take() {
            child.kill_all();
        }
    }
}

/// Runs a program and waits for the answer.
pub fn ask(program: &Path, arguments: &[&str], time_limit: Duration) -> ProgramResult {
    RunningProgram::start(program, arguments).answer(time_limit)
}

/// Forgets the program when its end was waited for: from then on its number may be that of another process, which nobody must kill.
fn await_answer(running: &mut Option<Running>, deadline: Instant) -> ProgramResult {
    let Some((_, output)) = running else {
        return ProgramResult::Unavailable;
    };
    let Some(output) = read_until(output, deadline) else {
        return if Instant::now() >= deadline {
            ProgramResult::TimedOut
        } else {
            ProgramResult::Unavailable
        };
    };
    let mut interval = FIRST_INTERVAL;
    while let Some((child, pipe)) = running.take() {
        match child.try_wait() {
            Ok(exit) => {
                return ProgramResult::Ended {
                    exit,
                    output: String::from_utf8_lossy(&output).into_owned(),
                };
            }
            Err(child) => *running = Some((child, pipe)),
        }
        if Instant::now() >= deadline {
            break;
        }
        std::thread::sleep(interval);
        interval = LONGEST_INTERVAL.min(interval * 2);
    }
    ProgramResult::TimedOut
}

/// Reads the output to its end, and returns it up to its limit, or `None` if time ran out first. What is beyond the limit is read as well: a program
/// whose output nobody reads is ended by a signal, and its answer is lost.
fn read_until(pipe: &mut PipeReader, deadline: Instant) -> Option<Vec<u8>> {
    let mut output = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        // Also after the deadline, what is there already is read: other programs may have taken the time.
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = PollTimeout::try_from(left).ok()?;
        let mut watched = [PollFd::new(pipe.as_fd(), PollFlags::POLLIN)];
        match poll(&mut watched, timeout) {
            Ok(0) if left.is_zero() => return None,
            Ok(0) | Err(Errno::EINTR) => continue,
            Ok(_) => {}
            Err(_) => return None,
        }
        match pipe.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => {
                let room = OUTPUT_LIMIT - output.len();
                // Such output may have no end.
                if left.is_zero() && room == 0 {
                    return None;
                }
                output.extend_from_slice(&chunk[..count.min(room)]);
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
    Some(output)
}

#[cfg(test)]
mod tests {
    use nix::sys::wait::{Id, WaitPidFlag, waitid};
    use nix::unistd::{Pid, getpgid, getsid};

    use super::*;

    fn shell(script: &str) -> ProgramResult {
        ask(Path::new("/bin/sh"), &["-c", script], TIME_LIMIT)
    }

    #[test]
    fn the_errors_are_a_part_of_the_output_if_they_are_wanted() {
        let arguments = ["-c", "echo a; echo b >&2"];
        let question = RunningProgram::start_with_errors(Path::new("/bin/sh"), &arguments);
        assert_eq!(
            question.answer(TIME_LIMIT),
            ProgramResult::Ended {
                exit: Exit::SUCCESS,
                output: "a\nb\n".to_owned()
            }
        );
    }

    #[test]
    fn the_output_and_the_end_are_reported() {
        let ended = |exit, output: &str| ProgramResult::Ended {
            exit,
            output: output.to_owned(),
        };
        assert_eq!(
            shell("echo $LC_ALL $TZ; echo noise >&2"),
            ended(Exit::SUCCESS, "C UTC\n")
        );
        assert_eq!(shell("echo a; exit 3"), ended(Exit::Status(3), "a\n"));
        assert_eq!(shell("kill -9 $$"), ended(Exit::Signal, ""));
        assert_eq!(shell("cat"), ended(Exit::SUCCESS, ""));
    }

    #[test]
    fn an_answer_that_came_in_time_counts_although_it_is_read_late() {
        let question = RunningProgram::start(Path::new("/bin/sh"), &["-c", "echo a; exit 3"]);
        let (child, _) = question.running.as_ref().unwrap();
        // It stays a zombie.
        let ended = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
        waitid(Id::Pid(child.pid()), ended).unwrap();
        let answer = ProgramResult::Ended {
            exit: Exit::Status(3),
            output: "a\n".to_owned(),
        };
        assert_eq!(question.answer(Duration::ZERO), answer);
    }

    #[test]
    fn a_missing_program_is_unavailable() {
        assert_eq!(
            ask(Path::new("/nonexistent/ascp"), &[], TIME_LIMIT),
            ProgramResult::Unavailable
        );
    }

    /// Waits until a program has written a file of its own, and returns what is in it.
    fn written_by_program(path: &Path) -> String {
        loop {
            match std::fs::read_to_string(path) {
                Ok(text) if text.ends_with('\n') => return text.trim_end().to_owned(),
                _ => std::thread::sleep(LONGEST_INTERVAL),
            }
        }
    }

    #[test]
    fn a_program_that_goes_on_after_its_output_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("closed");
        let script = format!("exec >&-; echo yes >'{}'; exec sleep 60", file.display());
        let question = RunningProgram::start(Path::new("/bin/sh"), &["-c", &script]);
        written_by_program(&file);
        let limit = question.asked.elapsed() + Duration::from_millis(300);
        assert_eq!(question.answer(limit), ProgramResult::TimedOut);
    }

    #[test]
    fn a_program_that_writes_nothing_is_given_up() {
        let question = RunningProgram::start(Path::new("/bin/sh"), &["-c", "exec sleep 60"]);
        let answer = question.answer(Duration::from_millis(50));
        assert_eq!(answer, ProgramResult::TimedOut);
    }

    #[test]
    fn the_children_of_a_program_are_killed_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        let script = format!("sleep 60 & echo $! >'{}'; wait", file.display());
        let question = RunningProgram::start(Path::new("/bin/sh"), &["-c", &script]);
        let started = written_by_program(&file);
        drop(question);
        await_end_of(&started);
    }

    #[test]
    fn what_left_the_process_group_of_a_program_is_killed_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        // With job control, the shell gives each process in the background a group of its own.
        let script = format!("set -m; sleep 60 & echo $! >'{}'; wait", file.display());
        let question = RunningProgram::start(Path::new("/bin/bash"), &["-c", &script]);
        let started = written_by_program(&file);
        let pid = Pid::from_raw(started.parse().unwrap());
        let (child, _) = question.running.as_ref().unwrap();
        assert_eq!(getpgid(Some(pid)), Ok(pid));
        assert_ne!(pid, child.pid());
        drop(question);
        await_end_of(&started);
    }

    #[test]
    fn a_program_has_a_session_of_its_own() {
        let question = RunningProgram::start(Path::new("/bin/sleep"), &["60"]);
        let (child, _) = question.running.as_ref().unwrap();
        let pid = child.pid();
        assert_eq!(getsid(Some(pid)), Ok(pid));
        assert_ne!(getsid(None), Ok(pid));
    }

    #[test]
    fn what_a_program_leaves_behind_is_killed_although_the_program_has_ended() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pid");
        // The process in the background keeps the output open.
        let script = format!("sleep 60 & echo $! >'{}'", file.display());
        let question = RunningProgram::start(Path::new("/bin/sh"), &["-c", &script]);
        let started = written_by_program(&file);
        assert_eq!(
            question.answer(Duration::from_millis(50)),
            ProgramResult::TimedOut
        );
        await_end_of(&started);
    }

    #[test]
    fn a_program_sees_nothing_of_the_environment_of_the_task() {
        let ProgramResult::Ended { output, .. } = ask(Path::new("/usr/bin/env"), &[], TIME_LIMIT)
        else {
            panic!("not ended");
        };
        let mut variables: Vec<&str> = output.lines().collect();
        variables.sort_unstable();
        let expected = ["LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "TZ=UTC"];
        assert_eq!(variables, expected);
    }

    /// Waits until a process is gone or a zombie.
    fn await_end_of(started: &str) {
        let state = || {
            let stat = std::fs::read_to_string(format!("/proc/{started}/stat")).ok()?;
            stat.rsplit_once(") ")?.1.chars().next()
        };
        // Without a signal it ends by itself after a minute: the length of this wait decides, not the speed of the machine.
        let patience = Instant::now() + Duration::from_secs(30);
        while !matches!(state(), None | Some('Z' | 'X')) {
            assert!(Instant::now() < patience, "process {started} still runs");
            std::thread::sleep(LONGEST_INTERVAL);
        }
    }

    #[test]
    fn only_the_start_of_long_output_is_kept_and_the_program_is_not_disturbed() {
        let ProgramResult::Ended { output, exit } = shell("exec head -c 10000000 /dev/zero") else {
            panic!("not ended");
        };
        assert_eq!((exit, output.len()), (Exit::SUCCESS, OUTPUT_LIMIT));
        assert!(output.capacity() <= 2 * OUTPUT_LIMIT);
    }

    #[test]
    fn output_without_end_is_given_up() {
        let question = RunningProgram::start(Path::new("/bin/cat"), &["/dev/zero"]);
        let answer = question.answer(Duration::from_millis(300));
        assert_eq!(answer, ProgramResult::TimedOut);
    }
}
