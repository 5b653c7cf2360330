//! When a file got its present content, from its times.

use std::time::{Duration, SystemTime};

use crate::files::{FileTimes, OwnTimes};

/// When a file got its present content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastChange {
    /// The file exists, with the times of its changes.
    Known(Changes),
    /// The file does not exist. It may have been removed at the time, if there is one.
    NoFile(Option<SystemTime>),
    /// Its times are in the future: the clock was set back since the change.
    InFuture,
    /// Its times cannot be read.
    Unknown,
}

/// When the content of a file changed, and when it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changes {
    /// The content, or the file to which the path leads, is certainly not older.
    pub content: SystemTime,
    /// The metadata, the name or the content changed then. A program that keeps the old time (`cp -p`) leaves no other trace of new content.
    pub metadata: Option<SystemTime>,
    /// The path may lead to another file since then.
    pub path: Option<SystemTime>,
}

/// What a change of a file counts for that shows in its metadata only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetadataChanges {
    /// It may have been a change of the content.
    Count,
    /// It was none, says the operator.
    Ignored,
}

/// The clock was read shortly before the times, and a file on the network has those of another host.
const TOLERATED: Duration = Duration::from_secs(1);

impl LastChange {
    /// Returns when a file got its present content. `now` is the time of day.
    pub fn of(times: &FileTimes, now: SystemTime, metadata_changes: MetadataChanges) -> Self {
        let is_past = |time: &SystemTime| *time <= now + TOLERATED;
        let Some(file) = times.file else {
            return Self::NoFile(times.entries.max(times.made).max(times.renamed));
        };
        let (Some(modified), Some(touched)) = (file.modified, file.touched) else {
            return Self::Unknown;
        };
        if ![Some(touched), times.made].iter().flatten().all(is_past) {
            return Self::InFuture;
        }
        let written = if is_past(&modified) {
            modified
        } else {
            touched
        };
        let created = file.created.filter(is_past);
        Self::Known(Changes {
            content: [created, times.made]
                .into_iter()
                .flatten()
                .fold(written, SystemTime::max),
            metadata: (metadata_changes == MetadataChanges::Count).then_some(touched),
            path: times.renamed,
        })
    }
}

/// Returns whether the time at which a file says its content changed is in the future, while it was really touched before.
pub fn claims_the_future(times: &FileTimes, now: SystemTime) -> bool {
    let is_past = |time: SystemTime| time <= now + TOLERATED;
    let claims = |file: OwnTimes| Some(!is_past(file.modified?) && is_past(file.touched?));
    times.file.and_then(claims) == Some(true)
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    const NOW: u64 = 1_000;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn file(modified: u64, touched: u64, created: Option<u64>) -> FileTimes {
        FileTimes {
            file: Some(OwnTimes {
                modified: Some(at(modified)),
                touched: Some(at(touched)),
                created: created.map(at),
            }),
            ..FileTimes::default()
        }
    }

    fn of(times: &FileTimes) -> LastChange {
        LastChange::of(times, at(NOW), MetadataChanges::Count)
    }

    fn known(content: u64, metadata: u64) -> LastChange {
        LastChange::Known(Changes {
            content: at(content),
            metadata: Some(at(metadata)),
            path: None,
        })
    }

    #[test]
    fn the_content_is_as_new_as_its_time_and_its_birth() {
        for (modified, touched, created, expected) in [
            (500, 500, None, known(500, 500)),
            (500, 600, None, known(500, 600)),
            (500, 600, Some(400), known(500, 600)),
            // An old file that was copied into place, with its time.
            (100, 600, Some(600), known(600, 600)),
            // A birth in the future says nothing.
            (500, 600, Some(2_000), known(500, 600)),
        ] {
            assert_eq!(of(&file(modified, touched, created)), expected);
        }
    }

    #[test]
    fn a_time_in_the_future_is_not_believed() {
        let claims = |times: &FileTimes| claims_the_future(times, at(NOW));
        let touched_later = file(NOW + 2, 600, Some(300));
        assert_eq!(of(&touched_later), known(600, 600));
        assert!(claims(&touched_later));
        let with_ignored = LastChange::of(&touched_later, at(NOW), MetadataChanges::Ignored);
        assert!(
            matches!(with_ignored, LastChange::Known(Changes { content, .. }) if content == at(600))
        );
        for times in [file(NOW + 2, NOW + 2, None), file(500, NOW + 2, None)] {
            assert_eq!(of(&times), LastChange::InFuture);
            assert!(!claims(&times));
        }
        let link = FileTimes {
            made: Some(at(NOW + 2)),
            ..file(500, 500, None)
        };
        assert_eq!(of(&link), LastChange::InFuture);
        let within_tolerance = file(NOW + 1, NOW + 1, None);
        assert_eq!(of(&within_tolerance), known(NOW + 1, NOW + 1));
        assert!(!claims(&within_tolerance) && !claims(&FileTimes::default()));
    }

    #[test]
    fn changes_of_metadata_can_be_ignored_and_those_of_the_path_not() {
        let times = FileTimes {
            made: Some(at(550)),
            renamed: Some(at(700)),
            ..file(500, 600, None)
        };
        for (changes, metadata) in [
            (MetadataChanges::Count, Some(at(600))),
            (MetadataChanges::Ignored, None),
        ] {
            let expected = Changes {
                content: at(550),
                metadata,
                path: Some(at(700)),
            };
            let found = LastChange::of(&times, at(NOW), changes);
            assert_eq!(found, LastChange::Known(expected));
        }
    }

    #[test]
    fn a_missing_file_may_have_been_removed_and_one_without_times_is_unknown() {
        let times = FileTimes {
            entries: Some(at(300)),
            renamed: Some(at(400)),
            ..FileTimes::default()
        };
        assert_eq!(of(&times), LastChange::NoFile(Some(at(400))));
        assert_eq!(of(&FileTimes::default()), LastChange::NoFile(None));
        let mut times = file(500, 500, None);
        times.file.as_mut().unwrap().touched = None;
        assert_eq!(of(&times), LastChange::Unknown);
    }
}
