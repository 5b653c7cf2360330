//! `aspera_sse_info`: the encryption of uploads, its source, and whether the services run with it. Changes nothing.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::compliance::{Compliance, Judged};
use super::docroot_report::DocrootReports;
use super::expect;
use super::incomplete::IncompleteReport;
use super::pending_restart::last_change;
use super::result::{strangers_warning, unread};
use super::sums::{SUMS_KEY, Sums, SumsKey};
use super::table;
use super::transfers::{WAIT_UNTIL_IDLE, wait_until_idle};
use crate::ansible::{Kind, Module, OptionSpec, Outcome, Task};
use crate::aspera::audit::{Expectation, Facts, SystemFile, judge, rows};
use crate::aspera::docroot::AsperaConf;
use crate::aspera::host::{
    self, Clock, FoundService, Host, Installation, Look, Manager, MetadataChanges, OsAccounts,
    Reading, Reason, Service, State, Status, UnknownVersion, Validation, Validity, ask_version,
    gaps, is_enabled, obstacle, read_version, restart_due, transfers, trapd_has_encryption_options,
};
use crate::aspera::setting::FoundValue;
use crate::aspera::trapd::{self, Contents};
use crate::aspera::version::Version;
use crate::files;
use crate::utc::Utc;

/// The module.
pub struct AsperaSseInfo;

impl Module for AsperaSseInfo {
    const NAME: &'static str = "aspera_sse_info";
    const PURPOSE: &'static str = "Reports which server-side encryption S3 uploads of an IBM Aspera server get, and whether its services run with it.";
    const OPTIONS: &'static [OptionSpec] = &[
        OptionSpec::new("aspera_root", Kind::Path).or("/opt/aspera"),
        OptionSpec::new("expect", Kind::List(&Kind::Dict(expect::ENTRY))),
        OptionSpec::flag("ignore_metadata_changes"),
        SUMS_KEY,
        WAIT_UNTIL_IDLE,
    ];
    type Values = Values<'static>;

    fn run(task: &Task) -> Result<Outcome<Self::Values>> {
        let options: Options = task.arguments.typed();
        let expectations = options.expect.as_deref().map(expect::expectations);
        let expectations = expectations.transpose()?;
        let sums_key = options
            .sums_key
            .as_deref()
            .map(SumsKey::parse)
            .transpose()?;
        wait_until_idle(options.wait_until_idle, &options.aspera_root)?;
        let metadata_changes = if options.ignore_metadata_changes {
            MetadataChanges::Ignored
        } else {
            MetadataChanges::Count
        };
        let server = Server::read(&options.aspera_root, sums_key.as_ref(), metadata_changes);
        let values = Values::new(&options.aspera_root, server, expectations.as_deref());
        Ok(Outcome {
            changed: false,
            warnings: values.warnings.clone(),
            values,
            diff: None,
        })
    }
}

#[derive(Deserialize)]
struct Options {
    aspera_root: PathBuf,
    expect: Option<Vec<expect::Entry>>,
    ignore_metadata_changes: bool,
    sums_key: Option<String>,
    wait_until_idle: Option<i64>,
}

/// The module's own keys in its result.
#[derive(Debug, Serialize)]
pub struct Values<'f> {
    installed: bool,
    version: Option<String>,
    version_reason: Option<&'static str>,
    sse_kms_supported: Option<bool>,
    pvcl_cloud: Option<bool>,
    /// The result of `asuserdata -v`.
    configuration: Option<&'static str>,
    trapd: TrapdReport,
    table: Vec<String>,
    docroots: DocrootReports<'f>,
    services: Services,
    /// The number of transfers that run.
    transfers: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sums: Option<Sums>,
    incomplete: Vec<IncompleteReport>,
    #[serde(flatten)]
    compliance: Option<Compliance<'f>>,
    #[serde(skip)]
    warnings: Vec<String>,
}

#[derive(Debug, Serialize)]
struct TrapdReport {
    enabled: Option<bool>,
    path: String,
    exists: Option<bool>,
    server_side_encryption: Option<String>,
    kms_key_id: Option<String>,
    https_only: Option<bool>,
    problems: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Services {
    asperatrapd: ServiceReport,
    asperanoded: ServiceReport,
}

#[derive(Debug, Serialize)]
struct ServiceReport {
    manager: Option<&'static str>,
    state: Option<&'static str>,
    started_at: Option<String>,
    restart_required: Option<bool>,
    restart_reason: Option<Reason>,
}

/// Everything that is read of a server.
struct Server {
    properties_path: PathBuf,
    conf_path: PathBuf,
    has_ascp: bool,
    /// The bytes of `aspera.conf`, and the result of reading them.
    conf: (Option<Vec<u8>>, Reading),
    trapd: TrapdReport,
    /// The settings in `s3.properties`, and the result of reading it.
    system: (Option<SystemFile>, Reading),
    os_accounts: OsAccounts,
    version: Option<Version>,
    /// Why the version is not known, if `ascp` was not asked.
    version_reason: Option<&'static str>,
    /// The path of `asuserdata`, and its answer.
    asuserdata: (PathBuf, Validity),
    clock: Clock,
    services: [FoundService; 2],
    statuses: [Status; 2],
    service_options: bool,
    transfers: Option<usize>,
    sums: Option<Sums>,
    warnings: Vec<String>,
}

impl Server {
    fn read(
        aspera_root: &Path,
        sums_key: Option<&SumsKey>,
        metadata_changes: MetadataChanges,
    ) -> Self {
        let host = Host::this();
        // These take their time, and answer while the files are read.
        let looks = Service::ALL.map(|service| Look::start(&host, service));
        let ascp = ask_version(aspera_root);
        let validation = Validation::start(aspera_root);
        let mut warnings = Vec::new();
        let installation = Installation::at(aspera_root);
        let properties_path = installation.s3_properties();
        let conf_path = installation.aspera_conf();
        let enabled = Service::ALL.map(|service| is_enabled(&host, service, aspera_root));
        let properties = read(&properties_path, trapd::MAX_LENGTH, &mut warnings);
        let conf = read(&conf_path, files::SIZE_LIMIT, &mut warnings);
        let sums = sums_key.map(|key| Sums {
            aspera_conf: conf.0.as_deref().map(|bytes| key.sum(bytes)),
            s3_properties: properties.0.as_deref().map(|bytes| key.sum(bytes)),
        });
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
            properties_path,
            conf_path,
            clock,
            services,
            statuses,
            sums,
            warnings,
        }
    }
}

