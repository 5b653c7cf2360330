//! The laws of `aspera.conf`.

use std::collections::BTreeSet;
use std::mem::discriminant;
use std::ops::Range;

use aspera_sse::aspera::docroot::{
    AsperaConf, DocrootUri, KeyEncoding, Plan, PlanError, Request, Scope, Selection, Storage,
    changed_places, plan, rollback,
};
use aspera_sse::aspera::setting::{EncryptionSetting, KmsKey};
use aspera_sse::text::xml::Tokenizer;

use super::choice::{Choice, ENCRYPTION, KMS_KEY, all_desired};
use super::secret::{SECRET, Shown, is_in};
use super::xml::{self, Element};

const ABSOLUTE: &str = "/file_system/access/paths/path/absolute";

/// Reads the elements of a document that is one.
pub type Oracle<'o> = &'o dyn Fn(&[u8]) -> Vec<Element>;

/// The docroots that a task sets.
const WANTED: &[&str] = &[
    "s3://h/b",
    "s3://KEY:DUMMY%2FSECRET@gateway.example/b/$(name)?storage-class=X",
    "s3://k:s;@h/b;c?x=<&>\"'",
];

/// Every law, for a file that comes after a byte of choice.
pub fn any_input(input: &[u8]) {
    any_file(input, &|document| {
        xml::elements(document)
            .unwrap_or_else(|| panic!("roxmltree refuses {}", document.escape_ascii()))
    });
}

/// The same, with the oracle named.
pub fn any_file(input: &[u8], read: Oracle) {
    let (mut choice, file) = Choice::of(input);
    let desired = choice.one_of(&all_desired()).clone();
    let encoding = *choice.one_of(&[None, Some(KeyEncoding::Raw), Some(KeyEncoding::Percent)]);
    let scope = choice
        .one_of(&[
            Scope::Global,
            Scope::User("xfer".to_owned()),
            Scope::Group("new".to_owned()),
        ])
        .clone();
    let wanted = *choice.one_of(WANTED);
    if !is_accepted(file) {
        let refused = plan(file, &[request(desired.as_ref())]);
        assert!(
            matches!(refused, Err(PlanError::Conf(_))),
            "taken, and refused by the tokenizer: {}",
            file.escape_ascii()
        );
        return;
    }
    let elements = read(file);
    let text = std::str::from_utf8(file).expect("an XML document in UTF-8");
    // A prefix makes another name of an element for us, and none for the oracle.
    if text.contains("xmlns") {
        return;
    }
    same_docroots(text, &elements);
    let kinds = [
        check_all(text, desired.as_ref(), encoding, read).err(),
        check_named(text, desired.as_ref(), encoding).err(),
        desired
            .as_ref()
            .and_then(|desired| check_docroot(text, &scope, desired, wanted, read).err()),
    ];
    assert!(
        !kinds.contains(&Some(PlanError::NotAsIntended)),
        "not as intended: {text}"
    );
    rolled_back(file, desired.as_ref());
    no_secret(text, desired.as_ref());
}

/// Whether the tokenizer takes a document to its end.
pub fn is_accepted(document: &[u8]) -> bool {
    let Ok(mut tokens) = Tokenizer::new(document) else {
        return false;
    };
    loop {
        match tokens.next_token() {
            Ok(Some(_)) => {}
            Ok(None) => return true,
            Err(_) => return false,
        }
    }
}

/// Whether an element of this path is a docroot of a user, of a group, or of all.
fn is_docroot(path: &str) -> bool {
    let Some(block) = path.strip_suffix(ABSOLUTE) else {
        return false;
    };
    let Some((root, block)) = block.trim_start_matches('/').split_once('/') else {
        return false;
    };
    matches!(root, "CONF" | "conf")
        && matches!(
            block,
            "default" | "aaa/realms/realm/users/user" | "aaa/realms/realm/groups/group"
        )
}

fn request(desired: Option<&EncryptionSetting>) -> Request {
    Request {
        selection: Selection::All,
        desired: desired.cloned(),
        aws_managed_key: true,
        encoding: None,
        docroot: None,
    }
}

