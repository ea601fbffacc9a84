//! Changes to accounts: by their users, and by root users.

use super::{RESOURCE, passwords, record, record_user, roots::Roots};
use crate::{
    auth::PasswordHash,
    mail::Letter,
    operations::{Mailing, Refusal, Rule},
    store::{
        Error, Result, Transaction,
        admin::users::{self as all_users, Changes},
        audit::{Actor, Differences},
        credentials, now,
        users::{self, User},
    },
};

/// Values that a root user gives an account. Texts must fit 255 characters and hold no NUL.
#[derive(Debug)]
pub struct AccountChanges<'a> {
    /// The name to show.
    pub name: &'a str,
    /// The address to sign in with.
    pub email: &'a str,
    /// True if every organization is open to the user.
    pub is_root: bool,
    /// True if the address counts as confirmed. A user who loses the confirmation is suspended until it is restored.
    pub is_confirmed: bool,
    /// The hash of a new password; without one the password stays.
    pub password: Option<&'a PasswordHash>,
}

/// Gives a user another name.
///
/// # Errors
///
/// [`Error::NotFound`] when there is no such user.
pub async fn rename(tx: &mut Transaction<'_>, actor: &Actor, id: i32, name: &str) -> Result<()> {
    let before = users::lock(tx, id).await?;
    let mut details = Differences::default();
    details.column("name", before.name.as_deref(), Some(name));
    if details.is_empty() {
        return Ok(());
    }
    credentials::rename(tx, id, name).await?;
    record(tx, actor, "update", (RESOURCE, id), &details).await
}

/// Changes an account as a root user says. Returns true if anything changed. The old address is told of a new one, and
/// the owner of a new password.
///
/// # Errors
///
/// [`Rule::OwnRoot`], [`Rule::OwnConfirmation`], [`Rule::NoLongerRoot`], [`Rule::LastRoot`]; [`Error::Duplicate`] when the
/// address is taken, ignoring case, and [`Error::NotFound`] when there is no such user.
pub async fn update(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    mailing: Mailing<'_>,
    id: i32,
    to: &AccountChanges<'_>,
) -> Result<bool, Refusal> {
    let roots = Roots::lock(tx).await?;
    let before = users::lock(tx, id).await?;
    check_roots(&roots, actor, &before, to)?;
    if before.email.as_deref() != Some(to.email) && credentials::is_taken_by_another(tx, to.email, id).await? {
        return Err(Error::Duplicate { field: "email" }.into());
    }
    let was_confirmed = before.confirmed_at.is_some();
    let is_confirmation_changed = was_confirmed != to.is_confirmed;
    let details = differences(&before, to);
    if details.is_empty() && !is_confirmation_changed && to.password.is_none() {
        return Ok(false);
    }
    let changes = Changes {
        name: Some(to.name.to_owned()),
        email: Some(to.email.to_owned()),
        is_root: Some(to.is_root),
        confirmed_at: is_confirmation_changed.then(|| to.is_confirmed.then(now)),
    };
    all_users::update(tx, id, &changes).await?;
    let after = users::find(tx, id).await?.ok_or(Error::NotFound)?;
    if !details.is_empty() {
        record(tx, actor, "update", (RESOURCE, id), &details).await?;
    }
    if is_confirmation_changed {
        let action = if to.is_confirmed { "confirm" } else { "unconfirm" };
        record_user(tx, actor, action, &after).await?;
    }
    tell_old_address(tx, mailing, &before, to.email).await?;
    if let Some(password) = to.password {
        passwords::change_password(tx, actor, mailing, &after, password).await?;
    }
    Ok(true)
}

/// Applies the rules for root users. All other users may lose what they have.
fn check_roots(roots: &Roots, actor: &Actor, before: &User, to: &AccountChanges<'_>) -> Result<(), Refusal> {
    let loses_root = before.is_root && !to.is_root;
    let loses_confirmation = before.confirmed_at.is_some() && !to.is_confirmed;
    if actor.id == Some(before.id) {
        return match (loses_root, loses_confirmation) {
            (true, _) => Err(Rule::OwnRoot.into()),
            (false, true) => Err(Rule::OwnConfirmation.into()),
            (false, false) => Ok(()),
        };
    }
    if loses_root || loses_confirmation { roots.check_end_of(before, actor) } else { Ok(()) }
}

/// Tells the old address of an account that it is no longer valid, if it is not.
pub(super) async fn tell_old_address(
    tx: &mut Transaction<'_>,
    mailing: Mailing<'_>,
    before: &User,
    email: &str,
) -> Result<()> {
    let Some(old) = before.email.as_deref().filter(|old| *old != email) else { return Ok(()) };
    let name = before.name.as_deref().unwrap_or_default();
    mailing.write(tx, old, &Letter::AddressChanged { name, email, url: mailing.base_url }).await
}

fn differences(before: &User, to: &AccountChanges<'_>) -> Differences {
    let mut details = Differences::default();
    details.column("email", before.email.as_deref(), Some(to.email));
    details.column("name", before.name.as_deref(), Some(to.name));
    details.flag("is_root", Some(before.is_root), to.is_root);
    details
}
