//! The list of everything that should have been read of a server and was not, in the form of the result.

use std::collections::HashMap;
use std::path::Path;

use serde::Serialize;

use crate::aspera::audit::{Expectation, Judgement, Row, ScopePattern, Verdict};
use crate::aspera::docroot::Scope;
use crate::aspera::host::{Gap, Incomplete, Reason, Silence};

/// A gap: its place, the problem and the remedy.
#[derive(Debug, Serialize)]
pub(super) struct IncompleteReport {
    #[serde(rename = "where")]
    place: String,
    why: String,
    fix: String,
    /// The whole report as sentences.
    message: String,
}

impl IncompleteReport {
    pub(super) fn new(incomplete: &Incomplete) -> Self {
        let place = incomplete.place.clone();
        let (why, fix) = (why(&incomplete.gap), fix(&incomplete.gap));
        Self {
            message: format!("{place}: {why} {fix}"),
            place,
            why,
            fix,
        }
    }
}

/// Returns the expectations that cover nothing on the server.
pub(super) fn unfounded(
    expectations: &[Expectation],
    rows: &[Row],
    judgement: &Judgement,
    conf: &Path,
) -> Vec<Incomplete> {
    let mut unfounded: Vec<Incomplete> = judgement
        .missing
        .iter()
        .map(|scope| Incomplete::at(scope.to_string(), Gap::NoSuchScope))
        .collect();
    let mut is_not_s3: HashMap<&Scope, bool> = HashMap::new();
    for row in rows {
        *is_not_s3.entry(&row.scope).or_insert(true) &= row.is_not_s3();
    }
    let scopes = expectations
        .iter()
        .flat_map(|expectation| &expectation.scopes);
    for scope in scopes {
        if let ScopePattern::One(scope) = scope
            && is_not_s3.get(scope) == Some(&true)
        {
            unfounded.push(Incomplete::at(scope.to_string(), Gap::NotS3));
        }
    }
    let is_judged = judgement.system.is_some()
        || judgement
            .rows
            .iter()
            .any(|row| row.verdict.is_some_and(|verdict| verdict != Verdict::NotS3));
    let is_nothing_s3 = rows.iter().all(Row::is_not_s3);
    let expects_system = expectations
        .iter()
        .any(|expectation| expectation.scopes.contains(&ScopePattern::System));
    if !is_judged && !is_nothing_s3 && !expects_system && unfounded.is_empty() {
        unfounded.push(Incomplete::at(conf.to_string_lossy(), Gap::NothingToJudge));
    }
    unfounded
}

/// Returns the problem as a sentence.
fn why(gap: &Gap) -> String {
    let why = match gap {
        Gap::NoInstallation => "Neither etc/aspera.conf nor bin/ascp is in this folder.",
        Gap::NoConf => "The file does not exist, so that no docroot is known.",
        Gap::NoProperties => {
            "The file does not exist, although trapd is enabled or may be. What trapd does without it is not documented."
        }
        Gap::Unread(error) => return error.problem(),
        Gap::Malformed(why) => return why.clone(),
        Gap::NoAsuserdata => {
            "The program does not exist, so that nothing says whether Aspera refuses the configuration."
        }
        Gap::NoValidation(Silence::NotStarted) => {
            "The program could not be started, so that nothing says whether Aspera refuses the configuration."
        }
        Gap::NoValidation(Silence::TimedOut) => {
            "The program did not answer within 5 seconds, so that nothing says whether Aspera refuses the configuration."
        }
        Gap::NoValidation(Silence::Signal) => {
            "A signal ended the program, so that nothing says whether Aspera refuses the configuration."
        }
        Gap::Failed(_) => "The service has failed.",
        Gap::Starting(_) => "The service is starting, perhaps again and again.",
        Gap::Stopped(_) => "The service is enabled, but it does not run.",
        Gap::NoService(_) => "The service is enabled, but the host does not have it.",
        Gap::NoAnswer(_) => "Whether the service runs cannot be told.",
        Gap::OlderFile(_) => "The service runs with its file as it was before the last change.",
        Gap::PerhapsOlderFile(_, reason) => match reason {
            Reason::OutsideUnit => {
                "A process of the service runs outside its systemd unit, perhaps with an older file."
            }
            Reason::ProcessUnknown => {
                "A process is named like the service, and whether it is one of it cannot be read. It may run with an older file."
            }
            Reason::FileUnknown => {
                "When its file last changed cannot be read, so that the service may run with an older one."
            }
            _ => "When the service started cannot be read, so that it may run with an older file.",
        },
        Gap::NoSuchScope => "aspera.conf has no such user, and no docroot of such a group.",
        Gap::NotS3 => "No docroot that leads to S3 is in effect here.",
        Gap::NothingToJudge => "No docroot that leads to S3 is among those that expect is about.",
    };
    why.to_owned()
}

