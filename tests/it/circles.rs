//! No two files of `src/realtime` or of the protocol crate import each other, nor do its folders.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use crate::support::sources::rust_files;

/// The folders of `src/realtime`. Each imports those before it.
const REALTIME: [&str; 6] = ["usage", "connection", "room", "phoenix", "session", "transport"];

/// Files without `.rs`, with the files that each imports.
type Graph = BTreeMap<String, BTreeSet<String>>;

#[test]
fn files_import_each_other_in_no_circle() {
    for (folder, root) in [("src/realtime", "mod"), ("protocol/src", "lib")] {
        let graph = graph(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), root);
        assert!(graph.values().map(BTreeSet::len).sum::<usize>() > 10, "{folder}: the imports are not found");
        if let Some(circle) = circle(&graph) {
            panic!("{folder}: {}", circle.join(" imports "));
        }
    }
}

#[test]
fn folders_of_realtime_import_those_before_them() {
    let graph = graph(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/realtime"), "mod");
    let place =
        |file: &str| REALTIME.iter().position(|folder| file.split_once('/').is_some_and(|(first, _)| first == *folder));
    for (file, imported) in &graph {
        assert!(!file.contains('/') || place(file).is_some(), "{file} is in a folder that the list does not have");
        for other in imported {
            let is_allowed = place(file).is_none() || place(other).is_none() || place(other) <= place(file);
            assert!(is_allowed, "{file} imports {other}");
        }
    }
}

/// Words that belong to one protocol. Only its own folder and the doors that its clients come through use them.
const OF_A_PROTOCOL: [&str; 8] =
    ["Vsn", "Outgoing", "phoenix", "Phoenix", "phx_", "presence_state", "presence_diff", "join_ref"];

#[test]
fn rooms_connections_and_counters_speak_no_protocol() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/realtime");
    let folders = ["usage", "connection", "room"].map(|folder| root.join(folder));
    let files = ["action.rs", "executor.rs", "shared.rs", "topic.rs"].map(|file| root.join(file));
    let all = folders.iter().flat_map(|folder| rust_files(folder)).chain(files);
    for file in all.filter(|file| !file.ends_with("tests.rs")) {
        let text = without_tests(&fs::read_to_string(&file).unwrap());
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        for line in code {
            let found = OF_A_PROTOCOL.iter().find(|word| line.contains(**word));
            assert_eq!(found, None, "{}: {line}", file.display());
        }
    }
}

/// A circle of files, the first one repeated at its end.
fn circle(graph: &Graph) -> Option<Vec<&str>> {
    let (mut done, mut path) = (BTreeSet::new(), Vec::new());
    graph.keys().find_map(|file| circle_from(graph, file, &mut path, &mut done))
}

fn circle_from<'a>(
    graph: &'a Graph,
    file: &'a str,
    path: &mut Vec<&'a str>,
    done: &mut BTreeSet<&'a str>,
) -> Option<Vec<&'a str>> {
    if let Some(first) = path.iter().position(|earlier| *earlier == file) {
        return Some(path[first..].iter().copied().chain([file]).collect());
    }
    if !done.insert(file) {
        return None;
    }
    path.push(file);
    let found = graph[file].iter().find_map(|next| circle_from(graph, next, path, done));
    path.pop();
    found
}

/// The imports of all files below `folder`, tests left out. `root` is the file that declares the modules.
fn graph(folder: &Path, root: &str) -> Graph {
    let sources: BTreeMap<String, String> = rust_files(folder)
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(folder).unwrap().with_extension("").to_str().unwrap().to_owned();
            (name, without_tests(&fs::read_to_string(&path).unwrap()))
        })
        .filter(|(name, _)| !name.contains("tests"))
        .collect();
    let exported = exports(&sources[root], &sources);
    let is_module_list = |name: &str| name == root || name.ends_with("/mod");
    let imports = |name: &str, text: &str| {
        let parent: Vec<&str> = name.rsplit_once('/').map_or(vec![], |(parent, _)| parent.split('/').collect());
        let paths = uses(text).into_iter().filter_map(|path| absolute(&path, &parent, folder));
        paths.filter_map(|path| file_of(&path, &sources, &exported)).filter(|file| file != name).collect()
    };
    let files = sources.iter().filter(|(name, _)| !is_module_list(name));
    files.map(|(name, text)| (name.clone(), imports(name, text))).collect()
}

