//! Why arguments cannot be used, as sentences.

/// The reason why arguments cannot be used. Contains no value: any may be a secret in the wrong place.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentsError {
    /// The arguments are not JSON.
    #[error(
        "The arguments are not valid JSON. Run the module through Ansible, or give it a file with a JSON object."
    )]
    Syntax,
    /// JSON, but not an object.
    #[error(
        "The arguments are JSON but not an object. Run the module through Ansible, or give it a file with a JSON object."
    )]
    NotAnObject,
    /// Python's extension of JSON.
    #[error("{} is not a finite number (NaN or Infinity), which no option accepts. Correct the value or the template that makes it.", option_or_some(.0.as_ref()))]
    NotFinite(Option<String>),
    /// Bytes that were not UTF-8 on the controller.
    #[error("{} contains bytes that are not UTF-8 text. Correct the value or the encoding of the file it comes from.", option_or_some(.0.as_ref()))]
    LoneSurrogate(Option<String>),
    /// `omit` inside a list or dict, by ansible-core before 2.19.
    #[error(
        "The option {0} contains omit inside a list or dictionary, which this version of ansible-core does not resolve. Remove the element instead."
    )]
    LeakedOmit(String),
    /// An option that the module does not have.
    #[error("{}", unknown_option(.given.as_deref(), *.nearest, .known))]
    Unknown {
        /// Its name, if it is one that may be shown.
        given: Option<String>,
        /// The most similar known option.
        nearest: Option<&'static str>,
        /// The names of all known options.
        known: String,
    },
    /// A required option that is not given.
    #[error("The option {0} is missing. Set it.")]
    Missing(String),
    /// A value of another type.
    #[error("The option {option} must be {expected}.")]
    Type {
        /// The option, with its place.
        option: String,
        /// What is expected, with an article.
        expected: &'static str,
    },
    /// A URI or credentials in the place of a name or path. The value is not repeated.
    #[error(
        "The value of the option {0} looks like a URI or holds credentials, so it is not shown. Give a name or a path."
    )]
    Misplaced(String),
    /// A path that depends on the folder in which the module happens to run.
    #[error(
        "The option {0} must be an absolute path. Correct it, or leave it out (in a template: default(omit))."
    )]
    RelativePath(String),
    /// A value that is not among the choices.
    #[error("The option {option} must be one of: {choices}.")]
    Choice {
        /// The option, with its place.
        option: String,
        /// The values that it may have.
        choices: String,
    },
}

fn unknown_option(given: Option<&str>, nearest: Option<&str>, known: &str) -> String {
    let mut message = match given {
        Some(given) => format!("There is no option {given}."),
        None => "There is an option whose name is not valid.".to_owned(),
    };
    if let Some(nearest) = nearest {
        message += &format!(" Did you mean {nearest}?");
    }
    message + &format!(" The options are: {known}.")
}

fn option_or_some(option: Option<&String>) -> String {
    match option {
        Some(option) => format!("The option {option}"),
        None => "An option".to_owned(),
    }
}
