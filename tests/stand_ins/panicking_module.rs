//! A module with a bug in each place where one may be: a stand-in, built only for the tests.
//!
//! The option `place` selects the place of the panic. The message of the panic always contains a secret.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use aspera_sse::ansible::{self, Kind, Module, OptionSpec, Outcome, Task};
use aspera_sse::files::{EditOptions, edit};
use aspera_sse::subject::with_subject;
use serde::{Deserialize, Serialize, Serializer, ser};

struct PanickingModule;

#[derive(Deserialize)]
struct Options {
    path: PathBuf,
    place: String,
}

impl Module for PanickingModule {
    const NAME: &'static str = "panicking_module";
    const PURPOSE: &'static str = "Panics.";
    const OPTIONS: &'static [OptionSpec] = &[
        OptionSpec::new("path", Kind::Path),
        OptionSpec::new("place", Kind::Str).shown_if(|place| panic_at(place, "masking")),
    ];

    const IF_ONE_FAILS: &'static str = "Set the others without it.";

    type Values = Values;

    fn run(task: &Task) -> anyhow::Result<Outcome<Values>> {
        let options: Options = task.arguments.typed();
        panic_at(&options.place, "start");
        replace(&options.path, &options.place);
        Ok(Outcome {
            changed: true,
            values: Values(options.place),
            warnings: Vec::new(),
            diff: None,
        })
    }
}

fn replace(path: &Path, place: &str) {
    let mut readings = 0;
    let edited = edit(path, EditOptions::default(), |bytes| {
        readings += 1;
        panic_at(place, "plan");
        with_subject("user a", || ());
        with_subject("user b", || panic_at(place, "user b"));
        if readings == 2 {
            panic_at(place, "second plan");
        }
        if readings == 1 && place == "second plan" {
            // As if another program had written it.
            std::fs::write(path, "rewritten\n").unwrap();
        }
        let old = bytes.unwrap_or_default();
        let content = Some([old, b"new\n"].concat());
        Ok::<_, String>(content)
    });
    // The message of an unwrap contains the error, which may contain anything.
    edited.map_err(|_| "DUMMY-SECRET").unwrap();
}

fn panic_at(place: &str, here: &str) -> bool {
    assert!(place != here, "DUMMY-SECRET at {here}");
    true
}

/// Panics while it is converted to JSON, after the file was replaced.
struct Values(String);

impl Serialize for Values {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        panic_at(&self.0, "result");
        if self.0 == "no object" {
            return Err(ser::Error::custom("DUMMY-SECRET"));
        }
        serializer
            .serialize_map(Some(0))
            .and_then(ser::SerializeMap::end)
    }
}

fn main() -> ExitCode {
    ansible::run::<PanickingModule>()
}
