//! The docroots in `aspera.conf`: reading them, their URIs, and the edits that give them their encryption.

mod block;
mod conf;
mod display;
mod plan;
mod reader;
mod scope;
mod self_check;
mod uri;

pub use conf::{AsperaConf, Block, ConfError, DocrootElement, Element, Precedence, Skeleton};
pub use display::{DisplayPlace, changed_places};
pub use plan::{Change, Plan, PlanError, PlannedDocroot, Request, Selection, by_scope, plan};
pub use scope::{BlockKind, Scope};
pub use self_check::holds;
pub use uri::{DocrootUri, KeyEncoding, Storage};
