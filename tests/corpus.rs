//! The inputs that fuzzing found worth keeping (`tests/fuzz/corpus`) keep every law, and lxml agrees about the files of XML.

mod laws;
#[path = "oracle/xml.rs"]
mod xml;

use std::fs;
use std::path::Path;

use laws::TARGETS;

#[test]
fn every_law_holds_for_the_corpus() {
    for target in TARGETS {
        let inputs = corpus(target.name);
        assert!(inputs.len() >= 20, "{} of {}", inputs.len(), target.name);
        for input in inputs {
            (target.check)(&input);
        }
    }
}

#[test]
fn lxml_agrees_about_the_corpus() {
    for input in corpus("aspera_conf") {
        laws::docroots::any_file(&input, &|document| {
            let elements = laws::xml::elements(document);
            let shown = document.escape_ascii();
            assert_eq!(
                elements,
                xml::lxml(document),
                "the oracles disagree on {shown}"
            );
            elements.unwrap_or_else(|| panic!("both refuse {shown}"))
        });
    }
}

/// The kept inputs of a target.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    let files = fs::read_dir(folder.join(target)).expect("a folder for each target");
    files
        .map(|file| fs::read(file.unwrap().path()).unwrap())
        .collect()
}
