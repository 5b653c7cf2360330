//! One run of a module, from the first read of the arguments to the one line of JSON.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::panic::{self, PanicHookInfo};
use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;

use super::arguments::Arguments;
use super::arguments_error::ArgumentsError;
use super::ascii_json;
use super::descriptors;
use super::log::log_invocation;
use super::memory;
use super::message::{self, TaskSettings};
use super::option::{OptionDefault, OptionSpec};
use super::outcome::{Failure, Invocation, Outcome, Report};
use super::size_limit;
use crate::subject::subject;

/// The most that is read as arguments, in bytes.
const ARGUMENTS_LIMIT: u64 = 67_108_864;

/// A module: its options and what it does.
pub trait Module: 'static {
    /// The name of the module.
    const NAME: &'static str;
    /// What it is for, in one sentence.
    const PURPOSE: &'static str;
    /// The options that a task may give.
    const OPTIONS: &'static [OptionSpec];

    /// What to do about all others if the work on one subject ends in a panic, in one sentence.
    const IF_ONE_FAILS: &'static str = "";

    /// The keys of its result beside those that every module has.
    type Values: Serialize;

    /// Does what the task asks for.
    fn run(task: &Task) -> anyhow::Result<Outcome<Self::Values>>;
}

/// What a module is asked to do.
#[derive(Debug)]
pub struct Task {
    /// The options of the task.
    pub arguments: Arguments,
    /// What Ansible passes beside them.
    pub settings: TaskSettings,
}

impl Task {
    /// Reads what Ansible sends to a module.
    pub fn read<M: Module>(text: &[u8]) -> Result<Self, ArgumentsError> {
        let (options, settings) = message::parse(text)?;
        Ok(Self {
            arguments: Arguments::new(&options, M::OPTIONS, settings.ignore_unknown_options)?,
            settings,
        })
    }
}

/// Runs a module as the whole program: with a file of arguments, with `-` for arguments on standard input, with the arguments themselves (which begin
/// with a brace), or for a person who wants to know what it is.
///
/// The exit status is 0 or 1, never 255, which Ansible takes for a lost connection.
pub fn run<M: Module>() -> ExitCode {
    let mut words = std::env::args_os().skip(1);
    let first = words.next();
    match first.as_deref().and_then(|word| word.to_str()) {
        Some("--help" | "-h") => print(help::<M>().as_bytes(), true),
        Some("--version") => {
            let version = format!("{} {}\n", M::NAME, env!("CARGO_PKG_VERSION"));
            print(version.as_bytes(), true)
        }
        _ => match first {
            Some(source) => run_task::<M>(&source),
            None => print(help::<M>().as_bytes(), false),
        },
    }
}

fn run_task<M: Module>(source: &OsStr) -> ExitCode {
    memory::forbid_core_files();
    memory::prepare_answer(out_of_memory::<M>());
    size_limit::block_sigxfsz();
    panic::set_hook(Box::new(report_panic::<M>));
    let task = match prepare::<M>(source) {
        Ok(task) => task,
        Err(error) => return report_failure::<M>(error, None),
    };
    descriptors::close_inherited();
    let masked = task.arguments.masked(M::OPTIONS);
    log_invocation(M::NAME, &masked, &task.settings);
    let result = M::run(&task);
    let invocation = task.settings.inject_invocation.then_some(Invocation {
        module_args: &masked,
    });
    match result {
        Ok(outcome) => {
            let status = report(&Report::of_success(&outcome, invocation));
            // The process ends here, and the kernel takes back memory faster than it can be given back piece by piece.
            std::mem::forget(outcome);
            status
        }
        Err(error) => report_failure::<M>(error, invocation),
    }
}

fn prepare<M: Module>(source: &OsStr) -> anyhow::Result<Task> {
    let text = if source.as_bytes().starts_with(b"{") {
        source.as_bytes().to_vec()
    } else {
        read_arguments(Path::new(source))?
    };
    Ok(Task::read::<M>(&text)?)
}

#[expect(
    clippy::disallowed_methods,
    reason = "Ansible names the file, and its owner is who runs us"
)]
fn read_arguments(source: &Path) -> Result<Vec<u8>, Failure> {
    let read = if source == Path::new("-") {
        read_limited(io::stdin())
    } else {
        File::open(source).and_then(read_limited)
    };
    match read {
        Ok(text) if text.len() as u64 <= ARGUMENTS_LIMIT => Ok(text),
        Ok(_) => Err(Failure::new(
            "The arguments are larger than 64 MiB. Shorten them.",
        )),
        Err(error) => Err(Failure::new(format!(
            "Could not read the file with the arguments: {}. Run the module through Ansible; --help says more.",
            error.kind()
        ))),
    }
}

/// One byte more than the limit shows that there are more.
fn read_limited(source: impl Read) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    source.take(ARGUMENTS_LIMIT + 1).read_to_end(&mut text)?;
    Ok(text)
}

fn report_failure<M: Module>(error: anyhow::Error, invocation: Option<Invocation>) -> ExitCode {
    let failure = error
        .downcast()
        .unwrap_or_else(|error| Failure::new(error.to_string()));
    report(&Report::<M::Values>::of_failure(&failure, invocation))
}

