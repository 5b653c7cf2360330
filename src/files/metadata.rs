//! Owner, mode, ACL, label and attributes of a file that takes the place of another.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;

use nix::errno::Errno;
use nix::sys::stat::{FileStat, Mode, fchmod, fstat};
use nix::unistd::{Gid, Uid, fchown};
use xattr::FileExt;

use super::error::{During, Problem, Step, errno_of};
use super::snapshot::Snapshot;

/// Owner and mode of a file that is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewFile {
    /// The user id of its owner.
    pub owner: u32,
    /// The group id of its group.
    pub group: u32,
    /// The permission bits, without the type of the file.
    pub mode: u32,
}

/// Makes the metadata of a file equal to that of the one it will replace. Called before it has content.
pub(super) fn copy(old: &Snapshot, new: &File) -> Result<(), Problem> {
    set_owner(new, old.stat.st_uid, old.stat.st_gid)?;
    copy_attributes(&old.file, new)?;
    set_mode(new, old.stat.st_mode)
}

/// Gives a new file its metadata. Attributes stay as the folder's defaults made them.
pub(super) fn set(wanted: NewFile, new: &File) -> Result<(), Problem> {
    set_owner(new, wanted.owner, wanted.group)?;
    set_mode(new, wanted.mode)
}

fn set_owner(file: &File, owner: u32, group: u32) -> Result<(), Problem> {
    let stat = fstat(file).during(Step::Chown)?;
    let differing = |current: u32, wanted: u32| (current != wanted).then_some(wanted);
    let owner = differing(stat.st_uid, owner).map(Uid::from_raw);
    let group = differing(stat.st_gid, group).map(Gid::from_raw);
    if owner.is_some() || group.is_some() {
        fchown(file, owner, group).during(Step::Chown)?;
    }
    Ok(())
}

fn set_mode(file: &File, mode: u32) -> Result<(), Problem> {
    let wanted = permissions(mode);
    let current = |stat: FileStat| permissions(stat.st_mode);
    if fstat(file).map(current) != Ok(wanted) {
        fchmod(file, wanted).during(Step::Chmod)?;
    }
    let found = fstat(file).map(current).during(Step::Chmod)?;
    check_mode(found, wanted).during(Step::Chmod)
}

/// Some file systems say yes and do something else.
fn check_mode(found: Mode, wanted: Mode) -> nix::Result<()> {
    if found == wanted {
        Ok(())
    } else {
        Err(Errno::EPERM)
    }
}

fn permissions(mode: u32) -> Mode {
    Mode::from_bits_truncate(mode & 0o7777)
}

/// The new file gets what the old one has, and loses what a default ACL of the folder added: a mere chmod would leave the file open to those
/// that the default ACL names.
fn copy_attributes(old: &File, new: &File) -> Result<(), Problem> {
    let wanted = kept_attributes(old).during(Step::Attributes)?;
    for name in kept_attributes(new).during(Step::Attributes)? {
        if !wanted.contains(&name) {
            new.remove_xattr(&name).during(Step::Attributes)?;
        }
    }
    for name in wanted {
        let value = old.get_xattr(&name).during(Step::Attributes)?;
        if let Some(value) = value
            && new.get_xattr(&name).during(Step::Attributes)?.as_deref() != Some(&value)
        {
            new.set_xattr(&name, &value).during(Step::Attributes)?;
        }
    }
    Ok(())
}

/// The names of the attributes that belong to a file's identity. Not those of IMA and EVM, which sign the old content, nor capabilities.
fn kept_attributes(file: &File) -> io::Result<Vec<OsString>> {
    names_of(file.list_xattr())
}

