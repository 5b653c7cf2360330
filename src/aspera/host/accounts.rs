//! The accounts of the operating system, from its files.

use std::path::Path;

use crate::aspera::audit::Accounts;
use crate::files::{self, FileError, Problem};

/// The accounts of the operating system, as far as its files could be read.
#[derive(Debug, Default)]
pub struct OsAccounts {
    pub accounts: Accounts,
    /// The reasons why files could not be read.
    pub unread: Vec<FileError>,
}

impl OsAccounts {
    /// Reads `etc/passwd` and `etc/group` below a root.
    pub fn read(root: &Path) -> Self {
        let mut unread = Vec::new();
        let mut text = |name| {
            let path = root.join(name);
            let read = files::read(&path)
                .and_then(|bytes| bytes.ok_or_else(|| Problem::Missing.at(&path)));
            match read {
                Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
                Err(error) => {
                    unread.push(error);
                    None
                }
            }
        };
        let (passwd, group) = (text("etc/passwd"), text("etc/group"));
        Self {
            accounts: Accounts::parse(passwd.as_deref(), group.as_deref()),
            unread,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_cannot_be_read_are_reported() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("etc/group")).unwrap();
        let found = OsAccounts::read(root.path());
        let problems: Vec<String> = found.unread.iter().map(FileError::sentence).collect();
        assert!(
            problems[0].ends_with("/etc/passwd does not exist."),
            "{problems:?}"
        );
        assert!(problems[1].contains("is a directory"), "{problems:?}");
    }
}
