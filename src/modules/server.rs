//! Everything that is read of a server, and what the judgement takes from it.

use std::mem;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::pending_restart::last_change;
use super::result::{strangers_warning, unread};
use super::sums::Sums;
use crate::aspera::audit::{Facts, Settled, SystemFile};
use crate::aspera::docroot::AsperaConf;
use crate::aspera::host::{
    Clock, Found, FoundService, Host, Incomplete, Installation, LastChange, MetadataChanges,
    OsAccounts, Reading, Service, Status, StatusQuery, UnknownVersion, Validation, Validity,
    ask_version, gaps, is_enabled, obstacle, read_version, restart_due, transfers,
    trapd_has_encryption_options,
};
use crate::aspera::setting::FoundValue;
use crate::aspera::trapd::{self, Contents};
use crate::aspera::version::Version;
use crate::files;

/// Everything that is read of a server.
pub(super) struct Server {
    pub(super) properties_path: PathBuf,
    pub(super) conf_path: PathBuf,
    pub(super) has_ascp: bool,
    /// The bytes of `aspera.conf`, and the result of reading them.
    pub(super) conf: (Option<Vec<u8>>, Reading),
    pub(super) trapd: TrapdReport,
    /// The settings in `s3.properties`, and the result of reading it.
    pub(super) system: (Option<SystemFile>, Reading),
    pub(super) os_accounts: OsAccounts,
    pub(super) version: Option<Version>,
    /// Why the version is not known, if `ascp` was not asked.
    pub(super) version_reason: Option<&'static str>,
    /// The path of `asuserdata`, and its answer.
    pub(super) asuserdata: (PathBuf, Validity),
    pub(super) clock: Clock,
    pub(super) services: [FoundService; 2],
    pub(super) statuses: [Status; 2],
    pub(super) service_options: bool,
    pub(super) transfers: Option<usize>,
    pub(super) sums: Option<Sums>,
    /// The last changes of the two files, and of `ascp`, which comes with a version of Aspera.
    pub(super) last_changes: [LastChange; 3],
    pub(super) warnings: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct TrapdReport {
    pub(super) enabled: Option<bool>,
    pub(super) path: String,
    pub(super) exists: Option<bool>,
    pub(super) server_side_encryption: Option<String>,
    pub(super) kms_key_id: Option<String>,
    pub(super) https_only: Option<bool>,
    pub(super) problems: Vec<String>,
}

impl Server {
    /// Reads the files, and asks the programs and services. `sums` makes sums of the two files, for a module that returns them: what another does not need is
    /// not in its program then.
    pub(super) fn read(
        aspera_root: &Path,
        sums: impl FnOnce(Option<&[u8]>, Option<&[u8]>) -> Option<Sums>,
        metadata_changes: MetadataChanges,
    ) -> Self {
        let host = Host::this();
        // These take their time, and answer while the files are read.
        let looks = Service::ALL.map(|service| StatusQuery::start(&host, service));
        let ascp = ask_version(aspera_root);
        let validation = Validation::start(aspera_root);
        let mut warnings = Vec::new();
        let installation = Installation::at(aspera_root);
        let properties_path = installation.s3_properties();
        let conf_path = installation.aspera_conf();
        let enabled = Service::ALL.map(|service| is_enabled(&host, service, aspera_root));
        let properties = read(&properties_path, trapd::MAX_LENGTH, &mut warnings);
        let conf = read(&conf_path, files::SIZE_LIMIT, &mut warnings);
        let sums = sums(conf.0.as_deref(), properties.0.as_deref());
        let (trapd, system, properties) =
            TrapdReport::new(&properties_path, enabled[0], properties);
        let clock = Clock::read(&host);
        let statuses = looks.map(|look| look.finish(&host, &clock, aspera_root));
        for (service, status) in Service::ALL.into_iter().zip(&statuses) {
            warnings.extend(strangers_warning(service, status, aspera_root));
        }
        let files = [&*properties_path, &*conf_path];
        let last_changes = files.map(|file| {
            let (last_change, warning) = last_change(file, aspera_root, &clock, metadata_changes);
            warnings.extend(warning);
            last_change
        });
        let (of_ascp, _) = last_change(
            &installation.ascp(),
            aspera_root,
            &clock,
            MetadataChanges::Ignored,
        );
        let services = std::array::from_fn(|index| FoundService {
            service: Service::ALL[index],
            manager: statuses[index].manager,
            enabled: enabled[index],
            state: statuses[index].state,
            restart: restart_due(&statuses[index], &clock, false, last_changes[index]),
            obstacle: obstacle(&host, &statuses[index], files[index]),
        });
        let (version, version_reason) = match read_version(ascp) {
            Ok(version) => (Some(version), None),
            Err(UnknownVersion::Untrusted(untrusted)) => {
                warnings.push(untrusted.to_string());
                (None, Some("untrusted_program"))
            }
            Err(_) => (None, None),
        };
        Self {
            has_ascp: !matches!(files::metadata(&installation.ascp()), Ok(None)),
            conf,
            trapd,
            system: (system, properties),
            os_accounts: OsAccounts::read("/".as_ref()),
            version,
            version_reason,
            asuserdata: validation.finish(),
            service_options: trapd_has_encryption_options(&host, &statuses[0])
                || may_set_options(&installation.trap_properties()),
            // After ascp has answered, which is no transfer.
            transfers: transfers(&Host::this(), aspera_root),
            last_changes: [last_changes[0], last_changes[1], of_ascp],
            properties_path,
            conf_path,
            clock,
            services,
            statuses,
            sums,
            warnings,
        }
    }

