//! New accounts: by a root user or the command line, by sign-up, and by an invitation.

use super::{RESOURCE, SignUpPolicy, record, sign_up_policy::MayOpenAccount};
use crate::{
    auth::PasswordHash,
    mail::Letter,
    operations::{Link, Mailing, Quota, Recipient, Refusal, organizations},
    store::{
        Error, Result, Transaction,
        audit::{Actor, Differences},
        credentials,
        users::{self, NewUser, User},
    },
};

/// An account to create. Texts must fit 255 characters and hold no NUL.
#[derive(Debug)]
pub struct NewAccount<'a> {
    /// The name to show.
    pub name: &'a str,
    /// The address to sign in with.
    pub email: &'a str,
    /// The hash of the password; a user without one cannot sign in.
    pub password: Option<&'a PasswordHash>,
    /// True if every organization is open to the user.
    pub is_root: bool,
    /// True if the address counts as confirmed.
    pub is_confirmed: bool,
}

/// A sign-up: a new account with an organization.
#[derive(Debug)]
pub struct SignUp<'a> {
    /// Name of the user.
    pub name: &'a str,
    /// Address of the user.
    pub email: &'a str,
    /// The hash of the password.
    pub password: &'a PasswordHash,
    /// Name of the organization that the user administers.
    pub organization: &'a str,
}

/// Creates an account.
///
/// # Errors
///
/// [`Error::Duplicate`] when the address is taken, ignoring case.
pub async fn create(tx: &mut Transaction<'_>, actor: &Actor, new: &NewAccount<'_>) -> Result<User> {
    if credentials::is_taken(tx, new.email).await? {
        return Err(Error::Duplicate { field: "email" });
    }
    let user = users::create(tx, &row(new)).await?;
    record(tx, actor, "create", (RESOURCE, user.id), &described(new)).await?;
    Ok(user)
}

/// Creates an account as [`create`] does, for a visitor who is its user. Returns the visitor as an actor, too.
///
/// # Errors
///
/// As [`create`].
pub(in crate::operations) async fn create_for_invited(
    tx: &mut Transaction<'_>,
    visitor: &Actor,
    permit: MayOpenAccount,
    new: &NewAccount<'_>,
) -> Result<(User, Actor)> {
    if credentials::is_taken(tx, new.email).await? {
        return Err(Error::Duplicate { field: "email" });
    }
    create_own(tx, visitor, permit, "create", new).await
}

/// Gives an account whose address was never confirmed to the person who has just proven to own the address, with a new
/// name and password, since it is unknown who chose the old ones. Returns the visitor as an actor, too.
///
/// # Errors
///
/// [`Error::NotFound`] when the address was confirmed meanwhile, or the account is suspended or deleted.
pub(in crate::operations) async fn claim(
    tx: &mut Transaction<'_>,
    visitor: &Actor,
    _permit: MayOpenAccount,
    (id, name, password): (i32, &str, &PasswordHash),
) -> Result<(User, Actor)> {
    let before = users::lock(tx, id).await?;
    if !users::claim(tx, id, name, password.as_str()).await? {
        return Err(Error::NotFound);
    }
    let user = users::find(tx, id).await?.ok_or(Error::NotFound)?;
    let actor = own_actor(&user, visitor);
    let mut details = super::named(&user);
    details.column("name", before.name.as_deref(), user.name.as_deref());
    details.secret("password");
    record(tx, &actor, "claim", (RESOURCE, id), &details).await?;
    Ok((user, actor))
}

/// Signs a visitor up: creates an account and an organization that it administers, and mails a link to confirm the
/// address. Creates no token (D46). If the address has an account, its owner is told by mail instead.
///
/// # Errors
///
/// The errors of [`SignUpPolicy::check_sign_up`]; [`Error::Duplicate`] when another transaction takes the address or the
/// slug of the organization at the same time.
pub async fn sign_up(
    tx: &mut Transaction<'_>,
    visitor: &Actor,
    policy: &SignUpPolicy,
    mailing: Mailing<'_>,
    new: &SignUp<'_>,
) -> Result<(), Refusal> {
    // Before the look for the address, so that a refusal says nothing about it.
    let permit = policy.permit_sign_up(tx, new.email).await?;
    if credentials::is_taken(tx, new.email).await? {
        return Ok(tell_owner(tx, mailing, new.email).await?);
    }
    let account = NewAccount {
        name: new.name,
        email: new.email,
        password: Some(new.password),
        is_root: false,
        is_confirmed: false,
    };
    let (user, actor) = create_own(tx, visitor, permit, "sign_up", &account).await?;
    organizations::create_named(tx, &actor, new.organization, user.id, Quota::Unlimited).await?;
    let to = Recipient { id: user.id, name: new.name, email: new.email };
    Ok(Link::Confirmation.send(tx, mailing, to).await?)
}

/// Mails the owner of an address that another person signed up with it, or wanted to change to it.
pub(super) async fn tell_owner(tx: &mut Transaction<'_>, mailing: Mailing<'_>, email: &str) -> Result<()> {
    let owner = credentials::find_by_email(tx, email).await?.map(|found| found.user);
    let name = owner.as_ref().and_then(|owner| owner.name.as_deref()).unwrap_or_default();
    let address = owner.as_ref().and_then(|owner| owner.email.as_deref()).unwrap_or(email);
    let (sign_in_url, reset_url) = (&mailing.url("/sessions/new"), &mailing.url("/passwords/new"));
    mailing.write(tx, address, &Letter::AlreadyRegistered { name, sign_in_url, reset_url }).await
}

async fn create_own(
    tx: &mut Transaction<'_>,
    visitor: &Actor,
    _permit: MayOpenAccount,
    action: &str,
    new: &NewAccount<'_>,
) -> Result<(User, Actor)> {
    let user = users::create(tx, &row(new)).await?;
    let actor = own_actor(&user, visitor);
    record(tx, &actor, action, (RESOURCE, user.id), &described(new)).await?;
    Ok((user, actor))
}

fn own_actor(user: &User, visitor: &Actor) -> Actor {
    Actor { id: Some(user.id), name: user.email.clone(), ip: visitor.ip.clone() }
}

fn row<'a>(new: &NewAccount<'a>) -> NewUser<'a> {
    NewUser {
        name: new.name,
        email: new.email,
        password_hash: new.password.map(PasswordHash::as_str),
        is_root: new.is_root,
        confirmed: new.is_confirmed,
    }
}

fn described(new: &NewAccount<'_>) -> Differences {
    let mut details = Differences::default();
    details.column("email", None, Some(new.email));
    details.column("name", None, Some(new.name));
    details.flag("is_root", None, new.is_root);
    details.flag("confirmed", None, new.is_confirmed);
    details
}
