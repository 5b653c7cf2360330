//! Options that reach trapd without `s3.properties`: up to On Demand 3.5.4, the vendor's init script set properties of the same names with `-D`.
//!
//! Java takes them from its command line, from files that it names (java(1), "java Command-Line Argument Files"), and from variables of the environment
//! (`JAVA_TOOL_OPTIONS`, `JDK_JAVA_OPTIONS`, `_JAVA_OPTIONS`). systemd takes both from units, drop-ins and files that these name (systemd.unit(5),
//! systemd.exec(5)). What cannot be read, or is written in a form that this program does not decode, may set an option.

use std::path::Path;

use super::host::{ARGUMENTS, Host};
use super::java_options::{names_option, names_option_file, process_names_option_file};
use super::manager::Status;
use super::visibility::hides_processes;
use crate::files;

/// The init scripts of trapd, and the files that the init scripts of distributions read with them.
const SCRIPTS: [&str; 4] = [
    "etc/init.d/asperatrapd",
    "etc/rc.d/init.d/asperatrapd",
    "etc/default/asperatrapd",
    "etc/sysconfig/asperatrapd",
];

/// The folders of units and drop-ins.
const UNIT_FOLDERS: [&str; 11] = [
    "etc/systemd/system.control",
    "run/systemd/system.control",
    "run/systemd/transient",
    "run/systemd/generator.early",
    "etc/systemd/system",
    "run/systemd/system",
    "run/systemd/generator",
    "usr/local/lib/systemd/system",
    "usr/lib/systemd/system",
    "lib/systemd/system",
    "run/systemd/generator.late",
];

/// The units and folders of drop-ins in each of these: those of trapd, and those of all services.
const UNIT: &str = "asperatrapd.service";
const DROP_INS: [&str; 2] = ["asperatrapd.service.d", "service.d"];

/// The settings of systemd itself, which may give variables to all services.
const MANAGER_FOLDERS: [&str; 5] = [
    "etc/systemd",
    "run/systemd",
    "usr/local/lib/systemd",
    "usr/lib/systemd",
    "lib/systemd",
];

/// Returns whether an encryption option may reach trapd by its units or init scripts, or by the command line or environment of a live process of it.
pub fn trapd_has_encryption_options(host: &Host, status: &Status) -> bool {
    let mut processes = status.processes.iter();
    SCRIPTS
        .iter()
        .any(|script| script_may_set_option(host, script))
        || units_may_set_option(host)
        || processes.any(|process| process_may_have_option(host, process.pid))
}

fn units_may_set_option(host: &Host) -> bool {
    let places = UNIT_FOLDERS.iter().map(|folder| format!("{folder}/{UNIT}"));
    let managers = MANAGER_FOLDERS.map(|folder| format!("{folder}/system.conf"));
    let mut units = places.clone().chain(managers);
    let drop_ins = UNIT_FOLDERS.iter().flat_map(|folder| {
        let names = DROP_INS.iter();
        names.map(move |drop_ins| format!("{folder}/{drop_ins}"))
    });
    let managers = MANAGER_FOLDERS.map(|folder| format!("{folder}/system.conf.d"));
    let mut folders = drop_ins.chain(managers);
    units.any(|unit| unit_may_set_option(host, &unit))
        || places.into_iter().any(|unit| has_another_name(host, &unit))
        || folders.any(|folder| match host.all_names(&folder) {
            None => true,
            Some(names) => names
                .iter()
                .any(|name| unit_may_set_option(host, &format!("{folder}/{name}"))),
        })
}

/// Returns whether the place of a unit is a link to a unit of another name. systemd then reads the drop-ins of that name, too.
fn has_another_name(host: &Host, unit: &str) -> bool {
    let real = files::real_path(&host.path(unit)).ok();
    let name = real.as_deref().and_then(|real| real.file_name());
    // A masked unit is a link to /dev/null.
    name.is_some_and(|name| name != UNIT && name != "null")
}

