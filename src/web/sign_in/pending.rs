//! Addresses that wait for confirmation by a link.

use crate::{
    auth::{
        PasswordHash, ProvenPassword,
        mailed_token::{self, CONFIRMATION_LIFETIME, is_fresh},
    },
    operations::{
        Refusal,
        accounts::{self, Confirming},
    },
    store::{
        self,
        credentials::{self, Credentials},
        email_changes::{self, EmailChange},
        mailed_tokens, now,
    },
    web::{App, Error, session::PageRequest},
};

/// An address that a link confirms.
#[derive(Debug)]
pub(super) enum Pending {
    /// The address of an account, with the forms in which the link's token may be stored.
    Account(Credentials, [String; 2]),
    /// Another address for an account.
    Change(EmailChange, Credentials),
}

/// Password with which a link is used.
#[derive(Debug)]
pub(super) enum Password {
    /// The current one, typed.
    Current(ProvenPassword),
    /// A new one in its place, for the address of an account.
    New(PasswordHash),
}

/// Result of using a link.
#[derive(Debug)]
pub(super) enum Done {
    /// The address is confirmed: the message to show.
    Confirmed(&'static str),
    /// The link was used meanwhile.
    Gone,
    /// The account has another password by now.
    OtherPassword,
}

impl Pending {
    /// Looks up a token; `None` when it was used or replaced, or is too old.
    pub(super) async fn find(app: &App, token: &str) -> Result<Option<Self>, Error> {
        let Some(forms) = mailed_token::stored_forms(token) else { return Ok(None) };
        let mut conn = app.db.conn().await?;
        if let Some(found) = mailed_tokens::find_confirmation(&mut conn, &forms).await? {
            let is_fresh = is_fresh(found.confirmation_sent_at, CONFIRMATION_LIFETIME, now());
            return Ok(is_fresh.then_some(Self::Account(found, forms)));
        }
        let Some(change) = email_changes::find_by_token(&mut conn, &forms).await? else { return Ok(None) };
        let owner = credentials::find(&mut conn, change.user_id).await?;
        let owner = owner.filter(|_| is_fresh(Some(change.inserted_at), CONFIRMATION_LIFETIME, now()));
        Ok(owner.map(|owner| Self::Change(change, owner)))
    }

    /// Returns the address that the link was mailed to.
    pub(super) fn new_email(&self) -> &str {
        match self {
            Self::Account(found, _) => found.user.email.as_deref().unwrap_or_default(),
            Self::Change(change, _) => &change.email,
        }
    }

    /// Returns the address with which the account signs in until then.
    pub(super) fn account_email(&self) -> &str {
        let (Self::Account(owner, _) | Self::Change(_, owner)) = self;
        owner.user.email.as_deref().unwrap_or_default()
    }

    /// Returns true if the account has a password.
    pub(super) fn has_password(&self) -> bool {
        let (Self::Account(owner, _) | Self::Change(_, owner)) = self;
        owner.password_hash.is_some()
    }

    /// Returns true if the reader of the mail may set a new password. Not for another address of an account: a mistyped
    /// one would give the account away.
    pub(super) fn may_set_password(&self) -> bool {
        matches!(self, Self::Account(..))
    }

    /// Confirms the address; with a new password, also ends everything that was opened with the old one.
    pub(super) async fn carry_out(&self, app: &App, page: &PageRequest, password: &Password) -> Result<Done, Error> {
        let (actor, mailing) = (page.actor(), app.mailing());
        let (done, message) = match (self, password) {
            (Self::Account(found, forms), password) => {
                let by = (found.user.id, forms.as_slice());
                let confirming = match password {
                    Password::Current(proven) => Confirming::Current(proven),
                    Password::New(hash) => Confirming::New(hash),
                };
                let confirm = app.db.record(async |tx| accounts::confirm(tx, &actor, mailing, by, confirming).await);
                (confirm.await, "Your email address is confirmed. You can sign in now.")
            }
            // Such a link sets no password: the form asks for the current one.
            (Self::Change(..), Password::New(_)) => return Ok(Done::Gone),
            (Self::Change(change, _), Password::Current(proven)) => {
                let by = (change, proven);
                let change = app.db.record(async |tx| accounts::change_address(tx, &actor, mailing, by).await);
                (change.await, "Your new email address is confirmed. From now on, sign in with it.")
            }
        };
        match done {
            Ok(true) => Ok(Done::Confirmed(message)),
            Ok(false) => Ok(Done::Gone),
            Err(Refusal::Rule(_)) => Ok(Done::OtherPassword),
            // Another user has signed up with the address meanwhile, or the account is gone.
            Err(Refusal::Store(store::Error::Duplicate { .. } | store::Error::NotFound)) => Ok(Done::Gone),
            Err(Refusal::Store(error)) => Err(error.into()),
        }
    }
}
