//! A small blocking HTTPS client with the signatures of AWS and with passwords (Basic), and the places where AWS keeps credentials. Knows nothing of Ansible or Aspera.
//!
//! No redirect is followed: it is an answer. Every request has limits on time and size. Nothing of an answer or of a URL is part of an error.

mod addresses;
mod basic;
mod client;
mod credentials;
mod encoding;
mod environment;
mod failure;
mod issuer;
mod metadata;
mod origin;
mod proxy;
mod random;
mod signature;
mod sts;
mod tls;
mod xml;

pub use basic::Login;
pub use client::{Client, Counts, Limits, Method, Request, Response};
pub use credentials::Credentials;
pub use encoding::{encode, encode_path, query};
pub use environment::credentials_of_environment;
pub use failure::{Failure, InvalidAuthority, Phase};
pub use metadata::{Metadata, NoMetadata};
pub use origin::{InvalidOrigin, Origin, Scheme};
pub use proxy::{Proxies, ProxyFailure};
pub use random::random_name;
pub use signature::{Signer, ToSign, hexadecimal_sum};
pub use sts::{AssumedRole, Refused, Role, assume_role};
pub use tls::authorities;
pub use xml::{Element, NotXml};
