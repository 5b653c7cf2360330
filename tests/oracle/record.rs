//! Asks `java.util.Properties` about many files, and records its answers: `make oracle`.
//!
//! The files are the same each time, until their generators change: the nasty ones, generated ones, and the results of the module for each.

#[path = "../laws/choice.rs"]
#[allow(dead_code, reason = "each program uses its part of it")]
mod choice;
#[path = "files.rs"]
mod files;
#[path = "java.rs"]
mod java;
#[path = "recorded.rs"]
mod recorded;

use aspera_sse::aspera::trapd::plan;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

/// The number of generated files. None of them is long, so that the record stays small.
const GENERATED: usize = 1_150;
/// The number of generated files with an escape that Java may refuse.
const BROKEN: usize = 120;
const BYTES_AT_MOST: usize = 80;

fn main() {
    let mut runner = TestRunner::deterministic();
    let any = files::file(files::any_line()).boxed();
    let mut asked: Vec<Vec<u8>> = files::NASTY.iter().map(|file| file.to_vec()).collect();
    for (strategy, number) in [
        (any, GENERATED - BROKEN),
        (files::broken_file().boxed(), BROKEN),
    ] {
        let wanted = asked.len() + number;
        while asked.len() < wanted {
            let file = strategy.new_tree(&mut runner).unwrap().current();
            if file.len() <= BYTES_AT_MOST && !asked.contains(&file) {
                asked.push(file);
            }
        }
    }
    let settings = choice::all_desired();
    let mut answers = recorded::Answers::new();
    for (number, file) in asked.into_iter().enumerate() {
        let setting = settings[number % settings.len()].as_ref();
        if let Ok(planned) = plan(&file, setting) {
            answers.insert(planned.after.clone(), java::load(&planned.after));
        }
        let loaded = java::load(&file);
        answers.insert(file, loaded);
    }
    recorded::record(&answers);
    println!("Recorded what Java reads in {} files.", answers.len());
}
