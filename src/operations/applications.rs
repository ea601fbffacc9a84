//! Applications: created, changed, archived, restored and deleted.

use super::record;
use crate::store::{
    Result, Transaction, admin,
    application_limits::{self, OwnSettings},
    application_policies::{self, Policy},
    applications::{self, Application, Changes, NewApplication},
    audit::{Actor, Differences},
    installation,
    signing_secret::SigningSecret,
};

pub(super) const RESOURCE: &str = "applications";

/// Returns true if a key may be that of an application. Topics are `lobby:<app_key>:<topic>`, so those of `key:a`
/// would be topics of the application `key`.
pub fn is_key(app_key: &str) -> bool {
    !app_key.contains(':')
}

/// Entrance by which an application is created. It decides on the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MadeIn {
    /// The pages of an organization. In a new installation some topics have to be named in JWTs (D42).
    Portal,
    /// REST or the admin. Nothing is demanded, as in the original.
    Elsewhere,
}

/// Patterns of the topics that have to be named in JWTs, for applications of [`MadeIn::Portal`].
const NAMED_TOPICS: &str = "private-*\npresence-*";

/// Creates an application that the organization owns. It accepts JWTs that are signed with its secret, if that is strong.
///
/// # Errors
///
/// [`Error::Duplicate`](crate::store::Error::Duplicate) when the key is taken, and
/// [`Error::NotFound`](crate::store::Error::NotFound) when there is no such organization.
pub async fn create(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    organization_id: i32,
    new: &NewApplication<'_>,
    made_in: MadeIn,
) -> Result<Application> {
    let application = applications::create(tx, organization_id, new).await?;
    let is_strict = made_in == MadeIn::Portal && installation::is_new(tx).await?;
    let named_topics = if is_strict { NAMED_TOPICS.to_owned() } else { String::new() };
    application_policies::set(tx, application.id, &Policy { named_topics, ..Policy::OF_NEW }).await?;
    let mut differences = differences(None, &application);
    differences.note("organization_id", organization_id);
    record(tx, actor, "create", (RESOURCE, application.id), &differences).await?;
    Ok(application)
}

/// Changes an application, and its limits unless they are `None`. Returns it, and whether anything changed. A new key closes
/// its sockets, and so does archiving.
///
/// # Errors
///
/// As [`create`].
pub async fn update(
    tx: &mut Transaction<'_>,
    actor: &Actor,
    id: i32,
    changes: &Changes,
    limits: Option<&OwnSettings>,
) -> Result<(Application, bool)> {
    let before = applications::lock(tx, id).await?;
    let after = applications::update(tx, id, changes).await?;
    let mut differences = differences(Some(&before), &after);
    if let Some(limits) = limits {
        set_limits(tx, id, limits, &mut differences).await?;
    }
    if !differences.is_empty() {
        record(tx, actor, "update", (RESOURCE, id), &differences).await?;
    }
    Ok((after, !differences.is_empty()))
}

/// Gives an application a new secret. JWTs that the one before signed stay valid until [`end_previous_secret`], unless it is
/// weak; those of the one before that end.
///
/// # Errors
///
/// [`Error::NotFound`](crate::store::Error::NotFound) when there is no such application.
pub async fn rotate_secret(tx: &mut Transaction<'_>, actor: &Actor, id: i32) -> Result<Application> {
    let replaced = applications::lock(tx, id).await?.app_secret;
    let replaced = replaced.filter(|secret| SigningSecret::of(secret).is_some());
    application_policies::set_previous_secret(tx, id, replaced.as_deref()).await?;
    let changes = Changes { app_secret: Some(applications::new_key()), ..Changes::default() };
    Ok(update(tx, actor, id, &changes, None).await?.0)
}

/// Ends the secret that a rotation replaced, and closes the sockets whose JWT it signed. Returns `None` if there is none.
///
/// # Errors
///
/// As [`rotate_secret`].
pub async fn end_previous_secret(tx: &mut Transaction<'_>, actor: &Actor, id: i32) -> Result<Option<Application>> {
    let application = applications::lock(tx, id).await?;
    if application_policies::find(tx, id).await?.previous_secret.is_none() {
        return Ok(None);
    }
    application_policies::set_previous_secret(tx, id, None).await?;
    let mut differences = Differences::default();
    differences.secret("previous_secret");
    record(tx, actor, "update", (RESOURCE, id), &differences).await?;
    Ok(Some(application))
}

/// Archives an application and closes its sockets. Returns `None` if it is archived already.
///
/// # Errors
///
/// As [`rotate_secret`].
pub async fn archive(tx: &mut Transaction<'_>, actor: &Actor, id: i32) -> Result<Option<Application>> {
    if applications::lock(tx, id).await?.archived_at.is_some() {
        return Ok(None);
    }
    let archived = applications::archive(tx, id).await?;
    record(tx, actor, "archive", (RESOURCE, id), &named(&archived)).await?;
    Ok(Some(archived))
}

/// Restores an archived application. Returns `None` if it is not archived.
///
/// # Errors
///
/// As [`rotate_secret`].
pub async fn restore(tx: &mut Transaction<'_>, actor: &Actor, id: i32) -> Result<Option<Application>> {
    if applications::lock(tx, id).await?.archived_at.is_none() {
        return Ok(None);
    }
    let restored = applications::restore(tx, id).await?;
    record(tx, actor, "restore", (RESOURCE, id), &named(&restored)).await?;
    Ok(Some(restored))
}

/// Deletes an application with its ownerships, and closes its sockets.
///
/// # Errors
///
/// As [`rotate_secret`].
pub async fn delete(tx: &mut Transaction<'_>, actor: &Actor, id: i32) -> Result<()> {
    let deleted = admin::applications::delete(tx, id).await?;
    record(tx, actor, "delete", (RESOURCE, id), &named(&deleted)).await
}

/// Records that these applications were archived because no organization owns them any more. The history of an
/// application can be found by its own id, whatever action changed it.
pub(super) async fn record_archived(tx: &mut Transaction<'_>, actor: &Actor, archived: &[Application]) -> Result<()> {
    for application in archived {
        record(tx, actor, "archive", (RESOURCE, application.id), &named(application)).await?;
    }
    Ok(())
}

async fn set_limits(
    tx: &mut Transaction<'_>,
    application_id: i32,
    limits: &OwnSettings,
    differences: &mut Differences,
) -> Result<()> {
    let before = application_limits::find(tx, application_id).await?;
    if *limits == before {
        return Ok(());
    }
    for ((column, old), (_, new)) in before.columns().into_iter().zip(limits.columns()) {
        let [old, new] = [old, new].map(|limit| limit.map(|limit| limit.to_string()));
        differences.column(column, old.as_deref(), new.as_deref());
    }
    application_limits::set(tx, application_id, limits).await
}

fn named(application: &Application) -> Differences {
    let mut differences = Differences::default();
    differences.column("name", None, application.name.as_deref());
    differences
}

/// Returns the audit description of an application that was created or changed.
fn differences(before: Option<&Application>, after: &Application) -> Differences {
    let mut differences = Differences::default();
    let old = |column: fn(&Application) -> Option<&str>| before.and_then(column);
    differences.column("name", old(|before| before.name.as_deref()), after.name.as_deref());
    differences.column("app_key", old(|before| before.app_key.as_deref()), after.app_key.as_deref());
    if before.is_some_and(|before| before.app_secret != after.app_secret) {
        differences.secret("app_secret");
    }
    differences.time("archived_at", before.and_then(|before| before.archived_at), after.archived_at);
    differences
}
