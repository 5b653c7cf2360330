//! Imports point one way, without circles, and the domain looks at the machine in one folder only: the map in CONTRIBUTING.md.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Each place of the source tree, with the other places that it may import. A file belongs to the longest name that fits.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("bin", &["modules", "ansible"]),
    (
        "modules",
        &[
            "ansible", "aspera", "files", "http", "node", "s3", "text", "utc", "subject",
        ],
    ),
    ("ansible", &["subject"]),
    ("aspera", &[]),
    ("aspera/version", &[]),
    ("aspera/setting", &[]),
    ("aspera/trapd", &["aspera/setting", "text"]),
    ("aspera/docroot", &["aspera/setting", "text", "subject"]),
    (
        "aspera/audit",
        &[
            "aspera/setting",
            "aspera/trapd",
            "aspera/docroot",
            "aspera/version",
            "subject",
        ],
    ),
    (
        "aspera/objects",
        &["aspera/setting", "aspera/docroot", "aspera/audit"],
    ),
    (
        "aspera/host",
        &[
            "aspera/setting",
            "aspera/docroot",
            "aspera/audit",
            "aspera/version",
            "files",
            "utc",
        ],
    ),
    ("files", &["utc"]),
    ("http", &["text", "utc"]),
    ("node", &["http"]),
    ("s3", &["http", "utc"]),
    ("text", &[]),
    ("subject", &[]),
    ("utc", &[]),
];

/// The places that neither look at the machine nor define how a result is written.
const PURE: &[&str] = &[
    "aspera/version",
    "aspera/setting",
    "aspera/trapd",
    "aspera/docroot",
    "aspera/audit",
    "aspera/objects",
    "text",
    "subject",
    "utc",
];

/// The names that a pure place does not use.
const IMPURE: &[&str] = &[
    "std::env",
    "std::fs",
    "std::io",
    "std::net",
    "std::os",
    "std::process",
    "std::thread::",
    "SystemTime::now",
    "Instant",
    "nix::",
    "xattr::",
    "serde",
];

#[test]
fn imports_point_one_way() {
    assert_eq!(Sources::read().wrong_imports(), Vec::<String>::new());
}

#[test]
fn no_files_of_a_folder_import_one_another_in_a_circle() {
    assert_eq!(Sources::read().circles(), Vec::<String>::new());
}

#[test]
fn pure_code_does_not_look_at_the_machine() {
    assert_eq!(Sources::read().impure(), Vec::<String>::new());
}

#[test]
fn unsafe_code_is_in_one_place() {
    let sources = Sources::read();
    let with_unsafe = |(module, text): (&String, &String)| {
        let has =
            text.contains("unsafe {") || text.contains("unsafe fn") || text.contains("unsafe_code");
        has.then(|| module.clone())
    };
    let places: Vec<String> = sources.0.iter().filter_map(with_unsafe).collect();
    assert_eq!(places, ["ansible/memory"]);
}

#[test]
fn comments_of_items_say_more_than_their_names() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut short = Vec::new();
    for (module, path) in modules(&root) {
        let text = fs::read_to_string(path).unwrap();
        let found = short_comments(&text).into_iter();
        short.extend(found.map(|comment| format!("{module}: {comment}")));
    }
    assert_eq!(short, Vec::<String>::new());
    let planted = "/// A path on\n/// this host.\npath: &Path\n    /// Reads\n    /// a file.\nfn read() {}\n/// 403.";
    assert_eq!(short_comments(planted), ["Reads a file.", "403."]);
}

#[test]
fn planted_faults_are_found() {
    let planted = |module: &str, text: &str| {
        let mut sources = Sources::read();
        let source = sources.0.get_mut(module).expect("a module of this name");
        *source = format!("{text}\n{source}");
        [sources.wrong_imports(), sources.circles(), sources.impure()]
    };
    for (module, import, found) in [
        (
            "text/lines",
            "use crate::aspera::setting::KmsKey;",
            "text/lines imports aspera/setting/kms_key",
        ),
        (
            "files/read",
            "use crate::ansible::{Failure};",
            "files/read imports ansible/outcome",
        ),
        (
            "ansible/near",
            "use crate::text;",
            "ansible/near imports text",
        ),
        (
            "aspera/docroot/uri",
            "use super::super::host::services::Clock;",
            "aspera/docroot/uri imports aspera/host/services/clock",
        ),
        (
            "aspera/audit/rows",
            "fn f() { crate::files::read(); }",
            "aspera/audit/rows imports files/read",
        ),
        (
            "aspera/setting/kms_key",
            "use super::super::trapd;",
            "aspera/setting/kms_key imports aspera/trapd",
        ),
        (
            "aspera/host",
            "use crate::modules;",
            "aspera/host imports modules",
        ),
    ] {
        let [wrong, ..] = planted(module, import);
        assert_eq!(wrong, [found], "{import}");
    }
    for (module, import, found) in [
        (
            "aspera/docroot/scope",
            "use crate::aspera::docroot::{Block, Scope};",
            "in aspera/docroot: conf, element_kind, scope, conf",
        ),
        (
            "aspera/docroot/scope",
            "use crate::aspera::audit::Doubt;",
            "in aspera: audit, docroot, audit",
        ),
        (
            "text/splice",
            "use super::lines::line_at;",
            "in text: lines, splice, lines",
        ),
    ] {
        let [_, circles, _] = planted(module, import);
        assert_eq!(circles, [found], "{import}");
    }
    for (module, text) in [
        ("aspera/audit/facts", "use std::fs;"),
        ("aspera/trapd/read", "fn f() { std::process::exit(1) }"),
        (
            "aspera/docroot/conf",
            "#[derive(serde::Serialize)] struct S;",
        ),
    ] {
        let [.., impure] = planted(module, text);
        assert_eq!(impure.len(), 1, "{text}: {impure:?}");
    }
}

