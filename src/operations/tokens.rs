//! Tokens of users: created, invalidated, restored and deleted.

use chrono::{Datelike, NaiveDateTime, SubsecRound};

use super::{Quota, Refusal, Rule, record};
use crate::store::{
    Result, Transaction, admin,
    audit::{Actor, Differences},
    check_text, now,
    token_scope::TokenScope,
    user_suspensions::{self, Standing},
    user_token_settings::{self, TokenSettings},
    user_tokens::{self, UserToken},
    users,
};

const RESOURCE: &str = "user_tokens";

/// Maximum number of characters of a token's name.
pub const MAX_NAME_CHARACTERS: usize = 100;

/// Settings of a token to create, which suit the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewToken(TokenSettings);

/// Reason why a token cannot have a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenFault {
    /// The name has more than [`MAX_NAME_CHARACTERS`].
    #[error("should be at most {MAX_NAME_CHARACTERS} character(s)")]
    NameTooLong,
    /// The name contains a character that no column holds.
    #[error("is invalid")]
    NameInvalid,
    /// The scope is of a later version.
    #[error("is invalid")]
    ScopeInvalid,
    /// The scope is wider than that of the token that creates this one.
    #[error("must not be wider than that of your own token")]
    ScopeTooWide,
    /// The expiry is not in the future.
    #[error("must be in the future")]
    ExpiryPast,
    /// No column holds the expiry.
    #[error("must be before the year 10000")]
    ExpiryTooLate,
    /// The expiry is after that of the token that creates this one.
    #[error("must not be after that of your own token")]
    ExpiryAfterOwn,
}

impl TokenFault {
    /// Returns the name of the setting.
    pub const fn field(self) -> &'static str {
        match self {
            Self::NameTooLong | Self::NameInvalid => "name",
            Self::ScopeInvalid | Self::ScopeTooWide => "scope",
            Self::ExpiryPast | Self::ExpiryTooLate | Self::ExpiryAfterOwn => "expires_at",
        }
    }
}

impl NewToken {
    /// Returns the settings of a token as the original creates them: all that its user may do, without an expiry.
    pub fn unlimited() -> Self {
        Self(TokenSettings::ABSENT)
    }

    /// Checks the settings of a token. A name of blanks is none, and the expiry is cut to whole seconds.
    ///
    /// # Errors
    ///
    /// The first [`TokenFault`] of each setting.
    pub fn check(
        name: Option<&str>,
        scope: TokenScope,
        expires_at: Option<NaiveDateTime>,
    ) -> Result<Self, Vec<TokenFault>> {
        let name = name.map(str::trim).filter(|name| !name.is_empty());
        let expires_at = expires_at.map(|time| time.trunc_subsecs(0));
        let faults = [name.and_then(fault_of_name), fault_of_scope(scope), expires_at.and_then(fault_of_expiry)];
        let faults: Vec<_> = faults.into_iter().flatten().collect();
        if faults.is_empty() {
            Ok(Self(TokenSettings { name: name.map(str::to_owned), scope, expires_at }))
        } else {
            Err(faults)
        }
    }

    /// Limits the token to what the token has that creates it. Without an expiry of its own, it gets that of the other.
    ///
    /// # Errors
    ///
    /// [`TokenFault::ScopeTooWide`] and [`TokenFault::ExpiryAfterOwn`].
    pub fn created_by(self, own: &TokenSettings) -> Result<Self, TokenFault> {
        let Self(settings) = self;
        if !own.scope.includes(settings.scope) {
            return Err(TokenFault::ScopeTooWide);
        }
        let expires_at = settings.expires_at.or(own.expires_at);
        if own.expires_at.is_some_and(|own| expires_at.is_none_or(|expires_at| expires_at > own)) {
            return Err(TokenFault::ExpiryAfterOwn);
        }
        Ok(Self(TokenSettings { expires_at, ..settings }))
    }

    /// Returns the settings.
    pub fn settings(&self) -> &TokenSettings {
        &self.0
    }
}

