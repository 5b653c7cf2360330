//! What the program is at work on, so that the answer after a panic can name it.
//!
//! A panic aborts: nothing can be caught, and the one docroot that meets a bug ends the work on all others. Whoever reads the answer must know
//! which one to leave out. A subject is shown as it is, so it never holds more than the name of a user or group.

use std::cell::RefCell;
use std::fmt::Display;

thread_local! {
    static SUBJECT: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Does some work under a name.
pub fn with_subject<T>(subject: impl Display, work: impl FnOnce() -> T) -> T {
    let before = SUBJECT.replace(Some(subject.to_string()));
    #[cfg(test)]
    faults::panic_if_planned();
    let result = work();
    SUBJECT.set(before);
    result
}

/// The name of the work that is being done, or that a panic ended.
pub fn subject() -> Option<String> {
    SUBJECT.with_borrow(Clone::clone)
}

/// Bugs for the tests: work under a certain name panics.
#[cfg(test)]
pub(crate) mod faults {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    thread_local! {
        static FAULT: RefCell<Option<String>> = const { RefCell::new(None) };
    }

    pub(super) fn panic_if_planned() {
        let is_planned = FAULT.with_borrow(|fault| fault.is_some() && *fault == subject());
        assert!(!is_planned, "a planned panic");
    }

    /// What a panic hook would name if the work on a subject met a bug; nothing if no work is done under that name.
    pub(crate) fn named_after_a_panic_at<T>(
        fault: &str,
        work: impl FnOnce() -> T,
    ) -> Option<String> {
        FAULT.set(Some(fault.to_owned()));
        let panicked = catch_unwind(AssertUnwindSafe(work)).is_err();
        FAULT.set(None);
        let named = SUBJECT.take();
        named.filter(|_| panicked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_work_has_the_name() {
        assert_eq!(subject(), None);
        with_subject("user a", || {
            with_subject("user b", || {
                assert_eq!(subject().as_deref(), Some("user b"));
            });
            assert_eq!(subject().as_deref(), Some("user a"));
        });
        assert_eq!(subject(), None);
    }
}
