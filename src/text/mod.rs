//! Lossless editing of text files as bytes. Knows nothing of Ansible or Aspera.

pub mod lines;
pub mod properties;
pub mod splice;
pub mod xml;
