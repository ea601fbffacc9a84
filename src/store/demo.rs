//! Demo data, as in the original's seeds, and the guest user of the visitors of `/demo`.

use std::fmt;

use super::{
    Db, DbConn, Reference, Result, Transaction,
    application_policies::{self, Policy},
    applications::{self, NewApplication},
    enrollments,
    organizations::{self, NewOrganization},
    user_tokens,
    users::{self, NewUser},
};

/// The address of the root user.
pub const ADMIN_EMAIL: &str = "admin@example.com";
/// The password for the root user.
pub const ADMIN_PASSWORD: &str = "password";
/// The address of the guest, who has no password and so cannot sign in.
pub const GUEST_EMAIL: &str = "guest@example.com";
/// The slug of the organization.
pub const ORGANIZATION: &str = "acme-inc";

/// The demo data that is in the database.
#[derive(Clone, PartialEq, Eq)]
pub struct Demo {
    /// The address of the root user.
    pub admin_email: String,
    /// A valid token of the root user, unless all were invalidated.
    pub token: Option<String>,
    /// The slug of the organization.
    pub organization: String,
    /// The key of its first active application.
    pub app_key: String,
    /// The guest.
    pub guest_id: i32,
}

/// Omits the token, which is a secret.
impl fmt::Debug for Demo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Demo").field("guest_id", &self.guest_id).finish_non_exhaustive()
    }
}

/// Fills in the demo data, if there is neither a user nor an application. Returns true if it did.
///
/// `password_hash` is the bcrypt hash of [`ADMIN_PASSWORD`]. If several processes do this at the same time, only one
/// succeeds: the address of the root user is unique, and the others find it taken.
///
/// # Errors
///
/// Database errors.
pub async fn seed(db: &Db, password_hash: &str) -> Result<bool> {
    let seeded = db
        .transaction(async |tx: &mut Transaction<'_>| {
            if users::any(tx).await? || applications::any(tx).await? {
                return Ok(false);
            }
            insert(tx, password_hash).await?;
            Ok(true)
        })
        .await;
    match seeded {
        Err(super::Error::Duplicate { .. }) => Ok(false),
        other => other,
    }
}

async fn insert(tx: &mut Transaction<'_>, password_hash: &str) -> Result<()> {
    let admin = NewUser {
        name: "Test Admin",
        email: ADMIN_EMAIL,
        password_hash: Some(password_hash),
        is_root: true,
        confirmed: true,
    };
    let admin = users::create(tx, &admin).await?;
    let acme = NewOrganization { name: "Acme Inc.", slug: ORGANIZATION, archived_at: None };
    let acme = organizations::create(tx, &acme, admin.id).await?;
    let [app_key, app_secret] = [(); 2].map(|()| applications::new_key());
    let app = NewApplication { name: "Test App", app_key: &app_key, app_secret: &app_secret, archived_at: None };
    let app = applications::create(tx, acme.id, &app).await?;
    application_policies::set(tx, app.id, &Policy::OF_NEW).await?;
    user_tokens::create(tx, admin.id).await?;
    let guest = NewUser { name: "Guest", email: GUEST_EMAIL, password_hash: None, is_root: false, confirmed: true };
    let guest = users::create(tx, &guest).await?;
    enrollments::create(tx, guest.id, acme.id, false).await?;
    Ok(())
}

/// Returns the demo data, if it is there: a guest without a password and an application that the guest may use.
///
/// # Errors
///
/// Database errors.
pub async fn find(conn: &mut DbConn) -> Result<Option<Demo>> {
    let Some(admin) = users::find_by_email(conn, ADMIN_EMAIL).await? else {
        return Ok(None);
    };
    let Some(guest) = users::find_by_email(conn, GUEST_EMAIL).await? else {
        return Ok(None);
    };
    if users::password_hash(conn, guest.id).await?.is_some() {
        return Ok(None);
    }
    if organizations::find(conn, &guest, Reference::Name(ORGANIZATION)).await?.is_none() {
        return Ok(None);
    }
    let applications = applications::list(conn, Reference::Name(ORGANIZATION)).await?;
    let Some(app_key) = applications.into_iter().find_map(|application| application.app_key) else {
        return Ok(None);
    };
    Ok(Some(Demo {
        admin_email: ADMIN_EMAIL.to_owned(),
        token: user_tokens::first_active_of(conn, admin.id).await?.map(|token| token.token),
        organization: ORGANIZATION.to_owned(),
        app_key,
        guest_id: guest.id,
    }))
}
