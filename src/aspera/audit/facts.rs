//! The known facts about a server.

use super::accounts::Accounts;
use super::doubt::Doubt;
use super::possible::Request;
use super::settled::Settled;
use crate::aspera::docroot::AsperaConf;
use crate::aspera::trapd::Contents;
use crate::aspera::version::Version;

/// All facts about a server that the judgement uses.
#[derive(Debug)]
pub struct Facts<'a> {
    /// `aspera.conf`, or `None` if it could not be read.
    pub conf: Option<&'a AsperaConf<'a>>,
    /// The content of `s3.properties`, or `None` if it could not be read as trapd reads it.
    pub system: Option<SystemFile>,
    /// Whether trapd is enabled, or `None` if that is not known.
    pub trapd_enabled: Option<bool>,
    /// Whether the unit or init script of trapd sets encryption options as well.
    pub service_options: bool,
    /// The version of Aspera, or `None` if it is not known.
    pub version: Option<Version>,
    /// The accounts of the operating system.
    pub accounts: Accounts,
    /// Whether a live asperanoded started before `aspera.conf` got its present content.
    pub noded_runs_older_file: bool,
    /// Whether a live asperatrapd started before `s3.properties` got its present content.
    pub trapd_runs_older_file: bool,
    /// What uploaded objects have settled.
    pub settled: Vec<Settled>,
}

/// The settings in `s3.properties`. A missing file sets nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SystemFile {
    /// The two encryption settings.
    pub request: Request,
    /// The other settings that are possible if names that are nearly theirs count as well.
    pub nearly: Vec<Request>,
    /// Whether even more are possible.
    pub has_more_nearly: bool,
    /// Whether `s3service.https-only` is true.
    pub https_only: bool,
    /// Whether it sets the endpoint or the signature of requests.
    pub has_other_endpoint: bool,
}

impl From<&Contents> for SystemFile {
    fn from(contents: &Contents) -> Self {
        let request = |(encryption, kms_key): &(Option<String>, Option<String>)| {
            Request::new(encryption.clone(), kms_key.clone())
        };
        Self {
            request: Request::new(contents.encryption.clone(), contents.kms_key.clone()),
            nearly: contents.nearly.iter().map(request).collect(),
            has_more_nearly: contents.has_more_nearly,
            https_only: contents.https_only,
            has_other_endpoint: contents.has_other_endpoint,
        }
    }
}

#[cfg(test)]
impl<'a> Facts<'a> {
    /// Returns the facts of a server of an unknown version, with trapd, of which nothing else is known.
    pub(crate) fn of(conf: Option<&'a AsperaConf<'a>>) -> Self {
        Self {
            conf,
            trapd_enabled: Some(true),
            ..Self::unknown()
        }
    }
}

impl Facts<'_> {
    /// Returns the facts of a server of which nothing is known.
    pub fn unknown() -> Self {
        Self {
            conf: None,
            system: None,
            trapd_enabled: None,
            service_options: false,
            version: None,
            accounts: Accounts::default(),
            noded_runs_older_file: false,
            trapd_runs_older_file: false,
            settled: Vec::new(),
        }
    }

    /// Returns whether `pvcl_cloud` serves: `Some(true)` if it is configured, `Some(false)` if it cannot serve, `None` if that is not known.
    pub fn pvcl_cloud(&self) -> Option<bool> {
        if self.conf.is_some_and(|conf| conf.has_pvcl) {
            return Some(true);
        }
        // An unreadable file may configure it.
        let may_be_configured = self.conf.is_none() && self.may_have_pvcl();
        (!may_be_configured && !self.pvcl_is_possible()).then_some(false)
    }

    /// Returns whether `pvcl_cloud` may serve S3 docroots. It came with 4.4 beside trapd. trapd is off by default on HSTS: if trapd is enabled and
    /// `pvcl_cloud` is not configured, trapd is assumed to serve.
    pub fn pvcl_is_possible(&self) -> bool {
        let is_configured = self.conf.is_some_and(|conf| conf.has_pvcl);
        is_configured || self.may_have_pvcl() && self.trapd_enabled != Some(true)
    }

    /// Returns the reason why this version may not read encryption from `s3.properties`, if there is one.
    pub fn doubt_of_system_wide_encryption(&self) -> Option<Doubt> {
        match &self.version {
            None => Some(Doubt::VersionUnknown),
            Some(version) => (*version < Version::first_with_system_wide_encryption())
                .then_some(Doubt::OldVersion),
        }
    }

    fn may_have_pvcl(&self) -> bool {
        let version = self.version.as_ref();
        version.is_none_or(|version| *version >= Version::first_with_pvcl())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pvcl_cloud_serves_if_it_is_configured_and_may_serve_from_4_4_on_if_trapd_is_not_enabled() {
        let plain = AsperaConf::parse(b"<CONF><default/></CONF>").unwrap();
        let with_pvcl = AsperaConf::parse(b"<CONF><default><pvcl/></default></CONF>").unwrap();
        let version = |number: &str| Version::from_ascp_output(&format!("ascp version {number}"));
        let (old, new) = (version("4.3.1"), version("4.4.0"));
        assert!(old.is_some() && new.is_some());
        for (conf, version, trapd_enabled, serves) in [
            (Some(&with_pvcl), &old, Some(true), Some(true)),
            (Some(&plain), &old, Some(false), Some(false)),
            (Some(&plain), &new, Some(true), Some(false)),
            (Some(&plain), &new, Some(false), None),
            (Some(&plain), &None, None, None),
            (None, &new, Some(true), None),
            (None, &old, Some(true), Some(false)),
        ] {
            let facts = Facts {
                trapd_enabled,
                version: version.clone(),
                ..Facts::of(conf)
            };
            assert_eq!(facts.pvcl_cloud(), serves, "{version:?} {trapd_enabled:?}");
        }
    }
}
