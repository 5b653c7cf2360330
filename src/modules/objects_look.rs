//! A look at the objects of one docroot.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::objects_cause::Cause;
use super::objects_found::{Findings, Seen, Wanted};
use super::objects_identity::{Identities, Identity};
use super::objects_list::list;
use super::objects_options::Which;
use crate::http::{Client, Counts};
use crate::s3::{Object, Refusal, Store};

/// The user metadata by which Aspera marks its uploads: the default of `pvcl_cloud` (`aspera_transfer_meta_key`).
const MARK: (&str, &str) = ("aspera.transfer", "true");
/// The requests that run at the same time.
const PARALLEL: usize = 8;
/// After so many denied objects, no more are tried.
const DENIED_IN_A_ROW: usize = 3;

/// Looks at the objects of a docroot, as the first identity that S3 lets see all of them, or else as the one that saw most.
pub(super) fn look(
    client: &Client,
    identities: &Identities,
    candidates: &[Identity],
    region: &str,
    wanted: &Wanted,
) -> Findings {
    let before = client.counts();
    let mut best: Option<Findings> = None;
    for identity in candidates {
        let mut look = match identities.credentials(identity) {
            Ok(credentials) => {
                let store =
                    Store::new(client, wanted.place.clone(), credentials, region.to_owned());
                look_as(&store, wanted)
            }
            Err(cause) => Findings::failed(cause),
        };
        look.identity = Some(identity.source);
        let is_denied = look.is_denied();
        if best
            .as_ref()
            .is_none_or(|best| best.seen.len() < look.seen.len())
        {
            best = Some(look);
        }
        if !is_denied {
            break;
        }
    }
    let after = client.counts();
    let mut look = best.unwrap_or_default();
    look.requests = Counts {
        sent: after.sent - before.sent,
        repeated: after.repeated - before.repeated,
    };
    look
}

fn look_as(store: &Store, wanted: &Wanted) -> Findings {
    let mut look = Findings::default();
    let keys = match wanted.which {
        Which::Keys(keys) => keys.iter().map(|key| (key.clone(), false)).collect(),
        Which::All => list(store, wanted, wanted.folder, &mut look),
        Which::Prefix(prefix) => list(
            store,
            wanted,
            &format!("{}{prefix}", wanted.folder),
            &mut look,
        ),
    };
    let may_ask = look.listing.is_some() || matches!(wanted.which, Which::Keys(_));
    if may_ask {
        heads(store, wanted.folder, keys, &mut look);
        look.bucket_default = Some(store.default_encryption().map_err(Cause::Refused));
    }
    look.region = Some(store.region());
    look.clock_ahead = store.clock_ahead();
    look
}

/// Looks at objects: the first few one by one, the others at the same time.
fn heads(store: &Store, folder: &str, keys: Vec<(String, bool)>, look: &mut Findings) {
    let head = |key: &str| store.head(&format!("{folder}{key}"), MARK);
    let mut keys = keys.into_iter();
    let mut denied = 0;
    while denied < DENIED_IN_A_ROW {
        let Some((key, is_near)) = keys.next() else {
            return;
        };
        let found = head(&key);
        denied += usize::from(found.is_err());
        let found = found.map_err(|refusal| explained(store, refusal, look.listing.is_some()));
        let is_fine = found.is_ok();
        add(look, key, is_near, found);
        if is_fine {
            denied = 0;
            break;
        }
    }
    let keys: Vec<(String, bool)> = keys.collect();
    if denied == DENIED_IN_A_ROW && look.unseen.len() == 1 && look.seen.is_empty() {
        // All the same refusal: the others would get it, too.
        if let Some((cause, _)) = look
            .unseen
            .first()
            .cloned()
            .filter(|(cause, _)| is_for_all(cause))
        {
            look.note(cause, keys.len());
            return;
        }
    }
    let results = in_parallel(&keys, |(key, _)| head(key));
    for ((key, is_near), found) in keys.into_iter().zip(results) {
        add(look, key, is_near, found);
    }
}

/// Returns whether a refusal is about the identity or the server, and not about an object.
fn is_for_all(cause: &Cause) -> bool {
    matches!(
        cause,
        Cause::Refused(
            Refusal::NoAnswer(_)
                | Refusal::Denied
                | Refusal::UnknownAccessKey
                | Refusal::WrongSecret
                | Refusal::ExpiredToken
                | Refusal::ClockSkew
                | Refusal::NoBucket
                | Refusal::NotS3
                | Refusal::Elsewhere
        )
    )
}

/// Returns the reason for a refusal without a body. It takes another request: a listing that S3 refuses has a body.
fn explained(store: &Store, refusal: Refusal, was_listed: bool) -> Refusal {
    if was_listed
        || !matches!(
            refusal,
            Refusal::Denied | Refusal::BadRequest | Refusal::NoObject
        )
    {
        return refusal;
    }
    match store.list("", 1, None) {
        Err(better) if better != Refusal::Denied => better,
        _ => refusal,
    }
}

fn add(look: &mut Findings, key: String, is_near_since: bool, found: Result<Object, Refusal>) {
    match found {
        Ok(object) => look.seen.push(Seen {
            key,
            object,
            is_near_since,
        }),
        Err(refusal) => look.note(Cause::Refused(refusal), 1),
    }
}

/// Does some work on each item, on several at the same time, and returns the results in order.
fn in_parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let run = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else {
                return done;
            };
            done.push((index, work(item)));
        }
    };
    let mut done: Vec<(usize, R)> = thread::scope(|scope| {
        let threads: Vec<_> = (0..PARALLEL.min(items.len()))
            .map(|_| scope.spawn(run))
            .collect();
        threads
            .into_iter()
            .filter_map(|thread| thread.join().ok())
            .flatten()
            .collect()
    });
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_their_order() {
        let items: Vec<usize> = (0..100).collect();
        assert_eq!(
            in_parallel(&items, |item| item * 2),
            (0..100).map(|item| item * 2).collect::<Vec<_>>()
        );
        assert!(in_parallel(&[] as &[u8], |_| 1).is_empty());
    }
}
