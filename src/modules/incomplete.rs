//! The list of everything that should have been read of a server and was not, in the form of the result.

use serde::Serialize;

use super::file_failure;
use crate::aspera::audit::Unfounded;
use crate::aspera::docroot::UncoveredKind;
use crate::aspera::host::{Gap, Incomplete, Obstacle, Reason, Silence, Untrusted};

/// A gap: its place, the problem and the remedy.
#[derive(Debug, Serialize)]
pub(super) struct IncompleteReport {
    #[serde(rename = "where")]
    place: String,
    /// The problem as a word for programs.
    reason: &'static str,
    why: String,
    fix: String,
    /// The whole report as sentences.
    message: String,
}

impl IncompleteReport {
    pub(super) fn new(incomplete: &Incomplete) -> Self {
        let gap = &incomplete.gap;
        Self::of(incomplete.place.clone(), reason(gap), why(gap), fix(gap))
    }

    /// Creates the report of a part of `expect` that judges nothing. `properties` and `conf` are the paths of the two files.
    pub(super) fn of_unfounded(unfounded: &Unfounded, properties: &str, conf: &str) -> Self {
        let (place, reason, why, fix) = match unfounded {
            Unfounded::NoSuchScope(scope) => (
                scope.to_string(),
                "no_such_scope",
                "aspera.conf has no such user or group.",
                "Correct the name in expect.scopes, or leave it out.",
            ),
            Unfounded::NotS3(scope) => (
                scope.to_string(),
                "not_s3",
                "No docroot that leads to S3 is in effect here.",
                "Leave the name out of expect.scopes, or give it a docroot in S3.",
            ),
            Unfounded::JudgedByEarlierEntry(scope) => (
                scope
                    .as_ref()
                    .map_or(properties.to_owned(), ToString::to_string),
                "judged_earlier",
                "An earlier entry of expect judges it, so this entry never does.",
                "Move the entry up in expect, or leave the name out of it.",
            ),
            Unfounded::Entry(index) => (
                format!("expect[{index}]"),
                "judged_earlier",
                "An earlier entry of expect judges the same, so this entry never does.",
                "Move the entry up in expect, before the one that judges more, or remove it.",
            ),
            Unfounded::Everything => (
                conf.to_owned(),
                "judges_nothing",
                "Uploads go to S3, and no entry of expect judges any of them.",
                "Check expect.scopes, and the docroots in aspera.conf.",
            ),
            Unfounded::OnlyAccessKeys => (
                "expect".to_owned(),
                "judges_nothing",
                "All entries are for access keys, which this module does not judge.",
                "Use aspera_access_keys_info, or add an entry for what aspera.conf and s3.properties set.",
            ),
        };
        Self::of(place, reason, why.to_owned(), fix.to_owned())
    }

    pub(super) fn of(place: String, reason: &'static str, why: String, fix: String) -> Self {
        // The errors of files name the file themselves.
        let message = if why.starts_with(&place) {
            format!("{why} {fix}")
        } else {
            format!("{place}: {why} {fix}")
        };
        Self {
            place,
            reason,
            why,
            fix,
            message,
        }
    }
}

/// Returns the problem as a word for programs.
fn reason(gap: &Gap) -> &'static str {
    match gap {
        Gap::NoInstallation => "no_installation",
        Gap::NoConf | Gap::NoProperties => "missing",
        Gap::Unread(_) => "unreadable",
        Gap::Malformed(_) => "malformed",
        Gap::Uncovered(_) => "not_covered",
        Gap::NoAsuserdata | Gap::NoValidation(_) => "not_validated",
        Gap::Untrusted(_) => "untrusted_program",
        Gap::Failed(_) => "failed",
        Gap::Starting(_) => "starting",
        Gap::Stopped(_) => "stopped",
        Gap::NotServing(_) => "not_serving",
        Gap::NoService(_) => "no_service",
        Gap::NoAnswer(_) => "state_unknown",
        Gap::OtherView(..) => "other_file",
        Gap::OlderFile(_) => "older_file",
        Gap::PerhapsOlderFile(_, Reason::MetadataChanged) => "metadata_changed",
        Gap::PerhapsOlderFile(..) => "perhaps_older_file",
    }
}

