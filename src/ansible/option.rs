//! The options of a module.

/// One option of a module, as its documentation states it.
#[derive(Debug)]
pub struct OptionSpec {
    /// The name in a task.
    pub name: &'static str,
    /// The type of its value.
    pub kind: Kind,
    /// Its value when it is not given.
    pub default: OptionDefault,
    /// The values that it may have. An empty list means any value.
    pub choices: &'static [&'static str],
    /// Whether it must be given.
    pub required: bool,
    /// Which values may be repeated in results and logs.
    pub shown: Shown,
}

/// The type of a value, by Ansible's name for it.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// `str`: any text, also from a number.
    Str,
    /// `path`: a leading `~` and `$VAR` are expanded.
    Path,
    /// `bool`, in any of the spellings that Ansible knows.
    Bool,
    /// `int`: a whole number.
    Int,
    /// `list`, with the type of its elements.
    List(&'static Kind),
    /// `dict`, with the options it may hold.
    Dict(&'static [OptionSpec]),
}

impl Kind {
    /// Returns the name that documentation uses.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Str => "str",
            Self::Path => "path",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::List(_) => "list",
            Self::Dict(_) => "dict",
        }
    }
}

/// The values of an option that may be repeated.
#[derive(Debug, Clone, Copy)]
pub enum Shown {
    /// All values may be repeated.
    Always,
    /// No values: they are secret.
    Never,
    /// The values that this function recognises. Any other value may be a secret in the wrong place.
    If(fn(&str) -> bool),
}

/// The value of an option that is not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptionDefault {
    /// The option has no default.
    Absent,
    /// A text or path.
    Str(&'static str),
    /// A value of a `bool`.
    Bool(bool),
    /// A value of an `int`.
    Int(i64),
}

impl OptionSpec {
    /// Creates an option without a default.
    pub const fn new(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            default: OptionDefault::Absent,
            choices: &[],
            required: false,
            shown: Shown::Always,
        }
    }

    /// Creates a boolean option with the default false.
    pub const fn flag(name: &'static str) -> Self {
        let mut flag = Self::new(name, Kind::Bool);
        flag.default = OptionDefault::Bool(false);
        flag
    }

    /// Sets the default of a boolean option to true.
    #[must_use]
    pub const fn default_true(mut self) -> Self {
        self.default = OptionDefault::Bool(true);
        self
    }

    /// Sets a text as the default.
    #[must_use]
    pub const fn default(mut self, default: &'static str) -> Self {
        self.default = OptionDefault::Str(default);
        self
    }

    /// Sets a number as the default.
    #[must_use]
    pub const fn default_number(mut self, default: i64) -> Self {
        self.default = OptionDefault::Int(default);
        self
    }

    /// Allows no value to be repeated.
    #[must_use]
    pub const fn secret(mut self) -> Self {
        self.shown = Shown::Never;
        self
    }

    /// Allows only recognised values to be repeated.
    #[must_use]
    pub const fn shown_if(mut self, recognises: fn(&str) -> bool) -> Self {
        self.shown = Shown::If(recognises);
        self
    }

    /// Limits the values to a closed set.
    #[must_use]
    pub const fn choices(mut self, choices: &'static [&'static str]) -> Self {
        self.choices = choices;
        self
    }
}

/// Returns whether a name may be shown. Names come from users too: `k=v` in the wrong place turns half a URI into a name.
pub(super) fn is_plain_name(name: &str) -> bool {
    let is_part = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
    name.len() <= 40
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_name_may_be_shown() {
        let longest = "a".repeat(40);
        for (name, expected) in [
            ("a", true),
            ("kms_key_id", true),
            ("a1_", true),
            (longest.as_str(), true),
            (&format!("{longest}a"), false),
            ("", false),
            ("_a", false),
            ("1a", false),
            ("A", false),
            ("aB", false),
            ("a-b", false),
            ("a:b", false),
        ] {
            assert_eq!(is_plain_name(name), expected, "{name}");
        }
    }
}
