//! `aspera_s3_objects_info`: what the uploaded objects are really encrypted with. Nothing is ever written, on the host or in S3.

use std::collections::HashMap;
use std::time::SystemTime;

use anyhow::Result;
use serde::Serialize;

use super::expect;
use super::objects_cause::Cause;
use super::objects_compliance::{Compliance, Judgements};
use super::objects_docroots::{Docroot, Found, read_system};
use super::objects_found::{Findings, Wanted};
use super::objects_identity::Identities;
use super::objects_look::look;
use super::objects_options::{Options, PLACE, Question, Since, Which, is_since};
use super::objects_report::{About, Configured, DocrootReport};
use super::objects_settle::{SettlesReport, Settling};
use super::objects_verdict::judge;
use super::s3_options as options;
use super::s3_place::{new_client, place};
use super::serving_since::serving_since;
use crate::ansible::{Kind, Module, OptionSpec, Outcome, Task};
use crate::aspera::audit::{self, Expectation, ScopePattern};
use crate::aspera::docroot::{Scope, Storage};
use crate::aspera::host::Installation;
use crate::aspera::objects::{S3Place, Unclear};
use crate::aspera::setting::FoundSetting;
use crate::http::{Client, Credentials};
use crate::s3::Place;
use crate::subject::with_subject;
use crate::utc::Utc;

pub struct AsperaS3ObjectsInfo;

impl Module for AsperaS3ObjectsInfo {
    const NAME: &'static str = "aspera_s3_objects_info";
    const PURPOSE: &'static str = "Reports which server-side encryption the objects have that an IBM Aspera server has uploaded to S3.";
    const OPTIONS: &'static [OptionSpec] = &[
        OptionSpec::new("aspera_root", Kind::Path).default("/opt/aspera"),
        OptionSpec::new("path", Kind::Path),
        OptionSpec::new("user", Kind::Str),
        OptionSpec::new("group", Kind::Str),
        OptionSpec::flag("global"),
        OptionSpec::flag("all"),
        OptionSpec::new("places", Kind::List(&Kind::Dict(PLACE))),
        OptionSpec::new("keys", Kind::List(&Kind::Str)),
        OptionSpec::new("prefix", Kind::Str),
        OptionSpec::new("list_limit", Kind::Int).default_number(10_000),
        OptionSpec::new("head_limit", Kind::Int).default_number(100),
        OptionSpec::new("since", Kind::Str).shown_if(is_since),
        OptionSpec::new("expect", Kind::List(&Kind::Dict(expect::ENTRY))),
        options::ACCESS_KEY_ID,
        options::SECRET_ACCESS_KEY,
        options::SESSION_TOKEN,
        options::ASSUME_ROLE_ARN,
        options::ASSUME_ROLE_EXTERNAL_ID,
        options::REGION,
        options::ENDPOINT_URL,
        options::ADDRESSING_STYLE,
        OptionSpec::new("ca_file", Kind::Path),
        OptionSpec::new("timeout", Kind::Int).default_number(30),
        OptionSpec::flag("show_keys").default_true(),
        OptionSpec::flag("uploaded_by_aspera"),
    ];
    type Values = Values;

    fn run(task: &Task) -> Result<Outcome<Values>> {
        let options: Options = task.arguments.typed();
        let mut question = options.question(SystemTime::now())?;
        let mut warnings = Vec::new();
        let values = answer(&mut question, &mut warnings);
        Ok(Outcome {
            changed: false,
            warnings,
            values,
            diff: None,
        })
    }
}

/// The module's own keys in its result.
#[derive(Debug, Serialize)]
pub struct Values {
    path: String,
    since: Option<String>,
    docroots: Vec<DocrootReport>,
    not_s3: usize,
    settles: Vec<SettlesReport>,
    #[serde(flatten)]
    compliance: Option<Compliance>,
}

fn answer(question: &mut Question, warnings: &mut Vec<String>) -> Values {
    let found = match question.places.take() {
        Some(places) => Found::of_places(places),
        None => Found::read(&question.conf_path, question.scope.as_ref()),
    };
    let system = read_system(
        &Installation::at(&question.aspera_root).s3_properties(),
        warnings,
    );
    let since = match question.since {
        None => Ok(None),
        Some(Since::Time(time)) => Ok(Some(time)),
        Some(Since::Setting) => serving_since(&question.aspera_root, &question.conf_path, warnings)
            .map(Some)
            .ok_or(Cause::NotServing),
    };
    let client = new_client(&mut question.access);
    let mut looker = Looker {
        question,
        identities: Identities::new(&question.access, &client),
        client: &client,
        since: since.clone(),
        known: HashMap::new(),
    };
    let mut judgements = Judgements::new();
    for (place, reason, why, fix) in found.problems {
        // Without an expectation, nothing else in the result says it.
        if question.expectations.is_none() {
            warnings.push(format!("{place}: {why}. {fix}"));
        }
        judgements.add_problem(place, reason, why, fix);
    }
    let mut reports = Vec::new();
    let mut settles = Settling::new(question, since.clone().ok().flatten());
    for docroot in found.docroots {
        let look = with_subject(&docroot.scope, || looker.look(&docroot));
        settles.add(&docroot, &look, warnings);
        reports.push(report(
            question,
            &docroot,
            &look,
            system.as_ref(),
            &mut judgements,
        ));
    }
    Values {
        path: question.conf_path.to_string_lossy().into_owned(),
        since: since
            .ok()
            .flatten()
            .map(|since| Utc::from(since).to_string()),
        docroots: reports,
        not_s3: found.not_s3,
        settles: settles.reports,
        compliance: question.expectations.is_some().then(|| judgements.finish()),
    }
}

