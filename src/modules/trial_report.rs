//! How the trial uploads went, in the form of the result.

use serde::Serialize;

use super::objects_cause::Cause;
use super::objects_identity::Source;
use super::objects_report::escaped;
use super::trial::{Earlier, Left, Trial};
use super::trial_refusal::{Asked, fix, statement, why};
use crate::aspera::audit::Wanted;
use crate::aspera::objects::{Comparison, SeenEncryption, compare};
use crate::aspera::setting::FoundValue;
use crate::s3::ObjectEncryption;

/// The trial in one docroot.
#[derive(Debug, Serialize)]
pub(super) struct TrialReport {
    scope: &'static str,
    name: Option<String>,
    peer_ip: Option<String>,
    uri: String,
    asked_for: String,
    identity: Option<&'static str>,
    region: Option<String>,
    key: Option<String>,
    /// Whether S3 took the upload with the encryption that was asked for.
    accepted: Option<bool>,
    algorithm: Option<&'static str>,
    kms_key_id: Option<String>,
    seen: Option<bool>,
    left: Option<bool>,
    left_reason: Option<&'static str>,
    earlier_objects: Option<usize>,
    earlier_uploads: Option<usize>,
    reason: Option<&'static str>,
    why: Option<String>,
    fix: Option<&'static str>,
    statement: Option<String>,
    message: Option<String>,
    sent: u32,
}

/// A docroot, and as whom it was tried.
pub(super) struct About {
    pub(super) scope: &'static str,
    pub(super) name: Option<String>,
    pub(super) peer_ip: Option<String>,
    /// The docroot in words.
    pub(super) place: String,
    pub(super) uri: String,
    /// What is tried, in words.
    pub(super) asked_for: String,
    pub(super) identity: Option<Source>,
    pub(super) region: Option<String>,
    pub(super) sent: u32,
}

/// Why an upload is not accepted, though S3 took it or nothing was tried.
struct Problem {
    reason: &'static str,
    why: String,
    fix: &'static str,
    statement: Option<String>,
}

impl Problem {
    /// Returns all of it as sentences.
    fn message(&self, about: &About, accepted: Option<bool>) -> String {
        let About {
            place, asked_for, ..
        } = about;
        let (why, fix) = (&self.why, self.fix);
        let statement = match &self.statement {
            Some(statement) => format!(" The statement: {statement}"),
            None => String::new(),
        };
        if accepted == Some(false) {
            format!("{place}: S3 does not accept uploads with {asked_for}: {why}. {fix}{statement}")
        } else {
            format!(
                "{place}: it is not known whether S3 accepts uploads with {asked_for}: {why}. {fix}{statement}"
            )
        }
    }
}

impl TrialReport {
    /// Reports a docroot in which nothing could be tried.
    pub(super) fn of_cause(about: About, cause: &Cause) -> Self {
        let problem = Problem {
            reason: cause.name(),
            why: cause.why(),
            fix: cause.fix(),
            statement: None,
        };
        Self::new(about, None, None, Some(problem))
    }

    pub(super) fn of_trial(about: About, trial: &Trial, wanted: &Wanted, asked: &Asked) -> Self {
        let (accepted, problem) = match &trial.taken {
            Err(refusal) => {
                let problem = Problem {
                    reason: refusal.name(),
                    why: why(refusal),
                    fix: fix(refusal),
                    statement: statement(refusal, asked),
                };
                (refusal.is_certain().then_some(false), Some(problem))
            }
            Ok(_) => judge(trial, wanted),
        };
        Self::new(about, Some(trial), accepted, problem)
    }

    /// Returns whether the upload is as it was asked for.
    pub(super) fn accepted(&self) -> Option<bool> {
        self.accepted
    }

    /// Returns whether something of the trial is left, or may be.
    pub(super) fn may_be_left(&self) -> bool {
        self.key.is_some() && self.left != Some(false)
    }