fn fault_of_name(name: &str) -> Option<TokenFault> {
    if name.chars().nth(MAX_NAME_CHARACTERS).is_some() {
        return Some(TokenFault::NameTooLong);
    }
    check_text(name).is_err().then_some(TokenFault::NameInvalid)
}

fn fault_of_scope(scope: TokenScope) -> Option<TokenFault> {
    (!TokenScope::ALL.contains(&scope)).then_some(TokenFault::ScopeInvalid)
}

fn fault_of_expiry(expires_at: NaiveDateTime) -> Option<TokenFault> {
    if expires_at <= now() {
        return Some(TokenFault::ExpiryPast);
    }
    (expires_at.year() > 9999).then_some(TokenFault::ExpiryTooLate)
}

/// Creates a token for a user.
///
/// # Errors
///
/// [`Error::QuotaUsedUp`](crate::store::Error::QuotaUsedUp), and [`Error::NotFound`](crate::store::Error::NotFound) when
/// there is no such user.
pub async fn create(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    user_id: i32,
    new: &NewToken,
    quota: Quota<'_>,
) -> Result<UserToken> {
    if let Quota::Of(user, limits) = quota {
        limits.check_tokens(tx, user).await?;
    }
    let token = user_tokens::create(tx, user_id).await?;
    user_token_settings::create(tx, token.id, new.settings()).await?;
    record_token(tx, actor, "create", &token, new.settings()).await?;
    Ok(token)
}

/// Creates a token for another user, whom a root user or the operator names. No quota counts.
///
/// # Errors
///
/// [`Rule::SuspendedOwner`] and [`Rule::UnconfirmedOwner`]: such a token could not be used;
/// [`Error::NotFound`](crate::store::Error::NotFound) when there is no such user.
pub async fn create_for(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    user_id: i32,
    new: &NewToken,
) -> Result<UserToken, Refusal> {
    users::lock(tx, user_id).await?;
    if user_suspensions::standing(tx, user_id).await? == Standing::Ended {
        let is_suspended = user_suspensions::is_suspended(tx, user_id).await?;
        return Err(if is_suspended { Rule::SuspendedOwner } else { Rule::UnconfirmedOwner }.into());
    }
    Ok(create(tx, actor, user_id, new, Quota::Unlimited).await?)
}

/// Invalidates a token, and closes the sockets whose JWT came from it. Returns it, and whether it was valid; one that was
/// not gets a new time, as in the original.
///
/// # Errors
///
/// [`Error::NotFound`](crate::store::Error::NotFound) when there is no such token.
pub async fn invalidate(tx: &mut Transaction<'_>, actor: &Actor, id: i32) -> Result<(UserToken, bool)> {
    let was_valid = user_tokens::lock(tx, id).await?.invalidated_at.is_none();
    let token = user_tokens::invalidate(tx, id).await?;
    if was_valid {
        let settings = user_token_settings::find(tx, id).await?;
        record_token(tx, actor, "invalidate", &token, &settings).await?;
    }
    Ok((token, was_valid))
}

/// Invalidates all valid tokens of a user, and closes the sockets whose JWT came from one of them.
///
/// # Errors
///
/// Database errors.
pub async fn invalidate_all(tx: &mut Transaction<'_>, actor: &Actor, user_id: i32) -> Result<()> {
    for token in user_tokens::invalidate_all_of(tx, user_id).await? {
        let settings = user_token_settings::find(tx, token.id).await?;
        record_token(tx, actor, "invalidate", &token, &settings).await?;
    }
    Ok(())
}

/// Takes back that a token was invalidated. Returns true if it was. An expired token stays invalid.
///
/// # Errors
///
/// [`Error::NotFound`](crate::store::Error::NotFound) when there is no such token.
pub async fn restore(tx: &mut Transaction<'_>, actor: &Actor, id: i32) -> Result<bool> {
    let token = user_tokens::lock(tx, id).await?;
    let restored = admin::user_tokens::restore(tx, id).await?;
    if restored {
        let settings = user_token_settings::find(tx, id).await?;
        record_token(tx, actor, "restore", &token, &settings).await?;
    }
    Ok(restored)
}

