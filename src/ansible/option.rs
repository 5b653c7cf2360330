//! What options a module has.

/// One option of a module, as its documentation states it.
#[derive(Debug)]
pub struct OptionSpec {
    /// Its name.
    pub name: &'static str,
    /// The type of its value.
    pub kind: Kind,
    /// Its value when it is not given.
    pub default: Default,
    /// The values it may have; any if there are none.
    pub choices: &'static [&'static str],
    /// Whether it must be given.
    pub required: bool,
    /// Which values may be repeated in results and logs.
    pub shown: Shown,
}

/// The type of a value, by the name Ansible has for it.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// `str`
    Str,
    /// `path`: a leading `~` and `$VAR` are expanded.
    Path,
    /// `bool`
    Bool,
    /// `int`
    Int,
    /// `list`, with the type of its elements.
    List(&'static Kind),
    /// `dict`, with the options it may hold.
    Dict(&'static [OptionSpec]),
}

impl Kind {
    /// The name that documentation uses.
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

/// Which values of an option may be repeated.
#[derive(Debug, Clone, Copy)]
pub enum Shown {
    /// All.
    Always,
    /// None: they are secret.
    Never,
    /// Those that this recognises; anything else may be a secret in the wrong place.
    If(fn(&str) -> bool),
}

/// The value of an option that is not given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Default {
    /// None.
    Absent,
    /// A text or path.
    Str(&'static str),
    /// A boolean.
    Bool(bool),
}

impl OptionSpec {
    /// An option without default.
    pub const fn new(name: &'static str, kind: Kind) -> Self {
        Self {
            name,
            kind,
            default: Default::Absent,
            choices: &[],
            required: false,
            shown: Shown::Always,
        }
    }

    /// A boolean that is false when not given.
    pub const fn flag(name: &'static str) -> Self {
        let mut flag = Self::new(name, Kind::Bool);
        flag.default = Default::Bool(false);
        flag
    }

    /// With the default true, for a boolean.
    #[must_use]
    pub const fn or_true(mut self) -> Self {
        self.default = Default::Bool(true);
        self
    }

    /// With a default text.
    #[must_use]
    pub const fn or(mut self, default: &'static str) -> Self {
        self.default = Default::Str(default);
        self
    }

    /// With values that are repeated only if they are recognised.
    #[must_use]
    pub const fn shown_if(mut self, recognises: fn(&str) -> bool) -> Self {
        self.shown = Shown::If(recognises);
        self
    }

    /// With a closed set of values.
    #[must_use]
    pub const fn one_of(mut self, choices: &'static [&'static str]) -> Self {
        self.choices = choices;
        self
    }
}

/// Whether a name may be shown. Names come from users too: `k=v` in the wrong place makes one of half a URI.
pub(super) fn is_plain_name(name: &str) -> bool {
    let is_part = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_');
    name.len() <= 40
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(is_part)
}