    /// Returns where the trial is left, in words.
    pub(super) fn leftover(&self) -> String {
        let key = self.key.as_deref().unwrap_or_default();
        let name = self.name.as_deref().unwrap_or_default();
        let scope = format!("{} {name}", self.scope);
        format!("\"{key}\" in the bucket of {}", scope.trim_end())
    }

    fn new(
        about: About,
        trial: Option<&Trial>,
        accepted: Option<bool>,
        problem: Option<Problem>,
    ) -> Self {
        let given = trial.and_then(encryption);
        let left = trial.map(|trial| &trial.left);
        let earlier = trial.map_or(Earlier::default(), |trial| trial.earlier);
        let message = problem
            .as_ref()
            .map(|problem| problem.message(&about, accepted));
        let (reason, why, fix, statement) = match problem {
            None => (None, None, None, None),
            Some(problem) => (
                Some(problem.reason),
                Some(problem.why),
                Some(problem.fix),
                problem.statement,
            ),
        };
        Self {
            scope: about.scope,
            name: about.name,
            peer_ip: about.peer_ip,
            uri: about.uri,
            asked_for: about.asked_for,
            identity: about.identity.map(Source::name),
            region: about.region,
            key: trial.map(|trial| escaped(&trial.key)),
            accepted,
            algorithm: given.and_then(|given| given.algorithm.name()),
            kms_key_id: given.and_then(|given| {
                let key = FoundValue::kms_key(given.kms_key.as_deref()?, None);
                Some(key.shown().to_owned())
            }),
            seen: trial
                .and_then(|trial| trial.seen.as_ref())
                .map(Result::is_ok),
            left: match left {
                None | Some(Left::Nothing) => Some(false),
                Some(Left::Something(_)) => Some(true),
                Some(Left::Perhaps(_)) => None,
            },
            left_reason: match left {
                None | Some(Left::Nothing) => None,
                Some(Left::Something(refusal) | Left::Perhaps(refusal)) => Some(refusal.name()),
            },
            earlier_objects: earlier.objects,
            earlier_uploads: earlier.uploads,
            reason,
            why,
            fix,
            statement,
            message,
            sent: about.sent,
        }
    }
}

/// Returns the encryption that the object had: as it was seen, or else as S3 said when it took it.
fn encryption(trial: &Trial) -> Option<&ObjectEncryption> {
    let seen = trial.seen.as_ref().and_then(|seen| seen.as_ref().ok());
    seen.or(trial.taken.as_ref().ok())
}

/// Judges an upload that S3 has taken.
fn judge(trial: &Trial, wanted: &Wanted) -> (Option<bool>, Option<Problem>) {
    let found = encryption(trial);
    let is_seen = matches!(trial.seen, Some(Ok(_)));
    let seen = SeenEncryption {
        algorithm: found.and_then(|found| found.algorithm.name()),
        kms_key: found.and_then(|found| found.kms_key.as_deref()),
    };
    match compare(wanted, seen) {
        // What only AWS knows, AWS has found by itself: it took the name of the key.
        Comparison::Meets | Comparison::Unknown(_) | Comparison::NothingToShow => {
            (Some(true), None)
        }
        Comparison::Differs(_) if !is_seen && seen.algorithm.is_none() => not_shown(),
        Comparison::KeyNotNamed => not_shown(),
        Comparison::Differs(difference) => {
            let problem = Problem {
                reason: "not_as_asked",
                why: format!(
                    "the store accepted the upload and encrypted it otherwise: {}",
                    difference.why()
                ),
                fix: "Use an encryption and a key that the store supports.",
                statement: None,
            };
            (Some(false), Some(problem))
        }
    }
}

fn not_shown() -> (Option<bool>, Option<Problem>) {
    let problem = Problem {
        reason: "not_shown",
        why: "the store accepted the upload and does not say how it encrypted it".to_owned(),
        fix: "Allow the identity s3:GetObject, or check an upload in another way.",
        statement: None,
    };
    (None, Some(problem))
}
