//! Options that reach trapd without `s3.properties`: up to On Demand 3.5.4, the vendor's init script set properties of the same names with `-D`.

use super::host::Host;
use super::manager::Status;
use crate::aspera::setting::ENCRYPTION_KEY;
use crate::files;

/// The files that start trapd, and the files that the init scripts of distributions read with them.
const FILES: [&str; 8] = [
    "etc/init.d/asperatrapd",
    "etc/rc.d/init.d/asperatrapd",
    "etc/default/asperatrapd",
    "etc/sysconfig/asperatrapd",
    "etc/systemd/system/asperatrapd.service",
    "run/systemd/system/asperatrapd.service",
    "usr/lib/systemd/system/asperatrapd.service",
    "lib/systemd/system/asperatrapd.service",
];

/// Folders with more such files.
const FOLDERS: [&str; 4] = [
    "etc/systemd/system/asperatrapd.service.d",
    "run/systemd/system/asperatrapd.service.d",
    "usr/lib/systemd/system/asperatrapd.service.d",
    "lib/systemd/system/asperatrapd.service.d",
];

/// Returns whether an encryption option is in a unit or init script of trapd, or on the command line of a live process of it. A file that cannot be
/// read counts as if it had one.
pub fn trapd_has_encryption_options(host: &Host, status: &Status) -> bool {
    let dropped_in = FOLDERS.iter().flat_map(|folder| {
        let names = host.names(folder).into_iter();
        names.map(move |name| format!("{folder}/{name}"))
    });
    let mut files = FILES.iter().map(ToString::to_string).chain(dropped_in);
    let is_own = |pid: u32| status.processes.iter().any(|process| process.pid == pid);
    let mut command_lines = host.command_lines().iter();
    files.any(|file| may_set_option(host, &file))
        || command_lines.any(|(pid, command_line)| is_own(*pid) && names_option(command_line))
}

fn may_set_option(host: &Host, file: &str) -> bool {
    match files::read(&host.path(file)) {
        Ok(None) => false,
        Ok(Some(bytes)) => bytes.split(|&byte| byte == b'\n').any(|line| {
            let is_comment = line.trim_ascii_start().starts_with(b"#");
            !is_comment && names_option(line)
        }),
        Err(_) => true,
    }
}

fn names_option(bytes: &[u8]) -> bool {
    let option = ENCRYPTION_KEY.as_bytes();
    bytes.windows(option.len()).any(|window| window == option)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn options_in_scripts_and_drop_ins_are_found_and_comments_are_not() {
        let root = tempfile::tempdir().unwrap();
        let host = Host::below(root.path(), "systemctl".as_ref());
        let status = Status::default();
        assert!(!trapd_has_encryption_options(&host, &status));
        let script = root.path().join("etc/init.d/asperatrapd");
        fs::create_dir_all(script.parent().unwrap()).unwrap();
        fs::write(&script, "#PROPS=-Dserver-side-encryption=NONE\nexec java\n").unwrap();
        assert!(!trapd_has_encryption_options(&host, &status));
        fs::write(&script, "PROPS=\"-Dserver-side-encryption=AES256\"\n").unwrap();
        assert!(trapd_has_encryption_options(&host, &status));
        fs::remove_file(&script).unwrap();
        let drop_in = root.path().join("etc/systemd/system/asperatrapd.service.d");
        fs::create_dir_all(&drop_in).unwrap();
        fs::write(
            drop_in.join("a.conf"),
            "Environment=A=-Dserver-side-encryption-aws-kms-key-id=k\n",
        )
        .unwrap();
        assert!(trapd_has_encryption_options(&host, &status));
    }

    #[test]
    fn a_script_that_cannot_be_read_may_set_one() {
        let root = tempfile::tempdir().unwrap();
        let host = Host::below(root.path(), "systemctl".as_ref());
        fs::create_dir_all(root.path().join("etc/init.d/asperatrapd")).unwrap();
        assert!(trapd_has_encryption_options(&host, &Status::default()));
    }
}
