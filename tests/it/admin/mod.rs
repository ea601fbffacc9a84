//! The admin: access, lists, pages, and changes of rows.

mod audit;
mod batches;
mod browser;
mod changes;
mod dashboard;
mod endings;
mod lists;
mod locked_out;
mod mails;
mod records;
mod sockets;

use self::browser::Browser;

/// The key of Test App, which Acme owns.
const TEST_APP: &str = "88911bb8-e6c9-11f1-bf84-f2fc4c7451a7";

// The users of the dump, see `compat-tests/fixtures/RECORDINGS.md`.
/// Root, and admin of Acme.
const ADMIN: i32 = 1;
/// Admin of Second Org.
const PLAIN_ADMIN: i32 = 2;
/// Member of Acme.
const MEMBER: i32 = 3;
/// Enrolled nowhere.
const LONE: i32 = 5;
