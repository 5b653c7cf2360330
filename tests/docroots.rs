//! Laws of `aspera.conf`, for any file, with lxml and roxmltree as the oracles.

mod laws;
#[path = "oracle/xml.rs"]
mod xml;

use aspera_sse::aspera::docroot::{KeyEncoding, Plan, PlanError, Scope};
use aspera_sse::aspera::setting::{Encryption, EncryptionSetting};
use laws::choice::{KMS_KEY, all_desired};
use laws::docroots::{self, is_accepted};
use laws::xml::Element;
use proptest::prelude::*;
use proptest::sample::select;

proptest! {
    #![proptest_config(config(3_000))]

    #[test]
    fn every_law_holds_for_any_file(file in conf(), desired in desired(), encoding in encoding()) {
        check_all(&file, desired.as_ref(), encoding);
    }

    #[test]
    fn a_docroot_is_set_or_created_in_any_file(file in conf(), scope in scope(), desired in desired(), wanted in wanted()) {
        check_docroot(&file, &scope, desired, &wanted);
    }

    #[test]
    fn naming_every_docroot_is_setting_all(file in conf(), desired in desired(), encoding in encoding()) {
        check_named(&file, desired.as_ref(), encoding);
    }
}

/// Puts each ASCII character and some others into each part of a docroot, one user for each.
#[test]
fn every_character_may_stand_anywhere_in_a_docroot() {
    let ascii = ('\t'..='\u{7f}').filter(|c| !c.is_control() || matches!(c, '\t' | '\n' | '\r'));
    let others = [
        '\u{80}',
        '\u{85}',
        '\u{e4}',
        '\u{2028}',
        '\u{d7ff}',
        '\u{e000}',
        '\u{fffd}',
        '\u{10ffff}',
    ];
    for character in ascii.chain(others) {
        for uri in [
            format!("s3://h/b/x{character}y"),
            format!("s3://h/{character}y?x=1"),
            format!("s3://k{character}k:s{character}s@h/b"),
            format!("s3://h/b?x{character}y=z&server-side-encryption=AES256"),
            format!("s3://h/b?x={character}y&z"),
            format!("/srv/x{character}y"),
        ] {
            for spelling in [
                Spelling::Entities,
                Spelling::Section,
                Spelling::Each(0),
                Spelling::Each(1),
                Spelling::Each(2),
            ] {
                let file = format!(
                    "<CONF><aaa><realms><realm><users><user><name>xfer</name><file_system><access><paths><path><absolute>{}</absolute></path>\
                     </paths></access></file_system></user></users></realm></realms></aaa></CONF>",
                    spelling.apply(&uri)
                );
                let kms = Some(EncryptionSetting::new(Encryption::AwsKms, None).unwrap());
                check_all(&file, kms.as_ref(), None);
                check_all(&file, None, None);
                check_named(&file, kms.as_ref(), None);
                check_docroot(
                    &file,
                    &Scope::User("xfer".to_owned()),
                    kms,
                    "s3://k:s;@h/b;c",
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(config(10_000))]

    #[test]
    fn documents_that_the_oracles_refuse_are_refused(file in conf(), mutations in prop::collection::vec(mutation(), 1..4)) {
        let mutated = mutations.iter().fold(file.into_bytes(), |bytes, mutation| mutation.apply(bytes));
        if is_accepted(&mutated) {
            let shown = mutated.escape_ascii();
            prop_assert!(xml::lxml(&mutated).is_some(), "lxml refuses {shown}");
            prop_assert!(laws::xml::elements(&mutated).is_some(), "roxmltree refuses {shown}");
        }
    }
}

#[test]
fn documents_that_the_oracles_accept_are_accepted() {
    for file in [
        "<CONF/>",
        "\u{feff}<?xml version=\"1.0\"?>\n<!-- c --><CONF a='1' b=\"2\"></CONF ><?pi x?>\n",
        "<?xml version='1.0' encoding='utf-8' standalone='yes' ?><CONF/>",
        "<CONF><a-b.c_d/>&#x1F600;&lt;]]&gt;<![CDATA[<&]] >]]></CONF>",
        "<CONF xmlns:x='u'><x:a x:b='1'/><b xml:space='preserve'/></CONF>",
        "<CONF>\u{e4}\u{1f600}<\u{e4}\u{e9} \u{fc}='1'/>\u{85}\u{2028}</CONF>",
        "<CONF a = \"x>y'\"\n\tb\r\n=\r'z'/>",
    ] {
        assert!(
            xml::lxml(file.as_bytes()).is_some() && is_accepted(file.as_bytes()),
            "{file}"
        );
    }
}

/// Sets the encryption of all S3 docroots.
fn check_all(file: &str, desired: Option<&EncryptionSetting>, encoding: Option<KeyEncoding>) {
    match docroots::check_all(file, desired, encoding, &read) {
        Ok(planned) => assert_in_queries(file, &planned),
        // The start of the options of a docroot is ambiguous.
        Err(PlanError::QuestionMark(_)) => {}
        Err(error) => panic!("{error}: {file}"),
    }
}

/// Sets the whole URI of one docroot and creates all missing elements around it.
fn check_docroot(file: &str, scope: &Scope, desired: Option<EncryptionSetting>, wanted: &str) {
    let Some(desired) = desired else { return };
    match docroots::check_docroot(file, scope, &desired, wanted, &read) {
        Ok(_)
        | Err(
            PlanError::SeveralDocroots(_)
            | PlanError::OnlyForAddress(_)
            | PlanError::Restricted(_)
            | PlanError::QuestionMark(_)
            | PlanError::Misc(_),
        ) => {}
        Err(error) => panic!("{error}: {file}"),
    }
}

/// Sets the encryption of each scope that has an S3 docroot, by its name. The result must be the same as for all.
fn check_named(file: &str, desired: Option<&EncryptionSetting>, encoding: Option<KeyEncoding>) {
    match docroots::check_named(file, desired, encoding) {
        Ok(()) | Err(PlanError::QuestionMark(_)) => {}
        Err(error) => panic!("{error}: {file}"),
    }
}

/// Checks that every edit lies in the query of a docroot, or at the end of one.
fn assert_in_queries(file: &str, planned: &Plan) {
    for edit in &planned.edits {
        let before = &file[..edit.range.start];
        let uri_start = before
            .rfind("s3://")
            .unwrap_or_else(|| panic!("{:?}: {file}", edit.range));
        let uri = &before[uri_start..];
        let is_at_end = file[edit.range.end..].trim_start().starts_with(['<', ']']);
        assert!(
            !uri.contains("</absolute") && !file[edit.range.clone()].contains("</absolute"),
            "{:?}: {file}",
            edit.range
        );
        assert!(
            uri.contains('?') || is_at_end || file[edit.range.start..].starts_with('?'),
            "{:?}: {file}",
            edit.range
        );
    }
}

/// Reads the elements of a document. Both oracles must agree on them.
fn read(document: &[u8]) -> Vec<Element> {
    let shown = String::from_utf8_lossy(document);
    let elements =
        laws::xml::elements(document).unwrap_or_else(|| panic!("roxmltree refuses {shown}"));
    let by_lxml = xml::lxml(document).unwrap_or_else(|| panic!("lxml refuses {shown}"));
    assert_eq!(elements, by_lxml, "the oracles disagree on {shown}");
    elements
}

fn desired() -> impl Strategy<Value = Option<EncryptionSetting>> {
    select(all_desired())
}

fn encoding() -> impl Strategy<Value = Option<KeyEncoding>> {
    select(vec![
        None,
        Some(KeyEncoding::Raw),
        Some(KeyEncoding::Percent),
    ])
}

fn scope() -> impl Strategy<Value = Scope> {
    select(vec![
        Scope::Global,
        Scope::User("xfer".to_owned()),
        Scope::User("a & b".to_owned()),
        Scope::User("new".to_owned()),
        Scope::Group("staff".to_owned()),
        Scope::Group("new".to_owned()),
    ])
}

/// Generates a configuration: its parts in any order, in some layout.
fn conf() -> impl Strategy<Value = String> {
    let declaration = select(vec![
        "",
        "<?xml version='1.0' encoding='UTF-8'?>\n",
        "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\" standalone=\"no\"?>\n",
        "<!-- made by hand: <CONF> -->\n\n",
    ]);
    let sections = prop::collection::vec(part(), 1..4);
    let root = select(vec!["CONF", "conf"]);
    let layout = select(vec![("\n", "  "), ("\n", "\t"), ("\r\n", "    "), ("", "")]);
    let final_ending = select(vec!["", "\n", "\n<!-- end -->\n"]);
    (declaration, root, sections, layout, final_ending).prop_map(
        |(declaration, root, sections, (ending, unit), last)| {
            let text = format!(
                "{declaration}<{root} version=\"2\">\n{}</{root}>{last}",
                sections.concat()
            );
            laid_out(&text, ending, unit)
        },
    )
}

/// Changes the layout of a text that is indented by single blanks.
fn laid_out(text: &str, ending: &str, unit: &str) -> String {
    let lines = text.split('\n').map(|line| {
        let rest = line.trim_start_matches(' ');
        unit.repeat(line.len() - rest.len()) + rest
    });
    let lines: Vec<String> = lines.collect();
    // On one line, a declaration and comments need nothing between them.
    lines.join(ending)
}

fn part() -> impl Strategy<Value = String> {
    let other = select(vec![
        " <server>\n  <server_name>AS_NULL</server_name>\n </server>\n",
        " <WEB SshPort = \"33001\" \n      Name='a>b' />\n",
        " <!-- <user><name>ghost</name></user> -->\n\n",
        " <central_server><port>40001</port><!-- s3://k:s@h/b --></central_server>\n",
        " <trunks><trunk><id>1</id><schedule format=\"ranges\">&#x41;&lt;</schedule></trunk></trunks>\n",
        " <default/>\n",
    ]);
    prop_oneof![
        2 => other.prop_map(str::to_owned),
        1 => access(2).prop_map(|access| format!(" <default>\n{access} </default>\n")),
        3 => prop::collection::vec(realm(), 0..3)
            .prop_map(|realms| format!(" <aaa>\n  <realms>\n{}  </realms>\n </aaa>\n", realms.concat())),
        1 => Just(" <aaa><realms/></aaa>\n".to_owned()),
    ]
}

fn realm() -> impl Strategy<Value = String> {
    let users = prop::collection::vec(
        block("user", vec!["xfer", "a &amp; b", "<![CDATA[up]]>", "c"]),
        0..4,
    );
    let groups = prop::collection::vec(block("group", vec!["staff", "\n      dev "]), 0..2);
    (users, groups, any::<bool>()).prop_map(|(users, groups, empty)| {
        let users = format!("    <users>\n{}    </users>\n", users.concat());
        let groups = if groups.is_empty() && empty {
            "    <groups/>\n".to_owned()
        } else {
            format!("    <groups>\n{}    </groups>\n", groups.concat())
        };
        format!("   <realm>\n{users}{groups}   </realm>\n")
    })
}

fn block(kind: &'static str, names: Vec<&'static str>) -> impl Strategy<Value = String> {
    (select(names), prop::option::of(access(6))).prop_map(move |(name, access)| {
        let access = access.unwrap_or_default();
        format!("     <{kind}>\n      <name>{name}</name>\n{access}     </{kind}>\n")
    })
}

/// Generates `file_system` with some paths.
fn access(depth: usize) -> impl Strategy<Value = String> {
    let path = prop_oneof![
        6 => prop::collection::vec(absolute(), 0..3).prop_map(|docroots| docroots.concat()),
        1 => Just("<restrictions><restriction>s3://*</restriction></restrictions>\n".to_owned()),
    ];
    let paths = prop::collection::vec(
        path.prop_map(|inner| {
            format!("<path>\n {inner}<read_allowed>true</read_allowed>\n</path>\n")
        }),
        0..3,
    );
    paths.prop_map(move |paths| {
        let text = format!(
            "<file_system>\n <access>\n  <paths>\n{}  </paths>\n </access>\n</file_system>\n",
            paths.concat()
        );
        let indentation = " ".repeat(depth);
        let lines: Vec<String> = text
            .lines()
            .map(|line| indentation.clone() + line + "\n")
            .collect();
        lines.concat()
    })
}

fn absolute() -> impl Strategy<Value = String> {
    let start = select(vec![
        "<absolute>",
        "<absolute peer_ip=\"10.0.0.1\">",
        "<absolute  peer_ip = '10.0.0.2' >",
    ]);
    prop_oneof![
        8 => (start, blanks(), uri(), spelling(), blanks()).prop_map(|(start, lead, uri, spelling, trail)| {
            format!("{start}{lead}{}{trail}</absolute>\n", spelling.apply(&uri))
        }),
        1 => select(vec!["<absolute/>\n", "<absolute></absolute>\n", "<absolute>AS_NULL</absolute>\n", "<absolute>/data</absolute>\n", "<absolute>azu://k:s@h/b?x=1</absolute>\n"])
            .prop_map(str::to_owned),
        1 => (select(vec!["/", "azu://k:s@h/", "S3://", "$(home)", "x"]), any_text(), spelling())
            .prop_map(|(start, text, spelling)| format!("<absolute>{}</absolute>\n", spelling.apply((start.to_owned() + &text).trim_ascii()))),
    ]
}

fn blanks() -> impl Strategy<Value = &'static str> {
    prop_oneof![6 => Just(""), 1 => Just(" "), 1 => Just("\n\t ")]
}

/// Generates a docroot for a task. The module refuses blanks and control characters in one.
fn wanted() -> impl Strategy<Value = String> {
    let is_refused = |c: char| c.is_whitespace() || c.is_control();
    let text = move || any_text().prop_map(move |text| text.replace(is_refused, ";"));
    prop_oneof![
        1 => Just("s3://KEY:DUMMY%2FSECRET@gateway.example/b/$(name)?storage-class=X".to_owned()),
        2 => (text(), text(), text()).prop_map(|(credentials, path, query)| format!("s3://{credentials}@h/{path}?{query}")),
        1 => text().prop_map(|path| format!("s3://h/{path}")),
    ]
}

/// Generates any text that XML can contain, with many characters that have a meaning in XML, URIs or their spellings.
fn any_text() -> impl Strategy<Value = String> {
    let special = select(vec![
        ";",
        "&",
        "<",
        ">",
        "\"",
        "'",
        "%",
        "%3B",
        "%3b",
        "%26",
        "%FF",
        "%2",
        "%zz",
        "%+1",
        "+",
        "#",
        "=",
        ":",
        "/",
        "@",
        "?",
        "\\",
        "]]>",
        "]]",
        "&amp;",
        "&#59;",
        "&lt;",
        "&x;",
        "<!--",
        "<![CDATA[",
        "\t",
        "\r",
        "\n",
        "\r\n",
        " ",
        "\u{e4}",
        "\u{1f600}",
        "\u{85}",
        "\u{2028}",
    ]);
    let any = any::<char>().prop_filter("XML has no such character", |&c| {
        matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
    });
    let piece = prop_oneof![
        3 => special.prop_map(str::to_owned),
        1 => any.prop_map(String::from),
        1 => prop::char::range(' ', '~').prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

fn uri() -> impl Strategy<Value = String> {
    let credentials = prop_oneof![
        4 => select(vec![
            "",
            "AKIA:se%2Fcr%2Bet%3D@",
            "AKIA:s/e+c=r'et\"@",
            "AKIA:s;e;cret@",
            "k:\u{e4}\u{1f600}@",
        ]).prop_map(str::to_owned),
        1 => any_text().prop_map(|text| format!("AKIA:{text}@")),
    ];
    let host = prop_oneof![
        5 => select(vec![
            "s3.amazonaws.com/b",
            "s3.amazonaws.com/b/p/",
            "s3.amazonaws.com/b/2024;q1/",
            "gateway.example:8080/$(name)",
            "h/b%2Fp",
            "h",
        ]).prop_map(str::to_owned),
        1 => any_text().prop_map(|text| format!("h/{text}")),
    ];
    let option = prop_oneof![
        3 => select(vec!["storage-class=REDUCED_REDUNDANCY", "x", "=", "", "a=b=c", "%41=%42", "q=a@b", "u=\u{e4}", "lt=<>\"'"]).prop_map(str::to_owned),
        3 => (select(vec!["server-side-encryption", "server%2Dside-encryption", "server-side-encryption%20"]), select(vec!["=NONE", "=AWS_KMS", "=AWS%5FKMS", "=aws:kms", "=", ""]))
            .prop_map(|(name, value)| format!("{name}{value}")),
        1 => any_text(),
        2 => select(vec!["=alias/tenant", "=alias%2ftenant", "=alias%2Ftenant", "=other", ""]).prop_map(|value| format!("{KMS_KEY}{value}")),
    ];
    let query = prop_oneof![
        2 => Just(String::new()),
        5 => prop::collection::vec(option, 0..5).prop_map(|options| format!("?{}", options.join("&"))),
    ];
    (credentials, host, query).prop_map(|(credentials, host, query)| {
        // Blanks around a docroot are not part of it.
        let uri = format!("s3://{credentials}{host}{query}");
        uri.trim_ascii_end().to_owned()
    })
}

/// The spelling of a text in XML.
#[derive(Debug, Clone, Copy)]
enum Spelling {
    Entities,
    Numbers,
    Section,
    Mixed,
    /// Each character in one of several ways, by its place.
    Each(usize),
}

impl Spelling {
    fn apply(self, text: &str) -> String {
        let less = text
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace("]]>", "]]&gt;")
            // A bare CR is a line ending to XML, and reads as LF.
            .replace('\r', "&#13;");
        match self {
            Self::Entities => less,
            Self::Numbers => less
                .replace("&amp;", "&#38;")
                .replace(';', "&#59;")
                .replace("&#38&#59;", "&#38;")
                .replace("&lt&#59;", "&lt;")
                .replace("&gt&#59;", "&gt;")
                .replace("&#13&#59;", "&#13;")
                .replace('s', "&#x73;")
                .replace("&#x73;3://", "s3://"),
            Self::Section => section(text),
            Self::Mixed => match text.split_once('?') {
                Some((base, query)) => {
                    format!("{}?{}", Self::Entities.apply(base), section(query))
                }
                None => less,
            },
            Self::Each(first) => {
                // The checks find the parts of a docroot by these characters.
                let (scheme, rest) = match text.strip_prefix("s3://") {
                    Some(rest) => ("s3://", rest),
                    None => ("", text),
                };
                let characters = rest
                    .chars()
                    .zip(first..)
                    .map(|(c, way)| match (c, way % 4) {
                        ('?', _) => c.to_string(),
                        (_, 0) => Self::Entities.apply(&c.to_string()).replace('>', "&gt;"),
                        (_, 1) => format!("&#{};", u32::from(c)),
                        (_, 2) => format!("&#x{:X};", u32::from(c)),
                        _ => section(&c.to_string()),
                    });
                scheme.to_owned() + &characters.collect::<String>()
            }
        }
    }
}

/// Writes a text in a CDATA section, except the parts that cannot be in one: a bare CR reads as LF, and the end of a section ends it.
fn section(text: &str) -> String {
    let text = text.replace("]]>", "]]]]><![CDATA[>");
    format!("<![CDATA[{}]]>", text.replace('\r', "]]>&#13;<![CDATA["))
}

fn spelling() -> impl Strategy<Value = Spelling> {
    select(vec![
        Spelling::Entities,
        Spelling::Entities,
        Spelling::Numbers,
        Spelling::Section,
        Spelling::Mixed,
        Spelling::Each(0),
        Spelling::Each(1),
        Spelling::Each(2),
        Spelling::Each(3),
    ])
}

/// A small damage to a document.
#[derive(Debug, Clone)]
enum Mutation {
    Insert(usize, &'static str),
    Remove(usize, usize),
    Repeat(usize, usize),
}

impl Mutation {
    fn apply(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        let length = bytes.len();
        let range = |at: usize, count: usize| {
            let start = at % (length + 1);
            start..(start + count).min(length)
        };
        match self {
            Self::Insert(at, text) => drop(bytes.splice(range(*at, 0), text.bytes())),
            Self::Remove(at, count) => drop(bytes.drain(range(*at, *count))),
            Self::Repeat(at, count) => {
                let piece = bytes[range(*at, *count)].to_vec();
                drop(bytes.splice(range(*at, 0), piece));
            }
        }
        bytes
    }
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let pieces = select(vec![
        "<",
        ">",
        "&",
        ";",
        "\"",
        "'",
        "/",
        "=",
        "]]>",
        "<!--",
        "-->",
        "--",
        "<![CDATA[",
        "<?",
        "?>",
        "<?xml?>",
        "&amp",
        "&x;",
        "&#0;",
        "&#x110000;",
        "&#xD800;",
        "&#xFFFE;",
        "\u{0}",
        "\u{1}",
        "\u{b}",
        "\u{7f}",
        "\u{85}",
        "\u{fffe}",
        "<a>",
        "</a>",
        "<a/>",
        "<A b=''/>",
        " b='1' b='2'",
        ":",
        "x:y",
        "xmlns:x='u' ",
        "xml",
        "-",
        ".",
        "1",
        "\u{e4}",
        "\u{d7}",
        "\u{feff}",
        "<!DOCTYPE a>",
        " ",
        "\n",
        "\r",
    ]);
    prop_oneof![
        4 => (any::<usize>(), pieces).prop_map(|(at, piece)| Mutation::Insert(at, piece)),
        2 => (any::<usize>(), 1..6_usize).prop_map(|(at, count)| Mutation::Remove(at, count)),
        1 => (any::<usize>(), 1..30_usize).prop_map(|(at, count)| Mutation::Repeat(at, count)),
    ]
}

/// Failing files are kept as cases in `tests/cases`, not as seeds.
fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases)
    }
}
