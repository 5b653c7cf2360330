//! The encryption of each scope, as lines for people to read. The most important lines come first.

use crate::aspera::audit::{Judgement, Outcome, Possible, Rows, Source, Verdict};
use crate::aspera::docroot::Scope;

/// The limit on the lines that are shown. A server may have very many users.
const MAX_LINES: usize = 200;

/// Returns a line for each row, and one that says how many more there are. Without an expectation, there is no judgement.
pub(super) fn table(rows: &Rows, judgement: Option<&Judgement>) -> Vec<String> {
    let upload = |index| {
        let row = rows.get(index);
        Upload {
            verdict: judgement.and_then(|judgement| Some(judgement.of_row(index)?.verdict)),
            possible: row.possible(),
            own: "docroot",
            inherited_from: row.inherited_from(),
        }
    };
    let place = |index| rows.get(index).place();
    lines(rows.len(), judgement.is_some(), upload, place)
}

/// What a line says of an upload.
pub(super) struct Upload<'l> {
    pub(super) verdict: Option<Verdict>,
    pub(super) possible: &'l Possible,
    /// The word for what sets an encryption of its own.
    pub(super) own: &'static str,
    pub(super) inherited_from: Option<&'l Scope>,
}

/// Lays out a number of lines. There may be very many, so what they say is asked for when it is needed, and the places only of those that are shown.
pub(super) fn lines<'l>(
    number: usize,
    is_judged: bool,
    upload: impl Fn(usize) -> Upload<'l>,
    place: impl Fn(usize) -> String,
) -> Vec<String> {
    let class = |index: usize| {
        let upload = upload(index);
        (rank(upload.verdict), upload.possible.is_certain())
    };
    // Only the first lines are shown, so they are not sorted.
    let classes = (0..=LAST_RANK).flat_map(|rank| [(rank, false), (rank, true)]);
    let order = classes.flat_map(|wanted| (0..number).filter(move |&index| class(index) == wanted));
    let cells: Vec<[String; 3]> = order
        .take(MAX_LINES)
        .map(|index| {
            let upload = upload(index);
            let word = if is_judged { word(upload.verdict) } else { "" };
            [word.to_owned(), place(index), encryption(&upload)]
        })
        .collect();
    let width = |column: usize| {
        cells
            .iter()
            .map(|cells| cells[column].chars().count())
            .max()
    };
    let widths = [width(0).unwrap_or(0), width(1).unwrap_or(0)];
    let lines = cells.iter().map(|[verdict, place, encryption]| {
        let line = format!(
            "{verdict:0$}  {place:1$}  {encryption}",
            widths[0], widths[1]
        );
        line.trim_start().to_owned()
    });
    let more = number.saturating_sub(MAX_LINES);
    let more = (more > 0).then(|| format!("... and {more} more"));
    lines.chain(more).collect()
}

/// The last that [`rank`] returns.
const LAST_RANK: u8 = 4;

fn rank(verdict: Option<Verdict>) -> u8 {
    match verdict {
        Some(Verdict::Violated(_)) => 0,
        Some(Verdict::Unknown) => 1,
        Some(Verdict::Met) => 2,
        None => 3,
        Some(Verdict::NotS3) => LAST_RANK,
    }
}

fn word(verdict: Option<Verdict>) -> &'static str {
    match verdict {
        Some(Verdict::Violated(_)) => "VIOLATED",
        Some(Verdict::Unknown) => "unknown",
        Some(Verdict::Met) => "met",
        Some(Verdict::NotS3) => "-",
        None => "not judged",
    }
}

