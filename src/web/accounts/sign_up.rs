//! What signing up creates: a user, an organization that they administer, and a token; all of it, or nothing.

use super::{
    letters,
    links::{Link, Recipient},
};
use crate::{
    app::App,
    auth::password,
    mail::Letter,
    store::{
        self, Transaction,
        audit::{self, Actor, NewEntry},
        credentials,
        organizations::{self, NewOrganization},
        user_tokens,
        users::{self, NewUser},
    },
    web::{Error, slug::slugify, visits::Form},
};

/// In URLs, organizations whose name cannot be spelled there.
const SLUG: &str = "organization";
/// Somebody else may take the same address or slug at the same time: so often it is tried again.
const TRIES: usize = 3;

/// Signs up whoever filled in the form, which is valid. Where the address has an account, its owner is told instead;
/// either way the password is hashed and a mail is written.
pub(super) async fn sign_up(app: &App, form: &Form, actor: &Actor) -> Result<(), Error> {
    let hash = password::hash(form.value("password")).await.map_err(Error::internal)?;
    for _ in 0..TRIES {
        match app.db.transaction(async |tx| create_or_tell(tx, app, form, &hash, actor).await).await {
            Err(store::Error::Duplicate { .. }) => {}
            done => {
                done?;
                app.accounts.postbox.wake();
                return Ok(());
            }
        }
    }
    Err(Error::Unavailable("others sign up with the same name at the same time".into()))
}

async fn create_or_tell(
    tx: &mut Transaction<'_>,
    app: &App,
    form: &Form,
    hash: &str,
    actor: &Actor,
) -> store::Result<()> {
    let email = form.value("email");
    if credentials::is_taken(tx, email).await? {
        return tell(tx, app, email).await;
    }
    let new = NewUser { name: form.value("name"), email, password_hash: Some(hash), is_root: false, confirmed: false };
    let user = users::create(tx, &new).await?;
    let name = form.value("organization_name");
    let slug = Some(slugify(name)).filter(|slug| !slug.is_empty()).unwrap_or_else(|| SLUG.to_owned());
    let slug = organizations::free_slug(tx, &slug).await?;
    organizations::create(tx, &NewOrganization { name, slug: &slug, archived_at: None }, user.id).await?;
    user_tokens::create(tx, user.id).await?;
    let details = format!("with the organization {slug}");
    let entry = NewEntry { action: "sign_up", resource: "users", resource_id: Some(user.id), details: &details };
    audit::record(tx, &Actor { id: Some(user.id), name: user.email.clone(), ip: actor.ip.clone() }, &entry).await?;
    Link::Confirmation.send(tx, app, Recipient { id: user.id, name: new.name, email }).await
}

/// Tells the owner of an address that somebody signs up with it.
pub(super) async fn tell(tx: &mut Transaction<'_>, app: &App, email: &str) -> store::Result<()> {
    let owner = credentials::find_by_email(tx, email).await?.map(|found| found.user);
    let name = owner.as_ref().and_then(|owner| owner.name.as_deref()).unwrap_or_default();
    let address = owner.as_ref().and_then(|owner| owner.email.as_deref()).unwrap_or(email);
    let base_url = &app.pages.site.base_url;
    let (sign_in_url, reset_url) = (&format!("{base_url}/sessions/new"), &format!("{base_url}/passwords/new"));
    letters::write(tx, app, address, &Letter::AlreadyRegistered { name, sign_in_url, reset_url }).await
}
