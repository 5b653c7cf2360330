//! What is known of a server.

use super::accounts::Accounts;
use super::possible::Request;
use crate::aspera::docroot::AsperaConf;
use crate::aspera::version::Version;

/// Everything that the judgement needs to know of a server.
#[derive(Debug)]
pub struct Facts<'a> {
    /// `aspera.conf`; nothing if it could not be read.
    pub conf: Option<&'a AsperaConf<'a>>,
    /// What `s3.properties` sets; nothing if it could not be read as trapd reads it.
    pub system: Option<SystemFile>,
    /// Whether trapd is enabled.
    pub trapd_enabled: Option<bool>,
    /// Whether the unit or init script of trapd sets encryption options as well.
    pub service_options: bool,
    /// The version of Aspera.
    pub version: Option<Version>,
    /// The accounts of the operating system.
    pub accounts: &'a Accounts,
    /// Whether a live asperanoded started before `aspera.conf` got its present content.
    pub noded_runs_older_file: bool,
    /// Whether a live asperatrapd started before `s3.properties` got its present content.
    pub trapd_runs_older_file: bool,
}

/// What `s3.properties` sets. A missing file sets nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SystemFile {
    /// The two encryption settings.
    pub request: Request,
    /// Whether `s3service.https-only` is true.
    pub https_only: bool,
}

impl Facts<'_> {
    /// Whether `pvcl_cloud` serves: true where it is configured, false where it cannot, nothing where that is not known.
    pub fn pvcl_cloud(&self) -> Option<bool> {
        if self.conf.is_some_and(|conf| conf.has_pvcl) {
            return Some(true);
        }
        // A file that could not be read may configure it.
        let may_be_configured = self.conf.is_none() && self.may_have_pvcl();
        (!may_be_configured && !self.pvcl_is_possible()).then_some(false)
    }

    /// Whether `pvcl_cloud` may serve S3 docroots. It came with 4.4 beside trapd. trapd is off by default on HSTS: where it is enabled and `pvcl_cloud`
    /// is not configured, trapd is taken for the one that serves.
    pub fn pvcl_is_possible(&self) -> bool {
        let is_configured = self.conf.is_some_and(|conf| conf.has_pvcl);
        is_configured || self.may_have_pvcl() && self.trapd_enabled != Some(true)
    }

    fn may_have_pvcl(&self) -> bool {
        let version = self.version.as_ref();
        version.is_none_or(|version| *version >= Version::first_with_pvcl())
    }
}
