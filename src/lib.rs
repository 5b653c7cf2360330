//! Ansible modules that set S3 server-side encryption on IBM Aspera servers.
//!
//! One task takes one straight way: the arguments that Ansible sends become typed ([`ansible`]), the module ([`modules`]) makes of them the desired
//! state, reads the file once, and has the domain ([`aspera`]) plan the edits: a pure function from bytes to edits ([`text`]). The edits give
//! the diff; check mode ends here. Otherwise the file is replaced safely ([`files`]), and the outcome goes back to Ansible as one line of JSON.
//!
//! What the objects in a bucket are encrypted with is asked of S3 ([`s3`]), and what access keys say of the Node API ([`node`]), over HTTPS ([`http`]).

// What may open a file is in clippy.toml.
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]

pub mod ansible;
pub mod aspera;
pub mod files;
pub mod http;
pub mod modules;
pub mod node;
pub mod s3;
pub mod subject;
pub mod text;
pub mod utc;
