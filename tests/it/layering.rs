//! Imports point one way; see ARCHITECTURE.md.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// What each module of `src/` may import from `crate::`.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("http", &[]),
    ("realtime", &[]),
    ("store", &[]),
    ("config", &["http", "mail", "realtime", "store"]),
    ("auth", &["store"]),
    ("mail", &["store"]),
    ("app", &["auth", "config", "http", "mail", "realtime", "store", "web"]),
    ("web", &["app", "auth", "config", "http", "mail", "realtime", "store"]),
    ("server", &["app", "config", "http", "web"]),
    ("cli", &["app", "auth", "config", "http", "mail", "realtime", "server", "store", "web"]),
];

#[test]
fn imports_point_one_way() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut seen = BTreeSet::new();
    for file in rust_files(&source) {
        let module = module_of(&source, &file);
        if ["lib", "main"].contains(&module.as_str()) {
            continue;
        }
        let (_, allowed) = MAY_IMPORT
            .iter()
            .find(|(name, _)| *name == module)
            .unwrap_or_else(|| panic!("{} is in no module of the table", file.display()));
        for imported in imports(&fs::read_to_string(&file).unwrap()) {
            assert!(
                imported == module || allowed.contains(&imported.as_str()),
                "{} imports crate::{imported}, which {module} may not",
                file.display()
            );
        }
        seen.insert(module);
    }
    assert_eq!(seen.len(), MAY_IMPORT.len(), "a row of the table has no module: {seen:?}");
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { rust_files(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

fn module_of(source: &Path, file: &Path) -> String {
    let first = file.strip_prefix(source).unwrap().components().next().unwrap();
    Path::new(first.as_os_str()).file_stem().unwrap().to_str().unwrap().to_owned()
}

/// The modules named behind `crate::`, in `use` lines with braces too.
fn imports(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => found.extend(group_heads(group)),
            None => found.extend(head(rest)),
        }
    }
    found
}

/// The first name of each member of `{a::b, c::{d, e}}`; `group` begins behind the brace.
fn group_heads(group: &str) -> Vec<String> {
    let (mut depth, mut member, mut heads) = (0, String::new(), Vec::new());
    for character in group.chars() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => heads.extend(head(&std::mem::take(&mut member))),
            _ if depth == 0 => member.push(character),
            _ => {}
        }
    }
    heads.extend(head(&member));
    heads
}

fn head(path: &str) -> Option<String> {
    let name: String = path.trim_start().chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
    (!name.is_empty()).then_some(name)
}

#[test]
fn imports_are_read_from_every_form_of_use() {
    let text = "use crate::store::Db;\nuse crate::{\n    auth::{jwt, password},\n    config::Config,\n};\nlet x = crate::http::y();";
    let names: Vec<String> = imports(text).into_iter().collect();
    assert_eq!(names, ["auth", "config", "http", "store"]);
}
