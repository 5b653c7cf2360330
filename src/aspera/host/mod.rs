//! The host: its installation, services, processes and programs. This is the only part of the domain that looks at the machine.

mod accounts;
mod addresses;
mod asconfigurator;
mod ascp;
mod asuserdata;
mod child;
mod command;
mod found;
mod gaps;
mod installation;
mod names;
mod program;
pub mod services;

pub use accounts::OsAccounts;
pub use addresses::is_this_host;
pub use asconfigurator::{Instruction, InstructionError, Unsuccessful};
pub use ascp::{
    KmsUnsupported, UnknownVersion, VersionQuery, ask_version, check_kms_support, read_version,
};
pub use asuserdata::{Silence, Validation, Validity};
pub use child::Exit;
pub use command::{ProgramResult, RunningProgram, TIME_LIMIT, ask};
pub use found::{Found, FoundService, Reading};
pub use gaps::{Gap, Incomplete, gaps};
pub use installation::Installation;
pub use program::{NotRun, Untrusted, trusted_program};
pub use services::{
    Changes, Clock, Host, LastChange, Manager, MetadataChanges, Mismatch, Obstacle, Process,
    Reason, Restart, Service, ServiceState, Status, StatusQuery, Stranger, claims_the_future,
    is_enabled, obstacle, restart_due, transfers, trapd_has_encryption_options,
};
