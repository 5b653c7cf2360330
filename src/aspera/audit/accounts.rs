//! The accounts and groups of the operating system, from the text of its files (`man 5 passwd`, `man 5 group`).
//!
//! How Aspera asks for the groups of a user is not documented: it may look at the members of the named group, or at the group ids that initgroups(3) collects
//! from all lines. So a membership is certain only where both agree, and where there is one way to read the files: glibc skips blanks before names and
//! members, keeps a carriage return at the end of a line, ends a line at a NUL, takes `+` and `-` lines for instructions to ask NIS, and does not skip
//! comments in `/etc/group` when it collects the groups of a user (`nss_files`, `files-initgroups.c`).

use std::collections::{HashMap, HashSet};

/// The group memberships that the local files list. A directory such as LDAP is not consulted.
#[derive(Debug, Default)]
pub struct Accounts {
    /// The local users who do not share their id, or an empty set if the file could not be read or has a line that is not plain.
    users: HashSet<String>,
    /// The local users by the id of their primary group.
    by_primary_group: HashMap<u32, Vec<String>>,
    /// The local groups by name, or `None` if the file could not be read or has a line that is not plain.
    groups: Option<HashMap<String, Group>>,
}

#[derive(Debug)]
struct Group {
    id: u32,
    members: HashSet<String>,
    /// Whether another line has the same name or id. A comment can have the id.
    is_shared: bool,
}

impl Accounts {
    /// Parses the content of `/etc/passwd` and `/etc/group`; `None` stands for a file that could not be read.
    pub fn parse(passwd: Option<&str>, group: Option<&str>) -> Self {
        let users = passwd.and_then(users).unwrap_or_default();
        let mut by_primary_group: HashMap<u32, Vec<String>> = HashMap::new();
        for (name, id) in &users {
            by_primary_group.entry(*id).or_default().push(name.clone());
        }
        Self {
            users: users.into_keys().collect(),
            by_primary_group,
            groups: group.and_then(groups),
        }
    }

    /// Returns whether a user has a line in `/etc/passwd`, and an id that no other user has.
    pub fn is_local(&self, user: &str) -> bool {
        self.users.contains(user)
    }

    /// Returns the local users in a group, or `None` if the local files do not list them with certainty: a directory's group may have local members as well.
    pub fn members(&self, group: &str) -> Option<Vec<&str>> {
        let groups = self.groups.as_ref()?;
        let group = groups.get(group).filter(|group| !group.is_shared)?;
        let by_primary_group = self.by_primary_group.get(&group.id).into_iter().flatten();
        let listed = group.members.iter().filter(|member| self.is_local(member));
        Some(by_primary_group.chain(listed).map(String::as_str).collect())
    }
}

/// Returns the users with the ids of their primary groups, or `None` if a line is not plain. The first line of a name counts, as in getpwnam(3).
///
/// Users who share their id are left out: a program that asks for the name of its own id, with getpwuid(3), takes one of them for another.
fn users(passwd: &str) -> Option<HashMap<String, u32>> {
    if passwd.contains('\0') {
        return None;
    }
    let mut users = HashMap::new();
    let mut names_of_ids: HashMap<u32, &str> = HashMap::new();
    let mut sharers = HashSet::new();
    for line in lines(passwd) {
        let fields: Vec<&str> = line.split(':').collect();
        let [name, _, uid, gid, _, _, _] = fields[..] else {
            return None;
        };
        let (true, Some(uid), Some(gid)) = (is_plain(name), number(uid), number(gid)) else {
            return None;
        };
        let first = *names_of_ids.entry(uid).or_insert(name);
        if first != name {
            sharers.extend([first, name]);
        }
        users.entry(name.to_owned()).or_insert(gid);
    }
    users.retain(|name, _| !sharers.contains(&**name));
    Some(users)
}

/// Returns the groups by name, or `None` if a line is not plain.
fn groups(group: &str) -> Option<HashMap<String, Group>> {
    let mut groups: HashMap<String, Group> = HashMap::new();
    let mut names_of_ids: HashMap<u32, String> = HashMap::new();
    if group.contains('\0') {
        return None;
    }
    for line in lines(group) {
        let fields: Vec<&str> = line.split(':').collect();
        let [name, _, id, members] = fields[..] else {
            return None;
        };
        let members: Vec<&str> = match members {
            "" => Vec::new(),
            members => members.split(',').collect(),
        };
        let (true, Some(id), true) = (
            is_plain(name),
            number(id),
            members.iter().all(|member| is_plain(member)),
        ) else {
            return None;
        };
        let other = names_of_ids.get(&id).and_then(|name| groups.get_mut(name));
        let mut is_shared = other.map(|group| group.is_shared = true).is_some();
        if let Some(group) = groups.get_mut(name) {
            group.is_shared = true;
            is_shared = true;
        }
        names_of_ids.entry(id).or_insert_with(|| name.to_owned());
        groups.entry(name.to_owned()).or_insert_with(|| Group {
            id,
            members: members.into_iter().map(str::to_owned).collect(),
            is_shared,
        });
    }
    for id in group.split('\n').filter_map(id_of_comment) {
        let name = names_of_ids.get(&id);
        if let Some(group) = name.and_then(|name| groups.get_mut(name)) {
            group.is_shared = true;
        }
    }
    Some(groups)
}

/// Returns the lines that hold an entry. Empty lines and comments do not.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.split('\n');
    lines.filter(|line| !line.trim_ascii_start().is_empty() && !is_comment(line))
}

fn is_comment(line: &str) -> bool {
    line.trim_ascii_start().starts_with('#')
}

