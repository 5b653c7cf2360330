//! The accounts and groups of the operating system, from the text of its files (`man 5 passwd`, `man 5 group`).

use std::collections::{HashMap, HashSet};

/// The group memberships that the local files list. A directory such as LDAP is not consulted.
#[derive(Debug, Default)]
pub struct Accounts {
    /// The local users, or an empty set if the file could not be read.
    users: HashSet<String>,
    /// The local users by the id of their primary group.
    by_primary_group: HashMap<String, Vec<String>>,
    /// The local groups by name, or `None` if the file could not be read.
    groups: Option<HashMap<String, Group>>,
}

#[derive(Debug)]
struct Group {
    id: String,
    members: HashSet<String>,
}

impl Accounts {
    /// Parses the content of `/etc/passwd` and `/etc/group`; `None` stands for a file that could not be read.
    pub fn parse(passwd: Option<&str>, group: Option<&str>) -> Self {
        // The first line of a name counts, as in getpwnam(3) and getgrnam(3).
        let mut accounts = Self::default();
        for fields in lines(passwd) {
            if let [name, _, _, id, ..] = fields[..]
                && accounts.users.insert(name.to_owned())
            {
                let members = accounts.by_primary_group.entry(id.to_owned());
                members.or_default().push(name.to_owned());
            }
        }
        let mut groups = group.map(|_| HashMap::new());
        for fields in lines(group) {
            if let (Some(map), [name, _, id, members @ ..]) = (&mut groups, &fields[..]) {
                let members = members.first().unwrap_or(&"").split(',');
                map.entry((*name).to_owned()).or_insert_with(|| Group {
                    id: (*id).to_owned(),
                    members: members.map(str::to_owned).collect(),
                });
            }
        }
        accounts.groups = groups;
        accounts
    }

    /// Returns whether a user has a line in `/etc/passwd`.
    pub fn is_local(&self, user: &str) -> bool {
        self.users.contains(user)
    }

    /// Returns the local users in a group, or `None` if the local files do not list the group: a directory's group may have local members as well.
    pub fn members(&self, group: &str) -> Option<Vec<&str>> {
        let group = self.groups.as_ref()?.get(group)?;
        let by_primary_group = self.by_primary_group.get(&group.id).into_iter().flatten();
        let listed = group.members.iter().filter(|member| self.is_local(member));
        Some(by_primary_group.chain(listed).map(String::as_str).collect())
    }
}

fn lines(text: Option<&str>) -> impl Iterator<Item = Vec<&str>> {
    let lines = text.unwrap_or_default().lines();
    lines.map(|line| line.split(':').collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nsvc:x:1000:100::/home/svc:/bin/sh\nsvc:x:1001:7::/:/bin/sh\nbroken\n";
    const GROUP: &str = "users:x:100:\nteam:x:200:other,svc\nothers:x:201:svc2\nempty:x:202\n";

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
        assert!(!accounts.is_local("broken"));
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
