//! The laws of what S3, or whatever stands in its place, answers.

use aspera_sse::http::{Element, Response};
use aspera_sse::s3::{Algorithm, DefaultEncryption, Object, Page, Refusal, Written};
use roxmltree::{Document, Node};

use super::choice::Choice;
use super::secret::{SECRET, Shown};
use super::xml::with_line_feeds;

const STATUSES: [u16; 12] = [200, 204, 206, 301, 307, 400, 403, 404, 405, 412, 500, 503];
const ALGORITHM: &str = "x-amz-server-side-encryption";
const HEADERS: [&str; 8] = [
    ALGORITHM,
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-bucket-key-enabled",
    "x-amz-version-id",
    "x-amz-meta-mark",
    "etag",
    "last-modified",
    "date",
];

/// Every law, for an answer that comes after a byte of choice: lines of headers, each with the number of its name, an empty line, and the body.
pub fn any_input(input: &[u8]) {
    let (mut choice, rest) = Choice::of(input);
    let status = *choice.one_of(&STATUSES);
    let (headers, body) = split(rest);
    let answer = Response::new(status, headers.iter().copied(), body.to_vec());
    elements(body);
    page(&answer, body);
    object(&answer, &headers);
    refusal(&answer);
}

fn split(rest: &[u8]) -> (Vec<(&'static str, &[u8])>, &[u8]) {
    let mut headers = Vec::new();
    let mut rest = rest;
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let line = &rest[..end];
        rest = &rest[end + 1..];
        let Some((name, value)) = line.split_first() else {
            return (headers, rest);
        };
        headers.push((HEADERS[usize::from(*name) % HEADERS.len()], value));
    }
    (headers, &[])
}

/// Checks that a body that is read has the elements and texts of the oracle.
fn elements(body: &[u8]) {
    let Ok(ours) = Element::parse(body) else {
        return;
    };
    let shown = body.escape_ascii();
    let text = with_line_feeds(std::str::from_utf8(body).expect("an XML document in UTF-8"));
    let theirs = Document::parse(&text).unwrap_or_else(|error| panic!("{error}: {shown}"));
    same(&ours, theirs.root_element(), &text);
}

fn same(ours: &Element, theirs: Node, shown: &str) {
    assert_eq!(ours.name, theirs.tag_name().name(), "{shown}");
    assert_eq!(ours.text, own_text(theirs), "{shown}");
    let children = theirs.children().filter(Node::is_element);
    for (index, child) in children.clone().enumerate() {
        let name = child.tag_name().name();
        let of_name = |node: &Node| node.tag_name().name() == name;
        let alike = children.clone().filter(of_name).count();
        assert_eq!(ours.all(name).count(), alike, "{shown}");
        assert_eq!(ours.at(&[name]).is_some(), alike == 1, "{shown}");
        let before = children.clone().take(index).filter(of_name).count();
        let child_of_ours = ours.all(name).nth(before).expect("counted before");
        same(child_of_ours, child, shown);
    }
}

fn own_text(node: Node) -> String {
    let texts = node.children().filter(Node::is_text);
    texts.filter_map(|node| node.text()).collect()
}

/// Checks a page of a listing: all its objects, in their order, and an end only where the store says so.
fn page(answer: &Response, body: &[u8]) {
    let Ok(page) = Page::of(answer) else {
        return;
    };
    let shown = body.escape_ascii();
    assert_eq!(answer.status, 200, "{shown}");
    let text = std::str::from_utf8(body).expect("an XML document in UTF-8");
    let document = Document::parse(text).unwrap_or_else(|error| panic!("{error}: {shown}"));
    let root = document.root_element();
    let named = |node: Node, name: &str| {
        let children = node.children().filter(Node::is_element);
        let found: Vec<String> = children
            .filter(|child| child.tag_name().name() == name)
            .map(own_text)
            .collect();
        found
    };
    assert_eq!(root.tag_name().name(), "ListBucketResult", "{shown}");
    let is_last = named(root, "IsTruncated") == ["false"];
    assert_eq!(page.next.is_none(), is_last, "{shown}");
    if let Some(next) = &page.next {
        assert!(!next.is_empty(), "{shown}");
        assert_eq!(
            *next,
            named(root, "NextContinuationToken").concat(),
            "{shown}"
        );
    }
    let is_encoded = named(root, "EncodingType") == ["url"];
    let objects = root
        .children()
        .filter(|node| node.tag_name().name() == "Contents");
    let keys: Vec<String> = objects
        .map(|object| named(object, "Key").concat())
        .collect();
    assert_eq!(page.objects.len(), keys.len(), "{shown}");
    for (object, written) in page.objects.iter().zip(keys) {
        match &object.key {
            Some(key) if is_encoded => assert!(key.len() <= written.len(), "{shown}"),
            Some(key) => assert_eq!(*key, written, "{shown}"),
            None => assert!(is_encoded && written.contains('%'), "{shown}"),
        }
    }
}

/// Checks that an object is called encrypted only by a header that says so, once or always the same.
fn object(answer: &Response, headers: &[(&str, &[u8])]) {
    let values = |name: &str| -> Vec<&[u8]> {
        // Blanks around a value are no part of it.
        let of_name = headers.iter().filter(|(header, _)| *header == name);
        of_name.map(|(_, value)| value.trim_ascii()).collect()
    };
    let says = |encryption: &aspera_sse::s3::ObjectEncryption| {
        let said = values(ALGORITHM);
        match encryption.algorithm {
            Algorithm::None => {}
            // Another of the three headers may be there twice.
            Algorithm::Undocumented => {
                assert!(HEADERS[..3].iter().any(|name| !values(name).is_empty()));
            }
            known => {
                let name = known.name().unwrap_or_default();
                assert!(said.contains(&name.as_bytes()), "{name} of {said:?}");
            }
        }
        if let Some(key) = &encryption.kms_key {
            let said = values(HEADERS[1]);
            assert!(said.contains(&key.as_bytes()), "{key}");
        }
    };
    if let Ok(object) = Object::of(answer, ("mark", "1")) {
        assert!(answer.status == 200 && !values("etag").is_empty());
        says(&object.encryption);
        assert!(!object.is_marked || values("x-amz-meta-mark").contains(&&b"1"[..]));
    }
    if let Some(written) = Written::of(answer) {
        says(&written.encryption);
    }
}

/// Checks that nothing of an answer is in what is said of it, but the code of an error.
fn refusal(answer: &Response) {
    let mut shown = Shown::default();
    for refusal in [
        Some(Refusal::of(answer)),
        Page::of(answer).err(),
        DefaultEncryption::of_bucket(answer).err(),
        Object::of(answer, ("mark", SECRET)).err(),
    ]
    .into_iter()
    .flatten()
    {
        let (why, fix) = (refusal.why(), refusal.fix());
        assert!(!why.is_empty() && fix.ends_with('.'), "{refusal:?}");
        assert!(why.is_ascii() && why.len() < 400, "{why}");
        shown.say(&why);
        shown.take(&refusal);
        shown.say(&refusal.name());
    }
    shown.is_clean(&answer.body);
}
