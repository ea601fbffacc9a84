//! What operations need to write letters.

use crate::{
    auth::Signer,
    mail::{self, Letter, Postbox},
    store::{Result, Transaction},
};

/// Queue of letters, and the parts of the links in them.
#[derive(Clone, Copy, Debug)]
pub struct Mailing<'a> {
    /// Queues the letters.
    pub postbox: &'a Postbox,
    /// Base URL of the links, without a slash at the end.
    pub base_url: &'a str,
    /// Signs the links of invitations.
    pub signer: &'a Signer,
}

impl Mailing<'_> {
    /// Returns the URL of a page of this server: `path` begins with a slash.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }

    /// Queues a letter to the address of an account, unless no mail can be sent to it: the original let users have such
    /// addresses.
    pub(super) async fn write(&self, tx: &mut Transaction<'_>, email: &str, letter: &Letter<'_>) -> Result<()> {
        if !mail::is_address(email) {
            return Ok(());
        }
        self.postbox.write(tx, email, letter).await
    }
}
