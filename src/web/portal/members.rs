//! Members of an organization. At least one of them is always an admin.

use minijinja::{Value, context};

use super::organization_access::OrganizationAccess;
use crate::{
    http::{Request, Response},
    operations::{
        Refusal,
        members::{self as operations, LastAdmin},
    },
    store::{
        self, DbConn, Transaction,
        enrollments::{self, ActiveAdmins, Enrollment},
        users::{self, User},
    },
    web::{
        App, Error,
        session::{Flash, PageRequest},
    },
};

/// Makes a member an admin, or an ordinary member (`is_admin`).
pub(in crate::web) async fn update(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of_form(&app, &request).await?;
    let access = OrganizationAccess::to_change(&app, &page, &request).await?;
    let is_admin = match request.params().require_text("is_admin")?.as_str() {
        "true" => true,
        "false" => false,
        _ => return Err(Error::bad_request("is_admin is neither true nor false")),
    };
    let (member, organization_id) = (member(&app, &access, &request).await?, access.organization.id);
    let (actor, ids) = (page.actor(), (member.id, organization_id));
    let change =
        app.db.transaction(async |tx| operations::set_admin(tx, &actor, ids, is_admin, LastAdmin::Stays).await);
    change.await.map_err(|refusal| refused(&page, &access, refusal))?;
    let notice = match is_admin {
        true => format!("{} is an admin now.", name_of(&member)),
        false => format!("{} is no longer an admin.", name_of(&member)),
    };
    Ok(page.redirect(&access.path(), Flash::notice(notice)))
}

/// Removes a member, or the visitor, and closes the sockets that depended on the enrollment.
pub(in crate::web) async fn delete(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of_form(&app, &request).await?;
    let access = OrganizationAccess::of(&app, &page, &request).await?;
    let is_self = request.path_param("user_id").parse() == Ok(page.require_user()?.id);
    if !is_self {
        access.require_admin(&page)?;
    }
    let (member, organization_id) = (member(&app, &access, &request).await?, access.organization.id);
    let actor = page.actor();
    let remove = async |tx: &mut Transaction<'_>| {
        operations::remove(tx, &actor, member.id, organization_id, LastAdmin::Stays).await
    };
    app.db.transaction(remove).await.map_err(|refusal| refused(&page, &access, refusal))?;
    if is_self && !page.require_user()?.is_root {
        let notice = Flash::notice(format!("You have left {}.", access.name()));
        return Ok(page.redirect("/account/organizations", notice));
    }
    let notice = format!("{} is removed from {}.", name_of(&member), access.name());
    Ok(page.redirect(&access.path(), Flash::notice(notice)))
}

/// Returns the members for the organization's page.
pub(super) async fn rows(
    conn: &mut DbConn,
    page: &PageRequest,
    access: &OrganizationAccess,
) -> Result<Vec<Value>, Error> {
    let members = enrollments::members(conn, access.organization.id).await?;
    let user_id = page.require_user()?.id;
    let admins = ActiveAdmins::of(conn, access.organization.id).await?;
    let row = |(enrollment, user): &(Enrollment, User)| {
        context! {
            name => name_of(user),
            email => &user.email,
            path => format!("{}/members/{}", access.path(), user.id),
            is_admin => enrollment.is_admin,
            is_last_admin => enrollment.is_admin && !admins.remain_without(user.id),
            is_self => user.id == user_id,
        }
    };
    Ok(members.iter().map(row).collect())
}

/// Returns the member that the path names as `user_id`.
async fn member(app: &App, access: &OrganizationAccess, request: &Request) -> Result<User, Error> {
    let id = request.path_param("user_id").parse().map_err(|_| Error::NotFound("member"))?;
    let mut conn = app.db.conn().await?;
    let enrollment = enrollments::find(&mut conn, id, access.organization.id).await?;
    let user = match enrollment {
        Some(_) => users::find(&mut conn, id).await?,
        None => None,
    };
    user.ok_or(Error::NotFound("member"))
}

/// Shows the rule that refuses a change on the organization's page. A member who is missing was removed by another
/// request, which was faster.
fn refused(page: &PageRequest, access: &OrganizationAccess, refusal: Refusal) -> Error {
    match refusal {
        Refusal::Rule(rule) => Error::elsewhere(page.redirect(&access.path(), Flash::error(rule.message()))),
        Refusal::Store(store::Error::NotFound) => Error::NotFound("member"),
        Refusal::Store(error) => error.into(),
    }
}

fn name_of(user: &User) -> &str {
    user.name.as_deref().or(user.email.as_deref()).unwrap_or("Unnamed user")
}