/// The text of each module without its tests and comments, by its path, such as `aspera/docroot/uri`.
struct Sources(BTreeMap<String, String>);

impl Sources {
    fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let sources = modules(&root)
            .into_iter()
            .filter(|(module, _)| module != "lib" && !module.ends_with("/tests"))
            .map(|(module, path)| (module, program(&fs::read_to_string(path).unwrap())));
        Self(sources.collect())
    }

    fn wrong_imports(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for (from, to) in self.imports() {
            let Some((place, may_import)) = place_of(&from) else {
                wrong.push(format!("{from} is in no place of the table"));
                continue;
            };
            let is_within = |place: &&str| is_in(&to, place);
            // The table has no place for the folders above its places, such as `aspera` itself.
            if !is_within(&place) && !may_import.iter().any(is_within) {
                wrong.push(format!("{from} imports {to}"));
            }
        }
        wrong
    }

    /// Returns a circle of each folder that has one.
    fn circles(&self) -> Vec<String> {
        let mut by_folder: BTreeMap<String, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
        for (from, to) in self.imports() {
            let (from, to): (Vec<&str>, Vec<&str>) =
                (from.split('/').collect(), to.split('/').collect());
            let common = from
                .iter()
                .zip(&to)
                .take_while(|(from, to)| from == to)
                .count();
            // An import of the folder itself, or of a file in it through its folder, is no arrow between neighbours.
            if let (Some(from_child), Some(to_child)) = (from.get(common), to.get(common)) {
                let arrows = by_folder.entry(from[..common].join("/")).or_default();
                arrows
                    .entry((*from_child).to_owned())
                    .or_default()
                    .insert((*to_child).to_owned());
            }
        }
        let circle = |(folder, arrows)| {
            let circle = circle(arrows)?;
            Some(format!("in {folder}: {}", circle.join(", ")))
        };
        by_folder.iter().filter_map(circle).collect()
    }

    fn impure(&self) -> Vec<String> {
        let pure = self
            .0
            .iter()
            .filter(|(module, _)| PURE.iter().any(|place| is_in(module, place)));
        pure.flat_map(|(module, text)| {
            let named = IMPURE.iter().filter(|name| text.contains(**name));
            named.map(move |name| format!("{module} names {name}"))
        })
        .collect()
    }

    /// Returns the pairs of modules of which the first imports the second.
    fn imports(&self) -> BTreeSet<(String, String)> {
        let mut imports = BTreeSet::new();
        for (module, text) in &self.0 {
            for path in paths(module, text) {
                if let Some(target) = self.module_of(&path).filter(|target| target != module) {
                    imports.insert((module.clone(), target));
                }
            }
        }
        imports
    }

    /// Returns the module that contains the item of a path, even if its folder re-exports it.
    fn module_of(&self, path: &[String]) -> Option<String> {
        let length = (1..=path.len())
            .rev()
            .find(|&length| self.0.contains_key(&path[..length].join("/")))?;
        let module = path[..length].join("/");
        let Some(item) = path.get(length) else {
            return Some(module);
        };
        let text = &self.0[&module];
        for (place, _) in text.match_indices("pub use ") {
            for exported in tree(&text[place + "pub use ".len()..]).0 {
                if exported.last() == Some(item) && exported.len() > 1 {
                    let path: Vec<String> = module
                        .split('/')
                        .map(str::to_owned)
                        .chain(exported)
                        .collect();
                    return self.module_of(&path);
                }
            }
        }
        Some(module)
    }
}

