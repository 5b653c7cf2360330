//! The requests of a task.

use super::scope::Scope;
use super::uri::DocrootUri;
use super::uri_edits::KeyEncoding;
use crate::aspera::setting::EncryptionSetting;

/// A request to set some docroots.
#[derive(Debug, Clone)]
pub struct Request {
    /// The docroots to set.
    pub selection: Selection,
    /// The desired encryption, or `None` for no encryption option in the URI.
    pub desired: Option<EncryptionSetting>,
    /// Whether uploads are meant to use the key that AWS manages, so that a key in the URI may go.
    pub aws_managed_key: bool,
    /// The encoding of the key in the URI, or `None` if any is accepted.
    pub encoding: Option<KeyEncoding>,
    /// The whole URI, or `None` to keep the URI that exists.
    pub docroot: Option<DocrootUri>,
}

/// A selection of docroots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// The docroots of one user, one group, or the default.
    Of(Scope),
    /// All docroots that lead to S3.
    All,
}

/// Returns the scopes of the requests for one scope, each with the index of its request, sorted by scope.
pub fn by_scope(requests: &[Request]) -> Vec<(&Scope, usize)> {
    let scopes = requests.iter().map(|request| match &request.selection {
        Selection::Of(scope) => Some(scope),
        Selection::All => None,
    });
    let scopes = scopes.zip(0..);
    in_order(scopes.filter_map(|(scope, index)| Some((scope?, index))))
}

/// Sorts scopes, each with its index.
pub(super) fn in_order<'s>(
    scopes: impl Iterator<Item = (&'s Scope, usize)>,
) -> Vec<(&'s Scope, usize)> {
    let mut scopes: Vec<_> = scopes.collect();
    scopes.sort_unstable();
    scopes
}
