//! What is asked for.

use super::scope::Scope;
use super::uri::DocrootUri;
use super::uri_edits::KeyEncoding;
use crate::aspera::setting::EncryptionSetting;

/// What is to become of some docroots.
#[derive(Debug, Clone)]
pub struct Request {
    /// Which ones.
    pub selection: Selection,
    /// Their encryption; none for no option of it in the URI.
    pub desired: Option<EncryptionSetting>,
    /// How the key is to be spelled, if that matters.
    pub encoding: Option<KeyEncoding>,
    /// The whole URI, if it is to be set too.
    pub docroot: Option<DocrootUri>,
}

/// Which docroots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// Those of one user, one group, or the default.
    Of(Scope),
    /// All that lead to S3.
    All,
}

/// The requests for one scope each, with their index, in the order of the scopes.
pub fn by_scope(requests: &[Request]) -> Vec<(&Scope, usize)> {
    let scopes = requests.iter().map(|request| match &request.selection {
        Selection::Of(scope) => Some(scope),
        Selection::All => None,
    });
    let scopes = scopes.zip(0..);
    in_order(scopes.filter_map(|(scope, index)| Some((scope?, index))))
}

/// Scopes with their index, in the order of the scopes.
pub(super) fn in_order<'s>(
    scopes: impl Iterator<Item = (&'s Scope, usize)>,
) -> Vec<(&'s Scope, usize)> {
    let mut scopes: Vec<_> = scopes.collect();
    scopes.sort_unstable();
    scopes
}