fn script_may_set_option(host: &Host, file: &str) -> bool {
    match files::read(&host.path(file)) {
        Ok(None) => false,
        Ok(Some(bytes)) => {
            let text = joined(&bytes);
            code_lines(&text).any(|line| names_option(line) || names_option_file(line))
        }
        Err(_) => true,
    }
}

fn unit_may_set_option(host: &Host, file: &str) -> bool {
    let file = host.path(file);
    // So are units and drop-ins masked.
    if files::real_path(&file).is_ok_and(|real| real == Path::new("/dev/null")) {
        return false;
    }
    match files::read(&file) {
        Ok(None) => false,
        Ok(Some(bytes)) => {
            let text = joined(&bytes);
            let mut lines = code_lines(&text);
            lines.any(|line| {
                names_option(line)
                    || names_option_file(line)
                    || has_escape(line)
                    || variables_may_set_option(host, line)
            })
        }
        Err(_) => true,
    }
}

/// Returns whether a line of a unit takes variables from elsewhere that may set an option: from a file, or from systemd's own environment.
fn variables_may_set_option(host: &Host, line: &[u8]) -> bool {
    let line = String::from_utf8_lossy(line);
    let Some((name, value)) = line.split_once('=') else {
        return false;
    };
    let value = value.trim();
    match name.trim() {
        // An empty value takes back those before. They are not forgotten here.
        _ if value.is_empty() => false,
        "PassEnvironment" => true,
        "EnvironmentFile" => environment_file_may_set_option(host, value),
        _ => false,
    }
}

fn environment_file_may_set_option(host: &Host, value: &str) -> bool {
    // The dash says that the file need not exist.
    let path = value.trim_start_matches('-');
    // systemd replaces specifiers and patterns.
    let is_certain = !path.contains(['%', '*', '?', '[', '"', '\'']);
    match path.strip_prefix('/').filter(|_| is_certain) {
        Some(below_root) => script_may_set_option(host, below_root),
        None => true,
    }
}

fn process_may_have_option(host: &Host, pid: u32) -> bool {
    ["cmdline", "environ"].iter().any(|name| {
        match files::read_start(&host.path(&format!("proc/{pid}/{name}")), ARGUMENTS) {
            // The process has ended, unless it is not to be seen.
            Ok(None) => hides_processes(host),
            Ok(Some(bytes)) => {
                let mut texts = bytes.split(|&byte| byte == 0);
                bytes.len() as u64 >= ARGUMENTS
                    || names_option(&bytes)
                    || texts.any(process_names_option_file)
            }
            Err(_) => true,
        }
    })
}

/// Returns a text with its continued lines joined, as a shell and Java join them.
fn joined(text: &[u8]) -> Vec<u8> {
    let mut joined = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(end) = rest.windows(2).position(|two| two == b"\\\n") {
        joined.extend_from_slice(&rest[..end]);
        rest = rest[end + 2..].trim_ascii_start();
    }
    joined.extend_from_slice(rest);
    joined
}

/// Returns the lines that are not comments.
fn code_lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = text.split(|&byte| byte == b'\n');
    lines.filter(|line| !line.trim_ascii_start().starts_with(b"#"))
}

