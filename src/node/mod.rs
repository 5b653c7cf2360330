//! What is asked of the Node API of a transfer server: what it is, and its access keys. Knows nothing of Ansible, and nothing is ever written.
//!
//! The form of the answers is that of "IBM Aspera Node API" 4.4.6 (`/info`, `/access_keys`). Only the fields that are needed are read: an access key
//! also has secrets, such as `content_protection_secret` and `token_encryption_key`, which are skipped where they stand.

mod access_key;
mod api;
mod field;
mod info;
mod refusal;

pub use access_key::{AccessKey, OwnStorage, Storage};
pub use api::Node;
pub use field::Field;
pub use info::Info;
pub use refusal::Refusal;
