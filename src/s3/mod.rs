//! What is asked of S3: a listing, the encryption of an object, the default encryption of a bucket, and an upload to try it. Knows nothing of Ansible or Aspera.
//!
//! Only documented fields of an answer are read, and of an error only its code.

mod default_encryption;
mod encryption;
mod listing;
mod object;
mod place;
mod refusal;
mod store;
mod upload;

pub use default_encryption::DefaultEncryption;
pub use encryption::{Algorithm, ObjectEncryption};
pub use listing::{Listed, Page};
pub use object::Object;
pub use place::{Place, Style};
pub use refusal::{KmsAction, Refusal};
pub use store::Store;
pub use upload::Written;
