//! Rules that refuse an operation.

use std::fmt;

use crate::store;

/// A rule of the business that an operation would break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// An organization keeps an active admin.
    LastAdmin,
    /// A root user remains who can sign in.
    LastRoot,
    /// Only root users change root users.
    NoLongerRoot,
    /// Root users do not take their own root rights in the admin.
    OwnRoot,
    /// Root users do not take their own confirmation.
    OwnConfirmation,
    /// Root users do not suspend themselves.
    OwnSuspension,
    /// Root users delete their own account on its own page, which asks for the password.
    OwnDeletion,
    /// The tokens of users who are suspended are invalid.
    SuspendedOwner,
    /// The tokens of users whose confirmation was taken back are invalid.
    UnconfirmedOwner,
    /// The password of the account is another one than was typed, perhaps since a moment ago.
    OtherPassword,
    /// Visitors do not sign up: accounts are by invitation, or opened by root users only.
    SignUpClosed,
    /// Visitors sign up with addresses of certain mail domains.
    OtherMailDomain,
    /// Visitors open no accounts, by invitations neither.
    NoNewAccounts,
    /// A user sends so many invitations an hour, and no more.
    TooManyInvitations,
}

/// Reason why an operation failed. The caller then rolls the transaction back.
#[derive(Debug)]
pub enum Refusal {
    /// A rule forbids it.
    Rule(Rule),
    /// The database failed, or the row is missing.
    Store(store::Error),
}

impl Rule {
    /// Returns the message for users: a sentence, or what follows the name of the field.
    pub const fn message(self) -> &'static str {
        match self {
            Self::LastAdmin => "An organization needs at least one active admin. Make another member an admin first.",
            Self::LastRoot => "You could not sign in again, so another root user has to stay.",
            Self::NoLongerRoot => "You are no longer root.",
            Self::OwnRoot | Self::OwnConfirmation => "cannot be taken from yourself",
            Self::OwnSuspension => "You cannot suspend yourself.",
            Self::OwnDeletion => "You cannot delete yourself here. Delete your account under Account.",
            Self::SuspendedOwner => {
                "is suspended, and a token could not be used; reinstate the user in the admin first"
            }
            Self::UnconfirmedOwner => {
                "has an address that is no longer confirmed, and a token could not be used; confirm it in the admin first"
            }
            Self::OtherPassword => "is wrong",
            Self::SignUpClosed => "Sign-up is closed on this server.",
            Self::OtherMailDomain => "has a mail domain that this server takes no sign-ups from",
            Self::NoNewAccounts => "This server opens no new accounts. Ask its operator to create one for you.",
            Self::TooManyInvitations => "You have sent 30 invitations within an hour. Wait before you send more.",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl From<Rule> for Refusal {
    fn from(rule: Rule) -> Self {
        Self::Rule(rule)
    }
}

impl From<store::Error> for Refusal {
    fn from(error: store::Error) -> Self {
        Self::Store(error)
    }
}
