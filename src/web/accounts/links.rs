//! The links that people have mailed to them: to confirm an address, to set a password, to unlock an account.

use super::letters;
use crate::{
    app::{App, Site},
    auth::{Attempt, MailedToken, lock},
    mail::Letter,
    store::{self, Transaction, credentials::Credentials, mailed_tokens, now},
};

/// What a link is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// To confirm an address.
    Confirmation,
    /// To set a password.
    Reset,
    /// To unlock an account.
    Unlock,
}

/// The id of no user.
pub(super) const NOBODY: i32 = 0;

/// Who a link is mailed to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recipient<'a> {
    /// The user's id.
    pub(super) id: i32,
    /// What to call them.
    pub(super) name: &'a str,
    /// Where.
    pub(super) email: &'a str,
}

impl<'a> Recipient<'a> {
    /// The user.
    pub(super) fn of(credentials: &'a Credentials) -> Self {
        let user = &credentials.user;
        let (name, email) = (user.name.as_deref().unwrap_or_default(), user.email.as_deref().unwrap_or_default());
        Self { id: user.id, name, email }
    }

    /// Nobody: what is kept for them is kept nowhere, and what is written is taken back.
    pub(super) fn nobody(email: &'a str) -> Self {
        Self { id: NOBODY, name: "", email }
    }
}

impl Link {
    /// The scope of the form's fields, as the original has it.
    pub(super) fn scope(self) -> &'static str {
        match self {
            Self::Confirmation => "confirmation",
            Self::Reset => "password",
            Self::Unlock => "unlock",
        }
    }

    /// What asking for such a link is counted as.
    pub(super) fn attempt(self) -> Attempt {
        match self {
            Self::Confirmation => Attempt::Confirmation,
            Self::Reset => Attempt::Reset,
            Self::Unlock => Attempt::Unlock,
        }
    }

    /// Whether this user can need such a link now.
    pub(super) fn is_for(self, credentials: &Credentials) -> bool {
        match self {
            Self::Confirmation => credentials.user.confirmed_at.is_none(),
            Self::Reset => true,
            Self::Unlock => lock::is_locked(credentials.locked_at, now()),
        }
    }

    /// Mails a new link, which takes the place of an earlier one, within the transaction.
    pub(super) async fn send(self, tx: &mut Transaction<'_>, app: &App, to: Recipient<'_>) -> store::Result<()> {
        let token = match self {
            Self::Confirmation | Self::Reset => MailedToken::new(),
            Self::Unlock => MailedToken::dated(now()),
        };
        match self {
            Self::Confirmation => mailed_tokens::keep_confirmation(tx, to.id, &token.stored()).await?,
            Self::Reset => mailed_tokens::keep_reset(tx, to.id, &token.stored()).await?,
            Self::Unlock => mailed_tokens::keep_unlock(tx, to.id, &token.stored()).await?,
        }
        let (name, url) = (to.name, &self.url(&app.pages.site, &token));
        let letter = match self {
            Self::Confirmation => Letter::Confirmation { name, is_new_account: true, url },
            Self::Reset => Letter::Reset { name, url },
            Self::Unlock => Letter::Unlock { name, url },
        };
        match to.id {
            NOBODY => app.accounts.postbox.write_in_vain(tx, to.email, &letter).await,
            _ => letters::write(tx, app, to.email, &letter).await,
        }
    }

    /// Where the link leads.
    pub(super) fn url(self, site: &Site, token: &MailedToken) -> String {
        let page = match self {
            Self::Confirmation => "confirmations",
            Self::Reset => "passwords",
            Self::Unlock => "unlocks",
        };
        format!("{}/{page}/{}/edit", site.base_url, token.text())
    }
}
