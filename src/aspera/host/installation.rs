//! The installation below an Aspera root: where its files and programs are.

use std::path::{Path, PathBuf};

use crate::files;

/// An installation of Aspera.
#[derive(Debug, Clone, Copy)]
pub struct Installation<'r> {
    root: &'r Path,
}

impl<'r> Installation<'r> {
    /// Returns the installation below a root, whether it is there or not.
    pub fn at(root: &'r Path) -> Self {
        Self { root }
    }

    /// Returns whether there is Aspera, or may be: one of two files that each installation has, or that cannot be looked at.
    pub fn is_there(self) -> bool {
        let files = [self.aspera_conf(), self.ascp()];
        let may_be = |file: &PathBuf| !matches!(files::metadata(file), Ok(None));
        files.iter().any(may_be)
    }

    /// Returns the path of the file with users, groups and docroots.
    pub fn aspera_conf(self) -> PathBuf {
        self.root.join("etc/aspera.conf")
    }

    /// Returns the path of the file from which trapd reads the system-wide encryption.
    pub fn s3_properties(self) -> PathBuf {
        self.root.join("etc/trapd/s3.properties")
    }

    /// Returns the path of the other file of trapd.
    pub fn trap_properties(self) -> PathBuf {
        self.root.join("etc/trapd/trap.properties")
    }

    /// Returns the path of the program that transfers, and knows its version.
    pub fn ascp(self) -> PathBuf {
        self.root.join("bin/ascp")
    }

    /// Returns the path of the program that validates `aspera.conf`.
    pub fn asuserdata(self) -> PathBuf {
        self.root.join("bin/asuserdata")
    }

    /// Returns the path of the program that writes `aspera.conf`.
    pub fn asconfigurator(self) -> PathBuf {
        self.root.join("bin/asconfigurator")
    }

    /// Returns the path of the program that enables trapd.
    pub fn astrap_config(self) -> PathBuf {
        self.root.join("bin/astrap-config.sh")
    }
}