/// Deletes a token with its settings and the record of its last use, and closes the sockets whose JWT came from it.
///
/// # Errors
///
/// As [`restore`].
pub async fn delete(tx: &mut Transaction<'_>, actor: &Actor, id: i32) -> Result<()> {
    let settings = user_token_settings::find(tx, id).await?;
    let token = admin::user_tokens::delete(tx, id).await?;
    record_token(tx, actor, "delete", &token, &settings).await
}

/// Records what happened to a token. Its last characters and its name are those by which its owner tells it from others.
async fn record_token(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    action: &str,
    token: &UserToken,
    settings: &TokenSettings,
) -> Result<()> {
    let mut details = Differences::default();
    details.note("user_id", token.user_id);
    if !token.ending().is_empty() {
        details.text("ends in", token.ending());
    }
    details.column("name", None, settings.name.as_deref());
    details.word("scope", settings.scope.name());
    details.time("expires_at", None, settings.expires_at);
    record(tx, actor, action, (RESOURCE, token.id), &details).await
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn in_days(days: i64) -> NaiveDateTime {
        now() + TimeDelta::days(days)
    }

    #[test]
    fn names_and_expiries_have_limits() {
        let check = |name: &str, expires_at| NewToken::check(Some(name), TokenScope::Read, expires_at);
        let longest = "ü".repeat(MAX_NAME_CHARACTERS);
        let named = check(&format!(" {longest} "), None).unwrap();
        assert_eq!(named.settings().name.as_deref(), Some(longest.as_str()));
        assert_eq!(check(" \t", None).unwrap().settings().name, None);
        assert_eq!(check(&format!("{longest}ü"), None), Err(vec![TokenFault::NameTooLong]));
        assert_eq!(check("a\0b", Some(now())), Err(vec![TokenFault::NameInvalid, TokenFault::ExpiryPast]));
        assert_eq!(check("", Some(in_days(366 * 9000))), Err(vec![TokenFault::ExpiryTooLate]));
        let expires_at = in_days(1) + TimeDelta::milliseconds(500);
        assert_eq!(check("", Some(expires_at)).unwrap().settings().expires_at, Some(expires_at.trunc_subsecs(0)));
        assert_eq!(NewToken::check(None, TokenScope::Unknown, None), Err(vec![TokenFault::ScopeInvalid]));
    }

    #[test]
    fn a_token_creates_none_with_more_than_its_own_scope() {
        for own in TokenScope::ALL {
            for scope in TokenScope::ALL {
                let new = NewToken::check(None, scope, None).unwrap();
                let created = new.created_by(&TokenSettings { scope: own, ..TokenSettings::ABSENT });
                assert_eq!(created.is_ok(), own.includes(scope), "{own:?} {scope:?}");
            }
        }
        let unknown = TokenSettings { scope: TokenScope::Unknown, ..TokenSettings::ABSENT };
        let publish = NewToken::check(None, TokenScope::Publish, None).unwrap();
        assert_eq!(publish.created_by(&unknown), Err(TokenFault::ScopeTooWide));
    }

    #[test]
    fn a_token_creates_none_that_outlives_it() {
        let own = TokenSettings { expires_at: Some(in_days(2)), ..TokenSettings::ABSENT };
        let created = |expires_at| NewToken::check(None, TokenScope::All, expires_at).unwrap().created_by(&own);
        assert_eq!(created(None).unwrap().settings().expires_at, own.expires_at);
        let earlier = Some(in_days(1));
        assert_eq!(created(earlier).unwrap().settings().expires_at, earlier);
        assert_eq!(created(Some(in_days(3))), Err(TokenFault::ExpiryAfterOwn));
        assert_eq!(NewToken::unlimited().created_by(&TokenSettings::ABSENT), Ok(NewToken::unlimited()));
    }
}
