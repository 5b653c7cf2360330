//! The domain: what Aspera and AWS define. Encryption, keys, files, the installation and its services. Everything but `host` is pure.

pub mod audit;
pub mod docroot;
pub mod host;
pub mod objects;
pub mod setting;
pub mod trapd;
pub mod version;
