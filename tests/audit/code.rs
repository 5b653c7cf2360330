//! The product's answer.

use std::rc::Rc;

use aspera_sse::aspera::audit::{
    Accounts, Expectation, Facts, Judged, Judgement, Rows, ScopePattern, Settled, SystemFile,
    Verdict as Found, Wanted, judge, rows,
};
use aspera_sse::aspera::docroot::{AsperaConf, DocrootUri, Scope};
use aspera_sse::aspera::setting::{Encryption, KmsKey};
use aspera_sse::aspera::trapd;
use aspera_sse::aspera::version::Version;

use crate::answer::{Answer, Verdict};
use crate::configuration::{self, Block, Configuration, Docroot, S3Properties, State, Trapd};

/// Reads the files that the configuration writes, and judges them.
pub fn code_answer(configuration: &Configuration) -> Answer {
    let text = configuration.to_aspera_conf();
    let conf = AsperaConf::parse(text.as_bytes()).expect("an aspera.conf");
    let passwd = configuration.to_passwd();
    let group = configuration.to_group();
    let accounts = Accounts::parse(passwd.as_deref(), group.as_deref());
    let facts = Facts {
        conf: configuration.aspera_conf_readable.then_some(&conf),
        system: system(configuration),
        trapd_enabled: match configuration.trapd {
            Trapd::Enabled => Some(true),
            Trapd::Disabled => Some(false),
            Trapd::Unknown => None,
        },
        service_options: configuration.service_options,
        version: version(configuration.version.as_deref()),
        accounts,
        noded_runs_older_file: configuration.older_aspera_conf,
        trapd_runs_older_file: configuration.older_s3_properties,
        settled: settled(configuration),
    };
    let expectations: Vec<Expectation> = configuration.expect.iter().map(expectation).collect();
    let rows = rows(&facts);
    let judgement = judge(&facts, &rows, &expectations);
    answer(&facts, &expectations, &rows, &judgement)
}

/// Each docroot with the text is one that the object is below.
fn settled(configuration: &Configuration) -> Vec<Settled> {
    let scoped = |blocks: &[Block], scope: fn(String) -> Scope| -> Vec<(Scope, Docroot)> {
        let docroots = blocks.iter().flat_map(|block| {
            let scope = scope(block.name.clone());
            block
                .docroots
                .iter()
                .map(move |docroot| (scope.clone(), docroot.clone()))
        });
        docroots.collect()
    };
    let docroots = [
        scoped(&configuration.users, Scope::User),
        scoped(&configuration.groups, Scope::Group),
        scoped(&configuration.defaults, |_| Scope::Global),
    ]
    .concat();
    let mut all = Vec::new();
    for one in &configuration.settled {
        for (scope, docroot) in docroots
            .iter()
            .filter(|(_, docroot)| docroot.text == one.docroot)
        {
            all.push(Settled {
                scope: scope.clone(),
                peer_ip: docroot.peer_ip.clone(),
                uri: DocrootUri::new(&*docroot.text).masked(None),
                encryption: Encryption::parse(&one.encryption).expect("an encryption"),
                kms_key: one
                    .key
                    .as_deref()
                    .map(|key| KmsKey::parse(key).expect("a key")),
            });
        }
    }
    all
}

fn system(configuration: &Configuration) -> Option<SystemFile> {
    if configuration.s3_properties == S3Properties::Unreadable {
        return None;
    }
    let Some(text) = configuration.to_s3_properties() else {
        return Some(SystemFile::default());
    };
    let contents = trapd::read(text.as_bytes()).expect("an s3.properties");
    Some(SystemFile::from(&contents))
}

fn version(text: Option<&str>) -> Option<Version> {
    Version::from_ascp_output(&format!("ascp version {}\n", text?))
}

fn expectation(expectation: &configuration::Expectation) -> Expectation {
    let keys = expectation.keys.iter().map(|key| KmsKey::parse(key));
    let scopes = expectation.scopes.iter();
    Expectation {
        wanted: Rc::new(match expectation.state {
            State::Absent => Wanted::Absent,
            State::Present => Wanted::Encryption(
                Encryption::parse(&expectation.encryption).expect("an encryption"),
                keys.collect::<Result<_, _>>().expect("keys"),
            ),
        }),
        scopes: scopes.map(|scope| pattern(scope)).collect(),
        docroots_follow: false,
    }
}

fn pattern(scope: &str) -> ScopePattern {
    match (scope, scope.split_once(' ')) {
        (_, Some(("user", name))) => ScopePattern::One(Scope::User(name.to_owned())),
        (_, Some((_, name))) => ScopePattern::One(Scope::Group(name.to_owned())),
        ("system", None) => ScopePattern::System,
        ("user", None) => ScopePattern::Users,
        ("group", None) => ScopePattern::Groups,
        _ => ScopePattern::One(Scope::Global),
    }
}

fn answer(
    facts: &Facts,
    expectations: &[Expectation],
    rows: &Rows,
    judgement: &Judgement,
) -> Answer {
    let mut judged: Vec<(String, Verdict)> = Vec::new();
    let system_is_expected = expectations
        .iter()
        .any(|expectation| expectation.scopes.contains(&ScopePattern::System));
    let system = match &judgement.system {
        None if system_is_expected => Verdict::Unknown(["unreadable".to_owned()].into()),
        system => verdict(system.as_ref()),
    };
    judged.push(("system".to_owned(), system));
    for (index, row) in rows.iter().enumerate() {
        let verdict = verdict(judgement.of_row(index));
        judged.push((name(&row.scope(), row.peer_ip().as_deref()), verdict));
    }
    // The parts that the module finds unread and lists as incomplete.
    let has_unread = facts.conf.is_none()
        || facts.noded_runs_older_file
        || facts.trapd_runs_older_file
        || system_is_expected && facts.system.is_none();
    let compliant = judgement.compliant(has_unread, false);
    Answer::new(compliant.filter(|_| !expectations.is_empty()), judged)
}

fn verdict(judged: Option<&Judged>) -> Verdict {
    let Some(judged) = judged else {
        return Verdict::NotJudged;
    };
    match judged.verdict {
        Found::Met => Verdict::Met,
        Found::Violated(_) => Verdict::Violated,
        Found::NotS3 => Verdict::NotS3,
        Found::Unknown => {
            let doubts = judged.doubts.iter();
            Verdict::Unknown(doubts.map(|doubt| doubt.name().to_owned()).collect())
        }
    }
}

fn name(scope: &Scope, peer_ip: Option<&str>) -> String {
    let name = match scope {
        Scope::User(name) => format!("user {name}"),
        Scope::Group(name) => format!("group {name}"),
        Scope::Global => "global".to_owned(),
    };
    match peer_ip {
        Some(peer) => format!("{name} for {peer}"),
        None => name,
    }
}
