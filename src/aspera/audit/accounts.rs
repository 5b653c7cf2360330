//! The accounts and groups of the operating system, from the text of its files (`man 5 passwd`, `man 5 group`).
//!
//! How Aspera asks for the groups of a user is not documented: it may look at the members of the named group, or at the group ids that initgroups(3) collects
//! from all lines. So a membership is certain only where both agree, and where there is one way to read the files: glibc skips blanks before names and
//! members, keeps a carriage return at the end of a line, and takes `+` and `-` lines for instructions to ask NIS.

use std::collections::{HashMap, HashSet};

/// The group memberships that the local files list. A directory such as LDAP is not consulted.
#[derive(Debug, Default)]
pub struct Accounts {
    /// The local users, or an empty set if the file could not be read or has a line that is not plain.
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
    /// Whether another line has the same name or id.
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

    /// Returns whether a user has a line in `/etc/passwd`.
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
fn users(passwd: &str) -> Option<HashMap<String, u32>> {
    let mut users = HashMap::new();
    for line in lines(passwd) {
        let fields: Vec<&str> = line.split(':').collect();
        let [name, _, uid, gid, _, _, _] = fields[..] else {
            return None;
        };
        let (true, Some(_), Some(gid)) = (is_plain(name), number(uid), number(gid)) else {
            return None;
        };
        users.entry(name.to_owned()).or_insert(gid);
    }
    Some(users)
}

/// Returns the groups by name, or `None` if a line is not plain.
fn groups(group: &str) -> Option<HashMap<String, Group>> {
    let mut groups: HashMap<String, Group> = HashMap::new();
    let mut names_of_ids: HashMap<u32, String> = HashMap::new();
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
    Some(groups)
}

/// Returns the lines that hold an entry. glibc skips empty lines and comments.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.split('\n');
    lines.filter(|line| {
        let line = line.trim_ascii_start();
        !line.is_empty() && !line.starts_with('#')
    })
}

/// Returns whether every program reads a name alike: it has no blanks, and does not begin like an instruction to ask NIS.
fn is_plain(name: &str) -> bool {
    let is_separator = |c: char| c.is_whitespace() || c.is_control() || c == ',';
    !name.is_empty() && !name.starts_with(['+', '-']) && !name.contains(is_separator)
}

/// Returns an id in the usual form, without a sign or leading zeros.
fn number(text: &str) -> Option<u32> {
    let number: u32 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
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
            "more:x:203: svc",
            "more:x:203:svc,",
            "more:x:203:svc\r",
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
        ] {
            let accounts = Accounts::parse(Some(PASSWD), Some(&format!("{GROUP}\n{line}")));
            for group in uncertain {
                assert_eq!(accounts.members(group), None, "{line} {group}");
            }
            assert_eq!(accounts.members("users").as_deref(), Some(&["svc"][..]));
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
