//! The problems that the tokenizer finds and their places, its limits, and the edits of a content that is spelled in several ways.

use super::*;
use crate::text::splice::Edits;

fn tokens(document: &[u8]) -> Result<Vec<Token>, Malformed> {
    let mut tokenizer = Tokenizer::new(document)?;
    let mut tokens = Vec::new();
    while let Some(token) = tokenizer.next_token()? {
        tokens.push(token);
    }
    Ok(tokens)
}

/// A document, what is wrong with it, and the line and column.
const MALFORMED: &[(&[u8], Problem, usize, usize)] = &[
    (b"", Problem::NoRoot, 1, 1),
    (b" \n", Problem::NoRoot, 2, 1),
    (b"<!-- c -->", Problem::NoRoot, 1, 11),
    (b"x", Problem::OutsideRoot, 1, 1),
    (b"<a", Problem::UnexpectedEnd, 1, 1),
    (b"<a>", Problem::UnexpectedEnd, 1, 4),
    (b"<a>\n<b>", Problem::UnexpectedEnd, 2, 4),
    (b"<a></b>", Problem::Mismatch, 1, 4),
    (b"<a></a", Problem::Tag, 1, 4),
    (b"<a></>", Problem::Tag, 1, 4),
    (b"<a></ a>", Problem::Tag, 1, 4),
    (b"<a></a b>", Problem::Tag, 1, 4),
    (b"</a>", Problem::Mismatch, 1, 1),
    (b"<>", Problem::Tag, 1, 1),
    (b"<1/>", Problem::Tag, 1, 1),
    (b"<-/>", Problem::Tag, 1, 1),
    (b"<.a/>", Problem::Tag, 1, 1),
    (b"< a/>", Problem::Tag, 1, 1),
    (b"<a/ >", Problem::Tag, 1, 3),
    (b"<a/>\nx", Problem::OutsideRoot, 1, 5),
    (b"<a/><b/>", Problem::OutsideRoot, 1, 5),
    (b"<a/>\n<b>", Problem::OutsideRoot, 2, 1),
    (b"<a/>&amp;", Problem::OutsideRoot, 1, 5),
    (b"<a/><![CDATA[x]]>", Problem::OutsideRoot, 1, 5),
    (b"<![CDATA[x]]><a/>", Problem::OutsideRoot, 1, 1),
    (b"<a><![CDATA[x</a>", Problem::UnexpectedEnd, 1, 4),
    (b"<a><![CDAT[x]]></a>", Problem::Markup, 1, 4),
    (b"<a><!ELEMENT></a>", Problem::Markup, 1, 4),
    (b"\n<!DOCTYPE a><a/>", Problem::Doctype, 2, 1),
    (b"<!-- a -- b --><a/>", Problem::Comment, 1, 1),
    (b"<!-- a --->", Problem::Comment, 1, 1),
    (b"<!--->", Problem::Comment, 1, 1),
    (b"<!-->", Problem::Comment, 1, 1),
    (b"<!-- a", Problem::Comment, 1, 1),
    (b"<a>\r\n<!-- a", Problem::Comment, 2, 1),
    (b"<?xml?><a/>", Problem::Instruction, 1, 1),
    (b"<?xml version='1.0'", Problem::Declaration, 1, 1),
    (b"<?xml version='1.0'?>", Problem::NoRoot, 1, 22),
    (b"<?xml version='2.0'?><a/>", Problem::Declaration, 1, 1),
    (b"<?xml version='1.'?><a/>", Problem::Declaration, 1, 1),
    (b"<?xml version='1.x'?><a/>", Problem::Declaration, 1, 1),
    (b"<?xml version=1.0?><a/>", Problem::Declaration, 1, 1),
    (b"<?xml version='1.0?><a/>", Problem::Declaration, 1, 1),
    (b"<?xml version '1.0'?><a/>", Problem::Declaration, 1, 1),
    (
        b"<?xml version='1.0'encoding='UTF-8'?><a/>",
        Problem::Declaration,
        1,
        1,
    ),
    (b"<?xml encoding='UTF-8'?><a/>", Problem::Declaration, 1, 1),
    (
        b"<?xml version='1.0' encoding='latin1'?><a/>",
        Problem::Encoding,
        1,
        1,
    ),
    (
        b"<?xml version='1.0' encoding='ASCII'?><a>\xc3\xa4</a>",
        Problem::Encoding,
        1,
        1,
    ),
    (
        b"<?xml version='1.0' standalone='maybe'?><a/>",
        Problem::Declaration,
        1,
        1,
    ),
    (
        b"<?xml version='1.0' standalone='yes' encoding='UTF-8'?><a/>",
        Problem::Declaration,
        1,
        1,
    ),
    (b"<?xml version='1.0' x?><a/>", Problem::Declaration, 1, 1),
    (b" <?xml version='1.0'?><a/>", Problem::Instruction, 1, 2),
    (b"<a><?XML x?></a>", Problem::Instruction, 1, 4),
    (b"<a><?x:y z?></a>", Problem::Instruction, 1, 4),
    (b"<a><?x", Problem::Instruction, 1, 4),
    (b"<a><?x ?", Problem::Instruction, 1, 4),
    (b"<a><?x!?></a>", Problem::Instruction, 1, 4),
    (b"<a><? x?></a>", Problem::Instruction, 1, 4),
    (b"<a b/>", Problem::Attribute, 1, 4),
    (b"<a b=c/>", Problem::Attribute, 1, 4),
    (b"<a b= 'c/>", Problem::Attribute, 1, 4),
    (b"<a b='c'd='e'/>", Problem::Tag, 1, 9),
    (b"<a  b='c'\n b='d'/>", Problem::DuplicateAttribute, 2, 2),
    (b"<a b='<'/>", Problem::Attribute, 1, 4),
    (b"<a b='x&y'/>", Problem::Reference, 1, 8),
    (b"<a\n\tb='&amp; &nobody;'/>", Problem::Reference, 2, 11),
    (b"<a 1='c'/>", Problem::Attribute, 1, 4),
    (b"<a b", Problem::Attribute, 1, 4),
    (b"<a b ", Problem::Attribute, 1, 4),
    (b"<a>&</a>", Problem::Reference, 1, 4),
    (b"<a>&nobody;</a>", Problem::Reference, 1, 4),
    (b"<a>&lt;&#0;</a>", Problem::Reference, 1, 8),
    (b"<a>&#x110000;</a>", Problem::Reference, 1, 4),
    (b"<a>&#xd800;</a>", Problem::Reference, 1, 4),
    (b"<a>&#;</a>", Problem::Reference, 1, 4),
    (b"<a>&#x;</a>", Problem::Reference, 1, 4),
    (b"<a>&#+1;</a>", Problem::Reference, 1, 4),
    (b"<a>&#xfffe;</a>", Problem::Reference, 1, 4),
    (b"<a>&#xffff;</a>", Problem::Reference, 1, 4),
    (b"<a>&#31;</a>", Problem::Reference, 1, 4),
    (b"<a>]]></a>", Problem::Text, 1, 4),
    (b"<a>x]]]></a>", Problem::Text, 1, 6),
    (b"<p:a/>", Problem::Prefix, 1, 2),
    (b"<a p:b=''/>", Problem::Prefix, 1, 4),
    (b"<a:/>", Problem::Prefix, 1, 2),
    (b"<:a/>", Problem::Prefix, 1, 2),
    (b"<a xmlns:p='u'><p:b/><p:b:c/></a>", Problem::Prefix, 1, 23),
    (b"<a xmlns:p='u'><p:/></a>", Problem::Prefix, 1, 17),
    (b"<a><b xmlns:p='u'/><p:c/></a>", Problem::Prefix, 1, 21),
    (b"<a><b xmlns:p='u'></b><p:c/></a>", Problem::Prefix, 1, 24),
    (b"<a>\x01</a>", Problem::Character, 1, 4),
    (b"<a>12345678\x1f2345678</a>", Problem::Character, 1, 12),
    (b"<a>1234567\n\x00</a>", Problem::Character, 2, 1),
    (b"<a>\xef\xbf\xbe</a>", Problem::Character, 1, 4),
    (b"<a>12345678\xef\xbf\xbf</a>", Problem::Character, 1, 12),
    (b"<a>\xff</a>", Problem::NotUtf8, 1, 4),
    (b"<a>\xc3</a>", Problem::NotUtf8, 1, 4),
    (b"\xfe\xff\x00<", Problem::Encoding, 1, 1),
    (b"<\x00a\x00", Problem::Encoding, 1, 1),
    (b"\x00<", Problem::Encoding, 1, 1),
    (b"\xff\xfe<\x00", Problem::Encoding, 1, 1),
];

