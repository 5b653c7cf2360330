//! The configuration that an audit looks at, in a form that is easy to write by hand. `table/README.md` describes the short forms in YAML.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;

use crate::short_form;

/// Stands for a comment in the text of an element.
pub const COMMENT: char = '\u{e000}';

/// Every fact that an answer depends on.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "short_form::Configuration")]
pub struct Configuration {
    /// Whether `aspera.conf` can be read; its blocks follow.
    pub aspera_conf_readable: bool,
    pub users: Vec<Block>,
    pub groups: Vec<Block>,
    pub defaults: Vec<Block>,
    pub s3_properties: S3Properties,
    /// The local users with the number of their primary group, or `None` if `/etc/passwd` cannot be read.
    pub passwd: Option<BTreeMap<String, u32>>,
    /// More lines of `/etc/passwd`, after those of the users.
    pub more_passwd: Vec<String>,
    /// The local groups, or `None` if `/etc/group` cannot be read.
    pub group: Option<BTreeMap<String, LocalGroup>>,
    /// More lines of `/etc/group`, after those of the groups.
    pub more_group: Vec<String>,
    pub trapd: Trapd,
    /// The version that `ascp -A` prints, or `None` if it is not known.
    pub version: Option<String>,
    /// Whether the unit or init script of trapd sets options of the two names.
    pub service_options: bool,
    /// Whether a live process of asperanoded is older than `aspera.conf`.
    pub older_aspera_conf: bool,
    /// Whether a live process of asperatrapd is older than `s3.properties`.
    pub older_s3_properties: bool,
    /// What objects have shown below docroots with these texts.
    pub settled: Vec<Settled>,
    pub expect: Vec<Expectation>,
}

/// The encryption of an object that Aspera has uploaded to a docroot with the present files, other than the default of the bucket.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settled {
    pub docroot: String,
    pub encryption: String,
    pub key: Option<String>,
}

/// A `user`, `group` or `default` element.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Block {
    /// The name. It is empty for a default.
    pub name: String,
    pub unclear_name: Option<UnclearName>,
    pub docroots: Vec<Docroot>,
    pub restrictions: bool,
    pub precedence: Option<String>,
    /// Whether the precedence is written twice.
    pub second_precedence: bool,
    pub pvcl: bool,
}

/// Why programs may read another name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UnclearName {
    /// There is a comment in it.
    Comment,
    /// There is another one before it.
    Second,
    /// There are blanks around it.
    Blanks,
}

/// An `absolute` element.
#[derive(Debug, Clone, PartialEq)]
pub struct Docroot {
    pub text: String,
    pub peer_ip: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum S3Properties {
    Missing,
    Unreadable,
    Set(S3Settings),
}

#[derive(Debug, Clone, PartialEq)]
pub struct S3Settings {
    pub encryption: Option<String>,
    pub key: Option<String>,
    pub https_only: Option<String>,
    /// Other lines: names that are nearly those of settings, and values.
    pub nearly: Vec<(String, String)>,
}

/// A line of `/etc/group`.
#[derive(Debug, Clone, PartialEq)]
pub struct LocalGroup {
    pub gid: u32,
    pub members: Vec<String>,
}

/// Whether trapd is enabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Trapd {
    Enabled,
    Disabled,
    Unknown,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(from = "short_form::Expectation")]
pub struct Expectation {
    pub encryption: String,
    pub keys: Vec<String>,
    /// `system`, `user`, `group`, `global`, `user NAME` or `group NAME`. An empty list means every docroot.
    pub scopes: Vec<String>,
    pub state: State,
}

/// The expected state of the system-wide setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Present,
    Absent,
}

impl Configuration {
    /// Returns the text of `aspera.conf`, whether or not it can be read.
    pub fn to_aspera_conf(&self) -> String {
        let mut text =
            String::from("<?xml version='1.0' encoding='UTF-8'?>\n<CONF version=\"2\">\n");
        for block in &self.defaults {
            block.write_to(&mut text, "default", 1);
        }
        text += "  <aaa><realms><realm>\n";
        for (outer, inner, blocks) in [
            ("users", "user", &self.users),
            ("groups", "group", &self.groups),
        ] {
            let _ = writeln!(text, "    <{outer}>");
            for block in blocks {
                block.write_to(&mut text, inner, 3);
            }
            let _ = writeln!(text, "    </{outer}>");
        }
        text += "  </realm></realms></aaa>\n</CONF>\n";
        text
    }

