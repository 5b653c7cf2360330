//! The module `aspera_trapd_sse`: see `library/aspera_trapd_sse.yml`.

use std::process::ExitCode;

use aspera_sse::ansible;
use aspera_sse::modules::AsperaTrapdSse;

fn main() -> ExitCode {
    ansible::run::<AsperaTrapdSse>()
}
