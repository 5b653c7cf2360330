//! What a node answers instead of what was asked for, and what to do about it. Nothing of an answer is part of it.

use crate::http::Failure;

/// Why a request did not give what was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    NoAnswer(Failure),
    /// 401: the name or the password is wrong.
    Login,
    /// 403: the login must not.
    Denied,
    /// The server has no `/info` (404).
    NoApi,
    /// The Node API has no `/access_keys` (404).
    NoAccessKeys,
    /// The server redirects to another place.
    Elsewhere,
    /// The server is busy (429 or 503).
    Busy,
    /// The server failed (another 5xx).
    ServerError,
    /// An answer that is not one of the Node API.
    NotTheApi,
}

impl Refusal {
    pub(super) fn of_status(status: u16) -> Self {
        match status {
            401 => Self::Login,
            403 => Self::Denied,
            300..=399 => Self::Elsewhere,
            429 | 503 => Self::Busy,
            500.. => Self::ServerError,
            _ => Self::NotTheApi,
        }
    }

    /// Returns its name in results.
    pub fn name(&self) -> &'static str {
        match self {
            Self::NoAnswer(Failure::Certificate { .. }) => "untrusted_certificate",
            Self::NoAnswer(_) => "no_answer",
            Self::Login => "wrong_login",
            Self::Denied => "denied",
            Self::NoApi => "no_node_api",
            Self::NoAccessKeys => "no_access_keys",
            Self::Elsewhere => "elsewhere",
            Self::Busy => "busy",
            Self::ServerError => "server_error",
            Self::NotTheApi => "not_the_node_api",
        }
    }

    /// Returns what is wrong, as a sentence without a full stop.
    pub fn why(&self) -> String {
        match self {
            Self::NoAnswer(failure) => return failure.to_string(),
            Self::Login => "the node does not accept this name and password (401)",
            Self::Denied => "the node does not let this login see access keys (403)",
            Self::NoApi => "a web server answers, but not the Node API (404 for /info)",
            Self::NoAccessKeys => "the node has no access keys (404 for /access_keys)",
            Self::Elsewhere => {
                "the server redirects to another page, such as one to log in, instead of answering"
            }
            Self::Busy => "the node is too busy to answer",
            Self::ServerError => {
                "the node, or a proxy in front of it, answers with a server error (5xx)"
            }
            Self::NotTheApi => "the answer does not have the form that the Node API documents",
        }
        .to_owned()
    }

    /// Returns what to do about it, in sentences.
    pub fn fix(&self) -> &'static str {
        match self {
            Self::NoAnswer(Failure::Certificate { .. }) => {
                "Name the file with the certificate of its authority, or its own, in ca_file. On the node itself, validate_certs: false is enough."
            }
            Self::NoAnswer(_) => {
                "Check url, and that asperanoded runs and listens there: its default port is 9092."
            }
            Self::Login => {
                "Correct the user of the Node API and its password (asnodeadmin -l lists the users), or the access key and its secret."
            }
            Self::Denied => {
                "Give the user of the Node API the right to see access keys: asnodeadmin -m -u USER --acl-add key_master."
            }
            Self::NoApi | Self::Elsewhere | Self::NotTheApi => {
                "Set url to the Node API itself, such as https://localhost:9092 on the node."
            }
            Self::NoAccessKeys => {
                "Access keys came with version 3.6.0: leave the node out, or upgrade it."
            }
            Self::Busy => "Run again later.",
            Self::ServerError => "Read the log of asperanoded, and run again.",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_has_a_name_of_its_own_and_plain_sentences() {
        let certificate = Failure::Certificate {
            why: "it is expired",
            issuer: None,
        };
        let all = [
            Refusal::NoAnswer(certificate),
            Refusal::NoAnswer(Failure::Refused),
            Refusal::Login,
            Refusal::Denied,
            Refusal::NoApi,
            Refusal::NoAccessKeys,
            Refusal::Elsewhere,
            Refusal::Busy,
            Refusal::ServerError,
            Refusal::NotTheApi,
        ];
        let names: BTreeSet<&str> = all.iter().map(Refusal::name).collect();
        assert_eq!(names.len(), all.len());
        for refusal in all {
            assert!(!refusal.why().ends_with('.'), "{refusal:?}");
            assert!(refusal.fix().ends_with('.'), "{refusal:?}");
        }
    }
}
