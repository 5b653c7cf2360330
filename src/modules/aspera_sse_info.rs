//! `aspera_sse_info`: the encryption of uploads, its source, and whether the services run with it. Changes nothing.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::SystemTime;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::compliance::{Compliance, Judged};
use super::docroot_report::DocrootReports;
use super::expect;
use super::incomplete::IncompleteReport;
use super::server::{Server, TrapdReport};
use super::settled::{self, SETTLED, SettledReport, counting};
use super::sums::{SUMS_KEY, Sums, SumsKey};
use super::table;
use super::transfers::{WAIT_UNTIL_IDLE, wait_until_idle};
use crate::ansible::{Kind, Module, OptionSpec, Outcome, Task};
use crate::aspera::audit::{Expectation, Judgement, judge, rows};
use crate::aspera::host::{
    Clock, FoundService, Manager, MetadataChanges, Reason, ServiceState, Status, Validity,
};
use crate::aspera::version::Version;
use crate::utc::Utc;

pub struct AsperaSseInfo;

impl Module for AsperaSseInfo {
    const NAME: &'static str = "aspera_sse_info";
    const PURPOSE: &'static str = "Reports which server-side encryption S3 uploads of an IBM Aspera server get, and whether its services run with it.";
    const OPTIONS: &'static [OptionSpec] = &[
        OptionSpec::new("aspera_root", Kind::Path).default("/opt/aspera"),
        OptionSpec::new("expect", Kind::List(&Kind::Dict(expect::ENTRY))),
        OptionSpec::flag("ignore_metadata_changes"),
        SETTLED,
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
        let now = SystemTime::now();
        let settled = options
            .settled
            .as_deref()
            .map(|entries| settled::answers(entries, now))
            .transpose()?;
        wait_until_idle(options.wait_until_idle, &options.aspera_root)?;
        let metadata_changes = if options.ignore_metadata_changes {
            MetadataChanges::Ignored
        } else {
            MetadataChanges::Count
        };
        let sums = |aspera_conf: Option<&[u8]>, s3_properties: Option<&[u8]>| {
            let key = sums_key.as_ref()?;
            Some(Sums {
                aspera_conf: aspera_conf.map(|bytes| key.sum(bytes)),
                s3_properties: s3_properties.map(|bytes| key.sum(bytes)),
            })
        };
        let server = Server::read(&options.aspera_root, sums, metadata_changes);
        let expectations = expectations.as_deref();
        let values = Values::new(&options.aspera_root, server, expectations, settled);
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
    settled: Option<Vec<settled::Entry>>,
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
    /// Which answers of objects count.
    #[serde(skip_serializing_if = "Option::is_none")]
    settled: Option<Vec<SettledReport>>,
    incomplete: Vec<IncompleteReport>,
    #[serde(flatten)]
    compliance: Option<Compliance<'f>>,
    #[serde(skip)]
    warnings: Vec<String>,
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

impl Values<'static> {
    fn new(
        aspera_root: &Path,
        mut server: Server,
        expectations: Option<&[Expectation]>,
        answers: Option<Vec<settled::Answer>>,
    ) -> Self {
        let conf = server.take_conf();
        let changes = &server.last_changes;
        let counted = answers.map(|answers| counting(answers, conf, changes, server.clock.now));
        let (settled, settled_reports) = counted.unzip();
        let facts = server.take_facts(conf, settled.unwrap_or_default());
        let rows = Rc::new(rows(&facts));
        let judgement = expectations.map(|expectations| judge(&facts, &rows, expectations));
        let judgement = judgement.map(Rc::new);
        let trapd_is_needed = facts.pvcl_cloud() == Some(false)
            && judgement.as_deref().is_some_and(Judgement::judges_s3);
        let gaps = server.gaps(aspera_root, conf, trapd_is_needed);
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
                trapd_is_stopped: server.services[0].state == Some(ServiceState::Stopped),
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
        let version = server.version.as_ref();
        Self {
            installed: server.is_installed(),
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
            settled: settled_reports,
            incomplete,
            compliance,
            warnings: server.warnings,
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
                ServiceState::Running => "running",
                ServiceState::Restarting => "restarting",
                ServiceState::Failed => "failed",
                ServiceState::Stopped => "stopped",
                ServiceState::Absent => "absent",
            }),
            started_at: starts.min().map(|start| Utc::from(start).to_string()),
            restart_required: found.restart.required,
            restart_reason: found.restart.reason,
        }
    }
}
