//! `aspera_sse_info`: which encryption uploads get, where it comes from, and whether the services run with it. Changes nothing.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::docroot_report::{self, DocrootReport, Found};
use super::pending_restart::last_change;
use super::result::{strangers_warning, unread};
use crate::ansible::{Failure, Kind, Module, OptionSpec, Outcome, Task};
use crate::aspera::aspera_conf::AsperaConf;
use crate::aspera::effective::{Server, Values as SettingValues};
use crate::aspera::encryption::{Encryption, EncryptionSetting};
use crate::aspera::expectation::{Expectation, Verdict};
use crate::aspera::found_value::FoundValue;
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

/// The option `expect`.
#[derive(Deserialize)]
struct Expect {
    server_side_encryption: String,
    kms_key_ids: Option<Vec<String>>,
    scopes: Option<Vec<String>>,
}

/// What is expected, and of whom: of everyone if no scope is named.
struct Expected {
    expectation: Expectation,
    scopes: Vec<String>,
}

impl Expect {
    fn typed(&self) -> Result<Expected> {
        let about = |error: String| Failure::new(format!("expect: {error}"));
        let encryption = Encryption::parse(&self.server_side_encryption)
            .map_err(|error| about(error.to_string()))?;
        let texts = self.kms_key_ids.as_deref().unwrap_or_default();
        let mut kms_keys = Vec::with_capacity(texts.len());
        for text in texts {
            let key = KmsKey::parse(text).map_err(|error| about(error.to_string()))?;
            EncryptionSetting::new(encryption, Some(key.clone()))
                .map_err(|error| about(error.to_string()))?;
            kms_keys.push(key);
        }
        let scopes = self.scopes.clone().unwrap_or_default();
        for scope in &scopes {
            let is_kind = matches!(scope.as_str(), "user" | "group" | "global");
            let is_name = |rest: Option<&str>| rest.is_some_and(|name| !name.is_empty());
            if !is_kind
                && !is_name(scope.strip_prefix("user "))
                && !is_name(scope.strip_prefix("group "))
            {
                return Err(about(
                    "an element of scopes is none of user, group, global, user NAME and group NAME. Correct it."
                        .to_owned(),
                )
                .into());
            }
        }
        Ok(Expected {
            expectation: Expectation {
                encryption,
                kms_keys,
            },
            scopes,
        })
    }
}

impl Expected {
    /// Whether a docroot is meant: by its kind, or as it is named in the result.
    fn is_about(&self, docroot: &DocrootReport) -> bool {
        let is_of = |scope: &String| scope == docroot.scope || *scope == docroot.owner();
        self.scopes.is_empty() || self.scopes.iter().any(is_of)
    }
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
    #[serde(flatten)]
    compliance: Option<Compliance>,
    #[serde(skip)]
    warnings: Vec<String>,
}

#[derive(Debug, Serialize)]
struct TrapdReport {
    enabled: Option<bool>,
    path: String,
    exists: bool,
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

/// Whether all is as expected.
#[derive(Debug, Serialize)]
struct Compliance {
    compliant: Option<bool>,
    violations: Vec<Violation>,
    unknown: Vec<Undecided>,
}

#[derive(Debug, Serialize)]
struct Violation {
    #[serde(rename = "where")]
    place: String,
    found: String,
    expected: String,
    why: String,
}

#[derive(Debug, Serialize)]
struct Undecided {
    #[serde(rename = "where")]
    place: String,
    why: String,
}

impl Values {
    fn gather(aspera_root: &Path, expected: Option<&Expected>) -> Self {
        let host = Host::this();
        // These take their time, and answer while the files are read.
        let ascp = ask_version(aspera_root);
        let looks = Service::ALL.map(|service| Look::start(&host, service));
        let mut warnings = Vec::new();
        let properties = aspera_root.join("etc/trapd/s3.properties");
        let conf = aspera_root.join("etc/aspera.conf");
        let trapd_enabled = is_enabled(&host, Service::Trapd, aspera_root);
        let (trapd, setting) = TrapdReport::read(&properties, trapd_enabled, &mut warnings);
        let bytes = read(&conf, &mut warnings);
        let version = read_version(ascp).ok();
        let has_ascp = !matches!(files::metadata(&aspera_root.join("bin/ascp")), Ok(None));
        let installed = bytes.is_some() || has_ascp;
        let parsed = bytes.as_deref().map(AsperaConf::parse);
        let has_pvcl = matches!(&parsed, Some(Ok(conf)) if conf.has_pvcl);
        let server = Server {
            trapd_enabled,
            trapd: setting,
            pvcl_cloud: pvcl_cloud(has_pvcl, version.as_ref(), trapd_enabled),
        };
        let found = match &parsed {
            Some(Ok(conf)) => docroot_report::all(conf, &server, &OsGroups::read("/".as_ref())),
            Some(Err(error)) => {
                warnings.push(format!("{} {error}", conf.display()));
                Vec::new()
            }
            None => Vec::new(),
        };
        let compliance = expected.map(|expected| Compliance::judge(expected, &found));
        let clock = Clock::read(&host);
        let statuses = looks.map(|look| look.finish(&host, &clock, aspera_root));
        for (service, status) in Service::ALL.into_iter().zip(&statuses) {
            warnings.extend(strangers_warning(service, status, aspera_root));
        }
        let [trapd_status, noded_status] = &statuses;
        Self {
            installed,
            sse_kms_supported: version
                .as_ref()
                .map(|version| *version >= Version::first_with_kms()),
            version: version.map(|version| version.to_string()),
            pvcl_cloud: server.pvcl_cloud,
            trapd,
            docroots: found.into_iter().map(|found| found.report).collect(),
            services: Services {
                asperatrapd: ServiceReport::new(trapd_status, &clock, &properties),
                asperanoded: ServiceReport::new(noded_status, &clock, &conf),
            },
            compliance,
            warnings,
        }
    }
}

/// Whether `pvcl_cloud` serves object storage: surely where it is configured, and perhaps where it exists and trapd is not known to be enabled.
fn pvcl_cloud(
    is_configured: bool,
    version: Option<&Version>,
    trapd_enabled: Option<bool>,
) -> Option<bool> {
    let may_exist = version.is_none_or(|version| *version >= Version::first_with_pvcl());
    match trapd_enabled {
        _ if is_configured => Some(true),
        _ if !may_exist => Some(false),
        Some(true) => Some(false),
        Some(false) | None => None,
    }
}

/// The content of a file; a warning where it is there and cannot be read.
fn read(path: &Path, warnings: &mut Vec<String>) -> Option<Vec<u8>> {
    match files::read(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            warnings.push(unread(&error, ""));
            None
        }
    }
}

