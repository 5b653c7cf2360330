//! What the Node API answers about the access keys of a node.

use std::time::{Duration, Instant};

use super::incomplete::IncompleteReport;
use super::keys_options::Question;
use crate::aspera::version::Version;
use crate::http::{Client, Limits, Proxies};
use crate::node::{AccessKey, Info, Node, Refusal, Storage};

/// The longest time that a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);
/// The most that is read of an answer. An access key takes some 2 KB.
const BODY_LIMIT: u64 = 64 * 1024 * 1024;

/// What a node says of itself and of its access keys.
#[derive(Default)]
pub(super) struct Answered {
    pub(super) version: Option<String>,
    pub(super) transfer_user: Option<String>,
    /// The access keys, or `None` if the node did not list them.
    pub(super) keys: Option<Vec<AccessKey>>,
    /// Why the list is not known to have all of them.
    pub(super) gap: Option<KeyGap>,
}

/// Why the access keys of a node are not all known.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum KeyGap {
    /// The node did not answer as it should.
    Refused(Refusal),
    /// The list has just as many as the node returns at most.
    PerhapsCut(usize),
    /// The login is an access key.
    OwnLogin,
}

/// Asks a node for its access keys.
pub(super) fn ask(question: &mut Question) -> Answered {
    let limits = Limits {
        connect: CONNECT.min(question.timeout),
        request: question.timeout,
        deadline: Instant::now().checked_add(question.timeout * 4),
    };
    // What stays on this host goes by no proxy.
    let proxies = if question.origin.is_loopback() {
        Proxies::default()
    } else {
        Proxies::of_environment()
    };
    let authorities = std::mem::take(&mut question.authorities);
    let mut client = Client::new(limits, proxies, authorities).with_body_limit(BODY_LIMIT);
    if !question.validate_certs {
        client = client.with_any_certificate();
    }
    let node = Node::new(&client, &question.origin, &question.login);
    let mut answered = Answered::default();
    let info = match node.info() {
        Ok(info) => info,
        Err(refusal) => {
            answered.gap = Some(KeyGap::Refused(refusal));
            return answered;
        }
    };
    match list(&node, &info) {
        Ok(keys) => {
            answered.gap = gap(question, &keys);
            answered.keys = Some(keys);
        }
        Err(refusal) => answered.gap = Some(KeyGap::Refused(refusal)),
    }
    answered.version = info
        .version()
        .and_then(Version::parse)
        .map(|version| version.to_string());
    answered.transfer_user = info
        .transfer_user()
        .filter(|name| !name.is_empty())
        .map(str::to_owned);
    answered
}

/// Lists the access keys with their storages.
fn list(node: &Node, info: &Info) -> Result<Vec<AccessKey>, Refusal> {
    let version = info.version().and_then(Version::parse);
    let first = Version::first_with_storages_in_lists();
    if version.as_ref().is_some_and(|version| *version < first) {
        return node.access_keys(true);
    }
    let keys = node.access_keys(false)?;
    let has_storages = keys
        .iter()
        .any(|key| !matches!(key.storage, Storage::OfUser));
    if version.is_some() || has_storages || keys.is_empty() {
        return Ok(keys);
    }
    node.access_keys(true)
}

fn gap(question: &Question, keys: &[AccessKey]) -> Option<KeyGap> {
    let is_login = |key: &AccessKey| key.id.text() == Some(&question.name);
    if question.is_access_key || keys.iter().any(is_login) {
        return Some(KeyGap::OwnLogin);
    }
    (keys.len() == question.most_entries).then_some(KeyGap::PerhapsCut(keys.len()))
}

impl KeyGap {
    /// Returns its name in results.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.name(),
            Self::PerhapsCut(_) => "perhaps_cut",
            Self::OwnLogin => "login_by_access_key",
        }
    }

    /// Returns the report of what is missing at an address.
    pub(super) fn report(&self, url: &str) -> IncompleteReport {
        let (why, fix) = match self {
            Self::Refused(refusal) => (sentence(&refusal.why()), refusal.fix().to_owned()),
            Self::PerhapsCut(number) => (
                format!("The node lists {number} access keys, the most that it returns, so there may be more."),
                "Raise max_response_entries of the node with asconfigurator, restart asperanoded, and set the option max_response_entries to the same number."
                    .to_owned(),
            ),
            Self::OwnLogin => (
                "The login is an access key, which sees only itself and the access keys below it.".to_owned(),
                "Log in with username and password of a user of the Node API who has the acl key_master.".to_owned(),
            ),
        };
        IncompleteReport::of(url.to_owned(), self.name(), why, fix)
    }
}

/// Gives a reason the form of a sentence.
fn sentence(why: &str) -> String {
    let mut characters = why.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).chain(['.']).collect()
}
