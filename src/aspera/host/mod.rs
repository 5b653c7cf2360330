//! The host: its installation, services, processes and programs. This is the only part of the domain that looks at the machine.

mod accounts;
mod asconfigurator;
mod asuserdata;
mod command;
mod gaps;
mod installation;
mod program;
pub mod services;

pub use accounts::OsAccounts;
pub use asconfigurator::{Instruction, InstructionError, Unsuccessful};
pub use asuserdata::{Silence, Validation, Validity};
pub use command::{Answer, Exit, Question, TIME_LIMIT, ask};
pub use gaps::{Found, FoundService, Gap, Incomplete, Reading, gaps};
pub use installation::{
    KmsUnsupported, UnknownVersion, VersionQuestion, ask_version, check_kms_support, read_version,
};
pub use program::{NotRun, Untrusted, trusted_program};
pub use services::{
    Clock, Host, LastChange, Look, Manager, Mismatch, Obstacle, Process, Reason, Restart, Service,
    State, Status, Stranger, is_enabled, obstacle, restart_due, transfers,
    trapd_has_encryption_options,
};
