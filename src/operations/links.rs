//! The links in mails: to confirm an address, to set a password, to unlock an account.

use super::Mailing;
use crate::{
    auth::{MailedToken, lock},
    mail::Letter,
    store::{Result, Transaction, credentials::Credentials, mailed_tokens, now},
};

/// Purpose of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// To confirm an address.
    Confirmation,
    /// To set a password.
    Reset,
    /// To unlock an account.
    Unlock,
}

/// An id that no user has.
pub(super) const NOBODY: i32 = 0;

/// Recipient of a link.
#[derive(Clone, Copy, Debug)]
pub struct Recipient<'a> {
    /// The user's id.
    pub(super) id: i32,
    /// Name of the user, for the letter.
    pub(super) name: &'a str,
    /// Address of the recipient.
    pub(super) email: &'a str,
}

impl<'a> Recipient<'a> {
    /// Creates the recipient for a user.
    pub fn of(credentials: &'a Credentials) -> Self {
        let user = &credentials.user;
        let (name, email) = (user.name.as_deref().unwrap_or_default(), user.email.as_deref().unwrap_or_default());
        Self { id: user.id, name, email }
    }

    /// Creates the recipient for an address without an account: the token is stored nowhere, and the letter is taken
    /// back.
    pub fn nobody(email: &'a str) -> Self {
        Self { id: NOBODY, name: "", email }
    }
}

impl Link {
    /// Returns true if this user can need such a link now.
    pub fn is_for(self, credentials: &Credentials) -> bool {
        match self {
            Self::Confirmation => credentials.user.confirmed_at.is_none(),
            Self::Reset => true,
            Self::Unlock => lock::is_locked(credentials.locked_at, now()),
        }
    }

    /// Returns the audit action of a request for such a link.
    pub(super) fn asked(self) -> &'static str {
        match self {
            Self::Confirmation => "ask_confirmation",
            Self::Reset => "ask_reset",
            Self::Unlock => "ask_unlock",
        }
    }

    /// Mails a new link, which replaces an earlier one, within the transaction.
    pub(super) async fn send(self, tx: &mut Transaction<'_>, mailing: Mailing<'_>, to: Recipient<'_>) -> Result<()> {
        let token = match self {
            Self::Confirmation | Self::Reset => MailedToken::new(),
            Self::Unlock => MailedToken::dated(now()),
        };
        match self {
            Self::Confirmation => mailed_tokens::keep_confirmation(tx, to.id, &token.stored()).await?,
            Self::Reset => mailed_tokens::keep_reset(tx, to.id, &token.stored()).await?,
            Self::Unlock => mailed_tokens::keep_unlock(tx, to.id, &token.stored()).await?,
        }
        let (name, url) = (to.name, &self.url(mailing, &token));
        let letter = match self {
            Self::Confirmation => Letter::Confirmation { name, is_new_account: true, url },
            Self::Reset => Letter::Reset { name, url },
            Self::Unlock => Letter::Unlock { name, url },
        };
        match to.id {
            NOBODY => mailing.postbox.write_in_vain(tx, to.email, &letter).await,
            _ => mailing.write(tx, to.email, &letter).await,
        }
    }

    /// Returns the URL of the link.
    pub(super) fn url(self, mailing: Mailing<'_>, token: &MailedToken) -> String {
        let page = match self {
            Self::Confirmation => "confirmations",
            Self::Reset => "passwords",
            Self::Unlock => "unlocks",
        };
        mailing.url(&format!("/{page}/{}/edit", token.text()))
    }
}
