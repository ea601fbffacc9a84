//! Every task that is spawned is watched, or its panics are survived; see `src/tasks.rs`.

use std::{fs, path::Path};

use crate::support::sources::rust_files;

/// A call that spawns a task under supervision.
const SUPERVISED: [&str; 7] = [
    "tokio::spawn(tasks.watch(",
    "tokio::spawn(tasks.survive(",
    "tokio::spawn(app.tasks.watch(",
    "tokio::spawn(self.tasks.survive(",
    "tasks.spawn(app.tasks.watch(",
    "connections.spawn(options.tasks.survive(",
    "supervision.spawn(\"",
];

/// Files with other calls, how many, and their reason.
const OTHERS: [(&str, usize, &str); 7] = [
    ("cli/stop.rs", 1, "a thread that ends the process"),
    ("operations/gathered.rs", 1, "it survives each of its two steps"),
    ("realtime/transport/longpolls.rs", 1, "it survives its own panics, and ends its session"),
    ("realtime/supervision.rs", 2, "the supervisor itself, and a hub without one"),
    ("store/transaction.rs", 1, "whoever waits for the commit is told, and its effects are survived"),
    ("tasks.rs", 1, "the supervisor"),
    ("web/socket.rs", 1, "a socket survives its own panics; it takes no more memory than it must"),
];

#[test]
fn every_task_is_supervised() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in rust_files(&source) {
        let name = file.strip_prefix(&source).unwrap().to_str().unwrap();
        let is_test = name.contains("tests/") || name.ends_with("tests.rs");
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let calls: Vec<&str> = code.lines().filter(|line| !is_test && spawns(line)).collect();
        let (_, allowed, why) = OTHERS.iter().find(|(other, ..)| *other == name).unwrap_or(&("", 0, "none"));
        assert_eq!(calls.len(), *allowed, "{name} spawns what nobody watches, but for: {why}\n{}", calls.join("\n"));
    }
}

/// Returns true if a line spawns a task that is not supervised.
fn spawns(line: &str) -> bool {
    let is_call = ["::spawn(", ".spawn("].iter().any(|call| line.contains(call));
    is_call && !SUPERVISED.iter().any(|supervised| line.contains(supervised))
}
