//! The groups of the operating system, from its files (`man 5 passwd`, `man 5 group`).

use std::path::Path;

use crate::files::{self, FileError};

/// Who is in which group, as far as local files tell; directories such as LDAP are not asked.
#[derive(Debug, Default)]
pub struct OsGroups {
    passwd: String,
    group: String,
    /// Which of the files could not be read.
    unread: Vec<FileError>,
}

/// Whether a user is in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Membership {
    /// It is.
    Member,
    /// It is not.
    NotMember,
    /// The user is no local one.
    UnknownUser,
    /// The group is no local one.
    UnknownGroup,
}

impl OsGroups {
    /// Reads the files below a root.
    pub fn read(root: &Path) -> Self {
        let mut unread = Vec::new();
        let mut text = |name| {
            let path = root.join(name);
            let read = files::read(&path).and_then(|bytes| bytes.ok_or(FileError::Missing(path)));
            let bytes = read.unwrap_or_else(|error| {
                unread.push(error);
                Vec::new()
            });
            String::from_utf8_lossy(&bytes).into_owned()
        };
        Self {
            passwd: text("etc/passwd"),
            group: text("etc/group"),
            unread,
        }
    }

    /// Which of the files could not be read, and why.
    pub fn unread(&self) -> &[FileError] {
        &self.unread
    }

    /// Whether a user is in a group.
    pub fn membership(&self, group: &str, user: &str) -> Membership {
        let primary = line_of(&self.passwd, user).and_then(|line| line.split(':').nth(3));
        let Some(primary) = primary else {
            return Membership::UnknownUser;
        };
        let Some(line) = line_of(&self.group, group) else {
            return Membership::UnknownGroup;
        };
        let mut fields = line.split(':').skip(2);
        let (Some(number), Some(members)) = (fields.next(), fields.next()) else {
            return Membership::UnknownGroup;
        };
        let is_primary = number == primary;
        if is_primary || members.split(',').any(|member| member == user) {
            Membership::Member
        } else {
            Membership::NotMember
        }
    }
}

fn line_of<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.lines()
        .find(|line| line.split(':').next() == Some(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_by_primary_group_and_by_name() {
        let groups = OsGroups {
            passwd: "root:x:0:0::/:\nxfer:x:1000:50::/:\nodd:x:1001\n".to_owned(),
            group: "first:x:50:\nsecond:x:51:other,xfer\nthird:x:52:xferx,\nshort\n".to_owned(),
            unread: Vec::new(),
        };
        for (group, user, expected) in [
            ("first", "xfer", Membership::Member),
            ("second", "xfer", Membership::Member),
            ("third", "xfer", Membership::NotMember),
            ("short", "xfer", Membership::UnknownGroup),
            // A line that was lost must not read as no.
            ("fourth", "xfer", Membership::UnknownGroup),
            ("second", "other", Membership::UnknownUser),
            ("second", "odd", Membership::UnknownUser),
        ] {
            assert_eq!(groups.membership(group, user), expected, "{group} {user}");
        }
    }

    #[test]
    fn files_that_cannot_be_read_are_told() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("etc/group")).unwrap();
        let groups = OsGroups::read(root.path());
        let problems: Vec<String> = groups.unread().iter().map(FileError::problem).collect();
        assert!(
            problems[0].ends_with("/etc/passwd does not exist."),
            "{problems:?}"
        );
        assert!(problems[1].contains("is a directory"), "{problems:?}");
    }
}