/// The path below the root of an import by `crate::` or `super::`.
fn absolute(path: &[String], parent: &[&str], folder: &Path) -> Option<Vec<String>> {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let (base, rest): (&[&str], &[&str]) = match path.as_slice() {
        ["crate", "realtime", rest @ ..] if folder.ends_with("realtime") => (&[], rest),
        ["crate", rest @ ..] if !folder.ends_with("realtime") => (&[], rest),
        ["super", rest @ ..] => (parent, rest),
        _ => return None,
    };
    Some(base.iter().chain(rest).map(|&name| name.to_owned()).collect())
}

fn file_of(path: &[String], sources: &BTreeMap<String, String>, exported: &BTreeMap<String, String>) -> Option<String> {
    let first = path.first()?;
    let nested = path.get(1).map(|second| format!("{first}/{second}"));
    let found =
        nested.filter(|name| sources.contains_key(name)).or_else(|| sources.contains_key(first).then(|| first.clone()));
    found.or_else(|| exported.get(first).cloned())
}

/// The names that the root exports, with their files.
fn exports(root: &str, sources: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let named = uses(root).into_iter().filter_map(|path| Some((path.last()?.clone(), path)));
    named.filter_map(|(name, path)| Some((name, file_of(&path, sources, &BTreeMap::new())?))).collect()
}

/// The paths of all `use` lines.
fn uses(text: &str) -> Vec<Vec<String>> {
    let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join(" ");
    let statements = code.split(';').filter_map(|statement| statement.rsplit_once("use ").map(|(_, tree)| tree));
    statements.flat_map(|tree| flattened(&tree.split_whitespace().collect::<String>())).collect()
}

/// The paths of `a::{b, c::d}`.
fn flattened(tree: &str) -> Vec<Vec<String>> {
    let Some((head, rest)) = tree.split_once('{') else {
        return vec![tree.split("::").map(str::to_owned).filter(|name| name != "self").collect()];
    };
    let head: Vec<String> = head.split("::").filter(|name| !name.is_empty()).map(str::to_owned).collect();
    let inner = rest.strip_suffix('}').unwrap_or(rest);
    let paths = members(inner).into_iter().flat_map(|member| flattened(&member));
    paths.map(|path| head.iter().cloned().chain(path).collect()).collect()
}

/// The members of `a,b::{c,d}`.
fn members(group: &str) -> Vec<String> {
    let (mut depth, mut found) = (0, vec![String::new()]);
    for character in group.chars() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        match character {
            ',' if depth == 0 => found.push(String::new()),
            _ => found.last_mut().unwrap().push(character),
        }
    }
    found.retain(|member| !member.is_empty());
    found
}

fn without_tests(text: &str) -> String {
    text.split("#[cfg(test)]\nmod tests").next().unwrap().to_owned()
}

#[test]
fn circles_are_found() {
    let graph = |edges: &[(&str, &[&str])]| -> Graph {
        edges.iter().map(|(file, to)| ((*file).to_owned(), to.iter().map(|to| (*to).to_owned()).collect())).collect()
    };
    let tree = graph(&[("a", &["b", "c"]), ("b", &["c"]), ("c", &[])]);
    assert_eq!(circle(&tree), None);
    let circled = graph(&[("a", &["b"]), ("b", &["c"]), ("c", &["b"])]);
    assert_eq!(circle(&circled), Some(vec!["b", "c", "b"]));
    let read = uses("//! use x::y;\nuse super::{a::{self, B}, c};\npub use crate::d::E;");
    let names: Vec<String> = read.iter().map(|path| path.join("::")).collect();
    assert_eq!(names, ["super::a", "super::a::B", "super::c", "crate::d::E"]);
}
