//! The listing of a docroot: which of its objects are in question, and the newest of them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, SystemTime};

use super::objects_cause::Cause;
use super::objects_found::{Findings, Listing, Wanted};
use crate::s3::{Page, Refusal, Store};

/// Times of objects are whole seconds, and clocks are read to the second.
pub(super) const TOLERANCE: Duration = Duration::from_secs(2);
/// The most pages in a row without an object.
const EMPTY_PAGES: usize = 3;

/// Lists the objects with a prefix, and returns the newest of those in question, by their keys below the docroot.
pub(super) fn list(
    store: &Store,
    wanted: &Wanted,
    prefix: &str,
    look: &mut Findings,
) -> Vec<(String, bool)> {
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
    look: &mut Findings,
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
pub(super) fn shifted(time: SystemTime, ahead: i64) -> SystemTime {
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
    fn since_is_told_by_the_clock_of_the_store() {
        let time = UNIX_EPOCH + Duration::from_secs(100);
        assert_eq!(shifted(time, 10), UNIX_EPOCH + Duration::from_secs(90));
        assert_eq!(shifted(time, -10), UNIX_EPOCH + Duration::from_secs(110));
    }
}
