//! The target that `FUZZ_TARGET` names, for libFuzzer.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;

#[path = "../../laws/mod.rs"]
mod laws;

static CHECK: LazyLock<fn(&[u8])> = LazyLock::new(|| {
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    let target = laws::target(&name);
    let names: Vec<&str> = laws::TARGETS.iter().map(|target| target.name).collect();
    let target = target.unwrap_or_else(|| panic!("FUZZ_TARGET is not one of {}", names.join(", ")));
    target.check
});

fuzz_target!(|input: &[u8]| (CHECK)(input));