fn report(
    question: &Question,
    docroot: &Docroot,
    look: &Findings,
    system: Option<&FoundSetting>,
    judgements: &mut Judgements,
) -> DocrootReport {
    let entry = question
        .expectations
        .as_deref()
        .and_then(|expectations| entry_for(expectations, docroot));
    let verdict = entry.map(|(_, entry)| judge(look, &entry.wanted));
    let place = docroot.place();
    match (&verdict, entry) {
        (Some(verdict), Some((_, entry))) => {
            judgements.add(
                place,
                look.seen.len(),
                verdict,
                &entry.wanted,
                question.show_keys,
            );
        }
        _ => judgements.add_not_judged(place),
    }
    let about = About {
        scope: docroot.kind(),
        name: docroot.name(),
        peer_ip: docroot.peer_ip.clone(),
        uri: docroot.uri.masked(None),
        configured: Configured::new(docroot.kind(), &docroot.uri.found_setting(None), system),
        role_assumed: question.access.role.is_some(),
        judged: match question.which {
            Which::Keys(_) => "keys",
            Which::Prefix(_) => "prefix",
            Which::All if question.since.is_some() => "since",
            Which::All => "all",
        },
        judged_by: entry.map(|(index, _)| index),
        show_keys: question.show_keys,
    };
    DocrootReport::new(about, look, verdict.as_ref())
}

/// Returns the first entry that names the scope of a docroot. Where none does, the one for `s3.properties` counts, which is the setting of docroots without one
/// of their own, and of all if they are to follow it.
fn entry_for<'e>(
    expectations: &'e [Expectation],
    docroot: &Docroot,
) -> Option<(usize, &'e Expectation)> {
    if let Some(id) = &docroot.access_key {
        let mut entries = expectations.iter().enumerate();
        return entries.find(|(_, entry)| entry.names_access_key(id));
    }
    let scope = &docroot.scope;
    let names = |pattern: &ScopePattern| match pattern {
        ScopePattern::System | ScopePattern::AccessKeys | ScopePattern::AccessKey(_) => false,
        ScopePattern::Users => matches!(scope, Scope::User(_)),
        ScopePattern::Groups => matches!(scope, Scope::Group(_)),
        ScopePattern::One(one) => one == scope,
    };
    let mut entries = expectations.iter().enumerate();
    let first =
        entries.find(|(_, entry)| entry.scopes.is_empty() || entry.scopes.iter().any(names));
    first.or_else(|| {
        let mut entries = expectations.iter().enumerate();
        let of_system = entries.find(|(_, entry)| entry.scopes.contains(&ScopePattern::System));
        let has_own = docroot.uri.found_setting(None) != FoundSetting::default();
        of_system.filter(|(_, entry)| {
            *entry.wanted != audit::Wanted::Absent && (!has_own || entry.docroots_follow)
        })
    })
}

/// Looks at docroots; several that lead to the same place with the same credentials are looked at once.
struct Looker<'a> {
    question: &'a Question,
    identities: Identities<'a>,
    client: &'a Client,
    since: Result<Option<SystemTime>, Cause>,
    known: HashMap<(Place, String, Option<Credentials>), Findings>,
}

impl Looker<'_> {
    fn look(&mut self, docroot: &Docroot) -> Findings {
        self.try_look(docroot).unwrap_or_else(Findings::failed)
    }

    fn try_look(&mut self, docroot: &Docroot) -> Result<Findings, Cause> {
        let since = self.since.clone()?;
        if docroot.uri.storage() != Storage::S3 {
            return Err(Cause::Unclear(Unclear::Form));
        }
        let found = S3Place::of(&docroot.uri, &docroot.scope).map_err(Cause::Unclear)?;
        let (place, region) = place(&self.question.access, &found)?;
        let candidates = self.identities.for_docroot(&found.credentials)?;
        let own = candidates
            .first()
            .map(|identity| identity.credentials.clone());
        let known = (place.clone(), found.prefix.clone(), own);
        if let Some(look) = self.known.get(&known) {
            return Ok(look.clone());
        }
        let region = self.identities.region(region.as_deref());
        let wanted = Wanted {
            place,
            folder: &found.prefix,
            which: &self.question.which,
            list_limit: self.question.list_limit,
            head_limit: self.question.head_limit,
            since,
        };
        let look = look(self.client, &self.identities, &candidates, &region, &wanted);
        self.known.insert(known, look.clone());
        Ok(look)
    }
}