impl Values<'static> {
    fn new(aspera_root: &Path, server: Server, expectations: Option<&[Expectation]>) -> Self {
        let mut warnings = server.warnings;
        let (bytes, mut conf_reading) = server.conf;
        // The answer is written out of the file, which may be large, and with which the process ends.
        let bytes: Option<&'static [u8]> = bytes.map(|bytes| &*bytes.leak());
        let conf: Option<&'static AsperaConf> = match bytes.map(AsperaConf::parse) {
            None => None,
            Some(Ok(conf)) => Some(Box::leak(Box::new(conf))),
            Some(Err(error)) => {
                warnings.push(format!("{} {error}", server.conf_path.display()));
                conf_reading = Reading::Malformed(error.problem());
                None
            }
        };
        let needs_accounts = conf.is_some_and(AsperaConf::has_groups);
        let (system, properties_reading) = server.system;
        let [trapd_runs_older_file, noded_runs_older_file] = server
            .services
            .each_ref()
            .map(FoundService::may_run_older_file);
        let facts = Facts {
            conf,
            system,
            trapd_enabled: server.trapd.enabled,
            service_options: server.service_options,
            version: server.version,
            accounts: server.os_accounts.accounts,
            noded_runs_older_file,
            trapd_runs_older_file,
        };
        let installed = conf_reading != Reading::Missing || server.has_ascp;
        let unread = &server.os_accounts.unread;
        let gaps = gaps(&host::Found {
            aspera_root,
            installed,
            conf: (&server.conf_path, conf_reading),
            uncovered: conf.map_or(&[], |conf| &conf.uncovered),
            properties: (&server.properties_path, properties_reading),
            asuserdata: (&server.asuserdata.0, &server.asuserdata.1),
            unread_accounts: if needs_accounts { unread } else { &[] },
            services: server.services,
        });
        let rows = Rc::new(rows(&facts));
        let judgement = expectations.map(|expectations| judge(&facts, &rows, expectations));
        let judgement = judgement.map(Rc::new);
        let mut incomplete: Vec<IncompleteReport> =
            gaps.iter().map(IncompleteReport::new).collect();
        let conf_path = server.conf_path.to_string_lossy();
        let unfounded = judgement.iter().flat_map(|judgement| &judgement.unfounded);
        incomplete.extend(unfounded.map(|unfounded| {
            IncompleteReport::of_unfounded(unfounded, &server.trapd.path, &conf_path)
        }));
        let compliance = judgement.as_ref().map(|judgement| {
            Compliance::new(&Judged {
                properties: &server.trapd.path,
                conf: &conf_path,
                configuration_is_refused: server.asuserdata.1 == Validity::Refused,
                rows: &rows,
                judgement,
                has_gaps: !gaps.is_empty(),
                incomplete: incomplete.len(),
            })
        });
        let table = table::table(&rows, judgement.as_deref());
        let docroots = DocrootReports { rows, judgement };
        let [asperatrapd, asperanoded] = std::array::from_fn(|index| {
            ServiceReport::new(
                server.services[index],
                &server.statuses[index],
                &server.clock,
            )
        });
        let version = facts.version.as_ref();
        Self {
            installed,
            sse_kms_supported: version.map(|version| *version >= Version::first_with_kms()),
            version: version.map(ToString::to_string),
            version_reason: server.version_reason,
            pvcl_cloud: facts.pvcl_cloud(),
            configuration: configuration(&server.asuserdata.1),
            trapd: server.trapd,
            table,
            docroots,
            services: Services {
                asperatrapd,
                asperanoded,
            },
            transfers: server.transfers,
            sums: server.sums,
            incomplete,
            compliance,
            warnings,
        }
    }
}

fn configuration(validity: &Validity) -> Option<&'static str> {
    match validity {
        Validity::NotRefused => Some("not_refused"),
        Validity::Refused => Some("refused"),
        Validity::NoProgram
        | Validity::Unread(_)
        | Validity::Untrusted(_)
        | Validity::Silent(_) => None,
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

impl ServiceReport {
    fn new(found: FoundService, status: &Status, clock: &Clock) -> Self {
        let starts = status.processes.iter();
        let starts = starts.filter_map(|process| clock.start(process.start_ticks?));
        Self {
            manager: found.manager.map(|manager| match manager {
                Manager::Systemd => "systemd",
                Manager::SystemV => "sysv",
            }),
            state: found.state.map(|state| match state {
                State::Running => "running",
                State::Restarting => "restarting",
                State::Failed => "failed",
                State::Stopped => "stopped",
                State::Absent => "absent",
            }),
            started_at: starts.min().map(|start| Utc::from(start).to_string()),
            restart_required: found.restart.required,
            restart_reason: found.restart.reason,
        }
    }
}
