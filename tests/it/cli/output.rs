//! Standard output that cannot be written: its reader is gone, or its disk is full.

use std::{
    fs::{File, OpenOptions},
    io::{pipe, read_to_string},
    process::{Child, Command, Stdio},
};

use super::support::{Installation, get, text};

/// Outputs that fail, with the reason.
fn broken() -> [(&'static str, Stdio); 2] {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    [("Broken pipe", writer.into()), ("No space left", full.into())]
}

/// Runs a command whose output cannot be written. Returns its message, and whether it succeeded.
fn run(installation: &Installation, arguments: &[&str], stdout: Stdio) -> (String, bool) {
    let output = installation.command(arguments, &[]).stdin(Stdio::null()).stdout(stdout).output().unwrap();
    let message = text(&output.stderr);
    assert!(!message.contains("panicked"), "{arguments:?}: {message}");
    (message, output.status.success())
}

#[test]
fn a_command_that_cannot_print_tells_what_it_has_done() {
    for at in 0..2 {
        let installation = Installation::new();
        for (arguments, done) in [
            (&["migrate"][..], "the database is up to date, but standard output cannot be written"),
            (&["seed", "--demo"], "the database is filled with demo data, but"),
            (&["backup", "copy.db"], "the database is copied to copy.db, but"),
            (&["config", "check"], "the settings are sound, but"),
            (&["audit", "trim", "--before", "2020-01-01"], "removed 0 entries from before 2020-01-01, but"),
            (
                &["user", "create", "--email", "me@example.com"],
                "created me@example.com with a password that is lost: set another one at http://localhost:4000/passwords/new",
            ),
            (
                &["token", "create", "--user", "me@example.com"],
                "created a token of me@example.com that is lost: invalidate",
            ),
        ] {
            let (reason, stdout) = broken().into_iter().nth(at).unwrap();
            let (message, succeeded) = run(&installation, arguments, stdout);
            assert!(message.contains(done) && message.contains(reason) && !succeeded, "{arguments:?}: {message}");
        }
    }
}

#[test]
fn a_message_that_nobody_reads_is_no_panic() {
    let installation = Installation::new();
    let full = || OpenOptions::new().write(true).open("/dev/full").unwrap();
    let status = installation.command(&["--port", "x"], &[]).stdout(full()).stderr(full()).status().unwrap();
    assert_eq!(status.code(), Some(1));
}

/// A server, which ends with the test.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        // It fails when the process has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn serve(command: &mut Command, log: &File, stdout: Stdio) -> Serving {
    Serving(command.stdin(Stdio::null()).stdout(stdout).stderr(log.try_clone().unwrap()).spawn().unwrap())
}

#[test]
fn a_server_that_cannot_print_serves() {
    for (reason, stdout) in broken() {
        let installation = Installation::new();
        let path = installation.folder.path().join("log");
        let log = File::create(&path).unwrap();
        let server = serve(&mut installation.command(&["--port", "0"], &[]), &log, stdout);
        installation.until_logged("Could not print the link to standard output");
        let logged = read_to_string(File::open(&path).unwrap()).unwrap();
        assert!(logged.contains(reason), "{logged}");
        let address = logged.split("address=127.0.0.1:").nth(1).unwrap();
        let port = address.split(|character: char| !character.is_ascii_digit()).next().unwrap().parse().unwrap();
        assert!(get(port, "/health/live").starts_with("HTTP/1.1 200"));
        let (message, succeeded) =
            run(&installation, &["health", "--port", &port.to_string()], broken().into_iter().next().unwrap().1);
        assert!(succeeded, "the exit code is the answer: {message}");
        drop(server);
    }
}
