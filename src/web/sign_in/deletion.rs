//! Deletion of the visitor's own account, with the consequences for their organizations.
//!
//! Organizations without other members are deleted too. Organizations with other members, but no other admin, would be
//! out of reach: another member has to become their admin first.

use minijinja::context;

use super::current_password;
use crate::{
    http::{Response, StatusCode},
    operations::{Refusal, Rule, accounts},
    store::{self, users::User},
    web::{
        App, Error,
        session::{Form, PageRequest},
    },
};

/// Asks for the password, and lists what is deleted, or the reasons against it.
pub(super) async fn render(
    app: &App,
    page: &PageRequest,
    user: &User,
    status: StatusCode,
    form: &Form,
) -> Result<Response, Error> {
    let outlook = accounts::outlook(&mut app.db.conn().await?, user).await?;
    let names = |organizations: &[store::organizations::Organization]| {
        organizations.iter().map(|organization| organization.name.clone().unwrap_or_default()).collect::<Vec<_>>()
    };
    let context = context! {
        title => "Delete your account · pusher-lite",
        form => form.context(),
        is_last_root => outlook.is_last_root,
        blocking => names(&outlook.blocking),
        ending => names(&outlook.ending),
    };
    page.render(status, "sign_in/delete", "account", context)
}

/// Deletes the account; `false` if it is not possible, with the reason in the form or on the page.
pub(super) async fn leave(app: &App, page: &PageRequest, user: &User, form: &mut Form) -> Result<bool, Error> {
    let actor = page.actor();
    let mut proven = current_password::check(app, page, user, form).await?;
    while let Some(password) = &proven {
        match app.db.transaction(async |tx| accounts::leave(tx, &actor, (user.id, password)).await).await {
            Ok(()) => return Ok(true),
            Err(Refusal::Rule(Rule::OtherPassword)) => {
                proven = current_password::check_again(app, user, form).await?;
            }
            Err(Refusal::Rule(_)) => return Ok(false),
            Err(Refusal::Store(error)) => return Err(error.into()),
        }
    }
    Ok(false)
}
