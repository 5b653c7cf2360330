//! A settings file that `create` makes: the owner, group and mode of the neighbour that trapd reads too.

mod invocation;

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};

use invocation::Sandbox;
use serde_json::json;

#[test]
fn a_new_file_is_for_those_who_may_read_its_neighbour() {
    let sandbox = Sandbox::new();
    fs::remove_file(sandbox.file()).unwrap();
    let neighbour = sandbox.file().with_file_name("trap.properties");
    fs::write(&neighbour, "").unwrap();
    // An ordinary user can give it to nobody else.
    let _ = chown(&neighbour, Some(12), Some(34));
    fs::set_permissions(&neighbour, Permissions::from_mode(0o4640)).unwrap();
    let options = json!({"server_side_encryption": "AES256", "create": true});
    assert_eq!(sandbox.run(&options)["changed"], json!(true));
    let (new, neighbour) = (
        fs::metadata(sandbox.file()).unwrap(),
        fs::metadata(neighbour).unwrap(),
    );
    assert_eq!((new.uid(), new.gid()), (neighbour.uid(), neighbour.gid()));
    assert_eq!(new.mode() & 0o7777, 0o640);
}
