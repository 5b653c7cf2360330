//! The possible results of an upload to one S3 docroot.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::doubt::Doubt;
use super::endpoint::Endpoint;
use super::facts::Facts;
use super::possible::{Outcome, Possible, Request, Source};
use super::query::{self, OptionValues};
use crate::aspera::docroot::{DocrootUri, Mark};
use crate::aspera::setting::{Encryption, EncryptionSetting, KmsKey};

/// The most results that are kept. Where so many docroots differ, the next one differs as well.
const MAX_KNOWN: usize = 10_000;

/// The possible results of uploads to the S3 docroots of a server. Many docroots differ in their credentials and paths only, and share their results.
pub struct S3Docroots<'f> {
    facts: &'f Facts<'f>,
    known: RefCell<HashMap<Readings, Rc<Possible>>>,
}

/// All that the results of a docroot depend on.
#[derive(PartialEq, Eq, Hash)]
struct Readings {
    hosts: Vec<String>,
    queries: Vec<(String, Option<Mark>)>,
    has_question_mark_in_credentials: bool,
    has_too_many_marks: bool,
}

impl<'f> S3Docroots<'f> {
    /// Creates an empty collection.
    pub fn new(facts: &'f Facts<'f>) -> Self {
        Self {
            facts,
            known: RefCell::default(),
        }
    }

    /// Returns the possible results of an upload to a docroot that begins with `s3://`.
    pub fn possible(&self, uri: &DocrootUri) -> Rc<Possible> {
        let readings = Readings::of(uri);
        if let Some(known) = self.known.borrow().get(&readings) {
            return Rc::clone(known);
        }
        let possible = Rc::new(possible_of(uri, self.facts));
        let mut known = self.known.borrow_mut();
        if known.len() < MAX_KNOWN {
            known.insert(readings, Rc::clone(&possible));
        }
        possible
    }
}

impl Readings {
    fn of(uri: &DocrootUri) -> Self {
        let queries = uri.queries().into_iter();
        Self {
            hosts: uri.hosts().into_iter().map(str::to_owned).collect(),
            queries: queries
                .map(|query| (query.text.to_owned(), query.mark))
                .collect(),
            has_question_mark_in_credentials: uri.has_question_mark_in_credentials(),
            has_too_many_marks: uri.has_too_many_marks(),
        }
    }
}

/// Returns the possible results of an upload to a docroot that begins with `s3://`.
pub fn possible_of(uri: &DocrootUri, facts: &Facts) -> Possible {
    let mut possible = Possible::default();
    for reading in query::readings(uri) {
        let served = served(&reading.values, facts, Served::Docroot);
        match reading.doubt {
            None => drop(possible.merge(served)),
            Some(doubt) => possible.merge_for(served, doubt),
        }
    }
    if uri.has_question_mark_in_credentials() {
        possible.unbound(Doubt::QuestionMarkInCredentials);
    }
    if uri.has_too_many_marks() {
        possible.unbound(Doubt::QuestionMark);
    }
    add_doubts_of_values(&mut possible);
    let mut possible = at_endpoints(&possible, uri);
    add_doubts_of_transport(&mut possible, facts);
    let has_other_endpoint = facts
        .system
        .as_ref()
        .is_some_and(|file| file.has_other_endpoint);
    if has_other_endpoint || query::may_set_endpoint(uri) {
        add_doubts_of_other_endpoint(&mut possible);
        // The other store may ignore the request.
        if asks_for_encryption(&possible) {
            possible.add(Outcome::nothing());
        }
    }
    if query::may_switch_off_https(uri) && possible.requests().any(Request::is_kms) {
        possible.leave_unproven(Doubt::HttpsNotForced);
    }
    possible
}

/// Returns the reasons against giving a docroot a setting: S3 would refuse the uploads, or Aspera may read the setting in another way.
pub fn doubts_of_setting(uri: &DocrootUri, setting: &EncryptionSetting) -> Vec<Doubt> {
    let encryption = setting.encryption().as_str().to_owned();
    let kms_key = setting.kms_key().map(|key| key.as_str().to_owned());
    let request = Request::new(Some(encryption), kms_key);
    let is_kms = request.is_kms();
    let mut possible = Possible::certainly(Outcome::S3(request, Source::Docroot));
    for reading in query::readings(uri) {
        reading
            .doubt
            .into_iter()
            .for_each(|doubt| possible.note(doubt));
    }
    // A store of another kind may accept AES256 as Amazon's does, but it has no AWS keys.
    if is_kms {
        possible = at_endpoints(&possible, uri);
    }
    possible.doubts
}

/// Adds the reason to doubt a request because of its values. Also used for `s3.properties` as a whole.
pub fn add_doubts_of_values(possible: &mut Possible) {
    let is_undocumented = |request: &Request| {
        let encryption = request.encryption.as_deref();
        let key = request.kms_key.as_deref();
        encryption.is_some_and(|text| Encryption::parse(text).is_err())
            || key.is_some_and(|text| KmsKey::parse(text).is_err())
    };
    if possible.requests().any(is_undocumented) {
        possible.leave_unproven(Doubt::UndocumentedValue);
    }
    if possible.requests().any(Request::has_key_without_kms) {
        possible.leave_unproven(Doubt::KeyWithoutKms);
    }
}

