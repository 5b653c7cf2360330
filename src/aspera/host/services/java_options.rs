//! How Java gets options without `s3.properties`: as arguments, in variables, and in files that both can name.

use crate::aspera::setting::ENCRYPTION_KEY;

/// The variables in which a Java machine looks for options (java(1), and the documentation of Eclipse `OpenJ9` and of IBM's Java).
const VARIABLES: [&str; 5] = [
    "JDK_JAVA_OPTIONS",
    "JAVA_TOOL_OPTIONS",
    "_JAVA_OPTIONS",
    "OPENJ9_JAVA_OPTIONS",
    "IBM_JAVA_OPTIONS",
];

/// The options that name a file with more options, of `OpenJDK` and of `OpenJ9`. Elsewhere it is an argument that begins with `@`.
const FILE_OPTIONS: [&str; 2] = ["-XX:VMOptionsFile=", "-Xoptionsfile="];

/// Returns whether a text names an encryption option. A shell and systemd remove quotes and backslashes wherever they are in a word.
pub(super) fn names_option(text: &[u8]) -> bool {
    let text = without_quotes(text);
    let option = ENCRYPTION_KEY.as_bytes();
    text.windows(option.len()).any(|window| window == option)
}

/// Returns whether a line of a unit or script names a file with options. What is in it when the service starts is not known.
pub(super) fn names_option_file(line: &[u8]) -> bool {
    let line = without_quotes(line);
    let line = String::from_utf8_lossy(&line);
    // An @ before the program is a mark of systemd (systemd.service(5)).
    let line = match line.split_once('=') {
        Some((name, value)) if name.trim_start().starts_with("Exec") => {
            value.trim_start().trim_start_matches('@')
        }
        _ => &line,
    };
    line.split_whitespace().any(|word| {
        let is_variable = |name: &&str| word.contains(&format!("{name}=@"));
        is_option_file(word)
            || FILE_OPTIONS.iter().any(|option| word.contains(option))
            || VARIABLES.iter().any(is_variable)
    })
}

/// Returns whether an argument or a variable of a process names a file with options. What was in it when the process started is not known.
pub(super) fn process_names_option_file(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    match text.split_once('=') {
        Some((name, options)) if VARIABLES.contains(&name) => without_quotes_in(options)
            .split_whitespace()
            .any(is_option_file),
        _ => is_option_file(&text),
    }
}

fn is_option_file(argument: &str) -> bool {
    let is_argument_file = argument.starts_with('@') && argument.len() > 1;
    is_argument_file
        || FILE_OPTIONS
            .iter()
            .any(|option| argument.starts_with(option))
}

fn without_quotes(text: &[u8]) -> Vec<u8> {
    let is_kept = |byte: &u8| !matches!(byte, b'"' | b'\'' | b'\\');
    text.iter().copied().filter(is_kept).collect()
}

fn without_quotes_in(text: &str) -> String {
    text.replace(['"', '\'', '\\'], "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_with_options_are_found_in_lines() {
        for (line, names_file) in [
            ("ExecStart=/usr/bin/java @/run/options Main", true),
            ("ExecStart=/usr/bin/java \"@/run/options\" Main", true),
            ("ExecStart=@/usr/bin/java trapd Main", false),
            ("ExecStart= @/usr/bin/java trapd @/run/options", true),
            ("Environment=JDK_JAVA_OPTIONS=@/run/options", true),
            ("Environment=\"OPTS=-Dx=1 @/run/options\"", true),
            ("JAVA_TOOL_OPTIONS=-XX:VMOptionsFile=/run/options", true),
            ("exec java -Xoptionsfile=/run/options", true),
            ("exec java \"$@\"", false),
            ("Documentation=mailto:jane@example.com", false),
            ("sed s@a@b@ | cut -d @ -f 1", false),
        ] {
            assert_eq!(names_option_file(line.as_bytes()), names_file, "{line}");
        }
    }

    #[test]
    fn only_variables_of_java_have_several_options() {
        for (text, names_file) in [
            ("JDK_JAVA_OPTIONS=-Dx=1 '@/run/options'", true),
            ("IBM_JAVA_OPTIONS=-Xoptionsfile=/run/options", true),
            ("OTHER=-Dx=1 @/run/options", false),
            ("@", false),
        ] {
            let found = process_names_option_file(text.as_bytes());
            assert_eq!(found, names_file, "{text}");
        }
    }
}
