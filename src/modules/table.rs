//! The encryption of each scope, as lines for people to read. The most important lines come first.

use crate::aspera::audit::{Outcome, Possible, Row, RowVerdict, Source, Verdict};
use crate::aspera::docroot::Scope;

/// The limit on the lines that are shown. A server may have very many users.
const MAX_LINES: usize = 200;

/// Returns a line for each row, and one that says how many more there are. `verdicts` are those of the rows, in the same order. The list is empty if
/// there is no expectation.
pub(super) fn table(rows: &[Row], verdicts: &[RowVerdict]) -> Vec<String> {
    let verdict = |index: usize| verdicts.get(index).and_then(|judged| judged.verdict);
    lines(rows.len(), |index| Line {
        verdict: verdict(index),
        is_judged: verdicts.get(index).is_some(),
        place: rows[index].place(),
        possible: &rows[index].possible,
        own: "docroot",
        inherited_from: rows[index].inherited_from.as_deref(),
    })
}

/// A line, before it is laid out.
pub(super) struct Line<'l> {
    pub(super) verdict: Option<Verdict>,
    /// Whether there is an expectation.
    pub(super) is_judged: bool,
    pub(super) place: String,
    pub(super) possible: &'l Possible,
    /// The word for what sets an encryption of its own.
    pub(super) own: &'static str,
    pub(super) inherited_from: Option<&'l Scope>,
}

/// Lays out a number of lines. There may be very many, so each is made when it is needed.
pub(super) fn lines<'l>(number: usize, line: impl Fn(usize) -> Line<'l>) -> Vec<String> {
    let mut order: Vec<usize> = (0..number).collect();
    order.sort_by_cached_key(|&index| {
        let line = line(index);
        (rank(line.verdict), line.possible.is_certain())
    });
    let cells: Vec<[String; 3]> = order
        .iter()
        .take(MAX_LINES)
        .map(|&index| {
            let line = line(index);
            let word = if line.is_judged {
                word(line.verdict)
            } else {
                ""
            };
            [word.to_owned(), line.place.clone(), encryption(&line)]
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

fn rank(verdict: Option<Verdict>) -> u8 {
    match verdict {
        Some(Verdict::Violated(_)) => 0,
        Some(Verdict::Unknown) => 1,
        Some(Verdict::Met) => 2,
        None => 3,
        Some(Verdict::NotS3) => 4,
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
fn encryption(line: &Line) -> String {
    let possible = line.possible;
    let mut words = match possible.outcomes.first() {
        None => "not known".to_owned(),
        Some(Outcome::NotS3) if possible.unbounded => "not known".to_owned(),
        Some(Outcome::NotS3) => "not S3".to_owned(),
        Some(Outcome::S3(_, Source::Nowhere)) => "no encryption".to_owned(),
        Some(Outcome::S3(request, source)) => {
            let from = if *source == Source::Trapd {
                "s3.properties"
            } else {
                line.own
            };
            format!("{} from {from}", request.words())
        }
    };
    if let Some(scope) = line.inherited_from {
        words += &format!(", inherited from {scope}");
    }
    if !possible.is_certain() {
        let reasons: Vec<&str> = possible.doubts.iter().map(|doubt| doubt.name()).collect();
        let open = match line.verdict {
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
    use crate::aspera::audit::{Difference, Doubt, Request};

    fn row(name: &str, possible: Possible) -> Row {
        Row {
            scope: Scope::User(name.to_owned()),
            peer_ip: None,
            uri: None,
            inherited_from: None,
            possible: Rc::new(possible),
        }
    }

    fn rows() -> Vec<Row> {
        let request = Request::new(Some("AES256".to_owned()), None);
        vec![
            row("local", Possible::certainly(Outcome::NotS3)),
            row(
                "media",
                Possible::certainly(Outcome::S3(request, Source::Docroot)),
            ),
            row("svc", Possible::anything(Doubt::AccessKeys)),
            row("plain", Possible::certainly(Outcome::nothing())),
        ]
    }

    #[test]
    fn the_most_important_lines_come_first() {
        let verdicts = [
            Verdict::NotS3,
            Verdict::Met,
            Verdict::Unknown,
            Verdict::Violated(Difference::OtherEncryption),
        ];
        let verdicts = verdicts.map(|verdict| RowVerdict {
            entry: Some(0),
            verdict: Some(verdict),
        });
        assert_eq!(
            table(&rows(), &verdicts),
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
        let mut possible = Possible::certainly(Outcome::nothing());
        possible.leave_unproven(Doubt::SeveralDocroots);
        let line = |verdict| {
            let judged = RowVerdict {
                entry: Some(0),
                verdict: Some(verdict),
            };
            table(&[row("a", possible.clone())], &[judged]).remove(0)
        };
        let words = |verdict, words: &str| assert!(line(verdict).ends_with(words));
        words(Verdict::Met, "; met in every case: several_docroots");
        words(Verdict::Unknown, "; not certain: several_docroots");
    }

    #[test]
    fn the_doubtful_rows_come_first_without_an_expectation() {
        let table = table(&rows(), &[]);
        assert_eq!(table[0], "user svc    not known; not certain: access_keys");
        assert_eq!(table[1], "user local  not S3");
    }

    #[test]
    fn lines_beyond_the_limit_are_counted() {
        let rows: Vec<Row> = (0..250)
            .map(|_| row("a", Possible::certainly(Outcome::NotS3)))
            .collect();
        let table = table(&rows, &[]);
        assert_eq!(table.len(), 201);
        assert_eq!(table[200], "... and 50 more");
    }
}