/// Adds the doubts about requests that may go to another store than the host of the docroot says, or with a signature that S3 refuses for `AWS_KMS`.
pub fn add_doubts_of_other_endpoint(possible: &mut Possible) {
    if asks_for_encryption(possible) {
        possible.leave_unproven(Doubt::OtherEndpoint);
    }
}

fn asks_for_encryption(possible: &Possible) -> bool {
    possible.requests().any(|request| {
        let encryption = request.encryption.as_deref();
        encryption.is_some_and(|text| text != Encryption::None.as_str())
    })
}

/// Adds the reason that S3 refuses `AWS_KMS` without HTTPS. By default trapd does not force HTTPS, and the vendor does not document whether it does
/// for `AWS_KMS`. `pvcl_cloud` uses HTTPS by default.
pub fn add_doubts_of_transport(possible: &mut Possible, facts: &Facts) {
    let is_forced = facts.system.as_ref().is_some_and(|file| file.https_only);
    let trapd_may_serve = facts.trapd_enabled != Some(false) || !facts.pvcl_is_possible();
    if trapd_may_serve && !is_forced && possible.requests().any(Request::is_kms) {
        possible.leave_unproven(Doubt::HttpsNotForced);
    }
}

/// Returns the outcomes of `s3.properties`, by the settings in it, for a docroot without encryption options.
fn of_system_file(request: Option<&Request>, facts: &Facts) -> Possible {
    let mut possible = Possible::default();
    match request {
        None => possible.unbound(Doubt::Unreadable),
        Some(request) if request.is_empty() => drop(possible.add(Outcome::nothing())),
        Some(request) => {
            let set = Outcome::S3(request.clone(), Source::Trapd);
            match facts.trapd_enabled {
                Some(true) => {
                    possible.add(set);
                    if let Some(doubt) = facts.doubt_of_system_wide_encryption() {
                        possible.add_for(Outcome::nothing(), doubt);
                    }
                }
                // The more plausible outcome comes first.
                Some(false) => {
                    possible.add(Outcome::nothing());
                    possible.add_for(set, Doubt::TrapdOff);
                }
                None => {
                    possible.add(set);
                    possible.add_for(Outcome::nothing(), Doubt::TrapdUnknown);
                }
            }
        }
    }
    if facts.service_options {
        possible.unbound(Doubt::ServiceOptions);
    }
    possible
}

/// The thing that a service serves from S3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Served {
    /// A docroot. Whether `pvcl_cloud` uses its options is not documented.
    Docroot,
    /// The storage of an access key.
    AccessKey,
}

/// Returns the possible results over all services that may serve a docroot or the storage of an access key.
pub fn served(values: &OptionValues, facts: &Facts, what: Served) -> Possible {
    let through_trapd =
        |request: Option<&Request>| by_trapd(values, request, of_system_file(request, facts));
    let file = facts.system.as_ref();
    let mut possible = through_trapd(file.map(|file| &file.request));
    for nearly in file.iter().flat_map(|file| &file.nearly) {
        possible.merge_for(through_trapd(Some(nearly)), Doubt::NearlyASetting);
    }
    if file.is_some_and(|file| file.has_more_nearly) {
        possible.unbound(Doubt::NearlyASetting);
    }
    if facts.service_options {
        possible.unbound(Doubt::ServiceOptions);
    }
    if facts.pvcl_is_possible() {
        let nothing = Possible::certainly(Outcome::nothing());
        let alone = by_trapd(values, Some(&Request::default()), nothing);
        let is_new = possible.merge(alone);
        let is_open = what == Served::Docroot;
        if is_open {
            possible.add(Outcome::nothing());
        }
        if (is_open || is_new) && possible.requests().any(|request| !request.is_empty()) {
            possible.note(Doubt::PvclCloud);
        }
    }
    possible
}

/// Returns the possible results if trapd serves. `file` holds the settings in `s3.properties`, and `of_file` its outcomes for a docroot without options.
fn by_trapd(values: &OptionValues, file: Option<&Request>, of_file: Possible) -> Possible {
    match values {
        OptionValues {
            encryptions,
            kms_keys,
        } if encryptions.is_empty() && kms_keys.is_empty() => of_file,
        OptionValues {
            encryptions,
            kms_keys,
        } if encryptions.is_empty() => with_keys(&of_file, kms_keys),
        values => of_docroot(values, file, &of_file),
    }
}

/// Returns the possible results of a docroot that names keys and no encryption.
fn with_keys(of_file: &Possible, kms_keys: &[String]) -> Possible {
    let mut possible = of_file.clone();
    for kms_key in kms_keys {
        for request in of_file.requests() {
            let request = Request {
                kms_key: Some(kms_key.clone()),
                ..request.clone()
            };
            possible.add_for(
                Outcome::S3(request, Source::Docroot),
                Doubt::KeyWithoutEncryption,
            );
        }
    }
    possible
}

