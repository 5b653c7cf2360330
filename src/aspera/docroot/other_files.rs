//! Files that are no `aspera.conf`, or not one as the server reads it.

use super::conf::ConfError;
use super::element_kind::ElementKind;
use crate::text::lines::line_number;

/// Refuses files that are certainly something else, before their first byte is reported as bad XML. An empty file is left to the tokenizer.
pub(super) fn refuse_other_files(bytes: &[u8]) -> Result<(), ConfError> {
    // Every UTF-16 text that starts with an ASCII letter has a zero among its first two bytes.
    let what = if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        "it starts with the byte order mark of UTF-16"
    } else if bytes.iter().take(2).any(|&byte| byte == 0) {
        "it starts with a byte of 0, as UTF-16 and binary files do"
    } else {
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        match text.trim_ascii_start().first() {
            None | Some(b'<') => return Ok(()),
            Some(_) => "it does not start with <, as XML does",
        }
    };
    Err(ConfError::OtherFile(what))
}

/// The sections below the root that occur in the files of real servers.
const SECTIONS: [&[u8]; 10] = [
    b"server",
    b"central_server",
    b"http_server",
    b"default",
    b"trunks",
    b"aaa",
    b"client",
    b"database",
    b"logging",
    b"WEB",
];

/// The sections below the root that were read so far.
#[derive(Default)]
pub(super) struct Sections {
    count: usize,
    has_known: bool,
}

impl Sections {
    /// Looks at the name of an element below the root.
    pub(super) fn take(&mut self, name: &[u8]) {
        self.count += 1;
        self.has_known |= SECTIONS.contains(&name);
    }

    /// Refuses a file that has sections and none of a real server.
    pub(super) fn check(&self) -> Result<(), ConfError> {
        if self.count > 0 && !self.has_known {
            return Err(ConfError::OtherFile(
                "none of its sections is one of aspera.conf",
            ));
        }
        Ok(())
    }
}

/// Refuses an element in a place where the server would not look for it: the file only looks like a configuration.
pub(super) fn check_place(
    parent: Option<ElementKind>,
    name: &[u8],
    look_alike: impl FnOnce(&'static str) -> ConfError,
) -> Result<(), ConfError> {
    let is_account_element = || matches!(name, b"user" | b"users" | b"group" | b"groups");
    match parent {
        None if !matches!(name, b"CONF" | b"conf") => {
            Err(ConfError::OtherFile("its root element is not CONF"))
        }
        Some(ElementKind::Root) if is_account_element() => Err(look_alike(
            "users or groups directly below the root element",
        )),
        Some(ElementKind::Aaa | ElementKind::Realms) if is_account_element() => {
            Err(look_alike("users or groups outside aaa/realms/realm"))
        }
        Some(ElementKind::Realm) if matches!(name, b"user" | b"group") => {
            Err(look_alike("a user or group outside users or groups"))
        }
        _ => Ok(()),
    }
}

/// Returns the error for an element that makes the file one that only looks like a configuration.
pub(super) fn look_alike(bytes: &[u8], offset: usize, what: &'static str) -> ConfError {
    ConfError::LookAlike {
        line: line_number(bytes, offset),
        what,
    }
}
