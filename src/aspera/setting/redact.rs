//! Lines of a configuration file, as a diff may show them.

/// One line of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DisplayLine {
    /// A line that may be shown.
    Shown(String),
    /// A line that may hold a secret.
    Hidden,
}
