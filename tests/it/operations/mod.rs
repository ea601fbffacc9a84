//! Rules of the business: they hold at every entrance, an action has one wording in the audit log, and two requests at the
//! same time do it once.

mod doors;
mod races;
mod wording;

// The users of the dump, see `compat-tests/fixtures/RECORDINGS.md`.
/// Root, and admin of Acme.
const ADMIN: i32 = 1;
/// Admin of Second Org.
const PLAIN_ADMIN: i32 = 2;
/// Member of Acme.
const MEMBER: i32 = 3;
/// Enrolled nowhere; the address is not confirmed.
const LONE: i32 = 5;
