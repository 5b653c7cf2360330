//! As whom S3 is asked: the credentials of the docroot, those of the options, the role of the instance, and the environment, in this order.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;

use super::objects_cause::Cause;
use super::s3_options::Access;
use crate::aspera::objects::GivenCredentials;
use crate::http::{
    Client, Credentials, Metadata, NoMetadata, assume_role, credentials_of_environment,
};

/// The region where nothing names one.
const DEFAULT_REGION: &str = "us-east-1";

/// Where credentials are from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Docroot,
    Options,
    Instance,
    Environment,
}

#[derive(Clone)]
pub(super) struct Identity {
    pub(super) source: Source,
    pub(super) credentials: Credentials,
}

/// All identities of a task. What takes a request is asked for once.
pub(super) struct Identities<'a> {
    access: &'a Access,
    client: &'a Client,
    metadata: OnceCell<Result<Metadata, NoMetadata>>,
    of_host: OnceCell<Result<Identity, NoMetadata>>,
    assumed: RefCell<HashMap<Credentials, Credentials>>,
}

impl Source {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Docroot => "docroot",
            Self::Options => "options",
            Self::Instance => "instance",
            Self::Environment => "environment",
        }
    }
}

impl<'a> Identities<'a> {
    pub(super) fn new(access: &'a Access, client: &'a Client) -> Self {
        Self {
            access,
            client,
            metadata: OnceCell::new(),
            of_host: OnceCell::new(),
            assumed: RefCell::default(),
        }
    }

    /// Returns the identities to try for a docroot, in their order. A later one is for what S3 denies to the one before: servers that only upload have no
    /// right to look.
    pub(super) fn for_docroot(&self, given: &GivenCredentials) -> Result<Vec<Identity>, Cause> {
        let own = match given {
            GivenCredentials::None => None,
            GivenCredentials::Malformed => return Err(Cause::MalformedCredentials),
            GivenCredentials::Key(id, secret) => {
                Some(Credentials::new(id, secret, None).ok_or(Cause::MalformedCredentials)?)
            }
        };
        let identity = |source, credentials| Identity {
            source,
            credentials,
        };
        let own = own.map(|own| identity(Source::Docroot, own));
        let options = self.access.credentials.clone();
        let options = options.map(|options| identity(Source::Options, options));
        let identities: Vec<Identity> = own.into_iter().chain(options).collect();
        if !identities.is_empty() {
            return Ok(identities);
        }
        match self.of_host.get_or_init(|| self.find_on_host()) {
            Ok(identity) => Ok(vec![identity.clone()]),
            Err(why) => Err(Cause::NoCredentials(*why)),
        }
    }

    /// Returns the identity that the server itself uses for a docroot: the credentials in it, or the role of the instance.
    pub(super) fn of_server(&self, given: &GivenCredentials) -> Result<Identity, Cause> {
        let known = self.for_docroot(given)?.into_iter().next();
        let known =
            known.filter(|identity| matches!(identity.source, Source::Docroot | Source::Instance));
        known.ok_or(Cause::NotOfServer)
    }

    /// Returns the credentials with which an identity asks: its own, or those of the role that it assumes.
    pub(super) fn credentials(&self, identity: &Identity) -> Result<Credentials, Cause> {
        let Some(role) = &self.access.role else {
            return Ok(identity.credentials.clone());
        };
        if let Some(known) = self.assumed.borrow().get(&identity.credentials) {
            return Ok(known.clone());
        }
        let region = self.region(None);
        let assumed =
            assume_role(self.client, &identity.credentials, &region, role).map_err(Cause::Role)?;
        let mut known = self.assumed.borrow_mut();
        known.insert(identity.credentials.clone(), assumed.clone());
        Ok(assumed)
    }

    /// Returns the region to begin with: that of the host name, of the options, or of the instance.
    pub(super) fn region(&self, named: Option<&str>) -> String {
        let known = named.or(self.access.region.as_deref()).map(str::to_owned);
        let of_instance = || match self.metadata.get()? {
            Ok(metadata) => metadata.region(),
            Err(_) => None,
        };
        known
            .or_else(of_instance)
            .unwrap_or_else(|| DEFAULT_REGION.to_owned())
    }

    fn find_on_host(&self) -> Result<Identity, NoMetadata> {
        let metadata = self.metadata.get_or_init(Metadata::open);
        let of_instance = metadata
            .as_ref()
            .map_err(|why| *why)
            .and_then(Metadata::credentials);
        let identity = |source| {
            move |credentials| Identity {
                source,
                credentials,
            }
        };
        of_instance.map(identity(Source::Instance)).or_else(|why| {
            let of_environment = credentials_of_environment().map(identity(Source::Environment));
            of_environment.ok_or(why)
        })
    }
}