/// Returns the possible results of a docroot that names an encryption.
fn of_docroot(
    values: &OptionValues,
    request_of_file: Option<&Request>,
    of_file: &Possible,
) -> Possible {
    let mut possible = Possible::default();
    for encryption in &values.encryptions {
        let request = |kms_key: Option<String>| {
            let request = Request::new(Some(encryption.clone()), kms_key);
            Outcome::S3(request, Source::Docroot)
        };
        for kms_key in &values.kms_keys {
            possible.add(request(Some(kms_key.clone())));
        }
        if values.kms_keys.is_empty() {
            possible.add(request(None));
            let key_of_file = request_of_file.and_then(|request| request.kms_key.clone());
            if encryption == Encryption::AwsKms.as_str() && key_of_file.is_some() {
                possible.add_for(request(key_of_file), Doubt::KeyOfTrapd);
            }
        }
    }
    if values.encryptions.len() > 1 || values.kms_keys.len() > 1 {
        possible.note(Doubt::RepeatedOption);
    }
    match request_of_file {
        None => possible.unbound(Doubt::Unreadable),
        Some(request) => add_wins_of_file(&mut possible, request),
    }
    if values
        .encryptions
        .iter()
        .any(|encryption| encryption == Encryption::None.as_str())
    {
        possible.leave_unproven(Doubt::NoneInDocroot);
        // NONE may mean that the docroot sets no encryption.
        possible.merge(with_keys(of_file, &values.kms_keys));
    }
    possible
}

/// Adds the results in which the file wins. The vendor does not document whether docroot or file wins, or whether one wins as a whole or option by
/// option.
fn add_wins_of_file(possible: &mut Possible, file: &Request) {
    if file.encryption.is_some() {
        possible.add_for(
            Outcome::S3(file.clone(), Source::Trapd),
            Doubt::DocrootAndFile,
        );
    }
    let own: Vec<Request> = possible.requests().cloned().collect();
    for request in own {
        let conflicts =
            file.encryption.is_some() || file.kms_key.is_some() && request.kms_key.is_some();
        if conflicts {
            let encryption = file.encryption.clone().or(request.encryption);
            let mixed = Request::new(encryption, file.kms_key.clone().or(request.kms_key));
            possible.add_for(Outcome::S3(mixed, Source::Trapd), Doubt::DocrootAndFile);
        }
    }
}

/// Returns the results at each endpoint that the docroot may name.
fn at_endpoints(possible: &Possible, uri: &DocrootUri) -> Possible {
    let mut endpoints: Vec<Endpoint> = Vec::new();
    for host in uri.hosts() {
        let endpoint = Endpoint::parse(host);
        if !endpoints.contains(&endpoint) {
            endpoints.push(endpoint);
        }
    }
    let results = endpoints.iter().map(|endpoint| {
        let mut possible = possible.at(endpoint);
        add_doubts_of_endpoint(&mut possible, endpoint);
        possible
    });
    let results = results.reduce(|mut all, one| {
        all.merge_for(one, Doubt::UnclearHost);
        all
    });
    results.unwrap_or_default()
}

/// Adds the reasons why the store at an endpoint may not honour a request, or refuse it.
pub fn add_doubts_of_endpoint(possible: &mut Possible, endpoint: &Endpoint) {
    if !endpoint.is_amazon() {
        if asks_for_encryption(possible) {
            possible.leave_unproven(if endpoint.is_clear() {
                Doubt::NotAmazon
            } else {
                Doubt::UnclearHost
            });
            possible.add(Outcome::nothing());
        }
        return;
    }
    let is_refused = |request: &Request| {
        let key = request.kms_key.as_deref().map(KmsKey::parse);
        let arn = key
            .as_ref()
            .and_then(|key| key.as_ref().ok()?.partition_and_region());
        request.is_kms()
            && arn.is_some_and(|(partition, region)| endpoint.refuses_key_of(partition, region))
    };
    if possible.requests().any(is_refused) {
        possible.leave_unproven(Doubt::KeyOfAnotherRegion);
    }
    if endpoint.has_other_port() && possible.requests().any(Request::is_kms) {
        possible.leave_unproven(Doubt::HttpsNotForced);
    }
}

#[cfg(test)]
mod tests {
    use super::super::SystemFile;
    use super::*;

    #[test]
    fn options_that_are_given_once_are_not_repeated() {
        let facts = Facts {
            system: Some(SystemFile {
                https_only: true,
                ..SystemFile::default()
            }),
            ..Facts::of(None)
        };
        let (encryption, key) = (
            "server-side-encryption=AWS_KMS",
            "server-side-encryption-aws-kms-key-id=alias/a",
        );
        for (query, is_repeated) in [
            (format!("{encryption}&{key}"), false),
            (format!("{encryption}&{encryption}"), true),
            (format!("{encryption}&{key}&{key}"), true),
        ] {
            let uri = DocrootUri::new(format!("s3://store.example/b?{query}"));
            let doubts = possible_of(&uri, &facts).doubts;
            assert!(doubts.contains(&Doubt::NotAmazon), "{query}");
            assert_eq!(
                doubts.contains(&Doubt::RepeatedOption),
                is_repeated,
                "{query}"
            );
        }
    }
}