/// Returns the files below a folder by their modules.
fn modules(root: &Path) -> BTreeMap<String, PathBuf> {
    let mut modules = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let module = path.strip_prefix(root).unwrap().with_extension("");
            let module = module.to_str().unwrap();
            let module = module.strip_suffix("/mod").unwrap_or(module);
            modules.insert(module.to_owned(), path);
        }
    }
    modules
}

/// Returns the comments of items that have three words or fewer.
fn short_comments(text: &str) -> Vec<String> {
    let comment_of = |line: &str| line.trim_start().strip_prefix("///").map(str::to_owned);
    let lines: Vec<Option<String>> = text.lines().map(comment_of).collect();
    lines
        .split(Option::is_none)
        .map(|comment| {
            comment
                .iter()
                .flatten()
                .map(|line| line.trim())
                .collect::<Vec<_>>()
                .join(" ")
        })
        .filter(|comment| (1..=3).contains(&comment.split_whitespace().count()))
        .collect()
}

/// Returns the text without comments and without the tests at its end.
fn program(text: &str) -> String {
    let lines = text.lines().take_while(|line| *line != "mod tests {");
    let lines = lines.filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

fn place_of(module: &str) -> Option<(&'static str, &'static [&'static str])> {
    let fitting = MAY_IMPORT.iter().filter(|(place, _)| is_in(module, place));
    fitting.max_by_key(|(place, _)| place.len()).copied()
}

fn is_in(module: &str, place: &str) -> bool {
    let rest = module.strip_prefix(place);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Returns all paths in a text that start at the root, at the module, or above it.
fn paths(module: &str, text: &str) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    for start in ["crate::", "aspera_sse::", "super::", "self::"] {
        for (place, _) in text.match_indices(start) {
            let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
            if !text[..place].ends_with(is_part) {
                paths.extend(
                    tree(&text[place..])
                        .0
                        .into_iter()
                        .map(|path| absolute(module, &path)),
                );
            }
        }
    }
    paths
}

/// Returns a path with its start resolved.
fn absolute(module: &str, path: &[String]) -> Vec<String> {
    let mut base: Vec<String> = module.split('/').map(str::to_owned).collect();
    let mut rest = path;
    match path[0].as_str() {
        "crate" | "aspera_sse" => {
            base.clear();
            rest = &path[1..];
        }
        "self" => rest = &path[1..],
        _ => {
            while rest.first().is_some_and(|part| part == "super") {
                base.pop();
                rest = &rest[1..];
            }
        }
    }
    base.extend(rest.iter().cloned());
    base
}

/// Returns the paths of a use tree such as `a::{b, c::{d, e}}`, and the text after it.
fn tree(text: &str) -> (Vec<Vec<String>>, &str) {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let text = text.trim_start();
    let length = text.find(|c| !is_part(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at(length);
    let rest = rest.strip_prefix('*').unwrap_or(rest);
    let named = |paths: Vec<Vec<String>>| {
        let with_name = |path: Vec<String>| [vec![name.to_owned()], path].concat();
        paths.into_iter().map(with_name).collect()
    };
    let Some(rest) = rest.strip_prefix("::") else {
        return (named(vec![Vec::new()]), rest);
    };
    let Some(mut rest) = rest.strip_prefix('{') else {
        let (paths, rest) = tree(rest);
        return (named(paths), rest);
    };
    let mut paths = Vec::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        if let Some(rest) = rest.strip_prefix('}') {
            return (named(paths), rest);
        }
        let (of_one, after) = tree(rest);
        // `self` in braces is the module before them.
        let without_self = |mut path: Vec<String>| {
            path.retain(|part| part != "self");
            path
        };
        paths.extend(of_one.into_iter().map(without_self));
        assert!(
            after.len() < rest.len(),
            "a use tree of another form: {text}"
        );
        rest = after;
    }
}

/// Returns the nodes of a circle, with the first one again at its end.
fn circle(arrows: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<&str>> {
    fn visit<'a>(
        node: &'a str,
        arrows: &'a BTreeMap<String, BTreeSet<String>>,
        way: &mut Vec<&'a str>,
        done: &mut BTreeSet<&'a str>,
    ) -> Option<Vec<&'a str>> {
        if let Some(start) = way.iter().position(|before| *before == node) {
            return Some([&way[start..], &[node]].concat());
        }
        if !done.insert(node) {
            return None;
        }
        way.push(node);
        let next = arrows.get(node).into_iter().flatten();
        let found = next
            .into_iter()
            .find_map(|next| visit(next, arrows, way, done));
        way.pop();
        found
    }
    let mut done = BTreeSet::new();
    arrows
        .keys()
        .find_map(|node| visit(node, arrows, &mut Vec::new(), &mut done))
}
