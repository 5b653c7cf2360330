//! `aspera_sse_info`: which encryption uploads get, where it comes from, and whether the services run with it. Changes nothing.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::compliance::{Compliance, Expect, Expected, Surroundings};
use super::docroot_report::{self, DocrootReport};
use super::pending_restart::last_change;
use super::result::{strangers_warning, unread};
use crate::ansible::{Kind, Module, OptionSpec, Outcome, Task};
use crate::aspera::aspera_conf::AsperaConf;
use crate::aspera::effective::{Server, Values as SettingValues};
use crate::aspera::encryption::Encryption;
use crate::aspera::found_value::FoundValue;
use crate::aspera::incomplete::{self, FoundService, Incomplete, Reading, gaps};
use crate::aspera::installation::{Version, ask_version, read_version};
use crate::aspera::kms_key::KmsKey;
use crate::aspera::os_groups::OsGroups;
use crate::aspera::s3_properties::{self, Contents};
use crate::aspera::services::{
    Clock, Host, Look, Manager, Reason, Service, State, Status, is_enabled, restart,
};
use crate::files;
use crate::utc::Utc;

/// The module.
pub struct AsperaSseInfo;

impl Module for AsperaSseInfo {
    const NAME: &'static str = "aspera_sse_info";
    const PURPOSE: &'static str = "Tells which server-side encryption S3 uploads of an IBM Aspera server get, and whether its services run with it.";
    const OPTIONS: &'static [OptionSpec] = &[
        OptionSpec::new("aspera_root", Kind::Path).or("/opt/aspera"),
        OptionSpec::new(
            "expect",
            Kind::Dict(&[
                OptionSpec {
                    required: true,
                    ..OptionSpec::new("server_side_encryption", Kind::Str)
                }
                .shown_if(|text| Encryption::near_miss(text).is_some()),
                OptionSpec::new("kms_key_ids", Kind::List(&Kind::Str))
                    .shown_if(|text| KmsKey::parse(text).is_ok()),
                OptionSpec::new("scopes", Kind::List(&Kind::Str)),
            ]),
        ),
    ];
    type Values = Values;

    fn run(task: &Task) -> Result<Outcome<Values>> {
        let options: Options = task.arguments.typed();
        let expected = options.expect.as_ref().map(Expect::typed).transpose()?;
        let values = Values::gather(&options.aspera_root, expected.as_ref());
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
    expect: Option<Expect>,
}

