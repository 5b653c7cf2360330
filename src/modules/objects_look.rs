//! A look at the objects of one docroot.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use super::objects_cause::Cause;
use super::objects_identity::{Identities, Identity, Source};
use super::objects_options::Which;
use crate::http::{Client, Counts};
use crate::s3::{DefaultEncryption, Object, Page, Place, Refusal, Store};

/// The user metadata by which Aspera marks its uploads: the default of `pvcl_cloud` (`aspera_transfer_meta_key`).
const MARK: (&str, &str) = ("aspera.transfer", "true");
/// The requests that run at the same time.
const PARALLEL: usize = 8;
/// After so many denied objects, no more are tried.
const DENIED_IN_A_ROW: usize = 3;
/// Times of objects are whole seconds, and clocks are read to the second.
const TOLERANCE: Duration = Duration::from_secs(2);
/// The most pages in a row without an object.
const EMPTY_PAGES: usize = 3;

/// What to look at.
pub(super) struct Wanted<'w> {
    pub(super) place: Place,
    /// The start of all keys of the docroot.
    pub(super) folder: &'w str,
    pub(super) which: &'w Which,
    pub(super) list_limit: usize,
    pub(super) head_limit: usize,
    pub(super) since: Option<SystemTime>,
}

/// What was found.
#[derive(Debug, Clone, Default)]
pub(super) struct Look {
    pub(super) identity: Option<Source>,
    pub(super) region: Option<String>,
    pub(super) listing: Option<Listing>,
    pub(super) seen: Vec<Seen>,
    /// The objects in question that were not seen, by reason. A reason without objects is about the whole docroot.
    pub(super) unseen: Vec<(Cause, usize)>,
    pub(super) bucket_default: Option<Result<DefaultEncryption, Cause>>,
    pub(super) clock_ahead: Option<i64>,
    pub(super) requests: Counts,
}

/// A listing, in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Listing {
    pub(super) keys: usize,
    pub(super) is_complete: bool,
    /// What is no upload: folder markers and unfinished files.
    pub(super) skipped: usize,
    /// Those before `since`.
    pub(super) older: usize,
    pub(super) in_question: usize,
}

/// An object that was looked at.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    /// The key below the docroot.
    pub(super) key: String,
    pub(super) object: Object,
    /// Whether it may be older than `since`.
    pub(super) is_near_since: bool,
}

impl Look {
    /// A look that could not even begin.
    pub(super) fn failed(cause: Cause) -> Self {
        Self {
            unseen: vec![(cause, 0)],
            ..Self::default()
        }
    }

    fn note(&mut self, cause: Cause, objects: usize) {
        match self.unseen.iter_mut().find(|(known, _)| *known == cause) {
            Some((_, count)) => *count += objects,
            None => self.unseen.push((cause, objects)),
        }
    }
}

/// Looks at the objects of a docroot, as the first identity that S3 lets.
pub(super) fn look(
    client: &Client,
    identities: &Identities,
    candidates: &[Identity],
    region: &str,
    wanted: &Wanted,
) -> Look {
    let before = client.counts();
    let mut look = Look::default();
    for (index, identity) in candidates.iter().enumerate() {
        let credentials = match identities.credentials(identity) {
            Ok(credentials) => credentials,
            Err(cause) => {
                look = Look::failed(cause);
                look.identity = Some(identity.source);
                break;
            }
        };
        let store = Store::new(client, wanted.place.clone(), credentials, region.to_owned());
        look = look_as(&store, wanted);
        look.identity = Some(identity.source);
        let is_denied = look
            .unseen
            .iter()
            .any(|(cause, _)| *cause == Cause::Refused(Refusal::Denied));
        if !is_denied || index + 1 == candidates.len() {
            break;
        }
    }
    let after = client.counts();
    look.requests = Counts {
        sent: after.sent - before.sent,
        repeated: after.repeated - before.repeated,
    };
    look
}

