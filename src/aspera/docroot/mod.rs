//! The docroots in `aspera.conf`: reading them, their URIs, and the edits that give them their encryption.

mod block;
mod change;
mod conf;
mod display;
mod draft;
mod host_name;
mod plan;
mod reader;
mod request;
mod rollback;
mod scope;
mod self_check;
mod span;
mod spelling;
mod uri;
mod uri_edits;
mod uri_readings;
mod uri_redact;

pub use change::{Change, Fate, InsteadOfS3, Plan, PlanError, PlannedDocroot, SkipReason};
pub use conf::{
    AsperaConf, Block, ConfError, DocrootElement, Element, Precedence, Skeleton, Uncovered,
    UncoveredKind,
};
pub use display::{DisplayPlace, changed_places};
pub use host_name::host_name;
pub use plan::plan;
pub use request::{Request, Selection, by_scope};
pub use rollback::{RollbackError, rollback};
pub use scope::{BlockKind, Scope, some_of};
pub use self_check::holds;
pub use span::Span;
pub use uri::{DocrootUri, Storage};
pub use uri_edits::KeyEncoding;
pub use uri_readings::{Mark, Query};
