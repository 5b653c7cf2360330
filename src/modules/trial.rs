//! A trial upload: one byte is written with an encryption, looked at, and taken away again.

use crate::http::{Failure, random_name};
use crate::s3::{ObjectEncryption, Refusal, Store, Written};

/// How the names of trial objects begin. They say whose they are, if one is left.
pub(super) const NAME: &str = ".aspera-sse-trial-";
/// The content: nothing that anybody could miss.
const BYTE: &[u8] = b"\n";
/// The most trial objects of earlier runs that are counted.
const COUNTED: usize = 100;

/// How a trial went.
#[derive(Debug, Clone)]
pub(super) struct Trial {
    /// The key of the object, in the bucket.
    pub(super) key: String,
    /// The encryption that S3 said it has given the object, or what S3 answered instead of taking it.
    pub(super) taken: Result<ObjectEncryption, Refusal>,
    /// The encryption that the object had when it was looked at, or why that could not be done. Not asked where nothing was taken.
    pub(super) seen: Option<Result<ObjectEncryption, Refusal>>,
    pub(super) left: Left,
    pub(super) earlier: Earlier,
}

/// Whether something of the trial is left in the bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Left {
    Nothing,
    /// The object, or an open upload, and why it could not be taken away.
    Something(Refusal),
    /// It is not known whether S3 has taken it.
    Perhaps(Refusal),
}

/// What earlier trials have left, or `None` where S3 does not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Earlier {
    pub(super) objects: Option<usize>,
    pub(super) uploads: Option<usize>,
}

/// Tries an upload into a folder. Returns `None` if there is no random name for it.
pub(super) fn try_upload(
    store: &Store,
    folder: &str,
    encryption: &ObjectEncryption,
    in_parts: bool,
) -> Option<Trial> {
    let names = format!("{folder}{NAME}");
    let earlier = Earlier {
        objects: store
            .list(&names, COUNTED, None)
            .ok()
            .map(|page| page.objects.len()),
        uploads: store.open_uploads(&names).ok(),
    };
    let key = format!("{names}{}", random_name()?);
    let (taken, left) = if in_parts {
        write_in_parts(store, &key, encryption)
    } else {
        write(store, &key, encryption)
    };
    let mut trial = Trial {
        key,
        taken: Err(Refusal::NotS3),
        seen: None,
        left,
        earlier,
    };
    trial.taken = match taken {
        Err(refusal) => Err(refusal),
        Ok(written) => {
            let seen = store.head(&trial.key, ("", ""));
            trial.seen = Some(seen.map(|object| object.encryption));
            trial.left = take_away(store, &trial.key, written.version.as_deref());
            Ok(written.encryption)
        }
    };
    Some(trial)
}

fn write(
    store: &Store,
    key: &str,
    encryption: &ObjectEncryption,
) -> (Result<Written, Refusal>, Left) {
    let written = store.put(key, encryption, BYTE);
    let left = match &written {
        Err(refusal) if may_have_written(refusal) => look_after(store, key, refusal),
        _ => Left::Nothing,
    };
    (written, left)
}

fn write_in_parts(
    store: &Store,
    key: &str,
    encryption: &ObjectEncryption,
) -> (Result<Written, Refusal>, Left) {
    let id = match store.begin_upload(key, encryption) {
        Ok(id) => id,
        Err(refusal) if may_have_written(&refusal) => {
            return (Err(refusal.clone()), Left::Perhaps(refusal));
        }
        Err(refusal) => return (Err(refusal), Left::Nothing),
    };
    let written = store.finish_upload(key, &id, BYTE);
    let Err(refusal) = &written else {
        return (written, Left::Nothing);
    };
    let left = match store.abort_upload(key, &id) {
        Ok(()) => Left::Nothing,
        // It is no longer open: it was completed after all.
        Err(Refusal::NoObject) => look_after(store, key, refusal),
        Err(other) => Left::Something(other),
    };
    (written, left)
}

/// Returns whether an object may be there although S3 did not say so.
fn may_have_written(refusal: &Refusal) -> bool {
    match refusal {
        Refusal::NoAnswer(failure) => !matches!(
            failure,
            Failure::NoAddress
                | Failure::Refused
                | Failure::Unreachable
                | Failure::Certificate { .. }
                | Failure::Tls
                | Failure::NoAuthorities
                | Failure::Authorities(_)
                | Failure::Proxy(_)
                | Failure::Deadline
        ),
        Refusal::ServerError | Refusal::Busy | Refusal::NotS3 => true,
        _ => false,
    }
}

/// Takes away what may be there.
fn look_after(store: &Store, key: &str, refusal: &Refusal) -> Left {
    match store.head(key, ("", "")) {
        Ok(object) => take_away(store, key, object.version.as_deref()),
        Err(Refusal::NoObject) => Left::Nothing,
        Err(_) => Left::Perhaps(refusal.clone()),
    }
}

fn take_away(store: &Store, key: &str, version: Option<&str>) -> Left {
    match store.delete(key, version) {
        // It was gone already.
        Ok(()) | Err(Refusal::NoObject) => Left::Nothing,
        Err(refusal) => Left::Something(refusal),
    }
}
