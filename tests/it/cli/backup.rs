//! A copy of the database, made while it is in use, and put in its place.

use std::{fs, os::unix::fs::PermissionsExt};

use super::support::{Installation, exchange};

/// The answer to a sign-in by token.
fn session(port: u16, token: &str) -> String {
    let path = format!("/api/sessions?token={token}");
    exchange(port, &format!("POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"))
}

#[test]
fn a_copy_of_a_running_database_takes_its_place() {
    let installation = Installation::new();
    let mut running = installation.serve(&[("PUSHER_LITE_DEMO", "true")]);
    let token = running.word("Token");
    let copied = installation.stdout(&["backup", "copy.db"]);
    assert!(copied.contains("copied to copy.db"), "{copied}");
    assert!(session(running.port(), &token).starts_with("HTTP/1.1 201"));
    let copy = installation.folder.path().join("copy.db");
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600, "it holds what others must not read");

    let other = Installation::new();
    let data = other.folder.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::copy(&copy, data.join("pusher-lite.db")).unwrap();
    let mut restored = other.serve(&[]);
    assert!(session(restored.port(), &token).starts_with("HTTP/1.1 201"));
}

#[test]
fn a_copy_replaces_nothing() {
    let installation = Installation::new();
    let message = installation.failure(&["backup", "copy.db"], &[]);
    assert!(message.contains("there is no database"), "{message}");
    installation.stdout(&["migrate"]);
    fs::write(installation.folder.path().join("taken"), "mine").unwrap();
    let message = installation.failure(&["backup", "taken"], &[]);
    assert!(message.contains("taken") && message.contains("exists"), "{message}");
    assert_eq!(fs::read_to_string(installation.folder.path().join("taken")).unwrap(), "mine");
    let message = installation.failure(&["backup", "no/such/folder"], &[]);
    assert!(message.contains("no/such/folder"), "{message}");
    let postgres = [
        ("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none"),
        ("PUSHER_LITE_JWT_SECRET", "0123456789012345678901234567890123456789"),
        ("PUSHER_LITE_COOKIE_SECRET", "0123456789012345678901234567890123456789"),
    ];
    let message = installation.failure(&["backup", "copy.db"], &postgres);
    assert!(message.contains("pg_dump"), "{message}");
}
