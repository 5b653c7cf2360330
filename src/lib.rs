//! Ansible modules that set S3 server-side encryption on IBM Aspera servers.
//!
//! How a task flows: parse and check the arguments ([`ansible`]), look at the host and read the file once ([`modules`], [`aspera`]), plan the edits, which is
//! a pure function from bytes to edits ([`aspera`], [`text`]), make the diff of them (check mode stops here), replace the file safely ([`files`]), and
//! print the outcome as one line of JSON ([`ansible`]).
//!
//! The modules that look at objects ask S3 ([`s3`]), and the one that looks at access keys asks the Node API ([`node`]), both over HTTPS ([`http`]).

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