/// Returns the id of the group to which a comment adds members if it is read like any other line, with strtoul(3).
fn id_of_comment(line: &str) -> Option<u32> {
    let mut fields = line.splitn(4, ':').filter(|_| is_comment(line));
    let (id, members) = (fields.nth(2)?, fields.next()?);
    let id = id.trim_start_matches([' ', '\t', '\u{b}', '\u{c}', '\r']);
    // A number that is negative or too large becomes the largest one, which is not an id.
    id.parse().ok().filter(|_| !members.is_empty())
}

/// Returns whether every program reads a name alike: it has no blanks, and does not begin like an instruction to ask NIS.
fn is_plain(name: &str) -> bool {
    let is_separator = |c: char| c.is_whitespace() || c.is_control() || c == ',';
    !name.is_empty() && !name.starts_with(['+', '-']) && !name.contains(is_separator)
}

/// Returns an id in the usual form, without a sign or leading zeros. The largest number is -1 for the system, which means no id.
fn number(text: &str) -> Option<u32> {
    let number: u32 = text.parse().ok()?;
    (number.to_string() == text && number != u32::MAX).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nsvc:x:1000:100::/home/svc:/bin/sh\nsvc:x:1001:7::/:/bin/sh\n# a comment\n\n";
    const GROUP: &str = "users:x:100:\nteam:x:200:other,svc\nothers:x:201:svc2\nempty:x:202:";

    #[test]
    fn membership_is_by_primary_group_or_by_the_list() {
        let accounts = Accounts::parse(Some(PASSWD), Some(GROUP));
        for (group, members) in [
            ("users", Some(&["svc"][..])),
            ("team", Some(&["svc"])),
            ("others", Some(&[])),
            ("empty", Some(&[])),
            ("directory", None),
        ] {
            assert_eq!(accounts.members(group).as_deref(), members, "{group}");
        }
        assert!(accounts.is_local("root"));
        assert!(!accounts.is_local("other"));
    }

    #[test]
    fn no_user_is_certain_beside_a_line_that_can_be_read_in_another_way() {
        for line in [
            "+::::::",
            "-svc::::::",
            "+@netgroup::::::",
            " svc2:x:1002:200::/:/bin/sh",
            "svc2:x:1002:200",
            "svc2:x:1002:0200::/:/bin/sh",
            "svc2:x:+2:200::/:/bin/sh",
            "svc2:x:1002: 200::/:/bin/sh",
            "svc2:x:1002:200::/:/bin/sh:",
            "svc2:\0:1002:200::/:/bin/sh",
            "broken",
        ] {
            let accounts = Accounts::parse(Some(&format!("{PASSWD}{line}\n")), Some(GROUP));
            assert!(!accounts.is_local("svc"), "{line}");
            assert_eq!(
                accounts.members("users").as_deref(),
                Some(&[][..]),
                "{line}"
            );
        }
    }

    #[test]
    fn no_group_is_certain_beside_a_line_that_can_be_read_in_another_way() {
        for line in [
            "+:::",
            "-team:::",
            " more:x:203:svc",
            "more:x:0203:svc",
            "more:x:4294967295:svc",
            "more:x:203: svc",
            "more:x:203:svc,",
            "more:x:203:svc\r",
            "more:\0:203:svc",
            "# a comment \0",
            "more:x:203:\r",
            "more:x:203",
            "more:x:203:svc:",
            "more",
        ] {
            let accounts = Accounts::parse(Some(PASSWD), Some(&format!("{GROUP}\n{line}\n")));
            assert_eq!(accounts.members("team"), None, "{line}");
        }
    }

    #[test]
    fn groups_that_share_a_name_or_an_id_are_not_certain() {
        for (line, uncertain) in [
            ("more:x:200:svc", ["more", "team"]),
            ("team:x:203:", ["team"; 2]),
            ("#team:x:200:svc", ["team"; 2]),
            (" # any text:x:0200:svc", ["team"; 2]),
            ("#team:x:\t+200:svc:", ["team"; 2]),
        ] {
            let accounts = Accounts::parse(Some(PASSWD), Some(&format!("{GROUP}\n{line}")));
            for group in uncertain {
                assert_eq!(accounts.members(group), None, "{line} {group}");
            }
            assert_eq!(accounts.members("users").as_deref(), Some(&["svc"][..]));
        }
    }

    #[test]
    fn users_who_share_an_id_are_not_certain() {
        let passwd = format!("{PASSWD}toor:x:0:0::/:/bin/sh\nalone:x:5:100::/:/bin/sh\n");
        let accounts = Accounts::parse(Some(&passwd), Some(GROUP));
        for (name, is_local) in [
            ("root", false),
            ("toor", false),
            ("svc", true),
            ("alone", true),
        ] {
            assert_eq!(accounts.is_local(name), is_local, "{name}");
        }
    }

    #[test]
    fn comments_that_add_no_members_change_nothing() {
        for line in [
            "#team:x:203:svc",
            "#team:x:200:",
            "#team:x:200",
            "# team: x: 200 or 201: svc",
            "# team: see: the wiki: svc",
            "#team:x:-200:svc",
            "#team:x:-:svc",
            "# team 200",
        ] {
            let accounts = Accounts::parse(Some(PASSWD), Some(&format!("{GROUP}\n{line}")));
            let members = accounts.members("team");
            assert_eq!(members.as_deref(), Some(&["svc"][..]), "{line}");
        }
    }

    #[test]
    fn nothing_is_known_without_a_file() {
        let accounts = Accounts::parse(None, Some(GROUP));
        assert!(!accounts.is_local("svc"));
        let accounts = Accounts::parse(Some(PASSWD), None);
        assert_eq!(accounts.members("team"), None);
        assert!(accounts.is_local("svc"));
    }
}