/// Checks that our reader finds the docroots of the oracle, with their texts and addresses.
fn same_docroots(file: &str, elements: &[Element]) {
    let Ok(conf) = AsperaConf::parse(file.as_bytes()) else {
        return;
    };
    let docroots = conf.blocks.iter().flat_map(|block| conf.docroots(block));
    let mut ours: Vec<(Option<String>, String)> = docroots
        .map(|docroot| {
            let text = conf.text_with_blanks(docroot).into_owned();
            (docroot.peer_ip(file.as_bytes()), text)
        })
        .collect();
    let docroots = elements.iter().filter(|element| is_docroot(&element.0));
    let mut theirs: Vec<(Option<String>, String)> = docroots
        .map(|(_, attributes, text)| {
            let address = attributes.iter().find(|(name, _)| name == "peer_ip");
            (address.map(|(_, value)| value.clone()), text.clone())
        })
        .collect();
    ours.sort();
    theirs.sort();
    assert_eq!(ours, theirs, "{file}");
}

/// Checks that the file comes back, byte for byte, with the file of before as a backup.
fn rolled_back(file: &[u8], desired: Option<&EncryptionSetting>) {
    let Ok(planned) = plan(file, &[request(desired)]) else {
        return;
    };
    let Some(after) = planned.after else {
        return;
    };
    let shown = || format!("{} to {}", file.escape_ascii(), after.escape_ascii());
    let back = rollback(&after, file).unwrap_or_else(|error| panic!("{error}: {}", shown()));
    assert_eq!(
        back.after.as_deref(),
        Some(file),
        "rolled back: {}",
        shown()
    );
}

/// Puts credentials into the docroots, and looks for the secret in all that is said of the file.
fn no_secret(file: &str, desired: Option<&EncryptionSetting>) {
    if is_in(file.as_bytes()) {
        return;
    }
    let credentials = format!("<absolute>s3://KEY:{SECRET}@");
    let planted = file.replace("<absolute>s3://", &credentials);
    let Some(elements) = xml::elements(planted.as_bytes()) else {
        return;
    };
    // It may have come into a name, by a section or a comment.
    let mut elsewhere = elements.iter().filter(|element| !is_docroot(&element.0));
    if elsewhere.any(|(_, _, text)| text.contains(SECRET)) {
        return;
    }
    let planted = planted.as_bytes();
    let mut shown = Shown::default();
    match plan(planted, &[request(desired)]) {
        Ok(plan_of_it) => {
            take(&mut shown, planted, &plan_of_it);
            let after = plan_of_it.after.as_deref().unwrap_or(planted);
            for backup in [planted, file.as_bytes()] {
                match rollback(after, backup) {
                    Ok(back) => take(&mut shown, after, &back),
                    Err(error) => shown.say(&error),
                }
            }
        }
        Err(error) => shown.say(&error),
    }
    shown.is_clean(planted);
}

fn take(shown: &mut Shown, file: &[u8], planned: &Plan) {
    shown.take(changed_places(file, planned, 9));
    shown.take((&planned.not_found, &planned.uncovered));
    for docroot in &planned.docroots {
        let before = docroot.uri_before(file);
        shown.take((docroot.scope(file), docroot.previous(&before)));
        shown.say(&before.masked(docroot.known_key()));
        shown.say(&docroot.uri_after(before).masked(docroot.known_key()));
    }
}

/// Sets the encryption of all S3 docroots and compares the result with the oracles. Returns the plan, or why there is none.
pub fn check_all(
    file: &str,
    desired: Option<&EncryptionSetting>,
    encoding: Option<KeyEncoding>,
    read: Oracle,
) -> Result<Plan, PlanError> {
    let before = read(file.as_bytes());
    let request = Request {
        selection: Selection::All,
        desired: desired.cloned(),
        aws_managed_key: true,
        encoding,
        docroot: None,
    };
    let planned = plan(file.as_bytes(), std::slice::from_ref(&request))?;
    let edited = planned.edits.apply(file.as_bytes());
    let after = read(&edited);
    let shown = format!("{file}\n---\n{}", String::from_utf8_lossy(&edited));
    assert_eq!(before.len(), after.len(), "{shown}");
    for (old, new) in before.iter().zip(&after) {
        assert_eq!((&old.0, &old.1), (&new.0, &new.1), "{shown}");
        if is_docroot(&old.0) && old.2.trim_ascii().starts_with("s3://") {
            assert_uri(&old.2, &new.2, desired, &shown);
        } else {
            assert_eq!(old.2, new.2, "{shown}");
        }
    }
    assert_in_docroots(file, &planned, &shown);
    let again = plan(&edited, &[request]).unwrap();
    assert!(
        again.edits.is_empty() && again.changes.is_empty(),
        "second run: {shown}"
    );
    there_and_back(file, &before, &edited, &shown);
    Ok(planned)
}

