//! Who belongs to an organization. One of them at least is an admin, always.

use minijinja::{Value, context};

use super::place::Place;
use crate::{
    app::App,
    http::{Request, Response},
    store::{
        self, DbConn, Transaction,
        audit::{self, NewEntry},
        enrollments::{self, Enrollment},
        users::{self, User},
    },
    web::{
        Error, revocation,
        visits::{Flash, Visit},
    },
};

/// Makes a member an admin, or takes that back (`is_admin`).
pub(in crate::web) async fn update(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of_form(&app, &request).await?;
    let place = Place::to_change(&app, &visit, &request).await?;
    let is_admin = match request.params().require_text("is_admin")?.as_str() {
        "true" => true,
        "false" => false,
        _ => return Err(Error::bad_request("is_admin is neither true nor false")),
    };
    let (member, organization_id) = (member(&app, &place, &request).await?, place.organization.id);
    let (actor, details) =
        (visit.actor(), details(&place, &member, if is_admin { "is an admin" } else { "is a member" }));
    let change = app.db.transaction(async |tx| {
        if !is_admin && enrollments::is_last_admin(tx, member.id, organization_id).await? {
            return Ok(false);
        }
        let enrollment = enrollments::set_admin(tx, member.id, organization_id, is_admin).await?;
        audit::record(tx, &actor, &entry("update", &enrollment, &details)).await?;
        Ok(true)
    });
    if !change.await.map_err(gone)? {
        return Ok(visit.redirect(&place.path(), keeps_an_admin()));
    }
    let notice = match is_admin {
        true => format!("{} is an admin now.", name_of(&member)),
        false => format!("{} is no admin any more.", name_of(&member)),
    };
    Ok(visit.redirect(&place.path(), Flash::notice(notice)))
}

/// Removes a member, or oneself, and closes the sockets that lived by the enrollment.
pub(in crate::web) async fn delete(app: App, request: Request) -> Result<Response, Error> {
    let visit = Visit::of_form(&app, &request).await?;
    let place = Place::of(&app, &visit, &request).await?;
    let is_self = request.path_param("user_id").parse() == Ok(visit.require_user()?.id);
    if !is_self {
        place.require_admin(&visit)?;
    }
    let (member, organization_id) = (member(&app, &place, &request).await?, place.organization.id);
    let (actor, details) = (visit.actor(), details(&place, &member, if is_self { "left" } else { "was removed" }));
    let removal = app.db.transaction(async |tx| {
        if enrollments::is_last_admin(tx, member.id, organization_id).await? {
            return Ok(false);
        }
        let enrollment = take_enrollment(tx, member.id, organization_id).await?;
        audit::record(tx, &actor, &entry("delete", &enrollment, &details)).await?;
        Ok(true)
    });
    if !removal.await.map_err(gone)? {
        return Ok(visit.redirect(&place.path(), keeps_an_admin()));
    }
    revocation::enrollment_ended(&app.hub, member.id, organization_id);
    if is_self && !visit.require_user()?.is_root {
        let notice = Flash::notice(format!("You have left {}.", place.name()));
        return Ok(visit.redirect("/account/organizations", notice));
    }
    let notice = format!("{} is removed from {}.", name_of(&member), place.name());
    Ok(visit.redirect(&place.path(), Flash::notice(notice)))
}

/// The members for the organization's page.
pub(super) async fn rows(conn: &mut DbConn, visit: &Visit, place: &Place) -> Result<Vec<Value>, Error> {
    let members = enrollments::members(conn, place.organization.id).await?;
    let user_id = visit.require_user()?.id;
    let admins = members.iter().filter(|(enrollment, _)| enrollment.is_admin).count();
    let row = |(enrollment, user): &(Enrollment, User)| {
        context! {
            name => name_of(user),
            email => &user.email,
            path => format!("{}/members/{}", place.path(), user.id),
            is_admin => enrollment.is_admin,
            is_last_admin => enrollment.is_admin && admins == 1,
            is_self => user.id == user_id,
        }
    };
    Ok(members.iter().map(row).collect())
}

/// The member whom the path names as `user_id`.
async fn member(app: &App, place: &Place, request: &Request) -> Result<User, Error> {
    let id = request.path_param("user_id").parse().map_err(|_| Error::NotFound("member"))?;
    let mut conn = app.db.conn().await?;
    let enrollment = enrollments::find(&mut conn, id, place.organization.id).await?;
    let user = match enrollment {
        Some(_) => users::find(&mut conn, id).await?,
        None => None,
    };
    user.ok_or(Error::NotFound("member"))
}

/// Ends the enrollment, and returns what it was.
async fn take_enrollment(tx: &mut Transaction<'_>, user_id: i32, organization_id: i32) -> store::Result<Enrollment> {
    let found = enrollments::find(tx, user_id, organization_id).await?.ok_or(store::Error::NotFound)?;
    enrollments::delete(tx, user_id, organization_id).await?;
    Ok(found)
}

fn entry<'a>(action: &'a str, enrollment: &Enrollment, details: &'a str) -> NewEntry<'a> {
    NewEntry { action, resource: "enrollments", resource_id: Some(enrollment.id), details }
}

fn details(place: &Place, member: &User, what: &str) -> String {
    let who = member.email.as_deref().unwrap_or("somebody without an address");
    format!("{who} (user {}) {what} in {} (organization {})", member.id, place.name(), place.organization.id)
}

fn keeps_an_admin() -> Flash {
    Flash::error("An organization keeps at least one admin. Make somebody else an admin first.")
}

/// Somebody else was quicker.
fn gone(error: store::Error) -> Error {
    match error {
        store::Error::NotFound => Error::NotFound("member"),
        error => error.into(),
    }
}

fn name_of(user: &User) -> &str {
    user.name.as_deref().or(user.email.as_deref()).unwrap_or("Somebody without a name")
}
