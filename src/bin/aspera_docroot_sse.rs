//! The module `aspera_docroot_sse`: see `library/aspera_docroot_sse.yml`.

use std::process::ExitCode;

use aspera_sse::ansible;
use aspera_sse::modules::AsperaDocrootSse;

fn main() -> ExitCode {
    ansible::run::<AsperaDocrootSse>()
}
