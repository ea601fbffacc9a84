//! Tests whose tools are missing on this machine.

use std::{fs::File, io::Write, path::Path};

/// Records that a test is left out for want of a tool: `make test` prints the notes at its end, since the output of a
/// test that passes is not shown.
///
/// # Panics
///
/// Panics if `CI` is set: nothing is left out there.
pub(crate) fn leave_out(test: &str, reason: &str) {
    assert!(std::env::var_os("CI").is_none(), "{test} cannot run: {reason}");
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("left-out");
    let note = format!("LEFT OUT: {test}. {reason}\n");
    let file = File::options().create(true).append(true).open(path);
    file.and_then(|mut file| file.write_all(note.as_bytes())).expect("the build's folder can be written");
}