/// Returns the problem as a sentence.
fn why(gap: &Gap) -> String {
    let why = match gap {
        Gap::NoInstallation => "Neither etc/aspera.conf nor bin/ascp is in this folder.",
        Gap::NoConf => "The file does not exist, so no docroot is known.",
        Gap::NoProperties => {
            "The file does not exist, although trapd is enabled or may be. The vendor does not document what trapd does without it."
        }
        Gap::Unread(error) => return error.sentence(),
        Gap::Malformed(why) => return why.clone(),
        Gap::Uncovered(uncovered) => {
            return format!(
                "Line {}: {}",
                uncovered.line,
                uncovered_words(uncovered.what).0
            );
        }
        Gap::NoAsuserdata => {
            "The program does not exist, so it is not known whether Aspera accepts the configuration."
        }
        Gap::Untrusted(untrusted) => return untrusted.problem(),
        Gap::NoValidation(Silence::NotStarted) => {
            "The program could not be started, so it is not known whether Aspera accepts the configuration."
        }
        Gap::NoValidation(Silence::TimedOut) => {
            "The program did not answer within 5 seconds, so it is not known whether Aspera accepts the configuration."
        }
        Gap::NoValidation(Silence::Signal) => {
            "A signal ended the program, so it is not known whether Aspera accepts the configuration."
        }
        Gap::NoValidation(Silence::Failed(status)) => {
            return format!(
                "The program ended with exit status {status} and does not say that the configuration is invalid, so it may not have looked at it."
            );
        }
        Gap::NoValidation(Silence::Contradiction) => {
            "The program ended with exit status 0, but its output says that something is invalid."
        }
        Gap::Failed(_) => "The service has failed.",
        Gap::Starting(_) => "The service is starting, perhaps again and again.",
        Gap::Stopped(_) => "The service is enabled, but it does not run.",
        Gap::NotServing(_) => {
            "The service is not enabled and does not run, so nothing serves the S3 docroots that are judged."
        }
        Gap::NoService(_) => "The service is enabled, but the host does not have it.",
        Gap::NoAnswer(_) => "It is not known whether the service runs.",
        Gap::OtherView(_, Obstacle::AnotherInstallation) => {
            "The service runs a program that is not below aspera_root, so it may read the files of another installation."
        }
        Gap::OtherView(_, Obstacle::ReplacedProgram) => {
            "The program of the service was replaced or removed since the service started, so it may run with another version of Aspera."
        }
        Gap::OtherView(_, Obstacle::AnotherFile) => {
            "The service has mounts of its own, and sees another file, or none, in place of its file."
        }
        Gap::OtherView(_, Obstacle::NoPermission) => {
            "The account of the service is not allowed to read its file, or to enter a folder on the way to it."
        }
        Gap::OlderFile(_) => {
            "The service still runs with its file as it was before the last change."
        }
        Gap::PerhapsOlderFile(_, reason) => match reason {
            Reason::OutsideUnit => {
                "A process of the service runs outside its systemd unit, perhaps with an older file."
            }
            Reason::ProcessUnknown => {
                "A process has the name of the service, and it is not known whether it belongs to the service. It may run with an older file."
            }
            Reason::FileUnknown => {
                "The time of the last change of its file cannot be read, so the service may run with an older file."
            }
            Reason::FileInFuture => {
                "The times of its file are in the future, so the clock of the host was set back since the file changed. The service may run with an older file."
            }
            Reason::SameMoment => {
                "The service started at the same moment as its file changed, so it may run with an older file."
            }
            Reason::MetadataChanged => {
                "The owner, mode or name of its file changed after the service started, or a copy that keeps the old time (cp -p) was written over it. These look the same, so the service may run with an older file."
            }
            Reason::PathChanged => {
                "A folder or link on the way to its file, or the entries of the folder in which the file is missing, changed after the service started, so it may run with another file."
            }
            _ => {
                "The start time of the service cannot be read, so the service may run with an older file."
            }
        },
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
            let remedy = file_failure::remedy(error).map(Into::into);
            return remedy.unwrap_or_else(|| "Restore it from a backup.".to_owned());
        }
        Gap::Malformed(_) => "Correct the file.",
        Gap::Uncovered(uncovered) => uncovered_words(uncovered.what).1,
        Gap::NoAsuserdata => "Install the package of Aspera again, which brings this program.",
        Gap::Untrusted(_) => Untrusted::REMEDY,
        Gap::NoValidation(Silence::Contradiction) => {
            "Run bin/asuserdata -v on the host as root, and correct what it reports."
        }
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
        Gap::NotServing(_) => {
            "Enable it with bin/astrap-config.sh enable, or remove the S3 docroots if nobody uses them."
        }
        Gap::NoService(service) => {
            return format!(
                "Remove the links that enable {}, or install the service.",
                service.name()
            );
        }
        Gap::NoAnswer(service) => {
            return format!(
                "Run this as root (become: true). If that does not help on a host with systemd, find out why systemctl show {} does not answer.",
                service.name()
            );
        }
        Gap::OtherView(service, Obstacle::AnotherInstallation) => {
            return format!(
                "Set aspera_root to the folder of the program in systemctl cat {0}, or correct the unit and restart {0}.",
                service.name()
            );
        }
        Gap::OtherView(service, Obstacle::AnotherFile) => {
            return format!(
                "Look for BindPaths, RootDirectory and the like in systemctl cat {0}, or restart {0} if the mounts of the host changed.",
                service.name()
            );
        }
        Gap::OtherView(_, Obstacle::NoPermission) => {
            "Give that account the right to read the file, and restart the service."
        }
        Gap::PerhapsOlderFile(service, Reason::OutsideUnit) => {
            return format!(
                "Stop that process, and start {0} with systemctl start {0}.",
                service.name()
            );
        }
        Gap::PerhapsOlderFile(service, Reason::FileInFuture) => {
            return format!(
                "Check the clock of the host, run touch on the file, and restart {}.",
                service.name()
            );
        }
        Gap::PerhapsOlderFile(service, Reason::MetadataChanged) => {
            return format!(
                "Restart {}, or set ignore_metadata_changes: true if a job on this host touches the metadata of the file and never its content.",
                service.name()
            );
        }
        Gap::OlderFile(service)
        | Gap::PerhapsOlderFile(service, Reason::PathChanged | Reason::SameMoment)
        | Gap::OtherView(service, Obstacle::ReplacedProgram) => {
            return format!("Restart {}.", service.name());
        }
        Gap::PerhapsOlderFile(service, _) => {
            return format!(
                "Run this as root (become: true). If that does not help, restart {}.",
                service.name()
            );
        }
    };
    fix.to_owned()
}

