//! What an uploaded object settles: the readings under which S3 would show another encryption are ruled out.
//!
//! Only an object counts that says something of the present files: Aspera has uploaded it since its services run with them, and the default encryption of
//! the bucket would have given it another encryption. Whoever gives a [`Settled`] has made sure of that.

use super::doubt::Doubt;
use super::possible::{Outcome, Possible, Request};
use crate::aspera::docroot::Scope;
use crate::aspera::setting::{Encryption, KmsKey};

/// The encryption of an object below one docroot.
#[derive(Debug, Clone)]
pub struct Settled {
    /// The owner of the docroot.
    pub scope: Scope,
    /// The client address that the docroot applies to, if it is for one.
    pub peer_ip: Option<String>,
    /// The docroot with its credentials masked.
    pub uri: String,
    /// The encryption of the object.
    pub encryption: Encryption,
    /// The key ARN of the object, if it has a key.
    pub kms_key: Option<KmsKey>,
}

/// The reasons to doubt a request that S3 has taken: they say that it may refuse it, or that the store may ignore it.
const DISPROVED: [Doubt; 5] = [
    Doubt::NoneInDocroot,
    Doubt::NotAmazon,
    Doubt::KeyOfAnotherRegion,
    Doubt::HttpsNotForced,
    Doubt::KeyWithoutKms,
];

impl Settled {
    /// Leaves the results that S3 would show so. If none is left, something else sets the encryption, and anything is possible.
    pub fn settle(&self, possible: &mut Possible) {
        // What is not known of the server cannot be told from one object.
        if possible.unbounded {
            return;
        }
        possible.outcomes.retain(|outcome| self.may_show(outcome));
        possible.against.retain(|doubt| !DISPROVED.contains(doubt));
        possible.doubts.retain(|doubt| !DISPROVED.contains(doubt));
        if possible.outcomes.is_empty() {
            possible.unbound(Doubt::ObjectDiffers);
        }
    }

    /// Returns the requests among some results that are ruled out, in words.
    pub fn ruled_out(&self, possible: &Possible) -> Vec<String> {
        let differing = possible
            .outcomes
            .iter()
            .filter(|outcome| !self.may_show(outcome));
        differing
            .filter_map(Outcome::request)
            .map(Request::words)
            .collect()
    }

    /// Returns whether S3 may show an upload so. The default of the bucket is another one, so a request for nothing would show that.
    fn may_show(&self, outcome: &Outcome) -> bool {
        let Some(request) = outcome.request() else {
            return false;
        };
        let asked = request.encryption.as_deref().map(Encryption::parse);
        match asked {
            None | Some(Ok(Encryption::None)) => false,
            Some(Ok(encryption)) => encryption == self.encryption && self.may_be_key(request),
            Some(Err(_)) => true,
        }
    }

    fn may_be_key(&self, request: &Request) -> bool {
        let (Some(shown), Some(asked)) = (&self.kms_key, request.kms_key.as_deref()) else {
            // Which key is the one that AWS manages, its ARN does not tell.
            return true;
        };
        KmsKey::parse(asked).map_or(true, |asked| shown.is_same(&asked) != Ok(false))
    }
}

#[cfg(test)]
mod tests {
    use super::super::possible::Source;
    use super::*;

    const ARN: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    const OTHER: &str =
        "arn:aws:kms:us-east-1:111122223333:key/00000000-12ab-34cd-56ef-1234567890ab";

    fn possible(requests: &[(Option<&str>, Option<&str>)]) -> Possible {
        let mut possible = Possible::default();
        for (encryption, key) in requests {
            let request = Request::new(encryption.map(str::to_owned), key.map(str::to_owned));
            possible.add(Outcome::S3(request, Source::Docroot));
        }
        possible
    }

    fn settled() -> Settled {
        Settled {
            scope: Scope::Global,
            peer_ip: None,
            uri: String::new(),
            encryption: Encryption::AwsKms,
            kms_key: Some(KmsKey::parse(ARN).unwrap()),
        }
    }

    #[test]
    fn readings_that_s3_would_show_otherwise_are_ruled_out() {
        let kms = Some("AWS_KMS");
        for (request, stays) in [
            ((kms, Some(ARN)), true),
            ((kms, Some("1234abcd-12ab-34cd-56ef-1234567890ab")), true),
            ((kms, Some("alias/media")), true),
            ((kms, Some("two words")), true),
            ((kms, None), true),
            ((Some("aws:kms"), None), true),
            ((kms, Some(OTHER)), false),
            ((Some("AES256"), None), false),
            ((Some("NONE"), None), false),
            ((None, None), false),
        ] {
            let mut possible = possible(&[(kms, Some(ARN)), request]);
            let ruled_out = settled().ruled_out(&possible);
            settled().settle(&mut possible);
            assert_eq!(ruled_out.len(), usize::from(!stays), "{request:?}");
            let left = if stays && request != (kms, Some(ARN)) {
                2
            } else {
                1
            };
            assert_eq!(possible.outcomes.len(), left, "{request:?}");
        }
    }

    #[test]
    fn what_s3_has_taken_is_not_refused() {
        let mut possible = possible(&[(Some("AWS_KMS"), Some(ARN))]);
        possible.leave_unproven(Doubt::HttpsNotForced);
        possible.leave_unproven(Doubt::BlanksAroundDocroot);
        settled().settle(&mut possible);
        assert_eq!(possible.against, [Doubt::BlanksAroundDocroot]);
    }

    #[test]
    fn an_object_that_no_reading_gives_leaves_everything_open() {
        let mut possible = possible(&[(Some("AES256"), None)]);
        settled().settle(&mut possible);
        assert!(possible.unbounded && possible.doubts == [Doubt::ObjectDiffers]);
    }

    #[test]
    fn what_is_not_known_of_the_server_stays_so() {
        let mut possible = possible(&[(Some("AES256"), None)]);
        possible.unbound(Doubt::ServiceOptions);
        let before = possible.clone();
        settled().settle(&mut possible);
        assert_eq!(possible, before);
    }
}
