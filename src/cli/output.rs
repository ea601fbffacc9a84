//! Standard output of the commands. Its reader may be gone (`| head`), or its disk full: no reason to panic.

use std::io::{self, Write};

use super::Outcome;

/// Prints the result of a command, with a line feed behind it.
///
/// # Errors
///
/// Standard output cannot be written. The message begins with `done`, the change that the command has made all the same
/// and what to do about the lost text: the beginning of a sentence, without secrets.
pub(super) fn print(result: &str, done: &str) -> Outcome {
    try_print(result).map_err(|error| format!("{done}, but standard output cannot be written ({error})").into())
}

/// Prints a text with a line feed behind it, for a command that has another way to tell its result.
///
/// # Errors
///
/// Those of the system, such as a broken pipe.
pub(super) fn try_print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{text}")?;
    stdout.flush()
}
