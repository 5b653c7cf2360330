//! What the files of the accounts say for certain.
//!
//! One line that programs may read in different ways leaves the whole file open, because it may be about any account.

use crate::configuration::{Configuration, LocalGroup};

/// Returns the number of the primary group of a user, if that is certain.
pub fn primary_group(user: &str, configuration: &Configuration) -> Option<u32> {
    let users = configuration.passwd.as_ref()?;
    let mut entries = entries(&configuration.more_passwd);
    let are_plain = !has_nul(&configuration.more_passwd)
        && entries.all(|fields| fields.len() == 7 && is_name(fields[0]) && is_number(fields[3]));
    // The user has the number of the place in the list. Who shares it with another name may be taken for that user.
    let number = users.keys().zip(2000_u32..).find(|(name, _)| *name == user);
    let number = number.map(|(_, number)| number.to_string());
    let mut others = configuration.more_passwd.iter().map(|line| line.split(':'));
    let is_shared = others.any(|mut fields| {
        let name = fields.next();
        name != Some(user) && fields.nth(1).map(str::to_owned) == number
    });
    let is_certain = are_plain && !is_shared;
    users.get(user).filter(|_| is_certain).copied()
}

/// Returns the line of a group, if it is certain: neither its name nor its number is on another line.
pub fn certain_group(group: &str, configuration: &Configuration) -> Option<LocalGroup> {
    if has_nul(&configuration.more_group) {
        return None;
    }
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
    let comments = configuration.more_group.iter();
    let mut comments = comments.filter(|line| line.trim_start().starts_with('#'));
    let is_certain = lines.iter().filter(same).count() == 1
        && !comments.any(|comment| gives_members(comment, line.gid));
    is_certain.then(|| line.clone())
}

/// Programs that take a comment for a line find members of a group in it, if it has the number of the group in its place.
fn gives_members(comment: &str, gid: u32) -> bool {
    let fields: Vec<&str> = comment.split(':').collect();
    let number = fields.get(2).map(|number| number.trim().parse());
    number == Some(Ok(gid)) && fields.get(3).is_some_and(|members| !members.is_empty())
}

/// A line ends at a NUL for some programs.
fn has_nul(lines: &[String]) -> bool {
    lines.iter().any(|line| line.contains('\0'))
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
        && text.parse::<u32>().is_ok_and(|number| number < u32::MAX)
}
