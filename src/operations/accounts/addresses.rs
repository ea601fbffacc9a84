//! Addresses of accounts: confirmed, and changed, by mailed links.

use super::{
    ProvenUser, RESOURCE, TOKENS, creating::tell_owner, editing::tell_old_address, passwords, record, record_user,
};
use crate::{
    auth::{MailedToken, PasswordHash, ProvenPassword},
    mail::Letter,
    operations::{Link, Mailing, Recipient, Refusal, links::NOBODY},
    store::{
        self, Transaction,
        audit::{Actor, Differences},
        credentials,
        email_changes::{self, EmailChange},
        mailed_tokens, users,
    },
};

/// Mails a link that was asked for. For [`Recipient::nobody`] it does the same work, as far as the time can tell, but
/// records nothing, so that attempts to fill the audit log leave no trace in it.
///
/// # Errors
///
/// Database errors.
pub async fn ask_for_link(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    mailing: Mailing<'_>,
    link: Link,
    to: Recipient<'_>,
) -> store::Result<()> {
    link.send(tx, mailing, to).await?;
    if to.id == NOBODY {
        return Ok(());
    }
    record(tx, actor, link.asked(), (RESOURCE, to.id), &Differences::of("email", to.email)).await
}

/// Evidence that the reader of a mail may confirm the address of a new account.
#[derive(Debug)]
pub enum Confirming<'a> {
    /// The password of the account.
    Current(&'a ProvenPassword),
    /// A new one in its place. It ends everything that was opened with the old one.
    New(&'a PasswordHash),
}

/// Confirms the address of a new account by the token of a link, in the forms in which it may be stored, and mails how to
/// begin. Returns false if the link was used meanwhile.
///
/// # Errors
///
/// [`Rule::OtherPassword`](crate::operations::Rule::OtherPassword), as [`ProvenUser::lock`]; [`store::Error::NotFound`] when
/// there is no such user.
pub async fn confirm(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    mailing: Mailing<'_>,
    (user_id, token): (i32, &[String]),
    confirming: Confirming<'_>,
) -> Result<bool, Refusal> {
    let before = match confirming {
        Confirming::Current(password) => ProvenUser::lock(tx, user_id, password).await?.user().clone(),
        Confirming::New(_) => users::lock(tx, user_id).await?,
    };
    if !mailed_tokens::use_confirmation(tx, user_id, token).await? {
        return Ok(false);
    }
    record_user(tx, actor, "confirm", &before).await?;
    if let Confirming::New(password) = confirming {
        credentials::unlock(tx, user_id).await?;
        passwords::replace(tx, actor, &before, password).await?;
    }
    if let (None, Some(email)) = (before.confirmed_at, &before.email) {
        let (name, url) = (before.name.as_deref().unwrap_or_default(), &mailing.url(TOKENS));
        mailing.write(tx, email, &Letter::Welcome { name, url }).await?;
    }
    Ok(true)
}

/// Requests a change of address, which takes effect when the user follows the mailed link. If another user has the
/// address, that user is told, and the change is pending all the same, for a link that is never sent: the visitor sees
/// no difference. The present address is told in either case, while a new password can still stop the change: the
/// visitor may not be the owner.
///
/// # Errors
///
/// Database errors.
pub async fn ask_to_change_address(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    mailing: Mailing<'_>,
    owner: &ProvenUser,
    email: &str,
) -> store::Result<()> {
    let (user, id) = (owner.user(), owner.user().id);
    let name = user.name.as_deref().unwrap_or_default();
    let warning = Letter::AddressChangeAsked { name, email, url: &mailing.url("/passwords/new") };
    mailing.write(tx, user.email.as_deref().unwrap_or_default(), &warning).await?;
    record(tx, actor, "ask_email", (RESOURCE, id), &Differences::of("email", email)).await?;
    let token = MailedToken::new();
    email_changes::replace(tx, id, email, &token.stored()).await?;
    if credentials::is_taken(tx, email).await? {
        return tell_owner(tx, mailing, email).await;
    }
    let url = &Link::Confirmation.url(mailing, &token);
    mailing.write(tx, email, &Letter::Confirmation { name, is_new_account: false, url }).await
}

/// Carries out a requested change of address, and mails to the old one that it is no longer valid. Returns false if the
/// change is no longer pending.
///
/// # Errors
///
/// [`Rule::OtherPassword`](crate::operations::Rule::OtherPassword), as [`ProvenUser::lock`]; [`store::Error::Duplicate`] when
/// another user has taken the address meanwhile.
pub async fn change_address(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    mailing: Mailing<'_>,
    (change, password): (&EmailChange, &ProvenPassword),
) -> Result<bool, Refusal> {
    let owner = ProvenUser::lock(tx, change.user_id, password).await?;
    let before = owner.user();
    if !email_changes::carry_out(tx, change).await? {
        return Ok(false);
    }
    tell_old_address(tx, mailing, before, &change.email).await?;
    let mut details = Differences::default();
    details.column("email", before.email.as_deref(), Some(&change.email));
    record(tx, actor, "update", (RESOURCE, change.user_id), &details).await?;
    Ok(true)
}
