//! The audit as a brute-force model: it goes through all worlds, one after the other, and does not compute with sets.
//!
//! A world settles every point that the vendor or the host leaves open. In one world, each row has one docroot and each docroot one outcome.

mod accounts;
pub mod decisions;
mod docroot;
mod docroot_text;
mod host;
mod inheritance;
mod judge;
mod rows;
mod settled;
mod worlds;

use std::collections::BTreeSet;

use crate::answer::{Answer, Verdict};
use crate::configuration::{Configuration, Expectation, Settled, State};
use docroot::{Outcome, Server};
use docroot_text::Docroot;
use inheritance::Source;
use rows::{Row, rows};
use worlds::{Readings, in_every_world};

/// Returns the answer of the model.
pub fn model_answer(configuration: &Configuration) -> Answer {
    let server = Server::new(configuration);
    let (system, system_is_incomplete) = judge_system(&server);
    let mut judged = vec![("system".to_owned(), system)];
    if configuration.aspera_conf_readable {
        let rows = rows(configuration);
        judged.extend(rows.iter().map(|row| (row.place(), judge(row, &server))));
    }
    let any = |wanted: fn(&Verdict) -> bool| judged.iter().any(|(_, verdict)| wanted(verdict));
    let is_incomplete = system_is_incomplete
        || !configuration.aspera_conf_readable
        || configuration.older_aspera_conf
        || configuration.older_s3_properties
        || has_idle_expectation(&server, &judged);
    let compliant = if configuration.expect.is_empty() {
        None
    } else if any(|verdict| *verdict == Verdict::Violated) {
        Some(false)
    } else if is_incomplete || any(|verdict| matches!(verdict, Verdict::Unknown(_))) {
        None
    } else {
        Some(true)
    };
    Answer::new(compliant, judged)
}

/// Returns whether S3 shows an object so in one of the worlds.
pub fn may_be_shown(configuration: &Configuration, shown: &Settled) -> bool {
    let server = Server::new(configuration);
    let docroot = Docroot::read(&shown.docroot);
    let uploads = in_every_world(|world| server.upload(&docroot, world));
    uploads
        .results
        .iter()
        .any(|outcome| *outcome == Outcome::Anything || settled::may_show(outcome, shown))
}

/// Returns whether an expectation judges nothing although somebody wrote it to judge something.
fn has_idle_expectation(server: &Server, judged: &[(String, Verdict)]) -> bool {
    let configuration = server.configuration();
    if !configuration.aspera_conf_readable {
        return false;
    }
    let rows = rows(configuration);
    let goes_to_s3: Vec<bool> = rows.iter().map(|row| may_go_to_s3(row, server)).collect();
    let names_one = |scope: &str| scope == "global" || scope.contains(' ');
    for (index, entry) in configuration.expect.iter().enumerate() {
        let earlier = &configuration.expect[..index];
        for scope in &entry.scopes {
            let of_scope = || {
                rows.iter()
                    .zip(&goes_to_s3)
                    .filter(|(row, _)| row.named() == **scope)
            };
            let is_idle = match scope.as_str() {
                "system" => earlier.iter().any(|one| one.scopes.contains(scope)),
                scope if names_one(scope) => {
                    of_scope().all(|(_, goes)| !goes)
                        || of_scope().any(|(row, _)| earlier.iter().any(|one| row.is_named_by(one)))
                }
                // All users, or all groups.
                _ => earlier
                    .iter()
                    .any(|one| one.scopes.is_empty() || one.scopes.contains(scope)),
            };
            if is_idle {
                return true;
            }
        }
        let is_named_earlier = |scope: &&str| {
            let mut earlier = earlier.iter();
            earlier.any(|one| one.scopes.is_empty() || one.scopes.iter().any(|it| it == scope))
        };
        if entry.scopes.is_empty() && ["user", "group", "global"].iter().all(is_named_earlier) {
            return true;
        }
    }
    let mut expected = configuration.expect.iter();
    let expects_uploads = expected
        .any(|entry| entry.scopes.is_empty() || entry.scopes.iter().any(|scope| scope != "system"));
    let is_any_judged = judged.iter().any(|(place, verdict)| {
        place != "system" && !matches!(verdict, Verdict::NotJudged | Verdict::NotS3)
    });
    expects_uploads && !is_any_judged && goes_to_s3.contains(&true)
}

