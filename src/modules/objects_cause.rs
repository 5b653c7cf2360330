//! Why an answer about objects is not certain.

use crate::aspera::audit::Doubt;
use crate::aspera::objects::Unclear;
use crate::http::{NoMetadata, Refused};
use crate::s3::Refusal;

/// A reason why an object, or a whole docroot, is not known to be as expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cause {
    /// S3 did not give what was asked for.
    Refused(Refusal),
    /// The place of the uploads is not known.
    Unclear(Unclear),
    /// The name of the bucket is none.
    NotABucket,
    /// Neither the task, the environment nor the instance has credentials.
    NoCredentials(NoMetadata),
    /// Neither the docroot nor the instance has credentials, which are what the server uses.
    NotOfServer,
    /// The system has no random numbers.
    NoRandomName,
    /// The credentials in the docroot are not usable.
    MalformedCredentials,
    /// The role could not be assumed.
    Role(Refused),
    /// No object was in question.
    NoObjects,
    /// The listing stopped at its limit.
    NotAllListed,
    /// More objects than the limit were in question.
    NotAllLookedAt,
    /// A key that is not text.
    KeyNotText,
    /// The time of an object is not known, so neither is whether it is in question.
    NoTime,
    /// The object is of the same moment as `since`.
    NearSince,
    /// It is not known since when the services run with the setting.
    NotServing,
    /// NONE is expected, which no object can show.
    NothingToShow,
    /// S3 names no key.
    KeyNotNamed,
    /// Another program may have uploaded the object.
    PerhapsNotAspera,
    /// The answer depends on something that only AWS knows.
    Doubt(Doubt),
}

impl Cause {
    /// Returns its name in results.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.name(),
            Self::Unclear(unclear) => unclear.name(),
            Self::NotABucket => "not_a_bucket",
            Self::NoCredentials(_) => "no_credentials",
            Self::NotOfServer => "no_credentials_of_server",
            Self::NoRandomName => "no_random_name",
            Self::MalformedCredentials => "malformed_credentials",
            Self::Role(_) => "role_not_assumed",
            Self::NoObjects => "no_objects",
            Self::NotAllListed => "not_all_listed",
            Self::NotAllLookedAt => "not_all_looked_at",
            Self::KeyNotText => "key_not_text",
            Self::NoTime => "no_time",
            Self::NearSince => "near_since",
            Self::NotServing => "not_serving",
            Self::NothingToShow => "nothing_to_show",
            Self::KeyNotNamed => "key_not_named",
            Self::PerhapsNotAspera => "perhaps_not_aspera",
            Self::Doubt(doubt) => doubt.name(),
        }
    }

    /// Returns the reason as a sentence without a full stop.
    pub(super) fn why(&self) -> String {
        match self {
            Self::Refused(refusal) => return refusal.why(),
            Self::Unclear(unclear) => unclear.why(),
            Self::NoCredentials(why) => {
                return format!("there are no credentials in the docroot, the options or the environment, and {why}");
            }
            Self::Role(why) => return format!("the role could not be assumed: {why}"),
            Self::NotABucket => "the first folder of the docroot is not the name of a bucket",
            Self::NoRandomName => "the system has no random numbers to make a name",
            Self::NotOfServer => "neither the docroot nor the instance has credentials, and the server uses no others",
            Self::MalformedCredentials => "the credentials in the docroot are not an access key id and its secret, percent-encoded, with a colon between",
            Self::NoObjects => "there is no object to look at",
            Self::NotAllListed => "there are more objects than were listed, and S3 lists them by key, not by time",
            Self::NotAllLookedAt => "there are more objects to look at than head_limit allows",
            Self::KeyNotText => "the key of an object is not text in UTF-8",
            Self::NoTime => "S3 does not say when the object was last modified",
            Self::NearSince => "the object was modified at the same moment as since, so it may have been uploaded before",
            Self::NotServing => "it is not known since when the services run with the current setting",
            Self::NothingToShow => "NONE is expected, which no object can show: S3 encrypts every object",
            Self::KeyNotNamed => "S3 does not name the key of the object",
            Self::PerhapsNotAspera => "other objects have Aspera's mark and this one does not, so another program may have uploaded it",
            Self::Doubt(doubt) => doubt.why(),
        }
        .to_owned()
    }

    /// Returns what to do about it, in sentences.
    pub(super) fn fix(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.fix(),
            Self::Unclear(unclear) => unclear.fix(),
            Self::NotABucket => "Correct the docroot.",
            Self::NoCredentials(_) => {
                "Set access_key_id and secret_access_key, or give the instance a role."
            }
            Self::MalformedCredentials => {
                "Correct the docroot: a slash in a secret is written %2F."
            }
            Self::NoRandomName => "Run again.",
            Self::NotOfServer => "Give the docroot its credentials, or the instance a role.",
            Self::Role(_) => {
                "Correct assume_role_arn and assume_role_external_id, or the trust policy of the role."
            }
            Self::NoObjects | Self::NearSince => "Upload a file, then run again.",
            Self::NotAllListed => "Raise list_limit, or select fewer objects by prefix or keys.",
            Self::NotAllLookedAt => {
                "Raise head_limit, or select fewer objects by since, prefix or keys."
            }
            Self::KeyNotText | Self::NoTime | Self::KeyNotNamed => {
                "Check the object in another way."
            }
            Self::NotServing => {
                "Start the services, or restart those for which it is due, and upload a file."
            }
            Self::NothingToShow => "Check the setting instead, with aspera_sse_info.",
            Self::PerhapsNotAspera => {
                "Find out who uploads there, or look at uploads of Aspera alone by prefix or keys."
            }
            Self::Doubt(doubt) => doubt.fix(),
        }
    }
}
