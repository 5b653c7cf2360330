//! The module `aspera_access_keys_info`: see `library/aspera_access_keys_info.yml`.

use std::process::ExitCode;

use aspera_sse::ansible;
use aspera_sse::modules::AsperaAccessKeysInfo;

fn main() -> ExitCode {
    ansible::run::<AsperaAccessKeysInfo>()
}
