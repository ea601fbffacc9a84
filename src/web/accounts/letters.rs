//! Letters to the addresses of accounts.

use crate::{
    app::App,
    mail::{self, Letter},
    store::{self, Transaction},
};

/// Queues a letter, unless the address is one that no mail can be sent to: the original let people have such.
pub(super) async fn write(tx: &mut Transaction<'_>, app: &App, email: &str, letter: &Letter<'_>) -> store::Result<()> {
    if !mail::is_address(email) {
        return Ok(());
    }
    app.accounts.postbox.write(tx, email, letter).await
}
