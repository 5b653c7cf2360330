//! A secret that is planted in an input, and the search for it in all that is said about the input.

use std::fmt::{Debug, Display};

/// It occurs in no input by itself, and is a key or an encryption of no kind.
pub const SECRET: &str = "q9Dummy0Secret";

/// Whether it is in an input nevertheless: fuzzing reads the program, too, and finds it there.
pub fn is_in(input: &[u8]) -> bool {
    input
        .windows(SECRET.len())
        .any(|part| part == SECRET.as_bytes())
}

/// What is shown to people: messages, warnings, diffs, values.
#[derive(Default)]
pub struct Shown(String);

impl Shown {
    /// Takes values whose debugging form has all their text.
    pub fn take(&mut self, values: impl Debug) {
        self.0 += &format!("{values:?}\n");
    }

    /// Takes a message.
    pub fn say(&mut self, message: &impl Display) {
        self.0 += &format!("{message}\n");
    }

    /// Checks that the secret is not in it.
    pub fn is_clean(&self, input: &[u8]) {
        assert!(
            !self.0.contains(SECRET),
            "{} is said of {}",
            self.0,
            input.escape_ascii()
        );
    }
}