#[test]
fn problems_are_reported_with_their_places() {
    for (document, problem, line, column) in MALFORMED {
        let expected = Malformed {
            line: *line,
            column: *column,
            problem: *problem,
        };
        let shown = document.escape_ascii();
        assert_eq!(tokens(document), Err(expected), "{shown}");
    }
}

#[test]
fn well_formed_documents_are_accepted() {
    for document in [
        &b"\xef\xbb\xbf<?xml version = \"1.10\" encoding='utf8' standalone='no' ?><a/>"[..],
        b"<?xml version='1.0'?>\r\n<!-- a - b --><?pi?><a/>\n<?pi x??>\n",
        b"<?xml version='1.0' encoding='us-ascii'?><a/>",
        b"<?xml-style x?><a/>",
        b"<a\t\n\r b\n=\t'>'\n/>",
        b"<a b='\"' c=\"'\"></a \n>",
        b"<_a-1.b xmlns:p='u' p:c='' xml:d=''><p:e p:f=''/></_a-1.b>",
        b"<a><b xmlns:p='u'><p:c/></b><b xmlns:p='v'><p:c/></b></a>",
        b"<a>] ]] ]]x > ]&gt;<![CDATA[]] ]]>]]&gt;<![CDATA[&<]]]]></a>",
        b"<a>&amp;&lt;&gt;&quot;&apos;&#9;&#10;&#13;&#32;&#xFFFD;&#x10FFFF;&#x85;</a>",
        b"<a>\x7f\xc2\x85\xef\xbf\xbd\xee\x80\x80 1234567\xef\xbc\xa1</a>",
        "<\u{e4}\u{b7}\u{300} \u{c0}='1'/>".as_bytes(),
    ] {
        assert!(
            tokens(document).is_ok(),
            "{}: {:?}",
            document.escape_ascii(),
            tokens(document)
        );
    }
}