    /// Returns the text of `s3.properties`, or `None` if the file is missing or cannot be read.
    pub fn to_s3_properties(&self) -> Option<String> {
        let S3Properties::Set(settings) = &self.s3_properties else {
            return None;
        };
        let mut text = String::from("# Made for a test.\n");
        for (name, value) in [
            ("s3service.https-only", &settings.https_only),
            ("server-side-encryption", &settings.encryption),
            ("server-side-encryption-aws-kms-key-id", &settings.key),
        ] {
            if let Some(value) = value {
                let _ = writeln!(text, "{name}={}", escaped_for_properties(value));
            }
        }
        for (name, value) in &settings.nearly {
            let name = escaped_for_properties(name).replace(' ', "\\ ");
            let _ = writeln!(text, "{name}={}", escaped_for_properties(value));
        }
        Some(text)
    }

    /// Returns the text of `/etc/passwd`, or `None` if it cannot be read.
    pub fn to_passwd(&self) -> Option<String> {
        let users = self.passwd.as_ref()?;
        let lines = users.iter().zip(2000..).map(|((name, gid), uid)| {
            format!("{name}:x:{uid}:{gid}::/home/{name}:/bin/aspshell\n")
        });
        let root = "root:x:0:0::/root:/bin/sh\n".to_owned();
        let more = self.more_passwd.iter().map(|line| format!("{line}\n"));
        Some([root].into_iter().chain(lines).chain(more).collect())
    }

    /// Returns the text of `/etc/group`, or `None` if it cannot be read.
    pub fn to_group(&self) -> Option<String> {
        let groups = self.group.as_ref()?;
        let lines = groups
            .iter()
            .map(|(name, group)| format!("{name}:x:{}:{}\n", group.gid, group.members.join(",")));
        let root = "root:x:0:\n".to_owned();
        let more = self.more_group.iter().map(|line| format!("{line}\n"));
        Some([root].into_iter().chain(lines).chain(more).collect())
    }
}

impl Block {
    fn write_to(&self, text: &mut String, element: &str, depth: usize) {
        let margin = "  ".repeat(depth);
        let _ = writeln!(text, "{margin}<{element}>");
        if self.unclear_name == Some(UnclearName::Second) {
            let _ = writeln!(text, "{margin}  <name>another</name>");
        }
        if element != "default" {
            let mut name = escaped_for_xml(&self.name);
            if self.unclear_name == Some(UnclearName::Comment) {
                name.insert_str(1, "<!-- a comment -->");
            }
            if self.unclear_name == Some(UnclearName::Blanks) {
                name = format!("\n {name}\n");
            }
            let _ = writeln!(text, "{margin}  <name>{name}</name>");
        }
        if let Some(precedence) = &self.precedence {
            let precedence = escaped_for_xml(precedence);
            let line = format!("{margin}  <precedence>{precedence}</precedence>\n");
            *text += &line.repeat(if self.second_precedence { 2 } else { 1 });
        }
        if self.pvcl {
            let _ = writeln!(text, "{margin}  <pvcl><https_only>true</https_only></pvcl>");
        }
        if self.restrictions || !self.docroots.is_empty() {
            let _ = writeln!(text, "{margin}  <file_system><access><paths><path>");
            for docroot in &self.docroots {
                let peer_ip = docroot.peer_ip.as_deref();
                let peer_ip = peer_ip.map(|peer| format!(" peer_ip=\"{}\"", escaped_for_xml(peer)));
                let peer_ip = peer_ip.unwrap_or_default();
                let value = escaped_for_xml(&docroot.text);
                let _ = writeln!(text, "{margin}    <absolute{peer_ip}>{value}</absolute>");
            }
            if self.restrictions {
                let restriction = "<restriction>s3://*</restriction>";
                let _ = writeln!(
                    text,
                    "{margin}    <restrictions>{restriction}</restrictions>"
                );
            }
            let _ = writeln!(text, "{margin}  </path></paths></access></file_system>");
        }
        let _ = writeln!(text, "{margin}</{element}>");
    }
}

fn escaped_for_xml(value: &str) -> String {
    let mut text = String::new();
    for character in value.chars() {
        match character {
            '&' => text += "&amp;",
            '<' => text += "&lt;",
            '>' => text += "&gt;",
            '"' => text += "&quot;",
            '\r' => text += "&#13;",
            COMMENT => text += "<!-- a comment -->",
            other => text.push(other),
        }
    }
    text
}

/// Escapes a value as `java.util.Properties` reads it: all blanks stay.
fn escaped_for_properties(value: &str) -> String {
    let mut text = String::new();
    for (index, character) in value.chars().enumerate() {
        match character {
            '\\' => text += "\\\\",
            '\n' => text += "\\n",
            '\r' => text += "\\r",
            '\t' => text += "\\t",
            '\u{c}' => text += "\\f",
            ' ' if index == 0 => text += "\\ ",
            ' '..='~' => text.push(character),
            other => {
                let mut units = [0; 2];
                for unit in other.encode_utf16(&mut units) {
                    let _ = write!(text, "\\u{unit:04x}");
                }
            }
        }
    }
    text
}
