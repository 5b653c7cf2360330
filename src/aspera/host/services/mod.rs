//! The services that read the settings: whether they run, since when, and whether they run with the current version of a file.

mod clock;
mod enabled;
mod host;
mod identity;
mod java_options;
mod last_change;
mod manager;
mod options;
mod processes;
mod restart;
mod transfers;
mod view;
mod visibility;

pub use clock::Clock;
pub use enabled::is_enabled;
pub use host::Host;
pub use identity::{Mismatch, Origin, Stranger};
pub use last_change::{Changes, LastChange, MetadataChanges, claims_the_future};
pub use manager::{Manager, ServiceState, Status, StatusQuery};
pub use options::trapd_has_encryption_options;
pub use processes::Process;
pub use restart::{Reason, Restart, restart_due};
pub use transfers::transfers;
pub use view::{Obstacle, obstacle};

/// A service of an Aspera server, with the file that it reads when it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// The gateway to object storage, with `s3.properties`.
    Trapd,
    /// The Node API, with the docroots in `aspera.conf`.
    Noded,
}

impl Service {
    pub const ALL: [Self; 2] = [Self::Trapd, Self::Noded];

    /// Returns the name of its unit or init script.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trapd => "asperatrapd",
            Self::Noded => "asperanoded",
        }
    }

    /// Returns the control group that systemd uses for it by default.
    fn usual_group(self) -> String {
        format!("system.slice/{}.service", self.name())
    }
}