/// Returns whether a line has a character in one of the numeric forms that systemd decodes (systemd.syntax(7)).
fn has_escape(line: &[u8]) -> bool {
    line.windows(2)
        .any(|two| two[0] == b'\\' && matches!(two[1], b'x' | b'u' | b'U' | b'0'..=b'7'))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use tempfile::TempDir;

    use super::super::processes::Process;
    use super::*;

    const OPTION: &str = "-Dserver-side-encryption=NONE";

    struct Machine(TempDir);

    impl Machine {
        fn new() -> Self {
            let machine = Self(tempfile::tempdir().unwrap());
            fs::create_dir_all(machine.path("proc/self")).unwrap();
            machine
        }

        fn with(file: &str, text: impl AsRef<[u8]>) -> Self {
            let machine = Self::new();
            machine.write(file, text);
            machine
        }

        fn write(&self, file: &str, text: impl AsRef<[u8]>) {
            let path = self.path(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }

        fn path(&self, file: &str) -> PathBuf {
            self.0.path().join(file)
        }

        fn has_options(&self) -> bool {
            let host = Host::below(self.0.path(), "systemctl".as_ref());
            let process = Process {
                pid: 7,
                start_ticks: None,
            };
            let status = Status {
                processes: vec![process],
                ..Status::default()
            };
            trapd_has_encryption_options(&host, &status)
        }
    }

    #[test]
    fn options_in_scripts_and_units_are_found_and_comments_are_not() {
        assert!(!Machine::new().has_options());
        for file in [
            "etc/init.d/asperatrapd",
            "etc/sysconfig/asperatrapd",
            "etc/systemd/system/asperatrapd.service",
            "etc/systemd/system/asperatrapd.service.d/a.conf",
            "etc/systemd/system/service.d/a.conf",
            "run/systemd/generator/asperatrapd.service",
            "run/systemd/generator.late/asperatrapd.service.d/a.conf",
            "run/systemd/system.control/asperatrapd.service.d/50-a.conf",
            "usr/local/lib/systemd/system/asperatrapd.service",
            "etc/systemd/system.conf",
            "etc/systemd/system.conf.d/a.conf",
            "usr/local/lib/systemd/system.conf.d/a.conf",
        ] {
            for (text, has_options) in [
                (format!("Environment=A={OPTION}\n"), true),
                (
                    "PROPS=-Dserver-side-\\\n  encryption=NONE\n".to_owned(),
                    true,
                ),
                ("PROPS=-Dserver-\"side\"-encryption=NONE\n".to_owned(), true),
                ("PROPS=-Dserver'-side-'encryption=NONE\n".to_owned(), true),
                ("PROPS=-Dserver\\-side-encryption=NONE\n".to_owned(), true),
                ("exec java @/run/options Main\n".to_owned(), true),
                (format!("#PROPS={OPTION}\nexec java\n"), false),
                ("exec java -Dserver-side=NONE\n".to_owned(), false),
            ] {
                let machine = Machine::with(file, &text);
                assert_eq!(machine.has_options(), has_options, "{file}: {text}");
            }
        }
    }

    #[test]
    fn what_cannot_be_read_may_set_an_option() {
        for folder in [
            "etc/init.d/asperatrapd",
            "etc/systemd/system/asperatrapd.service",
            "etc/systemd/system/asperatrapd.service.d/a.conf",
            "proc/7/cmdline",
            "proc/7/environ",
        ] {
            let machine = Machine::new();
            fs::create_dir_all(machine.path(folder)).unwrap();
            assert!(machine.has_options(), "{folder}");
        }
    }

    #[test]
    fn a_name_that_is_not_utf_8_may_be_a_drop_in() {
        use std::os::unix::ffi::OsStrExt;
        let machine = Machine::with("etc/systemd/system/service.d/a.conf", "");
        assert!(!machine.has_options());
        let name = std::ffi::OsStr::from_bytes(b"\xff.conf");
        fs::write(machine.path("etc/systemd/system/service.d").join(name), "").unwrap();
        assert!(machine.has_options());
    }

    #[test]
    fn numeric_forms_of_characters_in_units_may_be_an_option() {
        let line = "Environment=A=-Dserver\\x2dside-encryption=NONE\n";
        assert!(Machine::with("etc/systemd/system/asperatrapd.service", line).has_options());
        let colours = "printf '\\033[1m'\n";
        assert!(!Machine::with("etc/init.d/asperatrapd", colours).has_options());
    }

    #[test]
    fn drop_ins_of_another_name_of_the_unit_are_not_overlooked() {
        use std::os::unix::fs::symlink;
        for (target, has_options) in [
            ("/dev/null", false),
            ("../../../opt/asperatrapd.service", false),
            ("trapd.service", true),
        ] {
            let machine = Machine::with("opt/asperatrapd.service", "");
            machine.write("etc/systemd/system/trapd.service", "");
            symlink(
                target,
                machine.path("etc/systemd/system/asperatrapd.service"),
            )
            .unwrap();
            assert_eq!(machine.has_options(), has_options, "{target}");
        }
    }

    #[test]
    fn a_folder_of_drop_ins_that_cannot_be_listed_may_have_one() {
        use std::os::unix::fs::symlink;
        let machine = Machine::with("etc/systemd/system/asperatrapd.service", "");
        assert!(!machine.has_options());
        let folder = machine.path("etc/systemd/system/service.d");
        symlink("service.d", folder).unwrap();
        assert!(machine.has_options());
    }

    #[test]
    fn variables_of_systemd_itself_are_not_known() {
        for (line, has_options) in [
            ("PassEnvironment=OPTS", true),
            ("PassEnvironment=", false),
            ("UnsetEnvironment=OPTS", false),
        ] {
            let machine = Machine::with("etc/systemd/system/asperatrapd.service", line);
            assert_eq!(machine.has_options(), has_options, "{line}");
        }
    }

    #[test]
    fn files_with_variables_are_read_if_it_is_certain_which_they_are() {
        for (value, content, has_options) in [
            ("/etc/trapd.env", "A=1\n", false),
            ("/etc/trapd.env", "A=-Dserver-side-encryption=NONE\n", true),
            ("-/etc/none.env", "", false),
            ("-/etc/trapd.env", "A=-Dserver-side-encryption=NONE\n", true),
            ("/etc/trapd.env", "JDK_JAVA_OPTIONS=@/run/options\n", true),
            ("/etc/*.env", "", true),
            ("/etc/%n.env", "", true),
            ("trapd.env", "", true),
            ("", "", false),
        ] {
            let unit = format!("[Service]\nEnvironmentFile = {value}\n");
            let machine = Machine::with("usr/lib/systemd/system/asperatrapd.service", &unit);
            machine.write("etc/trapd.env", content);
            assert_eq!(machine.has_options(), has_options, "{value}: {content}");
        }
    }

    #[test]
    fn options_of_a_process_are_found_wherever_java_looks_for_them() {
        let long = format!("java\0{}\0{OPTION}\0", "x".repeat(100_000));
        for (file, text, has_options) in [
            ("cmdline", "java\0-cp\0a.jar\0Main\0", false),
            ("cmdline", long.as_str(), true),
            ("cmdline", "java\0@/run/options\0Main\0", true),
            ("cmdline", "java\0-XX:VMOptionsFile=options\0", true),
            ("cmdline", "java\0-Xoptionsfile=options\0", true),
            ("cmdline", "java\0jane@example\0", false),
            (
                "environ",
                "_JAVA_OPTIONS=-Dserver-side-encryption=NONE\0",
                true,
            ),
            (
                "environ",
                "OPENJ9_JAVA_OPTIONS=-Xoptionsfile=options\0",
                true,
            ),
            ("environ", "PATH=/bin\0HOME=/\0", false),
            ("environ", "PATH=@a\0A=b @c\0", false),
            (
                "environ",
                "JAVA_TOOL_OPTIONS=-Dx=1 -Dserver-side-encryption=NONE\0",
                true,
            ),
            ("environ", "JDK_JAVA_OPTIONS=-Dx=1 @options\0", true),
            ("environ", "JDK_JAVA_OPTIONS=-Dx=1\0", false),
        ] {
            let machine = Machine::with(&format!("proc/7/{file}"), text);
            let start = &text[..text.len().min(60)];
            assert_eq!(machine.has_options(), has_options, "{file}: {start:?}");
        }
    }

    #[test]
    fn a_command_line_that_is_longer_than_what_is_read_may_have_an_option() {
        let length = usize::try_from(ARGUMENTS).unwrap();
        for (length, has_options) in [(length - 1, false), (length + 1, true)] {
            let machine = Machine::with("proc/7/cmdline", vec![b'x'; length]);
            assert_eq!(machine.has_options(), has_options, "{length}");
        }
    }
}
