//! What the files of the accounts say for certain.
//!
//! One line that programs may read in different ways leaves the whole file open, because it may be about any account.

use crate::configuration::{Configuration, LocalGroup};

/// Returns the number of the primary group of a user, if that is certain.
pub fn primary_group(user: &str, configuration: &Configuration) -> Option<u32> {
    let users = configuration.passwd.as_ref()?;
    let mut entries = entries(&configuration.more_passwd);
    let are_plain =
        entries.all(|fields| fields.len() == 7 && is_name(fields[0]) && is_number(fields[3]));
    users.get(user).filter(|_| are_plain).copied()
}

/// Returns the line of a group, if it is certain: neither its name nor its number is on another line.
pub fn certain_group(group: &str, configuration: &Configuration) -> Option<LocalGroup> {
    let groups = configuration.group.as_ref()?.iter();
    let mut lines: Vec<(&str, LocalGroup)> = groups
        .map(|(name, line)| (name.as_str(), line.clone()))
        .collect();
    for fields in entries(&configuration.more_group) {
        let [name, _, number, members] = fields[..] else {
            return None;
        };
        let are_names = members.is_empty() || members.split(',').all(is_name);
        if !is_name(name) || !is_number(number) || !are_names {
            return None;
        }
        let members = members.split(',').map(str::to_owned).collect();
        let gid = number.parse().ok()?;
        lines.push((name, LocalGroup { gid, members }));
    }
    let (_, line) = lines.iter().find(|(name, _)| *name == group)?;
    let same = |(name, other): &&(&str, LocalGroup)| *name == group || other.gid == line.gid;
    (lines.iter().filter(same).count() == 1).then(|| line.clone())
}

/// Returns the fields of all lines but comments and empty lines.
fn entries(lines: &[String]) -> impl Iterator<Item = Vec<&str>> {
    let entries = lines.iter().filter(|line| {
        let first = line.trim_start().chars().next();
        first.is_some_and(|first| first != '#')
    });
    entries.map(|line| line.split(':').collect())
}

fn is_name(text: &str) -> bool {
    let is_harmless = |c: char| !c.is_whitespace() && !c.is_control();
    !text.is_empty() && text.chars().all(is_harmless) && !"+-".contains(&text[..1])
}

fn is_number(text: &str) -> bool {
    let has_leading_zero = text.len() > 1 && text.starts_with('0');
    !has_leading_zero
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && text.parse::<u32>().is_ok()
}
