//! Deleting one's own account, and what becomes of one's organizations.
//!
//! Those that nobody else belongs to are deleted along. Those that others belong to, but nobody else administers, would be
//! out of everybody's hands: somebody else has to become their admin first.

use minijinja::context;

use super::changes::check_current_password;
use crate::{
    app::App,
    http::{Response, StatusCode},
    store::{
        self, Transaction,
        audit::{self, NewEntry},
        departures::{self, Departure, Obstacle},
        users::User,
    },
    web::{
        Error, revocation,
        visits::{Form, Visit},
    },
};

/// Asks for the password, and says what is deleted, or why nothing can be.
pub(super) async fn page(
    app: &App,
    visit: &Visit,
    user: &User,
    status: StatusCode,
    form: &Form,
) -> Result<Response, Error> {
    let outlook = departures::outlook(&mut app.db.conn().await?, user).await?;
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
    visit.page(status, "accounts/delete", "account", context)
}

/// Deletes the account; `false` when something stands in the way, which the form or the page says.
pub(super) async fn depart(app: &App, visit: &Visit, user: &User, form: &mut Form) -> Result<bool, Error> {
    check_current_password(app, visit, user, form).await?;
    if !form.is_valid() {
        return Ok(false);
    }
    match app.db.transaction(async |tx| delete(tx, visit, user).await).await {
        Ok(departure) => {
            close_sockets(app, user.id, &departure);
            Ok(true)
        }
        Err(Obstacle::InTheWay) => Ok(false),
        Err(Obstacle::Failed(error)) => Err(error.into()),
    }
}

async fn delete(tx: &mut Transaction<'_>, visit: &Visit, user: &User) -> Result<Departure, Obstacle> {
    let entry = NewEntry { action: "delete", resource: "users", resource_id: Some(user.id), details: "own account" };
    let actor = visit.actor();
    audit::record(tx, &actor, &entry).await?;
    let departure = departures::depart(tx, user).await?;
    for (organization, deleted) in &departure.organizations {
        audit::record_deleted(tx, &actor, (organization.id, organization.name.as_deref()), deleted).await?;
    }
    Ok(departure)
}

fn close_sockets(app: &App, user_id: i32, departure: &Departure) {
    app.hub.close_user(user_id.into());
    for (organization, deleted) in &departure.organizations {
        revocation::organization_deleted(&app.hub, organization.id, deleted);
    }
}
