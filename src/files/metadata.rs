//! Owner, mode, ACL, label and attributes of a file that takes the place of another.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::path::Path;

use nix::errno::Errno;
use nix::sys::stat::{FileStat, Mode, fchmod, fstat};
use nix::unistd::{Gid, Uid, fchown};
use xattr::FileExt;

use super::error::{During, FileError, Step, errno_of};
use super::snapshot::Snapshot;

/// Owner and mode of a file that is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewFile {
    /// The owner.
    pub owner: u32,
    /// The group.
    pub group: u32,
    /// The permission bits.
    pub mode: u32,
}

/// Makes the metadata of a file equal to that of the one it will replace. Called before it has content.
pub(super) fn equal_to(old: &Snapshot, new: &File, path: &Path) -> Result<(), FileError> {
    set_owner(new, old.stat.st_uid, old.stat.st_gid, path)?;
    copy_attributes(&old.file, new, path)?;
    set_mode(new, old.stat.st_mode, path)
}

/// Gives a new file its metadata. Attributes stay as the folder's defaults made them.
pub(super) fn initial(wanted: NewFile, new: &File, path: &Path) -> Result<(), FileError> {
    set_owner(new, wanted.owner, wanted.group, path)?;
    set_mode(new, wanted.mode, path)
}

fn set_owner(file: &File, owner: u32, group: u32, path: &Path) -> Result<(), FileError> {
    let stat = fstat(file).during(Step::Chown, path)?;
    let differing = |current: u32, wanted: u32| (current != wanted).then_some(wanted);
    let owner = differing(stat.st_uid, owner).map(Uid::from_raw);
    let group = differing(stat.st_gid, group).map(Gid::from_raw);
    if owner.is_some() || group.is_some() {
        fchown(file, owner, group).during(Step::Chown, path)?;
    }
    Ok(())
}

fn set_mode(file: &File, mode: u32, path: &Path) -> Result<(), FileError> {
    let wanted = permissions(mode);
    let current = |stat: FileStat| permissions(stat.st_mode);
    if fstat(file).map(current) != Ok(wanted) {
        fchmod(file, wanted).during(Step::Chmod, path)?;
    }
    // Some file systems say yes and do something else.
    match fstat(file).map(current).during(Step::Chmod, path)? {
        mode if mode == wanted => Ok(()),
        _ => Err(Errno::EPERM).during(Step::Chmod, path),
    }
}

fn permissions(mode: u32) -> Mode {
    Mode::from_bits_truncate(mode & 0o7777)
}

/// The new file gets what the old one has, and loses what a default ACL of the folder added: a mere chmod would leave the file open to those
/// that the default ACL names.
fn copy_attributes(old: &File, new: &File, path: &Path) -> Result<(), FileError> {
    let wanted = kept_attributes(old).during(Step::Attributes, path)?;
    for name in kept_attributes(new).during(Step::Attributes, path)? {
        if !wanted.contains(&name) {
            new.remove_xattr(&name).during(Step::Attributes, path)?;
        }
    }
    for name in wanted {
        let value = old.get_xattr(&name).during(Step::Attributes, path)?;
        if let Some(value) = value
            && new
                .get_xattr(&name)
                .during(Step::Attributes, path)?
                .as_deref()
                != Some(&value)
        {
            new.set_xattr(&name, &value)
                .during(Step::Attributes, path)?;
        }
    }
    Ok(())
}

/// The names of the attributes that belong to a file's identity. Not those of IMA and EVM, which sign the old content, nor capabilities.
fn kept_attributes(file: &File) -> io::Result<Vec<OsString>> {
    match file.list_xattr() {
        Ok(names) => Ok(names.filter(|name| is_kept(name)).collect()),
        Err(error) => match errno_of(&error) {
            Errno::EOPNOTSUPP | Errno::ENOSYS => Ok(Vec::new()),
            _ => Err(error),
        },
    }
}

fn is_kept(name: &OsStr) -> bool {
    name == "security.selinux"
        || name == "system.posix_acl_access"
        || name.as_encoded_bytes().starts_with(b"user.")
}
