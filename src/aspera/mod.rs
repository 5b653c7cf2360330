//! What Aspera and AWS say: encryption, keys, files, the installation, its services. All of it is pure but `host`.

pub mod audit;
pub mod docroot;
pub mod host;
pub mod setting;
pub mod trapd;
pub mod version;