/// Returns a text such as `AWS_KMS with KEY from docroot, inherited from group media; not certain: trapd_unknown`.
fn encryption(upload: &Upload) -> String {
    let possible = upload.possible;
    let mut words = match possible.outcomes.first() {
        None => "not known".to_owned(),
        Some(Outcome::NotS3) if possible.unbounded => "not known".to_owned(),
        Some(Outcome::NotS3) => "not S3".to_owned(),
        Some(Outcome::S3(_, Source::Nowhere)) => "no encryption".to_owned(),
        Some(Outcome::S3(request, source)) => {
            let from = if *source == Source::Trapd {
                "s3.properties"
            } else {
                upload.own
            };
            format!("{} from {from}", request.words())
        }
    };
    if let Some(scope) = upload.inherited_from {
        words += &format!(", inherited from {scope}");
    }
    if !possible.is_certain() {
        let reasons: Vec<&str> = possible.doubts.iter().map(|doubt| doubt.name()).collect();
        let open = match upload.verdict {
            Some(Verdict::Met) => "met in every case",
            _ => "not certain",
        };
        words += &format!("; {open}: {}", reasons.join(", "));
    }
    words
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::aspera::audit::{Expectation, Facts, SystemFile, Wanted, judge, rows};
    use crate::aspera::docroot::AsperaConf;
    use crate::aspera::setting::Encryption;
    use crate::aspera::version::Version;

    const USERS: [(&str, &str); 4] = [
        ("local", "<absolute>/data</absolute>"),
        (
            "media",
            "<absolute>s3://s3.amazonaws.com/b?server-side-encryption=AES256</absolute>",
        ),
        (
            "svc",
            "<restrictions><restriction>s3://*</restriction></restrictions>",
        ),
        ("plain", "<absolute>s3://s3.amazonaws.com/b</absolute>"),
    ];

    /// Looks at the rows of some users, and at the judgement of a server that is expected to use AES256.
    fn with_rows<T>(users: &[(&str, &str)], look: impl FnOnce(&Rows, &Judgement) -> T) -> T {
        let user = |(name, path): &(&str, &str)| {
            format!(
                "<user><name>{name}</name><file_system><access><paths><path>{path}</path></paths></access></file_system></user>"
            )
        };
        let users: String = users.iter().map(user).collect();
        let file = format!(
            "<CONF><aaa><realms><realm><users>{users}</users></realm></realms></aaa></CONF>"
        );
        let conf = AsperaConf::parse(file.as_bytes()).unwrap();
        let facts = Facts {
            system: Some(SystemFile::default()),
            version: Version::from_ascp_output("ascp version 4.4.5\n"),
            ..Facts::of(Some(&conf))
        };
        let rows = rows(&facts);
        let expectation = Expectation {
            wanted: Rc::new(Wanted::Encryption(Encryption::Aes256, Vec::new())),
            scopes: Vec::new(),
            docroots_follow: false,
        };
        look(&rows, &judge(&facts, &rows, &[expectation]))
    }

    #[test]
    fn the_most_important_lines_come_first() {
        let table = with_rows(&USERS, |rows, judgement| table(rows, Some(judgement)));
        assert_eq!(
            table,
            [
                "VIOLATED  user plain  no encryption",
                "unknown   user svc    not known; not certain: access_keys",
                "met       user media  AES256 from docroot",
                "-         user local  not S3",
            ]
        );
    }

    #[test]
    fn what_is_open_and_does_not_matter_is_said_in_other_words() {
        let words = |verdict| {
            with_rows(&USERS[2..3], |rows, _| {
                let upload = Upload {
                    verdict: Some(verdict),
                    possible: rows.get(0).possible(),
                    own: "docroot",
                    inherited_from: None,
                };
                encryption(&upload)
            })
        };
        let ends_with = |verdict, end: &str| assert!(words(verdict).ends_with(end));
        ends_with(Verdict::Met, "; met in every case: access_keys");
        ends_with(Verdict::Unknown, "; not certain: access_keys");
    }

    #[test]
    fn the_doubtful_rows_come_first_without_an_expectation() {
        let table = with_rows(&USERS, |rows, _| table(rows, None));
        assert_eq!(table[0], "user svc    not known; not certain: access_keys");
        assert_eq!(table[1], "user local  not S3");
    }

    #[test]
    fn lines_beyond_the_limit_are_counted() {
        let table = with_rows(&[USERS[0]; 250], |rows, _| table(rows, None));
        assert_eq!(table.len(), 201);
        assert_eq!(table[200], "... and 50 more");
    }
}
