//! What people who are signed in see and change of their own. The users are those of the original's dump.

mod applications;
mod console;
mod invitations;
mod members;
mod organizations;
mod snippets;
mod tokens;
mod visitor;

use crate::{api::TEST_APP, support::database::TestDatabase};

/// The page of Acme.
const ACME: &str = "/account/organizations/acme-inc";

/// The page of Test App, which Acme owns.
fn test_app() -> String {
    format!("{ACME}/applications/{TEST_APP}")
}

/// What the audit log holds, as `who action table row`, in order.
async fn audit(database: &TestDatabase) -> Vec<String> {
    let columns = "actor || ' ' || action || ' ' || resource || ' ' || resource_id";
    database.texts(columns, "audit_entries ORDER BY id").await
}