fn look_as(store: &Store, wanted: &Wanted) -> Look {
    let mut look = Look::default();
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

/// Lists the objects with a prefix, and returns the newest of those in question, by their keys below the docroot.
fn list(store: &Store, wanted: &Wanted, prefix: &str, look: &mut Look) -> Vec<(String, bool)> {
    let mut listing = Listing::default();
    let mut newest = Newest::new(wanted.head_limit);
    let mut next: Option<String> = None;
    let mut empty_pages = 0;
    loop {
        let page = match store.list(prefix, wanted.list_limit - listing.keys, next.as_deref()) {
            Ok(page) => page,
            Err(refusal) => {
                look.note(Cause::Refused(refusal), 0);
                // Part of a listing would be taken for all there is.
                if listing.keys == 0 {
                    return Vec::new();
                }
                break;
            }
        };
        let since = wanted
            .since
            .map(|since| shifted(since, store.clock_ahead().unwrap_or(0)));
        empty_pages = if page.objects.is_empty() {
            empty_pages + 1
        } else {
            0
        };
        let is_repeated = page.next.is_some() && page.next == next;
        next.clone_from(&page.next);
        take(page, since, wanted.folder, &mut listing, &mut newest, look);
        if next.is_none() {
            listing.is_complete = true;
            break;
        }
        if is_repeated || empty_pages > EMPTY_PAGES {
            look.note(Cause::Refused(Refusal::NotS3), 0);
            break;
        }
        if listing.keys >= wanted.list_limit {
            break;
        }
    }
    let is_refused = !look.unseen.is_empty();
    if !listing.is_complete && !is_refused {
        look.note(Cause::NotAllListed, 0);
    }
    let keys = newest.into_keys();
    if let left @ 1.. = listing.in_question.saturating_sub(keys.len()) {
        look.note(Cause::NotAllLookedAt, left);
    }
    look.listing = Some(listing);
    keys
}

fn take(
    page: Page,
    since: Option<SystemTime>,
    folder: &str,
    listing: &mut Listing,
    newest: &mut Newest,
    look: &mut Look,
) {
    for object in page.objects {
        listing.keys += 1;
        let Some(key) = object.key else {
            look.note(Cause::KeyNotText, 1);
            continue;
        };
        // S3 gives only what was asked for.
        let Some(key) = key.strip_prefix(folder) else {
            look.note(Cause::Refused(Refusal::NotS3), 1);
            continue;
        };
        if is_no_upload(key) {
            listing.skipped += 1;
            continue;
        }
        let Some(time) = object.last_modified else {
            look.note(Cause::NoTime, 1);
            continue;
        };
        let is_near = match since {
            Some(since) if time + TOLERANCE < since => {
                listing.older += 1;
                continue;
            }
            Some(since) => time < since + TOLERANCE,
            None => false,
        };
        listing.in_question += 1;
        newest.add(time, key, is_near);
    }
}

/// Returns whether a key is no finished upload: the marker of a folder, or what Aspera keeps of a transfer that goes on.
fn is_no_upload(key: &str) -> bool {
    let name = key.rsplit('/').next().unwrap_or_default();
    let is_unfinished = [".partial", ".aspx"].iter().any(|end| name.ends_with(end));
    name.is_empty()
        || name.ends_with("_$folder$")
        || is_unfinished
        || key.split('/').any(|part| part == ".aspera-segments")
        || name.starts_with(".aspera-sse-trial-")
}

/// Returns a time of this host as the store would tell it.
fn shifted(time: SystemTime, ahead: i64) -> SystemTime {
    let difference = Duration::from_secs(ahead.unsigned_abs());
    let shifted = if ahead >= 0 {
        time.checked_sub(difference)
    } else {
        time.checked_add(difference)
    };
    shifted.unwrap_or(time)
}

/// The newest objects, as many as may be looked at.
struct Newest {
    limit: usize,
    heap: BinaryHeap<Reverse<(SystemTime, String, bool)>>,
}

impl Newest {
    fn new(limit: usize) -> Self {
        Self {
            limit,
            heap: BinaryHeap::new(),
        }
    }

    fn add(&mut self, time: SystemTime, key: &str, is_near: bool) {
        let is_full = self.heap.len() == self.limit;
        if is_full
            && self
                .heap
                .peek()
                .is_some_and(|Reverse((oldest, ..))| *oldest >= time)
        {
            return;
        }
        self.heap.push(Reverse((time, key.to_owned(), is_near)));
        if is_full {
            self.heap.pop();
        }
    }

    /// Returns the keys, the newest first.
    fn into_keys(self) -> Vec<(String, bool)> {
        let sorted = self.heap.into_sorted_vec();
        sorted
            .into_iter()
            .map(|Reverse((_, key, is_near))| (key, is_near))
            .collect()
    }
}

/// Looks at objects: the first few one by one, the others at the same time.
fn heads(store: &Store, folder: &str, keys: Vec<(String, bool)>, look: &mut Look) {
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

/// Returns the reason for a refusal without a body, which only another request tells: a listing that S3 refuses has one.
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

fn add(look: &mut Look, key: String, is_near_since: bool, found: Result<Object, Refusal>) {
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
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn the_newest_objects_are_kept() {
        let mut newest = Newest::new(2);
        for (second, key) in [(5, "b"), (9, "a"), (1, "c"), (7, "d")] {
            newest.add(UNIX_EPOCH + Duration::from_secs(second), key, false);
        }
        let keys: Vec<String> = newest.into_keys().into_iter().map(|(key, _)| key).collect();
        assert_eq!(keys, ["a", "d"]);
    }

    #[test]
    fn what_is_no_upload_is_left_out() {
        for key in [
            "",
            "in/",
            "in_$folder$",
            "a.partial",
            "a.aspx",
            ".aspera-segments/1",
            "in/.aspera-segments/x/2",
            "in/.aspera-sse-trial-1",
        ] {
            assert!(is_no_upload(key), "{key}");
        }
        for key in [
            "a",
            "in/a.mxf",
            "partial",
            "a.aspx.txt",
            "my.aspera-segments",
        ] {
            assert!(!is_no_upload(key), "{key}");
        }
    }

    #[test]
    fn results_keep_their_order() {
        let items: Vec<usize> = (0..100).collect();
        assert_eq!(
            in_parallel(&items, |item| item * 2),
            (0..100).map(|item| item * 2).collect::<Vec<_>>()
        );
        assert!(in_parallel(&[] as &[u8], |_| 1).is_empty());
    }

    #[test]
    fn since_is_told_by_the_clock_of_the_store() {
        let time = UNIX_EPOCH + Duration::from_secs(100);
        assert_eq!(shifted(time, 10), UNIX_EPOCH + Duration::from_secs(90));
        assert_eq!(shifted(time, -10), UNIX_EPOCH + Duration::from_secs(110));
    }
}
