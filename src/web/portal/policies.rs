//! What an application demands of those who connect: its admins change it.

use minijinja::context;

use super::organization_access::{OrganizationAccess, name_of};
use crate::{
    http::{Request, Response, StatusCode},
    operations::policies::{self as operations, CheckedPolicy, WrongEntry},
    store::{
        application_policies::{self, Policy},
        applications::Application,
        signing_secret::SigningSecret,
    },
    web::{
        App, Error,
        session::{Flash, Form, PageRequest},
    },
};

/// Maximum length of a list in the form, in characters.
const MAX_LIST: usize = 30_000;

/// Shows the policy of an application.
pub(in crate::web) async fn show(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of(&app, &request).await?;
    let access = OrganizationAccess::to_change(&app, &page, &request).await?;
    let mut conn = app.db.conn().await?;
    let application = access.application(&mut conn, &request).await?;
    let policy = application_policies::find(&mut conn, application.id).await?.policy;
    let flag = |is_set: bool| is_set.then_some("true");
    let form = Form::filled([
        ("accepts_signed", flag(policy.accepts_signed)),
        ("requires_restricted", flag(policy.requires_restricted)),
        ("named_topics", Some(policy.named_topics.as_str())),
        ("allowed_origins", Some(policy.allowed_origins.as_str())),
        ("ends_expired", flag(policy.ends_expired)),
    ]);
    render(&page, &access, &application, StatusCode::OK, &form)
}

/// Changes the policy of an application.
pub(in crate::web) async fn update(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of_form(&app, &request).await?;
    let access = OrganizationAccess::to_change(&app, &page, &request).await?;
    let application = access.application(&mut app.db.conn().await?, &request).await?;
    let mut form = Form::read(request.params(), "policy", &["accepts_signed", "requires_restricted", "ends_expired"]);
    for list in ["named_topics", "allowed_origins"] {
        form.read_long(request.params(), list, MAX_LIST);
    }
    let policy = CheckedPolicy::check(Policy {
        accepts_signed: form.is_checked("accepts_signed"),
        requires_restricted: form.is_checked("requires_restricted"),
        named_topics: form.value("named_topics").to_owned(),
        allowed_origins: form.value("allowed_origins").to_owned(),
        ends_expired: form.is_checked("ends_expired"),
    });
    let policy = match policy {
        Ok(policy) if form.is_valid() => policy,
        policy => {
            let wrong = policy.err().unwrap_or_default();
            wrong.into_iter().for_each(|WrongEntry { field, message }| form.error(field, message));
            return render(&page, &access, &application, StatusCode::UNPROCESSABLE_ENTITY, &form);
        }
    };
    let actor = page.actor();
    let change = app.db.transaction(async |tx| operations::update(tx, &actor, application.id, |_| Ok(policy)).await);
    change.await.map_err(super::applications::gone)?;
    let notice = "The access rules are saved. They apply to sockets that are opened from now on.";
    Ok(page.redirect(&access.path_of(&application), Flash::notice(notice)))
}

fn render(
    page: &PageRequest,
    access: &OrganizationAccess,
    application: &Application,
    status: StatusCode,
    form: &Form,
) -> Result<Response, Error> {
    let context = context! {
        title => format!("Access rules · {} · pusher-lite", name_of(application)),
        organization => access.context(),
        application => access.application_context(application),
        is_weak => is_weak(application),
        form => form.context(),
    };
    page.render(status, "portal/policy", "organizations", context)
}

/// Returns true if the application's secret is too weak to sign JWTs.
pub(super) fn is_weak(application: &Application) -> bool {
    application.app_secret.as_deref().is_none_or(|secret| SigningSecret::of(secret).is_none())
}
