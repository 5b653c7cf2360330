//! Credentials in the environment variables that AWS's own programs read.

use std::env;

use super::credentials::Credentials;

/// Returns the credentials of `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`, or `None` if they are not set or not usable.
pub fn credentials_of_environment() -> Option<Credentials> {
    let variable = |name| env::var(name).ok().filter(|value| !value.is_empty());
    Credentials::new(
        variable("AWS_ACCESS_KEY_ID")?,
        variable("AWS_SECRET_ACCESS_KEY")?,
        variable("AWS_SESSION_TOKEN"),
    )
}