#[test]
fn tokens_have_their_places() {
    let document = b"<a x='1'>t<!--c--><![CDATA[d]]><b /><?p?></a >";
    let texts: Vec<String> = tokens(document)
        .unwrap()
        .into_iter()
        .map(|token| {
            let text = |range: std::ops::Range<usize>| {
                String::from_utf8_lossy(&document[range]).into_owned()
            };
            match token {
                Token::Start(tag) => format!(
                    "start {} {} {}",
                    text(tag.name),
                    text(tag.range),
                    tag.is_empty
                ),
                Token::End { name, range } => format!("end {} {}", text(name), text(range)),
                Token::Text(range) => format!("text {}", text(range)),
                Token::Cdata(range) => format!("data {}", text(range)),
                Token::Misc(range) => format!("misc {}", text(range)),
            }
        })
        .collect();
    let expected = [
        "start a <a x='1'> false",
        "text t",
        "misc <!--c-->",
        "data d",
        "start b <b /> true",
        "misc <?p?>",
        "end a </a >",
    ];
    assert_eq!(texts, expected);
}

#[test]
fn the_attributes_are_those_of_the_last_start_tag() {
    let document = b"<a x='1' y = \"2\"><b/></a>";
    let mut tokenizer = Tokenizer::new(document).unwrap();
    tokenizer.next_token().unwrap();
    let text = |range: &std::ops::Range<usize>| {
        String::from_utf8_lossy(&document[range.clone()]).into_owned()
    };
    let shown: Vec<_> = tokenizer
        .attributes()
        .iter()
        .map(|(name, value)| (text(name), text(value)))
        .collect();
    let expected =
        [("x", "1"), ("y", "2")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(shown, expected);
    tokenizer.next_token().unwrap();
    assert!(tokenizer.attributes().is_empty());
}

#[test]
fn the_limits_are_as_documented() {
    let nested = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
    let with = |attributes: Vec<String>| format!("<a{}/>", attributes.concat());
    let attributes =
        |count: usize| with((0..count).map(|number| format!(" a{number}=''")).collect());
    let prefixes = |count: usize| {
        with(
            (0..count)
                .map(|number| format!(" xmlns:p{number}='u'"))
                .collect(),
        )
    };
    let separate = "<b xmlns:p='u'/><b xmlns:p='u'></b>".repeat(101);
    let problem = |document: String| tokens(document.as_bytes()).err().map(|error| error.problem);
    assert_eq!(problem(nested(256)), None);
    assert_eq!(problem(nested(257)), Some(Problem::TooDeep));
    assert_eq!(problem(format!("<a>{}</a>", "<b/>".repeat(300))), None);
    assert_eq!(problem(attributes(1_000)), None);
    assert_eq!(problem(attributes(1_001)), Some(Problem::TooManyAttributes));
    assert_eq!(problem(prefixes(100)), None);
    assert_eq!(problem(prefixes(101)), Some(Problem::TooManyPrefixes));
    assert_eq!(problem(format!("<a>{separate}</a>")), None);
}

/// Returns the text after an edit, in a document that is all content.
fn spliced(source: &str, range: std::ops::Range<usize>, replacement: &str) -> String {
    let bytes = source.as_bytes();
    let content = Content::read(bytes, &(0..bytes.len()));
    let edits = Edits::new(content.splice(bytes, range, replacement));
    String::from_utf8(edits.apply(bytes)).unwrap()
}

fn text(source: &str) -> String {
    Content::read(source.as_bytes(), &(0..source.len())).text
}

#[test]
fn content_is_read_as_a_processor_reads_it() {
    for (source, expected) in [
        ("", ""),
        ("a&amp;b", "a&b"),
        ("a\r\nb\rc\nd&#13;e", "a\nb\nc\nd\re"),
        ("a<!-- &lt; -->b<?pi x?>c", "abc"),
        ("a<![CDATA[&amp;<]]]]>b", "a&amp;<]]b"),
        ("<![CDATA[a\r\nb]]>", "a\nb"),
        ("\u{e4}&#xe4;\u{1f600}", "\u{e4}\u{e4}\u{1f600}"),
    ] {
        assert_eq!(text(source), expected, "{source}");
        let bytes = source.as_bytes();
        assert_eq!(Content::text_of(bytes, &(0..bytes.len())), expected);
        let around = format!("<a>{source}</a>");
        let range = 3..3 + source.len();
        assert_eq!(Content::text_of(around.as_bytes(), &range), expected);
    }
}

#[test]
fn content_is_changed_where_it_is_spelled() {
    for (source, range, replacement, expected) in [
        ("abc", 1..2, "X", "aXc"),
        ("abc", 0..3, "", ""),
        ("abc", 0..0, "X", "Xabc"),
        ("abc", 3..3, "X", "abcX"),
        ("", 0..0, "X<", "X&lt;"),
        ("a&amp;c", 1..2, "X", "aXc"),
        ("a&amp;c", 2..2, "&", "a&amp;&amp;c"),
        ("a&#38;c", 3..3, "&", "a&#38;c&#38;"),
        ("a&#x26;c", 0..1, "&", "&#x26;&#x26;c"),
        ("a\r\nc", 1..2, "X", "aXc"),
        ("a\r\nc", 2..2, "X", "a\r\nXc"),
        ("a<!-- c -->b", 0..2, "X", "X<!-- c -->"),
        ("a<!-- c -->b", 1..1, "X", "aX<!-- c -->b"),
        ("a<!-- c -->b", 1..2, "X", "a<!-- c -->X"),
        ("<![CDATA[abc]]>", 1..2, "&", "<![CDATA[a&c]]>"),
        ("<![CDATA[abc]]>", 3..3, "&", "<![CDATA[abc&]]>"),
        ("<![CDATA[abc]]>", 0..0, "<", "<![CDATA[<abc]]>"),
        ("<![CDATA[a&amp;]]>", 1..2, "", "<![CDATA[aamp;]]>"),
        ("<![CDATA[a]]>", 1..1, "]]>", "<![CDATA[a]]]]><![CDATA[>]]>"),
        ("a<![CDATA[b]]>c", 0..3, "X", "X<![CDATA[]]>"),
        ("a<![CDATA[b]]>c", 1..2, "<", "a<![CDATA[<]]>c"),
        ("a<![CDATA[b]]>c", 2..3, "<", "a<![CDATA[b]]>&lt;"),
        ("\u{e4}b", 2..3, ">", "\u{e4}&gt;"),
    ] {
        let found = spliced(source, range.clone(), replacement);
        assert_eq!(found, expected, "{source} {range:?} {replacement}");
        let mut wanted = text(source);
        wanted.replace_range(range, replacement);
        assert_eq!(text(&found), wanted, "{source}");
    }
}

#[test]
fn text_is_escaped() {
    assert_eq!(escape_text("a&<>\"'"), "a&amp;&lt;&gt;\"'");
    assert_eq!(escape_attribute("a&<>\"'"), "a&amp;&lt;&gt;&quot;'");
}
