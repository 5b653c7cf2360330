//! `aspera_access_keys_info`: the encryption of uploads by the access keys of the Node API. Changes nothing, on the host or in the node.

use anyhow::Result;
use serde::Serialize;

use super::expect;
use super::incomplete::IncompleteReport;
use super::keys_ask::{Answered, KeyGap, ask};
use super::keys_judgement::{JudgedKey, ThisHost, judge_keys};
use super::keys_options::{Options, Question, URL};
use super::keys_report::{KeyCompliance, KeyReport, unfounded};
use super::keys_storage::KeyPlace;
use super::objects_report::escaped;
use super::server::Server;
use crate::ansible::{Kind, Module, OptionSpec, Outcome, Task};
use crate::aspera::audit::Facts;
use crate::aspera::host::{MetadataChanges, is_this_host};

pub struct AsperaAccessKeysInfo;

impl Module for AsperaAccessKeysInfo {
    const NAME: &'static str = "aspera_access_keys_info";
    const PURPOSE: &'static str = "Reports which server-side encryption uploads by the access keys of an IBM Aspera node get.";
    const OPTIONS: &'static [OptionSpec] = &[
        OptionSpec::new("aspera_root", Kind::Path).default("/opt/aspera"),
        URL,
        OptionSpec::new("username", Kind::Str).secret(),
        OptionSpec::new("password", Kind::Str).secret(),
        OptionSpec::new("access_key", Kind::Str).secret(),
        OptionSpec::new("secret", Kind::Str).secret(),
        OptionSpec::new("ca_file", Kind::Path),
        OptionSpec::flag("validate_certs").default_true(),
        OptionSpec::new("timeout", Kind::Int).default_number(30),
        OptionSpec::new("max_response_entries", Kind::Int).default_number(1000),
        OptionSpec::new("expect", Kind::List(&Kind::Dict(expect::ENTRY))),
        OptionSpec::flag("ignore_metadata_changes"),
    ];
    type Values = Values;

    fn run(task: &Task) -> Result<Outcome<Values>> {
        let options: Options = task.arguments.typed();
        let mut question = options.question()?;
        let answered = ask(&mut question);
        let origin = &question.origin;
        let is_here = origin.is_loopback() || is_this_host(origin.host(), origin.port());
        let mut values = if is_here {
            on_this_host(&question, &answered)
        } else {
            elsewhere(&question, &answered)
        };
        if !question.validate_certs && !question.origin.is_loopback() {
            values.warnings.push(format!(
                "validate_certs is false, so nothing proves that {} is the node: another server may have received the password. Name the certificate in ca_file.",
                values.url
            ));
        }
        Ok(Outcome {
            changed: false,
            warnings: std::mem::take(&mut values.warnings),
            values,
            diff: None,
        })
    }
}

/// The module's own keys in its result.
#[derive(Debug, Serialize)]
pub struct Values {
    url: String,
    this_host: bool,
    version: Option<String>,
    transfer_user: Option<String>,
    complete: bool,
    complete_reason: Option<&'static str>,
    table: Vec<String>,
    access_keys: Vec<KeyReport>,
    places: Vec<KeyPlace>,
    incomplete: Vec<IncompleteReport>,
    #[serde(flatten)]
    compliance: Option<KeyCompliance>,
    #[serde(skip_serializing_if = "Option::is_none")]
    settles: Option<Vec<String>>,
    #[serde(skip)]
    warnings: Vec<String>,
}

/// Joins what the node says with what this host, which it is, reads of its own files.
fn on_this_host(question: &Question, answered: &Answered) -> Values {
    let metadata_changes = if question.ignore_metadata_changes {
        MetadataChanges::Ignored
    } else {
        MetadataChanges::Count
    };
    let mut server = Server::read(&question.aspera_root, |_, _| None, metadata_changes);
    let conf = server.take_conf();
    let facts = server.take_facts(conf, Vec::new());
    let this_host = ThisHost::new(&facts, answered.transfer_user.as_deref());
    let expectations = question.expectations.as_deref();
    let keys = answered.keys.as_deref().unwrap_or_default();
    let judged = judge_keys(keys, Some(&this_host), expectations, &facts);
    let trapd_is_needed =
        facts.pvcl_cloud() == Some(false) && judged.iter().any(JudgedKey::is_judged_in_s3);
    let gaps = server.gaps(&question.aspera_root, conf, trapd_is_needed);
    let mut values = Values::new(question, answered, &judged);
    values
        .incomplete
        .extend(gaps.iter().map(IncompleteReport::new));
    values.warnings.extend(server.warnings);
    values.judge(question, answered, &judged);
    if let (Some(settles), Some(expectations)) = (&mut values.settles, expectations)
        && answered.gap.is_none()
    {
        *settles = this_host.settled(&judged, expectations);
    }
    values
}

/// Reports what a node says that is another host.
fn elsewhere(question: &Question, answered: &Answered) -> Values {
    let facts = Facts::unknown();
    let keys = answered.keys.as_deref().unwrap_or_default();
    let judged = judge_keys(keys, None, question.expectations.as_deref(), &facts);
    let mut values = Values::new(question, answered, &judged);
    values.this_host = false;
    values.judge(question, answered, &judged);
    values
}

impl Values {
    fn new(question: &Question, answered: &Answered, judged: &[JudgedKey]) -> Self {
        let url = question.origin.url();
        let keys = answered.keys.as_deref().unwrap_or_default();
        let access_keys = KeyReport::all(keys, judged);
        let is_judged = question.expectations.is_some();
        let gap = answered.gap.as_ref();
        Self {
            this_host: true,
            version: answered.version.clone(),
            transfer_user: answered.transfer_user.as_deref().map(escaped),
            complete: gap.is_none(),
            complete_reason: gap.map(KeyGap::name),
            table: KeyReport::table(&access_keys, judged, is_judged),
            access_keys,
            places: keys.iter().filter_map(KeyPlace::of).collect(),
            incomplete: gap.map(|gap| gap.report(&url)).into_iter().collect(),
            compliance: None,
            settles: is_judged.then(Vec::new),
            warnings: Vec::new(),
            url,
        }
    }

    fn judge(&mut self, question: &Question, answered: &Answered, judged: &[JudgedKey]) {
        let Some(expectations) = &question.expectations else {
            return;
        };
        if let Some(keys) = &answered.keys {
            self.incomplete
                .extend(unfounded(keys, judged, expectations));
        }
        self.compliance = Some(KeyCompliance::new(
            &self.access_keys,
            judged,
            expectations,
            self.incomplete.len(),
        ));
    }
}