/// Returns what to do about it, as a sentence.
fn fix(gap: &Gap) -> String {
    let fix = match gap {
        Gap::NoInstallation => {
            "Set aspera_root to the folder in which Aspera is installed, or leave this host out."
        }
        Gap::NoConf => {
            "Restore it from a backup, or set aspera_root to the folder in which Aspera is installed."
        }
        Gap::NoProperties => {
            "Restore it from a backup, or create it with the option create of aspera_trapd_sse."
        }
        Gap::Unread(error) => {
            let remedy = error.remedy().map(Into::into);
            return remedy.unwrap_or_else(|| "Restore it from a backup.".to_owned());
        }
        Gap::Malformed(_) => "Correct the file.",
        Gap::NoAsuserdata => "Install the package of Aspera again, which brings this program.",
        Gap::NoValidation(_) => {
            "Run bin/asuserdata -v on the host as root, and correct what keeps it from answering."
        }
        Gap::Failed(service) | Gap::Starting(service) => {
            return format!(
                "Read the log of {0} (journalctl -u {0}), and correct what keeps it from running.",
                service.name()
            );
        }
        Gap::Stopped(service) => {
            return format!(
                "Start {0}, or disable it if this server does not need it.",
                service.name()
            );
        }
        Gap::NoService(service) => {
            return format!(
                "Remove the links that enable {}, or install what they lead to.",
                service.name()
            );
        }
        Gap::NoAnswer(service) => {
            return format!(
                "Run this as root (become: true), and find out why systemctl show {} does not answer.",
                service.name()
            );
        }
        Gap::OlderFile(service) => return format!("Restart {}.", service.name()),
        Gap::PerhapsOlderFile(service, Reason::OutsideUnit) => {
            return format!(
                "Stop that process, and start {0} by systemctl start {0}.",
                service.name()
            );
        }
        Gap::PerhapsOlderFile(service, _) => {
            return format!(
                "Run this as root (become: true). If that does not help, restart {}.",
                service.name()
            );
        }
        Gap::NoSuchScope => "Correct the name in expect.scopes, or leave it out.",
        Gap::NotS3 => "Leave the name out of expect.scopes, or give it a docroot in S3.",
        Gap::NothingToJudge => "Check expect.scopes, and the docroots in aspera.conf.",
    };
    fix.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aspera::host::Service;
    use crate::files::FileError;

    #[test]
    fn each_gap_says_in_a_sentence_what_is_wrong_and_in_another_what_to_do() {
        let service = Service::Trapd;
        let reasons = [
            Reason::OutsideUnit,
            Reason::ProcessUnknown,
            Reason::FileUnknown,
            Reason::StartUnknown,
        ];
        let gaps = [
            Gap::NoInstallation,
            Gap::NoConf,
            Gap::NoProperties,
            Gap::Unread(FileError::NotRegular {
                path: "/x".into(),
                kind: "a FIFO",
            }),
            Gap::Unread(FileError::Missing("/x".into())),
            Gap::Malformed("The file is bad.".to_owned()),
            Gap::NoAsuserdata,
            Gap::NoValidation(Silence::NotStarted),
            Gap::NoValidation(Silence::TimedOut),
            Gap::NoValidation(Silence::Signal),
            Gap::Failed(service),
            Gap::Starting(service),
            Gap::Stopped(service),
            Gap::NoService(service),
            Gap::NoAnswer(service),
            Gap::OlderFile(service),
            Gap::NoSuchScope,
            Gap::NotS3,
            Gap::NothingToJudge,
        ];
        let perhaps = reasons.map(|reason| Gap::PerhapsOlderFile(service, reason));
        for gap in gaps.into_iter().chain(perhaps) {
            for text in [why(&gap), fix(&gap)] {
                let is_upper =
                    |c: char| c.is_uppercase() || c == '/' || text.starts_with("aspera.conf");
                assert!(
                    text.starts_with(is_upper) && text.ends_with(['.', ')']),
                    "{text}"
                );
            }
            assert_ne!(why(&gap), fix(&gap));
        }
    }
}