/// The module's own keys in its result.
#[derive(Debug, Serialize)]
pub struct Values {
    installed: bool,
    version: Option<String>,
    sse_kms_supported: Option<bool>,
    pvcl_cloud: Option<bool>,
    trapd: TrapdReport,
    docroots: Vec<DocrootReport>,
    services: Services,
    incomplete: Vec<Incomplete>,
    #[serde(flatten)]
    compliance: Option<Compliance>,
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

impl Values {
    fn gather(aspera_root: &Path, expected: Option<&Expected>) -> Self {
        let host = Host::this();
        // These take their time, and answer while the files are read.
        let ascp = ask_version(aspera_root);
        let looks = Service::ALL.map(|service| Look::start(&host, service));
        let mut warnings = Vec::new();
        let properties_path = aspera_root.join("etc/trapd/s3.properties");
        let conf_path = aspera_root.join("etc/aspera.conf");
        let enabled = Service::ALL.map(|service| is_enabled(&host, service, aspera_root));
        let [trapd_enabled, _] = enabled;
        let (trapd, setting, properties) =
            TrapdReport::read(&properties_path, trapd_enabled, &mut warnings);
        let (bytes, mut conf) = read(&conf_path, &mut warnings);
        let version = read_version(ascp).ok();
        let has_ascp = !matches!(files::metadata(&aspera_root.join("bin/ascp")), Ok(None));
        let parsed = match bytes.as_deref().map(AsperaConf::parse) {
            None => None,
            Some(Ok(parsed)) => Some(parsed),
            Some(Err(error)) => {
                warnings.push(format!("{} {error}", conf_path.display()));
                conf = Reading::Malformed(error.problem());
                None
            }
        };
        let has_pvcl = parsed.as_ref().map(|conf| conf.has_pvcl);
        let server = Server {
            trapd_enabled,
            trapd: setting,
            pvcl_cloud: pvcl_cloud(has_pvcl, version.as_ref(), trapd_enabled),
        };
        let groups = match &parsed {
            Some(conf) if docroot_report::needs_groups(conf) => OsGroups::read("/".as_ref()),
            _ => OsGroups::default(),
        };
        let docroots = parsed
            .as_ref()
            .map(|conf| docroot_report::all(conf, &server, &groups))
            .unwrap_or_default();
        let clock = Clock::read(&host);
        let statuses = looks.map(|look| look.finish(&host, &clock, aspera_root));
        for (service, status) in Service::ALL.into_iter().zip(&statuses) {
            warnings.extend(strangers_warning(service, status, aspera_root));
        }
        let services: [FoundService; 2] = std::array::from_fn(|index| FoundService {
            service: Service::ALL[index],
            manager: statuses[index].manager,
            enabled: enabled[index],
            state: statuses[index].state,
            restart: restart(
                &statuses[index],
                &clock,
                false,
                last_change([&*properties_path, &*conf_path][index]),
            ),
        });
        let surroundings = Surroundings {
            conf: &conf_path.to_string_lossy(),
            conf_was_read: parsed.is_some(),
            properties: &trapd.path,
            may_lack_https: trapd_enabled != Some(false) && trapd.https_only == Some(false),
        };
        let installed = conf != Reading::Missing || has_ascp;
        let mut incomplete = gaps(&incomplete::Found {
            aspera_root,
            installed,
            conf: (&conf_path, conf),
            properties: (&properties_path, properties),
            unread_accounts: groups.unread(),
            services,
        });
        let compliance = expected
            .map(|expected| Compliance::judge(expected, &docroots, surroundings, &mut incomplete));
        let [asperatrapd, asperanoded] = std::array::from_fn(|index| {
            ServiceReport::new(services[index], &statuses[index], &clock)
        });
        Self {
            installed,
            sse_kms_supported: version
                .as_ref()
                .map(|version| *version >= Version::first_with_kms()),
            version: version.map(|version| version.to_string()),
            pvcl_cloud: server.pvcl_cloud,
            trapd,
            docroots: docroots.into_iter().map(|found| found.report).collect(),
            services: Services {
                asperatrapd,
                asperanoded,
            },
            incomplete,
            compliance,
            warnings,
        }
    }
}

/// Whether `pvcl_cloud` serves object storage: surely where it is configured, and perhaps where it exists and trapd is not known to be enabled.
fn pvcl_cloud(
    is_configured: Option<bool>,
    version: Option<&Version>,
    trapd_enabled: Option<bool>,
) -> Option<bool> {
    let may_exist = version.is_none_or(|version| *version >= Version::first_with_pvcl());
    match (is_configured, trapd_enabled) {
        (Some(true), _) => Some(true),
        _ if !may_exist => Some(false),
        (Some(false), Some(true)) => Some(false),
        _ => None,
    }
}

/// The content of a file, and what came of reading it; a warning where it is there and cannot be read.
fn read(path: &Path, warnings: &mut Vec<String>) -> (Option<Vec<u8>>, Reading) {
    match files::read(path) {
        Ok(Some(bytes)) => (Some(bytes), Reading::Complete),
        Ok(None) => (None, Reading::Missing),
        Err(error) => {
            warnings.push(unread(&error, ""));
            (None, Reading::Unread(error))
        }
    }
}

impl TrapdReport {
    /// Reads what trapd reads: the report, the setting that counts, if that can be told, and what came of reading it.
    fn read(
        path: &Path,
        enabled: Option<bool>,
        warnings: &mut Vec<String>,
    ) -> (Self, Option<SettingValues>, Reading) {
        let (bytes, reading) = read(path, warnings);
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
            let nothing = (reading == Reading::Missing).then(SettingValues::default);
            return (report, nothing, reading);
        };
        match s3_properties::read(&bytes) {
            Ok(contents) => {
                let setting = report.take(contents);
                (report, Some(setting), reading)
            }
            Err(error) => {
                report.problems.push(error.to_string());
                (report, None, Reading::Malformed(error.problem()))
            }
        }
    }

    fn take(&mut self, contents: Contents) -> SettingValues {
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
        SettingValues {
            encryption: contents.encryption,
            kms_key: contents.kms_key,
        }
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
