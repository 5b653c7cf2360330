//! What Aspera and AWS say: encryption, keys, files, the installation, its services.

pub mod command;
pub mod encryption;
pub mod installation;
pub mod kms_key;
pub mod s3_properties;
pub mod trapd;