/// A file system or kernel without attributes has none to keep.
fn names_of(listed: io::Result<impl Iterator<Item = OsString>>) -> io::Result<Vec<OsString>> {
    match listed {
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

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use nix::fcntl::AT_FDCWD;

    use super::super::snapshot::SIZE_LIMIT;
    use super::*;

    const ACL: &str = "system.posix_acl_access";
    const DEFAULT_ACL: &str = "system.posix_acl_default";

    /// An access control list as the kernel takes it (`linux/posix_acl_xattr.h`) that lets one more user read and write.
    fn list_with_user(user: u32) -> Vec<u8> {
        const NOBODY: u32 = u32::MAX;
        let entries: [(u16, u16, u32); 5] = [
            (0x01, 6, NOBODY),
            (0x02, 6, user),
            (0x04, 4, NOBODY),
            (0x10, 6, NOBODY),
            (0x20, 0, NOBODY),
        ];
        let mut list = 2_u32.to_le_bytes().to_vec();
        for (tag, permissions, id) in entries {
            list.extend(tag.to_le_bytes());
            list.extend(permissions.to_le_bytes());
            list.extend(id.to_le_bytes());
        }
        list
    }

    fn snapshot(path: &Path) -> Snapshot {
        Snapshot::read(AT_FDCWD, path, SIZE_LIMIT).unwrap().unwrap()
    }

    fn attributes(file: &File) -> Vec<OsString> {
        file.list_xattr().unwrap().collect()
    }

    #[test]
    fn a_list_that_only_the_default_of_the_folder_brings_is_taken_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name| folder.path().join(name);
        fs::write(path("old"), "").unwrap();
        fs::set_permissions(path("old"), Permissions::from_mode(0o640)).unwrap();
        xattr::set(folder.path(), DEFAULT_ACL, &list_with_user(57)).unwrap();
        let new = File::create_new(path("new")).unwrap();
        assert_eq!(attributes(&new), [ACL], "the default works");
        copy(&snapshot(&path("old")), &new).unwrap();
        assert_eq!(attributes(&new), [] as [&str; 0]);
        assert_eq!(new.metadata().unwrap().permissions().mode() & 0o7777, 0o640);
    }

    #[test]
    fn lists_and_attributes_of_the_old_file_take_the_place_of_those_of_the_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name| folder.path().join(name);
        let old = File::create_new(path("old")).unwrap();
        old.set_xattr(ACL, &list_with_user(56)).unwrap();
        old.set_xattr("user.origin", b"theirs").unwrap();
        xattr::set(folder.path(), DEFAULT_ACL, &list_with_user(57)).unwrap();
        let new = File::create_new(path("new")).unwrap();
        new.set_xattr("user.origin", b"ours").unwrap();
        new.set_xattr("user.other", b"ours").unwrap();
        copy(&snapshot(&path("old")), &new).unwrap();
        let value = |name| new.get_xattr(name).unwrap();
        assert_eq!(value(ACL).unwrap(), list_with_user(56));
        assert_eq!(value("user.origin").unwrap(), b"theirs");
        assert_eq!(value("user.other"), None);
    }

    #[test]
    fn a_file_system_without_attributes_has_none_to_keep() {
        let listed = |errno: Errno| {
            let error = io::Error::from_raw_os_error(errno as i32);
            names_of(Err::<std::iter::Empty<OsString>, _>(error))
        };
        for errno in [Errno::EOPNOTSUPP, Errno::ENOSYS] {
            assert_eq!(listed(errno).unwrap(), [] as [&str; 0]);
        }
        assert!(listed(Errno::EIO).is_err());
    }

    #[test]
    fn a_mode_that_was_not_set_is_refused() {
        let mode = permissions;
        assert_eq!(check_mode(mode(0o640), mode(0o640)), Ok(()));
        assert_eq!(check_mode(mode(0o644), mode(0o640)), Err(Errno::EPERM));
    }

    #[test]
    #[ignore = "needs root"]
    fn owner_and_group_are_set_where_either_differs() {
        let file = tempfile::tempfile().unwrap();
        for (owner, group) in [(12, 0), (12, 34), (0, 34), (0, 0), (0, 0)] {
            set_owner(&file, owner, group).unwrap();
            let stat = fstat(&file).unwrap();
            assert_eq!((stat.st_uid, stat.st_gid), (owner, group));
        }
    }

    #[test]
    fn only_what_belongs_to_the_identity_of_a_file_is_kept() {
        for (name, kept) in [
            ("security.selinux", true),
            ("system.posix_acl_access", true),
            ("user.origin", true),
            ("user.", true),
            ("security.ima", false),
            ("security.evm", false),
            ("security.capability", false),
            ("trusted.overlay.opaque", false),
            ("username", false),
        ] {
            assert_eq!(is_kept(name.as_ref()), kept, "{name}");
        }
    }

    #[test]
    fn all_permission_bits_are_set_and_nothing_else() {
        let file = tempfile::tempfile().unwrap();
        for mode in [0o600, 0o4640, 0o7777, 0o100_644] {
            set_mode(&file, mode).unwrap();
            let found = file.metadata().unwrap().permissions().mode();
            assert_eq!(found & 0o7777, mode & 0o7777);
        }
    }
}