    /// Takes and parses `aspera.conf`. Returns `None` if it cannot be read; its reading and the warnings then say why.
    pub(super) fn take_conf(&mut self) -> Option<&'static AsperaConf<'static>> {
        // The answer is written out of the file, which may be large, and with which the process ends.
        let bytes: &'static [u8] = self.conf.0.take()?.leak();
        match AsperaConf::parse(bytes) {
            Ok(conf) => Some(Box::leak(Box::new(conf))),
            Err(error) => {
                let warning = format!("{} {error}", self.conf_path.display());
                self.warnings.push(warning);
                self.conf.1 = Reading::Malformed(error.problem());
                None
            }
        }
    }

    /// Takes what the judgement needs.
    pub(super) fn take_facts(
        &mut self,
        conf: Option<&'static AsperaConf<'static>>,
        settled: Vec<Settled>,
    ) -> Facts<'static> {
        let [trapd_runs_older_file, noded_runs_older_file] = self
            .services
            .each_ref()
            .map(FoundService::may_run_older_file);
        Facts {
            conf,
            system: self.system.0.take(),
            trapd_enabled: self.trapd.enabled,
            service_options: self.service_options,
            version: self.version.clone(),
            accounts: mem::take(&mut self.os_accounts.accounts),
            noded_runs_older_file,
            trapd_runs_older_file,
            settled,
        }
    }

    /// Returns whether there is an installation.
    pub(super) fn is_installed(&self) -> bool {
        self.conf.1 != Reading::Missing || self.has_ascp
    }

    /// Returns everything that should have been read and was not.
    pub(super) fn gaps(
        &self,
        aspera_root: &Path,
        conf: Option<&AsperaConf>,
        trapd_is_needed: bool,
    ) -> Vec<Incomplete> {
        let needs_accounts = conf.is_some_and(AsperaConf::has_groups);
        let unread = &self.os_accounts.unread;
        gaps(&Found {
            aspera_root,
            installed: self.is_installed(),
            conf: (&self.conf_path, self.conf.1.clone()),
            uncovered: conf.map_or(&[], |conf| &conf.uncovered),
            properties: (&self.properties_path, self.system.1.clone()),
            asuserdata: (&self.asuserdata.0, &self.asuserdata.1),
            unread_accounts: if needs_accounts { unread } else { &[] },
            services: self.services,
            trapd_is_needed,
        })
    }
}

/// Returns whether a file of trapd may set what `s3.properties` sets. A file that cannot be read may.
fn may_set_options(path: &Path) -> bool {
    match files::read_up_to(path, trapd::MAX_LENGTH) {
        Ok(bytes) => bytes.is_some_and(|bytes| trapd::may_set(&bytes)),
        Err(_) => true,
    }
}

/// Returns the content of a file and the result of reading it. Adds a warning if the file exists and cannot be read.
fn read(path: &Path, limit: u64, warnings: &mut Vec<String>) -> (Option<Vec<u8>>, Reading) {
    match files::read_up_to(path, limit) {
        Ok(Some(bytes)) => (Some(bytes), Reading::Complete),
        Ok(None) => (None, Reading::Missing),
        Err(error) => {
            warnings.push(unread(&error, ""));
            (None, Reading::Unread(error))
        }
    }
}

impl TrapdReport {
    /// Reports what is in the file that trapd reads: returns the report, the effective setting if it is known, and the result of reading it.
    fn new(
        path: &Path,
        enabled: Option<bool>,
        (bytes, reading): (Option<Vec<u8>>, Reading),
    ) -> (Self, Option<SystemFile>, Reading) {
        let mut report = Self {
            enabled,
            path: path.to_string_lossy().into_owned(),
            exists: match reading {
                Reading::Complete | Reading::Malformed(_) => Some(true),
                Reading::Missing => Some(false),
                Reading::Unread(_) => None,
            },
            server_side_encryption: None,
            kms_key_id: None,
            https_only: None,
            problems: Vec::new(),
        };
        let Some(bytes) = bytes else {
            let nothing = (reading == Reading::Missing).then(SystemFile::default);
            return (report, nothing, reading);
        };
        match trapd::read(&bytes) {
            Ok(contents) => {
                let setting = SystemFile::from(&contents);
                report.take(contents);
                (report, Some(setting), reading)
            }
            Err(error) => {
                report.problems.push(error.to_string());
                (report, None, Reading::Malformed(error.problem()))
            }
        }
    }

    fn take(&mut self, contents: Contents) {
        let shown = |value: FoundValue| value.shown().to_owned();
        let (encryption, kms_key) = (&contents.encryption, &contents.kms_key);
        self.server_side_encryption = encryption
            .as_deref()
            .map(|text| shown(FoundValue::encryption(text)));
        self.kms_key_id = kms_key
            .as_deref()
            .map(|text| shown(FoundValue::kms_key(text, None)));
        self.https_only = Some(contents.https_only);
        self.problems = contents.problems;
    }
}
