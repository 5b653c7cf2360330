//! The laws: what holds for any input. The property tests ask them about inputs of a form, fuzzing (`tests/fuzz`) about any, and `tests/corpus.rs` about those
//! that fuzzing found worth keeping.

#![allow(dead_code, reason = "each program uses its part of it")]

pub mod arguments;
pub mod choice;
pub mod docroot_uri;
pub mod docroots;
pub mod node_answers;
pub mod properties;
pub mod s3_answers;
pub mod secret;
pub mod xml;

/// A law, or several, for inputs of one kind.
pub struct Target {
    /// Also the name of the folder of its kept inputs.
    pub name: &'static str,
    /// Panics where a law is broken.
    pub check: fn(&[u8]),
}

pub const TARGETS: &[Target] = &[
    Target {
        name: "arguments",
        check: arguments::any_input,
    },
    Target {
        name: "aspera_conf",
        check: docroots::any_input,
    },
    Target {
        name: "docroot_uri",
        check: docroot_uri::any_input,
    },
    Target {
        name: "node_answers",
        check: node_answers::any_input,
    },
    Target {
        name: "s3_answers",
        check: s3_answers::any_input,
    },
    Target {
        name: "s3_properties",
        check: properties::any_input,
    },
];

/// The target of a name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
