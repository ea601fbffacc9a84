//! Imports point one way; see ARCHITECTURE.md.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use crate::support::sources::rust_files;

/// The modules that each module of `src/` imports from `crate::`: no others, and all of these.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("http", &[]),
    ("realtime", &[]),
    ("tls", &[]),
    ("store", &["tls"]),
    ("operations", &["auth", "mail", "realtime", "store", "tasks"]),
    ("config", &["http", "mail", "operations", "realtime", "store"]),
    ("auth", &["store"]),
    ("mail", &["store"]),
    ("tasks", &["realtime"]),
    ("server", &["http", "tasks", "tls"]),
    ("web", &["auth", "config", "http", "mail", "operations", "realtime", "store", "tasks"]),
    ("cli", &["auth", "config", "http", "mail", "operations", "server", "store", "tasks", "web"]),
];

#[test]
fn imports_point_one_way() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut seen = BTreeMap::<String, BTreeSet<String>>::new();
    for file in rust_files(&source) {
        let module = module_of(&source, &file);
        if ["lib", "main"].contains(&module.as_str()) {
            continue;
        }
        let (_, allowed) = MAY_IMPORT
            .iter()
            .find(|(name, _)| *name == module)
            .unwrap_or_else(|| panic!("{} is in no module of the table", file.display()));
        let used = seen.entry(module.clone()).or_default();
        for imported in imports(&fs::read_to_string(&file).unwrap()) {
            assert!(
                imported == module || allowed.contains(&imported.as_str()),
                "{} imports crate::{imported}, which {module} may not",
                file.display()
            );
            used.insert(imported);
        }
    }
    for (module, allowed) in MAY_IMPORT {
        let used = seen.get(*module).unwrap_or_else(|| panic!("there is no module {module}"));
        let unused: Vec<_> = allowed.iter().filter(|name| !used.contains(**name)).collect();
        assert!(
            unused.is_empty(),
            "{module} imports nothing of {unused:?}: the table and ARCHITECTURE.md should say so"
        );
    }
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

/// Functions of `store` that change rows, and that entrances call themselves: they carry out no action of the business,
/// and write no entry of the audit log.
const CHANGED_BY_ENTRANCES: &[(&str, &str)] = &[
    ("audit_trim::trim", "the log's own upkeep; it writes its own entry"),
    ("credentials::replace_hash", "the same password, hashed with more work"),
    ("rememberables::create", "the browser's cookie"),
    ("rememberables::delete", "the browser's cookie"),
    ("rememberables::delete_older", "the browser's cookie"),
    ("rememberables::rotate", "the browser's cookie"),
    ("sessions::create", "a session that gets another id"),
    ("sessions::delete", "a session that gets another id"),
    ("sessions::touch", "the time of the last request"),
];

/// Entrances change rows by operations, which write the audit entry and apply the rules.
#[test]
fn entrances_change_rows_by_operations() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let changing: BTreeSet<String> = rust_files(&source.join("store")).iter().flat_map(|file| changes(file)).collect();
    assert!(changing.len() > 50 && changing.contains("credentials::set_password"), "{changing:?}");
    let mut seen = BTreeSet::new();
    for file in ["web", "cli"].iter().flat_map(|folder| rust_files(&source.join(folder))) {
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        assert!(!code.contains("audit::record"), "{} writes to the audit log", file.display());
        for name in calls(code).filter(|name| changing.contains(name)) {
            let is_allowed = CHANGED_BY_ENTRANCES.iter().any(|(allowed, _)| *allowed == name);
            assert!(is_allowed, "{} calls store::{name}; an operation should", file.display());
            seen.insert(name);
        }
    }
    let unused: Vec<_> = CHANGED_BY_ENTRANCES.iter().filter(|(name, _)| !seen.contains(*name)).collect();
    assert!(unused.is_empty(), "no entrance calls {unused:?}");
}

/// The public functions of a file that take a transaction, as `file::function`.
fn changes(file: &Path) -> Vec<String> {
    let module = file.file_stem().unwrap().to_str().unwrap();
    let text = fs::read_to_string(file).unwrap();
    let functions = text.split("\npub async fn ").skip(1).filter_map(|rest| rest.split_once('('));
    let changing = functions.filter(|(_, rest)| rest.trim_start().starts_with("tx: &mut Transaction"));
    changing.map(|(name, _)| format!("{module}::{name}")).collect()
}

/// The calls by the name of a module, as `module::function`, without those of `operations::module::function`.
fn calls(code: &str) -> impl Iterator<Item = String> {
    code.match_indices('(').filter_map(|(at, _)| {
        let is_name = |character: char| character.is_ascii_lowercase() || character == '_' || character == ':';
        let start = code[..at].rfind(|character: char| !is_name(character)).map_or(0, |found| found + 1);
        let path = &code[start..at];
        let mut parts = path.rsplit("::").filter(|_| !path.starts_with("operations::"));
        let (function, module) = (parts.next()?, parts.next()?);
        Some(format!("{module}::{function}"))
    })
}

#[test]
fn calls_are_found() {
    let code = "let x = store::users::create(tx, f(1)).await; operations::mails::retry(tx); mails::retry(tx)";
    assert_eq!(calls(code).collect::<Vec<_>>(), ["users::create", "mails::retry"]);
}

#[test]
fn imports_are_read_from_every_form_of_use() {
    let text = "use crate::store::Db;\nuse crate::{\n    auth::{jwt, password},\n    config::Config,\n};\nlet x = crate::http::y();";
    let names: Vec<String> = imports(text).into_iter().collect();
    assert_eq!(names, ["auth", "config", "http", "store"]);
}

/// The only layers that name these crates, or parts of crates.
const CRATES: &[(&str, &[&str])] = &[
    ("hyper::", &["http", "server"]),
    ("hyper_util::", &["http", "server"]),
    ("tungstenite::", &["http", "realtime"]),
    ("pusher_lite_json_text::", &["http"]),
    ("pusher_lite_protocol::", &["realtime", "web"]),
    ("dashmap::", &["realtime"]),
    ("diesel::", &["store"]),
    ("diesel_async::", &["store"]),
    ("jsonwebtoken::", &["auth"]),
    ("lettre::", &["mail"]),
    ("minijinja::", &["mail", "web"]),
    // TLS that verifies less than it should.
    ("client::danger::", &["tls"]),
    (".dangerous()", &["tls"]),
];

#[test]
fn crates_stay_in_their_layers() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in rust_files(&source) {
        let (module, text) = (module_of(&source, &file), fs::read_to_string(&file).unwrap());
        for (name, layers) in CRATES {
            let named = text.lines().any(|line| !line.trim_start().starts_with("//") && line.contains(name));
            assert!(!named || layers.contains(&module.as_str()), "{} names {name}", file.display());
        }
    }
}
