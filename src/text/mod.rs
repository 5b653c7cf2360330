//! Lossless editing of text files as bytes. Knows nothing of Ansible or Aspera.

#![warn(missing_docs)]

pub mod lines;
pub mod properties;
pub mod splice;
pub mod xml;
