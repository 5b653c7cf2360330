//! The module `aspera_s3_trial_upload`: see `library/aspera_s3_trial_upload.yml`.

use std::process::ExitCode;

use aspera_sse::ansible;
use aspera_sse::modules::AsperaS3TrialUpload;

fn main() -> ExitCode {
    ansible::run::<AsperaS3TrialUpload>()
}
