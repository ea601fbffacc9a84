//! Accepting an invitation.

use minijinja::context;

use super::{
    invited::{Invited, Way},
    path_of, render,
};
use crate::{
    auth::Attempt,
    http::{Request, Response, StatusCode},
    operations::{Refusal, invitations as operations},
    store::{self, organizations::Organization},
    web::{
        App, Error,
        session::{Flash, Form, PageRequest},
    },
};

/// Shows the page of the link: it changes nothing by itself.
pub(in crate::web) async fn edit(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of(&app, &request).await?;
    page.attempt(Attempt::Link, None)?;
    let token = request.path_param("id");
    let Some(invited) = Invited::find(&app, &token).await? else { return gone(&page) };
    let form = Form::filled([("name", invited.invitation.name.as_deref())]);
    show(&page, StatusCode::OK, &token, &invited, &form)
}

/// Accepts the invitation: with a new account, or with that of the address.
pub(in crate::web) async fn accept(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of_form(&app, &request).await?;
    page.attempt(Attempt::Link, None)?;
    let token = request.params().text("token").unwrap_or_default();
    let Some(invited) = Invited::find(&app, &token).await? else { return gone(&page) };
    match invited.way(&page) {
        Way::SignUp => sign_up(&app, page, &request, &token, &invited).await,
        Way::Accept => join(&app, &page, &invited).await,
        Way::SignIn | Way::SignOut | Way::Closed => {
            show(&page, StatusCode::FORBIDDEN, &token, &invited, &Form::default())
        }
    }
}

async fn sign_up(
    app: &App,
    mut page: PageRequest,
    request: &Request,
    token: &str,
    invited: &Invited,
) -> Result<Response, Error> {
    let mut form = Form::read(request.params(), "user", &["name", "password"]);
    form.require(&["name", "password"]);
    let Some(password) = form.new_password().filter(|_| form.is_valid()) else {
        return show(&page, StatusCode::UNPROCESSABLE_ENTITY, token, invited, &form);
    };
    let hash = password.hash().await.map_err(Error::internal)?;
    let (actor, chosen) = (page.actor(), (form.value("name"), &hash));
    let rules = (&*app.sign_up, app.mailing());
    let (accepting, account) = (invited.accepting(), invited.account.as_ref().map(|account| account.id));
    let accept = app
        .db
        .transaction(async |tx| operations::accept_with_account(tx, &actor, rules, accepting, account, chosen).await);
    match accept.await {
        Ok((user, organizations)) => {
            page.sign_in_by_link(user).await?;
            Ok(welcome(&page, &organizations, "Welcome! Your account is ready."))
        }
        // Another request was faster, with the link or with the address.
        Err(Refusal::Store(store::Error::NotFound | store::Error::Duplicate { .. })) => gone(&page),
        Err(Refusal::Store(error)) => Err(error.into()),
        Err(Refusal::Rule(rule)) => {
            form.error("base", rule.message());
            show(&page, StatusCode::FORBIDDEN, token, invited, &form)
        }
    }
}

/// Accepts with the account that the visitor is signed in to.
async fn join(app: &App, page: &PageRequest, invited: &Invited) -> Result<Response, Error> {
    let (user, actor) = (page.require_user()?, page.actor());
    let joining = app.db.transaction(async |tx| operations::accept(tx, &actor, invited.accepting(), user.id).await);
    match joining.await {
        Ok(organizations) => Ok(welcome(page, &organizations, "You have accepted the invitation.")),
        Err(store::Error::NotFound) => gone(page),
        Err(error) => Err(error.into()),
    }
}

fn welcome(page: &PageRequest, organizations: &[Organization], message: &str) -> Response {
    let path = match organizations {
        [] => "/account".to_owned(),
        [organization] => path_of(organization.id),
        _ => "/account/organizations".to_owned(),
    };
    page.redirect(&path, Flash::notice(message))
}

fn show(
    page: &PageRequest,
    status: StatusCode,
    token: &str,
    invited: &Invited,
    form: &Form,
) -> Result<Response, Error> {
    let way = match invited.way(page) {
        Way::SignUp => "sign_up",
        Way::Closed => "closed",
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
    render(page, status, "invitation_accept", context)
}

/// Returns the path to sign in, and then come back here.
fn sign_in_path(token: &str) -> String {
    let query =
        form_urlencoded::Serializer::new(String::new()).append_pair("return_to", &operations::path(token)).finish();
    format!("/sessions/new?{query}")
}

/// Answers for an invitation that was used, withdrawn, or never there; the server no longer knows which.
fn gone(page: &PageRequest) -> Result<Response, Error> {
    let title = "This invitation can no longer be used · pusher-lite";
    render(page, StatusCode::GONE, "invitation_gone", context! { title })
}
