//! The module `aspera_sse_info`: see `library/aspera_sse_info.yml`.

use std::process::ExitCode;

use aspera_sse::ansible;
use aspera_sse::modules::AsperaSseInfo;

fn main() -> ExitCode {
    ansible::run::<AsperaSseInfo>()
}
