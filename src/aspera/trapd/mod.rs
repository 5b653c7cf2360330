//! The two encryption settings in trapd's `s3.properties`: the vendor's article on SSE-KMS.

mod display;
mod file;
mod plan;
mod read;
mod rollback;

pub use display::ChangedPlace;
pub use file::{MAX_LENGTH, PlanError, may_set};
pub use plan::{Plan, plan};
pub use read::{Contents, kms_warning, read};
pub use rollback::{RollbackError, rollback};