impl TrapdReport {
    /// Reads what trapd reads: the report, and the setting that counts, if that can be told.
    fn read(
        path: &Path,
        enabled: Option<bool>,
        warnings: &mut Vec<String>,
    ) -> (Self, Option<SettingValues>) {
        let known_problems = warnings.len();
        let bytes = read(path, warnings);
        let mut report = Self {
            enabled,
            path: path.to_string_lossy().into_owned(),
            exists: bytes.is_some(),
            server_side_encryption: None,
            kms_key_id: None,
            https_only: None,
            problems: Vec::new(),
        };
        let Some(bytes) = bytes else {
            let is_absent = warnings.len() == known_problems;
            return (report, is_absent.then(SettingValues::default));
        };
        match s3_properties::read(&bytes) {
            Ok(contents) => {
                let setting = report.take(contents);
                (report, Some(setting))
            }
            Err(error) => {
                report.problems.push(error.to_string());
                (report, None)
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
    fn new(status: &Status, clock: &Clock, file: &Path) -> Self {
        let due = restart(status, clock, false, last_change(file));
        let starts = status.processes.iter();
        let starts = starts.filter_map(|process| clock.start(process.start_ticks?));
        Self {
            manager: status.manager.map(|manager| match manager {
                Manager::Systemd => "systemd",
                Manager::SystemV => "sysv",
            }),
            state: status.state.map(|state| match state {
                State::Running => "running",
                State::Restarting => "restarting",
                State::Failed => "failed",
                State::Stopped => "stopped",
                State::Absent => "absent",
            }),
            started_at: starts.min().map(|start| Utc::from(start).to_string()),
            restart_required: due.required,
            restart_reason: due.reason,
        }
    }
}

impl Compliance {
    fn judge(expected: &Expected, found: &[Found]) -> Self {
        let mut compliance = Self {
            compliant: None,
            violations: Vec::new(),
            unknown: Vec::new(),
        };
        let mut judged = 0;
        for docroot in found
            .iter()
            .filter(|found| expected.is_about(&found.report))
        {
            let Some(effective) = &docroot.effective else {
                // Not S3: the encryption is none of its business.
                continue;
            };
            judged += 1;
            let place = docroot.report.place();
            match expected.expectation.judge(effective) {
                Verdict::Met => {}
                Verdict::Violated { found, why } => compliance.violations.push(Violation {
                    place,
                    found,
                    expected: expected.expectation.words(),
                    why: why.to_owned(),
                }),
                Verdict::Unknown { why } => compliance.unknown.push(Undecided {
                    place,
                    why: why.to_owned(),
                }),
            }
        }
        for scope in expected.scopes.iter().filter(|scope| scope.contains(' ')) {
            if !found.iter().any(|found| found.report.owner() == *scope) {
                compliance.unknown.push(Undecided {
                    place: scope.clone(),
                    why: "there is no such one in aspera.conf".to_owned(),
                });
            }
        }
        if judged == 0 && compliance.unknown.is_empty() {
            compliance.unknown.push(Undecided {
                place: "aspera.conf".to_owned(),
                why: "no S3 docroot was found that the expectation is about".to_owned(),
            });
        }
        compliance.compliant = match (
            compliance.violations.is_empty(),
            compliance.unknown.is_empty(),
        ) {
            (false, _) => Some(false),
            (true, true) => Some(true),
            (true, false) => None,
        };
        compliance
    }
}
