//! The groups of the operating system, from its files (`man 5 passwd`, `man 5 group`).

use std::fs;
use std::path::Path;

/// Who is in which group, as far as local files tell; directories such as LDAP are not asked.
#[derive(Debug, Default)]
pub struct OsGroups {
    passwd: String,
    group: String,
}

impl OsGroups {
    /// Reads the files below a root.
    pub fn read(root: &Path) -> Self {
        let text = |path| fs::read(root.join(path)).unwrap_or_default();
        let text = |path| String::from_utf8_lossy(&text(path)).into_owned();
        Self {
            passwd: text("etc/passwd"),
            group: text("etc/group"),
        }
    }

    /// Whether a user is in a group; nothing if the user is not a local one.
    pub fn contains(&self, group: &str, user: &str) -> Option<bool> {
        let primary = line_of(&self.passwd, user)?.split(':').nth(3)?;
        let Some(line) = line_of(&self.group, group) else {
            return Some(false);
        };
        let mut fields = line.split(':').skip(2);
        let is_primary = fields.next() == Some(primary);
        let members = fields.next().unwrap_or_default();
        Some(is_primary || members.split(',').any(|member| member == user))
    }
}

fn line_of<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.lines()
        .find(|line| line.split(':').next() == Some(name))
}