/// Returns whether an upload of a row may go to S3, or whether there is a reason to doubt that none does.
fn may_go_to_s3(row: &Row, server: &Server) -> bool {
    with_uploads(row, server, |all| {
        !all.against.is_empty() || all.results != BTreeSet::from([Outcome::NotS3])
    })
}

fn judge_system(server: &Server) -> (Verdict, bool) {
    let expectations = &server.configuration().expect;
    let names_system = |entry: &&Expectation| entry.scopes.iter().any(|scope| scope == "system");
    let Some(expectation) = expectations.iter().find(names_system) else {
        return (Verdict::NotJudged, false);
    };
    let reason = |reason| judge::unknown(&BTreeSet::from([reason]));
    let Some(file) = &server.file else {
        return (reason("unreadable"), true);
    };
    if decisions::SERVICE_OPTIONS_LEAVE_SYSTEM_OPEN && server.configuration().service_options {
        return (reason("service_options"), false);
    }
    let meets = |(encryption, key): (Option<&str>, Option<&str>)| match expectation.state {
        State::Absent => Ok(encryption.is_none() && key.is_none()),
        State::Present => judge::meets_on(encryption, key, None, expectation, server),
    };
    let readings = file.readings();
    let mut against = server.against_system();
    if readings.len() > 1 {
        against.insert("nearly_a_setting");
    }
    let meets: BTreeSet<_> = readings.into_iter().map(meets).collect();
    let meets: Vec<_> = meets.into_iter().collect();
    let verdict = match meets[..] {
        [Ok(true)] if server.against_system().is_empty() => Verdict::Met,
        [Ok(false)] => Verdict::Violated,
        _ => {
            against.extend(meets.iter().filter_map(|meets| meets.err()));
            judge::unknown(&against)
        }
    };
    (verdict, false)
}

fn judge(row: &Row, server: &Server) -> Verdict {
    let configuration = server.configuration();
    let mut entries = configuration.expect.iter();
    let Some(expectation) = entries.find(|expectation| row.is_named_by(expectation)) else {
        return Verdict::NotJudged;
    };
    with_uploads(row, server, |all| judge::verdict(all, expectation, server))
}

/// Applies a function to all possible results of an upload of a row.
fn with_uploads<T>(row: &Row, server: &Server, ask: impl Fn(&Readings<Outcome>) -> T) -> T {
    let configuration = server.configuration();
    let sources = in_every_world(|world| row.source(configuration, world));
    // The choice of the docroot does not depend on its outcome: the worlds of the two need not be multiplied.
    let docroots: Vec<(&Source, Docroot)> = sources
        .results
        .iter()
        .map(|source| (source, source.read()))
        .collect();
    let mut all = Readings {
        results: BTreeSet::new(),
        against: sources.against,
        reasons: sources.reasons,
    };
    let mut named = configuration.users.iter().chain(&configuration.groups);
    if named.any(|block| block.unclear_name.is_some()) {
        all.against.insert("unclear_name");
        all.reasons.insert("unclear_name");
    }
    if configuration.older_aspera_conf {
        all.results.insert(Outcome::Anything);
        all.reasons.insert("older_file");
    }
    for (source, docroot) in &docroots {
        let mut uploads = in_every_world(|world| server.upload(docroot, world));
        if let Source::Docroot(text) = source {
            let shown = configuration.settled.iter();
            let mut shown = shown.filter(|one| one.docroot == *text);
            if let Some(shown) = shown.next() {
                settled::leave_what_is_shown(&mut uploads, shown);
            }
        }
        all.results.extend(uploads.results);
        all.against.extend(uploads.against);
        all.reasons.extend(uploads.reasons);
    }
    ask(&all)
}
