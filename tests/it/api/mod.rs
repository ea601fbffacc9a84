//! The REST API: behavior shared with the original is replayed in `compat-tests/`; these tests cover the intended
//! differences.

mod accounts;
mod client;
mod credentials;
mod events;
mod input;
mod policies;
mod quotas;
mod restricted;
mod scopes;
mod signed;
mod tenants;

/// The key of Test App, which Acme owns.
pub(crate) const TEST_APP: &str = "88911bb8-e6c9-11f1-bf84-f2fc4c7451a7";
/// The key of Second App, which Second Org owns.
pub(crate) const SECOND_APP: &str = "8896169a-e6c9-11f1-bbfb-f2fc4c7451a7";

/// A token of ADMIN.
pub(crate) const ADMIN_TOKEN: &str = "88927080-e6c9-11f1-85bf-f2fc4c7451a7";

// The users of the dump, see `compat-tests/fixtures/RECORDINGS.md`.
/// Root, and admin of Acme.
pub(crate) const ADMIN: i32 = 1;
/// Admin of Second Org.
pub(crate) const PLAIN_ADMIN: i32 = 2;
/// Member of Acme.
pub(crate) const MEMBER: i32 = 3;
/// Member of Acme, admin of Second Org.
pub(crate) const MIXED: i32 = 4;
/// Enrolled nowhere.
pub(crate) const LONE: i32 = 5;
