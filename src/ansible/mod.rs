//! The protocol between Ansible and a compiled ("binary") module. Knows nothing of Aspera.
//!
//! Ansible runs the module with the path of a JSON file that holds the arguments, and reads one JSON object from its standard output:
//! `ansible/executor/module_common.py` and `ansible/module_utils/json_utils.py` in ansible-core.

#![warn(missing_docs)]

mod arguments;
mod arguments_error;
mod ascii_json;
mod coerce;
mod descriptors;
mod diff;
mod invalid_json;
mod log;
mod mask;
mod memory;
mod message;
mod misplaced;
mod near;
mod option;
mod outcome;
mod run;
mod size_limit;

pub use arguments::Arguments;
pub use arguments_error::ArgumentsError;
pub use coerce::{ExpectedKind, coerce};
pub use diff::{Diff, Line, MAX_PLACES, Place};
pub use message::TaskSettings;
pub use near::near;
pub use option::{Kind, OptionDefault, OptionSpec, Shown};
pub use outcome::{Failure, Outcome};
pub use run::{Module, Task, run};
