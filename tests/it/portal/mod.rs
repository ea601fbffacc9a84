//! Pages of signed-in users about their own data. The users are those of the original's dump.

mod applications;
mod console;
mod invitations;
mod members;
mod organizations;
mod policies;
mod snippets;
mod tokens;
pub(crate) mod visitor;

use crate::{api::TEST_APP, support::database::TestDatabase};

/// The page of Acme.
const ACME: &str = "/account/organizations/acme-inc";

/// The page of Test App, which Acme owns.
fn test_app() -> String {
    format!("{ACME}/applications/{TEST_APP}")
}

/// Returns the entries of the audit log, as `who action table row`, in order; without the exchanges of tokens, whose
/// entries come at any time.
async fn audit(database: &TestDatabase) -> Vec<String> {
    let columns = "actor || ' ' || action || ' ' || resource || ' ' || resource_id";
    database.texts(columns, "audit_entries WHERE action <> 'exchange' ORDER BY id").await
}
