//! The limit on the size of files (`ulimit -f`).

use nix::sys::signal::{SigSet, Signal};

/// Makes a write beyond the limit fail with `EFBIG` instead of killing the process, so that the module can say so.
///
/// The signal is blocked, not ignored, for that needs no unsafe code. Programs that the module starts are not concerned: `Command` gives them
/// an empty mask.
pub(super) fn block_sigxfsz() {
    let mut signals = SigSet::empty();
    signals.add(Signal::SIGXFSZ);
    // Where that fails, the process is killed as before.
    let _ = signals.thread_block();
}
