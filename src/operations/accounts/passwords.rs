//! New passwords of accounts. The owner gets a mail, which names the API tokens that stay valid: backends depend on them,
//! but a person who knew the old password may have seen them.

use super::{ProvenUser, record_user};
use crate::{
    auth::PasswordHash,
    mail::Letter,
    operations::Mailing,
    store::{
        Error, Result, Transaction,
        audit::Actor,
        credentials, mailed_tokens, user_tokens,
        users::{self, User},
    },
};

/// Page on which tokens are created and ended.
pub const TOKENS: &str = "/account/tokens";

/// The valid tokens of a user whose password was changed, by their last characters.
#[derive(Debug)]
pub struct RemainingTokens(pub Vec<String>);

/// Changes the password of a user who has typed the old one, ends every browser that was signed in with it, and tells the
/// owner by mail. Returns the tokens that stay valid.
///
/// # Errors
///
/// Database errors.
pub async fn change_own_password(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    mailing: Mailing<'_>,
    owner: &ProvenUser,
    password: &PasswordHash,
) -> Result<RemainingTokens> {
    change_password(tx, actor, mailing, owner.user(), password).await
}

/// Changes a user's password as [`change_own_password`] does, without proof of the old one.
pub(super) async fn change_password(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    mailing: Mailing<'_>,
    user: &User,
    password: &PasswordHash,
) -> Result<RemainingTokens> {
    replace(tx, actor, user, password).await?;
    let valid = user_tokens::list_active_of(tx, user.id).await?;
    let tokens: Vec<String> = valid.iter().map(|token| token.ending().to_owned()).collect();
    if let Some(email) = &user.email {
        let name = user.name.as_deref().unwrap_or_default();
        let (url, tokens_url) = (&mailing.url("/passwords/new"), &mailing.url(TOKENS));
        mailing.write(tx, email, &Letter::PasswordChanged { name, tokens: &tokens, tokens_url, url }).await?;
    }
    Ok(RemainingTokens(tokens))
}

/// Changes a user's password as [`change_own_password`] does, by the token of a mailed link in the forms in which it may be
/// stored; also unlocks the account. Returns `None` if the token was used meanwhile.
///
/// # Errors
///
/// [`Error::NotFound`] when there is no such user.
pub async fn reset_password(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    mailing: Mailing<'_>,
    (user_id, token): (i32, &[String]),
    password: &PasswordHash,
) -> Result<Option<RemainingTokens>> {
    if !mailed_tokens::use_reset(tx, user_id, token).await? {
        return Ok(None);
    }
    let user = users::find(tx, user_id).await?.ok_or(Error::NotFound)?;
    credentials::unlock(tx, user_id).await?;
    change_password(tx, actor, mailing, &user, password).await.map(Some)
}

/// Changes a user's password, and ends every browser that was signed in with the old one.
pub(super) async fn replace(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    user: &User,
    password: &PasswordHash,
) -> Result<()> {
    credentials::set_password(tx, user.id, password.as_str()).await?;
    record_user(tx, actor, "change_password", user).await
}
