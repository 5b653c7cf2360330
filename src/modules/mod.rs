//! The modules: the options and the procedure of each, top to bottom.

mod apply;
mod asconfigurator;
mod aspera_docroot_sse;
mod aspera_sse_info;
mod aspera_trapd_sse;
mod compliance;
mod docroot_failure;
mod docroot_options;
mod docroot_report;
mod docroot_warnings;
mod expect;
mod host_warnings;
mod incomplete;
mod pending_restart;
mod restore;
mod result;
mod setting;
mod sums;
mod table;
mod transfers;

pub use aspera_docroot_sse::AsperaDocrootSse;
pub use aspera_sse_info::AsperaSseInfo;
pub use aspera_trapd_sse::AsperaTrapdSse;