/// Checks the URI afterwards: it is the same except for the two options, which have the desired values.
pub fn assert_uri(old: &str, new: &str, desired: Option<&EncryptionSetting>, shown: &str) {
    let leading = |text: &str| text[..text.len() - text.trim_ascii_start().len()].to_owned();
    let trailing = |text: &str| text[text.trim_ascii_end().len()..].to_owned();
    assert_eq!(leading(old), leading(new), "{shown}");
    // Blanks before a last option that is removed are at the end now.
    assert!(trailing(new).ends_with(&trailing(old)), "{shown}");
    let (old_base, old_options) = options(old.trim_ascii());
    let (new_base, new_options) = options(new.trim_ascii());
    assert_eq!(
        old_base.trim_ascii_end(),
        new_base.trim_ascii_end(),
        "{shown}"
    );
    // Empty options mean nothing, and a new one replaces an empty last one.
    let others = |options: &[String]| -> Vec<String> {
        let is_other =
            |option: &&String| ![ENCRYPTION, KMS_KEY, ""].contains(&name(option).as_str());
        let mut others: Vec<String> = options.iter().filter(is_other).cloned().collect();
        while let Some(last) = others.last_mut() {
            *last = last.trim_ascii_end().to_owned();
            if !last.is_empty() {
                break;
            }
            others.pop();
        }
        others
    };
    assert_eq!(others(&old_options), others(&new_options), "{shown}");
    let values = |wanted: &str| -> Vec<String> {
        let ours = new_options.iter().filter(|option| name(option) == wanted);
        ours.map(|option| decoded(option.split_once('=').map_or("", |(_, value)| value)))
            .collect()
    };
    let wanted = |value: Option<&str>| value.map(str::to_owned).into_iter().collect::<Vec<_>>();
    assert_eq!(
        values(ENCRYPTION),
        wanted(desired.map(|d| d.encryption().as_str())),
        "{shown}"
    );
    assert_eq!(
        values(KMS_KEY),
        wanted(desired.and_then(|d| d.kms_key()).map(KmsKey::as_str)),
        "{shown}"
    );
}

/// Checks that every edit lies in the text of a docroot.
fn assert_in_docroots(file: &str, planned: &Plan, shown: &str) {
    let places = xml::places(file.as_bytes(), is_docroot);
    for edit in &planned.edits {
        let is_around =
            |place: &Range<usize>| place.start < edit.range.start && edit.range.end < place.end;
        assert!(places.iter().any(is_around), "{:?}: {shown}", edit.range);
    }
}

/// Whether a URI has none of our options, no empty query and no trailing `&`.
pub fn is_plain(uri: &str) -> bool {
    let (_, options) = options(uri);
    !uri.ends_with(['?', '&'])
        && options
            .iter()
            .all(|option| ![ENCRYPTION, KMS_KEY].contains(&name(option).as_str()))
}

/// Checks that `absent` restores the original bytes if no docroot had one of our options, an empty query or a trailing `&`.
fn there_and_back(file: &str, before: &[Element], edited: &[u8], shown: &str) {
    let uris = before
        .iter()
        .filter(|element| is_docroot(&element.0) && element.2.trim_ascii().starts_with("s3://"));
    if uris.clone().all(|element| is_plain(element.2.trim_ascii())) {
        let absent = Request {
            selection: Selection::All,
            desired: None,
            aws_managed_key: true,
            encoding: None,
            docroot: None,
        };
        let back = plan(edited, &[absent]).unwrap().edits.apply(edited);
        assert_eq!(back, file.as_bytes(), "there and back: {shown}");
    }
}