/// Returns what is wrong with a place of `aspera.conf` that the model does not cover, and what to do, as sentences.
pub(super) fn uncovered_words(what: UncoveredKind) -> (&'static str, &'static str) {
    match what {
        UncoveredKind::NearlyAnElement => (
            "This element's name differs from a documented one in letter case or by a prefix. Whether Aspera accepts it is not documented, \
             so nothing in it was read.",
            "Write the name as the vendor documents it, or remove the element.",
        ),
        UncoveredKind::NearlyPeerIp => (
            "This docroot has an attribute whose name differs from peer_ip in letter case or by a prefix. Whether Aspera accepts it is not documented.",
            "Write peer_ip as the vendor documents it, or remove the attribute.",
        ),
        UncoveredKind::Namespace => (
            "This element is in an XML namespace (xmlns), so a program may not read it and its content as elements of aspera.conf.",
            "Remove the attribute xmlns.",
        ),
        UncoveredKind::S3Address => (
            "There is an S3 address outside the docroots and restrictions of users, groups and the default. It was not read.",
            "Remove the address, or move it to the absolute element of a docroot.",
        ),
        UncoveredKind::Include => (
            "This element includes another file, which was not read.",
            "Write the content of that file in its place.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::aspera::docroot::Uncovered;
    use crate::aspera::host::Service;
    use crate::files::Problem;

    #[test]
    fn the_message_names_its_place_once() {
        for gap in [
            Gap::NoConf,
            Gap::Unread(Problem::NotRegular("a FIFO").at(Path::new("/x/aspera.conf"))),
        ] {
            let report = IncompleteReport::new(&Incomplete::at("/x/aspera.conf", gap));
            assert!(report.message.starts_with("/x/aspera.conf"));
            assert_eq!(report.message.matches("/x/aspera.conf").count(), 1);
        }
    }

    #[test]
    fn each_gap_has_a_sentence_for_the_problem_and_one_for_the_remedy() {
        let service = Service::Trapd;
        let reasons = [
            Reason::OutsideUnit,
            Reason::ProcessUnknown,
            Reason::FileUnknown,
            Reason::FileInFuture,
            Reason::SameMoment,
            Reason::MetadataChanged,
            Reason::PathChanged,
            Reason::StartUnknown,
        ];
        let gaps = [
            Gap::NoInstallation,
            Gap::NoConf,
            Gap::NoProperties,
            Gap::Unread(Problem::NotRegular("a FIFO").at(Path::new("/x"))),
            Gap::Unread(Problem::Missing.at(Path::new("/x"))),
            Gap::Malformed("The file is bad.".to_owned()),
            Gap::Uncovered(Uncovered {
                line: 1,
                what: UncoveredKind::NearlyAnElement,
            }),
            Gap::Uncovered(Uncovered {
                line: 1,
                what: UncoveredKind::NearlyPeerIp,
            }),
            Gap::Uncovered(Uncovered {
                line: 1,
                what: UncoveredKind::Namespace,
            }),
            Gap::Uncovered(Uncovered {
                line: 1,
                what: UncoveredKind::S3Address,
            }),
            Gap::Uncovered(Uncovered {
                line: 1,
                what: UncoveredKind::Include,
            }),
            Gap::NoAsuserdata,
            Gap::NoValidation(Silence::NotStarted),
            Gap::NoValidation(Silence::TimedOut),
            Gap::NoValidation(Silence::Signal),
            Gap::NoValidation(Silence::Failed(1)),
            Gap::NoValidation(Silence::Contradiction),
            Gap::Failed(service),
            Gap::Starting(service),
            Gap::Stopped(service),
            Gap::NoService(service),
            Gap::NoAnswer(service),
            Gap::OtherView(service, Obstacle::AnotherInstallation),
            Gap::OtherView(service, Obstacle::ReplacedProgram),
            Gap::OtherView(service, Obstacle::AnotherFile),
            Gap::OtherView(service, Obstacle::NoPermission),
            Gap::OlderFile(service),
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
