//! The module `aspera_s3_objects_info`: see `library/aspera_s3_objects_info.yml`.

use std::process::ExitCode;

use aspera_sse::ansible;
use aspera_sse::modules::AsperaS3ObjectsInfo;

fn main() -> ExitCode {
    ansible::run::<AsperaS3ObjectsInfo>()
}