/// Says file and line of our code, and what was being worked on, and no more: the message of a panic may hold a piece of the data.
fn report_panic<M: Module>(panic: &PanicHookInfo<'_>) {
    let place = match panic.location() {
        Some(location) => format!("{} line {}", location.file(), location.line()),
        None => "an unknown place".to_owned(),
    };
    let (about, remedy) = match subject() {
        Some(subject) => (format!(", while it worked on {subject}"), M::IF_ONE_FAILS),
        None => (String::new(), ""),
    };
    let failure = Failure::new(format!(
        "{} {} hit an internal error, in {place}{about}. Please report this line. A file that it was editing is either unchanged or \
         completely replaced. {remedy}",
        M::NAME,
        env!("CARGO_PKG_VERSION"),
    ).trim_end());
    report(&Report::<M::Values>::of_failure(&failure, None));
    std::process::exit(1);
}

/// Returns the answer of a module that finds no memory.
fn out_of_memory<M: Module>() -> Vec<u8> {
    let failure = Failure::new(format!(
        "{} {} ran out of memory. A file that it was editing is either unchanged or completely replaced. Free memory on the host, or raise the limit of the \
         login (ulimit -v), and run it again.",
        M::NAME,
        env!("CARGO_PKG_VERSION"),
    ));
    let mut answer = Vec::new();
    let report = Report::<M::Values>::of_failure(&failure, None);
    let made = ascii_json::write_line(&report, &mut answer);
    made.unwrap_or_else(|_| panic!("the result is no object"));
    answer
}

/// Writes the result, once, last. The line break before it keeps it apart from anything written to the same terminal.
///
/// What could go wrong while the text is made shows in a first pass that writes nothing: half a result and then another one would be no answer. The
/// text of an audit may be many times as long as the file, so a long one is not kept, but made again.
fn report<V: Serialize>(report: &Report<V>) -> ExitCode {
    let mut short = ascii_json::Short::new();
    let made = ascii_json::write_line(report, &mut short);
    made.unwrap_or_else(|_| panic!("the result is no object"));
    let mut output = io::stdout().lock();
    let written = match short.into_text() {
        Some(text) => output.write_all(&text).and_then(|()| output.flush()),
        None => ascii_json::write_line(report, output),
    };
    exit_code(&written, report.is_success())
}

fn print(text: &[u8], succeeded: bool) -> ExitCode {
    let mut output = io::stdout().lock();
    let written = output.write_all(text).and_then(|()| output.flush());
    exit_code(&written, succeeded)
}

fn exit_code(written: &io::Result<()>, succeeded: bool) -> ExitCode {
    if written.is_ok() && succeeded {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn help<M: Module>() -> String {
    let mut text = format!(
        "{} {}: a module for Ansible.\n{}\n\nAnsible runs it with the path of a JSON file that holds its options; with - it reads them from \
         standard input.\nOptions without secrets may also be given as JSON in place of the path.\nTo use it, put it into a playbook; ansible-doc -t module {} shows how.\n\nOptions:\n",
        M::NAME,
        env!("CARGO_PKG_VERSION"),
        M::PURPOSE,
        M::NAME,
    );
    for option in M::OPTIONS {
        text += &format!("  {} ({}", option.name, option.kind.name());
        text += &match option.default {
            OptionDefault::Absent if option.required => ", required".to_owned(),
            OptionDefault::Absent => String::new(),
            OptionDefault::Str(default) => format!(", default {default}"),
            OptionDefault::Bool(default) => format!(", default {default}"),
            OptionDefault::Int(default) => format!(", default {default}"),
        };
        if !option.choices.is_empty() {
            text += &format!(", one of {}", option.choices.join(", "));
        }
        text += ")\n";
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ansible::Kind;

    struct Sample;

    impl Module for Sample {
        const NAME: &'static str = "sample";
        const PURPOSE: &'static str = "Shows how help looks.";
        const OPTIONS: &'static [OptionSpec] = &[
            OptionSpec::new("path", Kind::Path).default("/opt"),
            OptionSpec::new("state", Kind::Str).choices(&["present", "absent"]),
            OptionSpec::flag("backup"),
            OptionSpec {
                required: true,
                ..OptionSpec::new("names", Kind::List(&Kind::Str))
            },
            OptionSpec::new("number", Kind::Int),
            OptionSpec::new("more", Kind::Dict(&[])),
        ];
        type Values = ();

        fn run(_: &Task) -> anyhow::Result<Outcome<()>> {
            unreachable!("only its help is asked for")
        }
    }

    #[test]
    fn help_names_each_option_with_its_type_default_and_choices() {
        let help = help::<Sample>();
        let (start, options) = help.split_once("Options:\n").unwrap();
        let version = env!("CARGO_PKG_VERSION");
        let line = format!("sample {version}: a module for Ansible.\nShows how help looks.\n");
        assert!(start.starts_with(&line), "{start}");
        let expected = "  path (path, default /opt)
  state (str, one of present, absent)
  backup (bool, default false)
  names (list, required)
  number (int)
  more (dict)
";
        assert_eq!(options, expected);
    }

    #[test]
    fn arguments_as_long_as_the_limit_are_read_and_longer_ones_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("arguments");
        let file = File::create(&path).unwrap();
        file.set_len(ARGUMENTS_LIMIT).unwrap();
        assert_eq!(read_arguments(&path).unwrap().len() as u64, ARGUMENTS_LIMIT);
        file.set_len(ARGUMENTS_LIMIT + 1).unwrap();
        let failure = read_arguments(&path).unwrap_err();
        assert!(failure.message.contains("larger than 64 MiB"), "{failure}");
        file.set_len(2 * ARGUMENTS_LIMIT).unwrap();
        let read = read_limited(File::open(&path).unwrap()).unwrap();
        assert_eq!(read.len() as u64, ARGUMENTS_LIMIT + 1);
        let missing = read_arguments(&folder.path().join("none")).unwrap_err();
        assert!(missing.message.starts_with("Could not read"), "{missing}");
    }
}
