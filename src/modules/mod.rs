//! The modules: the options and the procedure of each, top to bottom.

mod apply;
mod asconfigurator;
mod aspera_docroot_sse;
mod aspera_s3_objects_info;
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
mod objects_cause;
mod objects_compliance;
mod objects_docroots;
mod objects_found;
mod objects_identity;
mod objects_list;
mod objects_look;
mod objects_options;
mod objects_report;
mod objects_verdict;
mod pending_restart;
mod result;
mod serving_since;
mod setting;
mod sums;
mod table;

pub use aspera_docroot_sse::AsperaDocrootSse;
pub use aspera_s3_objects_info::AsperaS3ObjectsInfo;
pub use aspera_sse_info::AsperaSseInfo;
pub use aspera_trapd_sse::AsperaTrapdSse;