/// Sets the whole URI of one docroot and creates all missing elements around it.
pub fn check_docroot(
    file: &str,
    scope: &Scope,
    desired: &EncryptionSetting,
    wanted: &str,
    read: Oracle,
) -> Result<Plan, PlanError> {
    let request = Request {
        selection: Selection::Of(scope.clone()),
        desired: Some(desired.clone()),
        aws_managed_key: true,
        encoding: None,
        docroot: Some(DocrootUri::new(wanted)),
    };
    let planned = plan(file.as_bytes(), std::slice::from_ref(&request))?;
    let edited = planned.edits.apply(file.as_bytes());
    let shown = format!("{scope}: {file}\n---\n{}", String::from_utf8_lossy(&edited));
    let (before, after) = (read(file.as_bytes()), read(&edited));
    // The old content is still there, in its order.
    let is_docroot = |element: &&Element| is_docroot(&element.0);
    let texts = |elements: &[Element]| -> Vec<String> {
        let others = elements.iter().filter(|element| !is_docroot(element));
        others
            // White space around what comes new may be between two pieces of text.
            .map(|(path, _, text)| {
                format!("{path} {}", text.split_whitespace().collect::<String>())
            })
            .collect()
    };
    let mut left = texts(&after).into_iter();
    assert!(
        texts(&before).iter().all(|old| left.any(|new| new == *old)),
        "{shown}"
    );
    let joint = match wanted.split_once('?') {
        None => "?",
        Some((_, query)) if query.is_empty() || query.ends_with('&') => "",
        Some(_) => "&",
    };
    let expected = format!("{wanted}{joint}{ENCRYPTION}={}", desired.encryption());
    let holds = |elements: &[Element]| {
        let docroots = elements.iter().filter(is_docroot);
        docroots
            .filter(|element| element.2.trim_ascii().starts_with(&expected))
            .count()
    };
    // One docroot holds it now; other users and groups may have had the same one before.
    assert!(holds(&after) >= 1, "{shown}");
    assert!(matches!(holds(&after) - holds(&before), 0 | 1), "{shown}");
    let again = plan(&edited, &[request]).unwrap();
    assert!(again.edits.is_empty(), "second run: {shown}");
    // In a file with only CRLF every new line ends so; in a file with only LF, no line does.
    let counts = |text: &[u8]| {
        let text = String::from_utf8_lossy(text);
        (text.matches("\r\n").count(), text.matches('\n').count())
    };
    let ((old_pairs, old_lines), (new_pairs, new_lines)) =
        (counts(file.as_bytes()), counts(&edited));
    if old_pairs == old_lines {
        assert_eq!(new_pairs, new_lines, "line endings: {shown}");
    } else if old_pairs == 0 {
        assert_eq!(new_pairs, 0, "line endings: {shown}");
    }
    Ok(planned)
}

/// Sets the encryption of each scope that has an S3 docroot, by its name. The result must be the same as for all.
pub fn check_named(
    file: &str,
    desired: Option<&EncryptionSetting>,
    encoding: Option<KeyEncoding>,
) -> Result<(), PlanError> {
    let request = |selection| Request {
        selection,
        desired: desired.cloned(),
        aws_managed_key: true,
        encoding,
        docroot: None,
    };
    let conf = AsperaConf::parse(file.as_bytes())?;
    let scopes: BTreeSet<Scope> = conf
        .blocks
        .iter()
        .filter(|block| {
            let mut docroots = conf.docroots(block).iter();
            docroots.any(|docroot| DocrootUri::new(conf.text(docroot)).storage() == Storage::S3)
        })
        .map(|block| conf.scope(block))
        .collect();
    let named: Vec<Request> = scopes
        .into_iter()
        .map(|scope| request(Selection::Of(scope)))
        .collect();
    let edits = |requests: &[Request]| {
        let planned = plan(file.as_bytes(), requests);
        planned.map(|plan| plan.edits.apply(file.as_bytes()))
    };
    match (edits(&named), edits(&[request(Selection::All)])) {
        (Ok(named), Ok(all)) => {
            assert_eq!(named, all, "{file}");
            Ok(())
        }
        // Both refuse the same kind of docroot; the names of the first may differ.
        (Err(named), Err(all)) if discriminant(&named) == discriminant(&all) => Err(all),
        (named, all) => panic!("{named:?} {all:?}: {file}"),
    }
}

/// Returns the text before the `?` of a URI, and the options after it.
fn options(uri: &str) -> (&str, Vec<String>) {
    match uri.split_once('?') {
        Some((base, query)) => (base, query.split('&').map(str::to_owned).collect()),
        None => (uri, Vec::new()),
    }
}

fn name(option: &str) -> String {
    decoded(option.split('=').next().unwrap())
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        let digits = after
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let code = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match code.filter(|_| *byte == b'%') {
            Some(code) => {
                bytes.push(code);
                rest = &after[2..];
            }
            None => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
