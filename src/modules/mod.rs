//! The modules: the options of each and what it does, top to bottom.

mod aspera_trapd_sse;

pub use aspera_trapd_sse::AsperaTrapdSse;
