//! Waiting until no transfer runs.

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::ansible::{Failure, Kind, OptionSpec};
use crate::aspera::host::{Host, transfers};

/// The option of `aspera_sse_info` that says how many seconds to wait.
pub(super) const WAIT_UNTIL_IDLE: OptionSpec = OptionSpec::new("wait_until_idle", Kind::Int);

/// A day: who wants to wait longer should not keep a connection open for it.
const LONGEST: i64 = 24 * 60 * 60;

/// How often to look. Each look reads the command lines of all processes.
const PAUSE: Duration = Duration::from_secs(1);

/// Waits until no transfer runs, but not longer than some seconds. What is not known does not become known by waiting.
pub(super) fn wait_until_idle(seconds: Option<i64>, aspera_root: &Path) -> Result<(), Failure> {
    let seconds = seconds.unwrap_or_default();
    let Some(limit) = u64::try_from(seconds).ok().filter(|_| seconds <= LONGEST) else {
        return Err(Failure::new(format!(
            "The option wait_until_idle must be a number of seconds from 0 to {LONGEST}."
        )));
    };
    let start = Instant::now();
    let limit = Duration::from_secs(limit);
    while transfers(&Host::this(), aspera_root).is_some_and(|count| count > 0) {
        let left = limit.saturating_sub(start.elapsed());
        if left.is_zero() {
            break;
        }
        sleep(PAUSE.min(left));
    }
    Ok(())
}
