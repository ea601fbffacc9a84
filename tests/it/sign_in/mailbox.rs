//! Mails that would have been sent.

use crate::support::database::TestDatabase;

/// The text of the newest mail of this kind to this address.
pub(super) async fn newest(database: &TestDatabase, kind: &str, recipient: &str) -> String {
    let rest = format!("mails WHERE kind = '{kind}' AND recipient = '{recipient}' ORDER BY id DESC LIMIT 1");
    database.text("text_body", &rest).await
}

/// Returns the number of mails of this kind.
pub(super) async fn count(database: &TestDatabase, kind: &str) -> usize {
    database.texts("id", &format!("mails WHERE kind = '{kind}'")).await.len()
}

/// The path of the link in the newest mail of this kind that leads to a page below this path.
pub(crate) async fn link(database: &TestDatabase, kind: &str, recipient: &str, below: &str) -> String {
    let text = newest(database, kind, recipient).await;
    let url = format!("https://push.example.com:8443{below}");
    let found = text.split_whitespace().find_map(|word| word.strip_prefix(&url));
    format!("{below}{}", found.unwrap_or_else(|| panic!("no link to {below}: {text}")))
}
