//! Accepting an invitation.

use minijinja::context;

use super::{
    invited::{Invited, Way, enroll},
    name_of, page, path_of, token,
};
use crate::{
    app::App,
    auth::{Attempt, password},
    http::{Request, Response, StatusCode},
    mail::Letter,
    store::{
        self, Transaction,
        audit::{self, Actor, NewEntry},
        invitations::RESOURCE,
        organizations::Organization,
        user_tokens,
        users::{self, NewUser, User},
    },
    web::{
        Error,
        visits::{Flash, Form, Visit},
    },
};

/// What the link leads to: it changes nothing by itself.
pub(in crate::web) async fn edit(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of(&app, &request).await?;
    visit.attempt(Attempt::Link, None)?;
    let token = request.path_param("id");
    let Some(invited) = Invited::find(&app, &token).await? else { return gone(&visit) };
    let form = Form::filled([("name", invited.invitation.name.as_deref())]);
    show(&visit, StatusCode::OK, &token, &invited, &form)
}

/// Accepts: with a new account, or with that of the address.
pub(in crate::web) async fn accept(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of_form(&app, &request).await?;
    visit.attempt(Attempt::Link, None)?;
    let token = request.params().text("token").unwrap_or_default();
    let Some(invited) = Invited::find(&app, &token).await? else { return gone(&visit) };
    match invited.way(&visit) {
        Way::SignUp => sign_up(&app, visit, &request, &token, &invited).await,
        Way::Accept => join(&app, &visit, &invited).await,
        Way::SignIn | Way::SignOut => show(&visit, StatusCode::FORBIDDEN, &token, &invited, &Form::default()),
    }
}

async fn sign_up(
    app: &App,
    mut visit: Visit,
    request: &Request,
    token: &str,
    invited: &Invited,
) -> Result<Response, Error> {
    let mut form = Form::read(request.params(), "user", &["name", "password"]);
    check(&mut form);
    if !form.is_valid() {
        return show(&visit, StatusCode::UNPROCESSABLE_ENTITY, token, invited, &form);
    }
    let password_hash = password::hash(form.value("password")).await.map_err(Error::internal)?;
    let new = NewUser {
        name: form.value("name"),
        email: &invited.email,
        password_hash: Some(&password_hash),
        is_root: false,
        confirmed: true,
    };
    let actor = visit.actor();
    match app.db.transaction(async |tx| create_account(tx, app, &actor, invited, &new).await).await {
        Ok((user, organizations)) => {
            app.accounts.postbox.wake();
            visit.sign_in(user).await?;
            Ok(welcome(&visit, &organizations, "Welcome! Your account is ready."))
        }
        // Somebody was faster, with the link or with the address.
        Err(store::Error::NotFound | store::Error::Duplicate { .. }) => gone(&visit),
        Err(error) => Err(error.into()),
    }
}

async fn create_account(
    tx: &mut Transaction<'_>,
    app: &App,
    actor: &Actor,
    invited: &Invited,
    new: &NewUser<'_>,
) -> store::Result<(User, Vec<Organization>)> {
    let id = match &invited.account {
        Some(account) => {
            let hash = new.password_hash.unwrap_or_default();
            if !users::claim(tx, account.id, new.name, hash).await? {
                return Err(store::Error::NotFound);
            }
            account.id
        }
        None => users::create(tx, new).await?.id,
    };
    let user = users::find(tx, id).await?.ok_or(store::Error::NotFound)?;
    let actor = Actor { id: Some(id), name: user.email.clone(), ip: actor.ip.clone() };
    let organizations = enroll(tx, &actor, invited.invitation.id, id).await?;
    let token = match user_tokens::first_active_of(tx, id).await? {
        Some(token) => token,
        None => user_tokens::create(tx, id).await?,
    };
    record(tx, &actor, "create", "users", id, new.email).await?;
    record(tx, &actor, "accept", RESOURCE, invited.invitation.id, &details(invited, &organizations)).await?;
    let url = &format!("{}/account", app.pages.site.base_url);
    let letter = Letter::Welcome { name: new.name, token: &token.token, url };
    app.accounts.postbox.write(tx, &invited.email, &letter).await?;
    Ok((user, organizations))
}

/// With the account that the visitor is signed in to.
async fn join(app: &App, visit: &Visit, invited: &Invited) -> Result<Response, Error> {
    let (user, actor) = (visit.require_user()?, visit.actor());
    let joining = app.db.transaction(async |tx| {
        let organizations = enroll(tx, &actor, invited.invitation.id, user.id).await?;
        record(tx, &actor, "accept", RESOURCE, invited.invitation.id, &details(invited, &organizations)).await?;
        Ok(organizations)
    });
    match joining.await {
        Ok(organizations) => Ok(welcome(visit, &organizations, "You have accepted the invitation.")),
        Err(store::Error::NotFound) => gone(visit),
        Err(error) => Err(error.into()),
    }
}

fn details(invited: &Invited, organizations: &[Organization]) -> String {
    let names: Vec<&str> = organizations.iter().map(name_of).collect();
    match names.as_slice() {
        [] => invited.email.clone(),
        names => format!("{} to {}", invited.email, names.join(", ")),
    }
}

async fn record(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    action: &str,
    resource: &str,
    id: i32,
    details: &str,
) -> store::Result<()> {
    audit::record(tx, actor, &NewEntry { action, resource, resource_id: Some(id), details }).await
}

fn check(form: &mut Form) {
    form.require(&["name", "password"]);
    let password = form.value("password");
    let (characters, bytes) = (password.chars().count(), password.len());
    if (1..password::MIN_CHARACTERS).contains(&characters) {
        form.error("password", format!("should be at least {} characters", password::MIN_CHARACTERS));
    }
    if bytes > password::MAX_BYTES {
        form.error("password", format!("should be at most {} bytes", password::MAX_BYTES));
    }
}

fn welcome(visit: &Visit, organizations: &[Organization], message: &str) -> Response {
    let path = match organizations {
        [] => "/account".to_owned(),
        [organization] => path_of(organization.id),
        _ => "/account/organizations".to_owned(),
    };
    visit.redirect(&path, Flash::notice(message))
}

fn show(visit: &Visit, status: StatusCode, token: &str, invited: &Invited, form: &Form) -> Result<Response, Error> {
    let way = match invited.way(visit) {
        Way::SignUp => "sign_up",
        Way::SignIn => "sign_in",
        Way::SignOut => "sign_out",
        Way::Accept => "accept",
    };
    let context = context! {
        title => "You are invited · pusher-lite",
        way,
        token,
        sign_in_path => sign_in_path(token),
        email => &invited.email,
        organizations => &invited.organizations,
        form => form.context(),
    };
    page(visit, status, "invitation_accept", context)
}

/// To sign in, and then back here.
fn sign_in_path(token: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("return_to", &token::path(token)).finish();
    format!("/sessions/new?{query}")
}

/// Used, withdrawn, or never there: which one, nobody knows any more.
fn gone(visit: &Visit) -> Result<Response, Error> {
    let title = "This invitation can no longer be used · pusher-lite";
    page(visit, StatusCode::GONE, "invitation_gone", context! { title })
}
