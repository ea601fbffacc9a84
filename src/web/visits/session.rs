//! The cookie that ties requests of one browser together, and the row that says who is signed in there.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use sha2::{Digest, Sha256};

use super::Origin;
use crate::{
    auth::Signer,
    http::{Cookie, Request, header::HeaderName},
    store::{
        self, Db, Transaction,
        audit::{self, NewEntry},
        credentials, now,
        sessions::{self, NewSession},
        users::User,
    },
};

/// The cookie's name.
pub(super) const SESSION_COOKIE: &str = "pusher_lite_session";
/// Where scripts send the token of forms.
pub(super) const X_CSRF_TOKEN: HeaderName = HeaderName::from_static("x-csrf-token");

/// A session that asks for nothing for this long is over, also in a browser that is never closed.
const IDLE: TimeDelta = TimeDelta::hours(12);
/// How exactly the last request of a session is known: more often it is not written down.
const PRECISION: TimeDelta = TimeDelta::minutes(1);

/// The purposes of signatures.
const COOKIE: &str = "session";
const FORM: &str = "form";

/// A new id: 256 random bits in base64url.
pub(super) fn new_id() -> String {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// The id in the request's cookie, if this server signed it.
pub(super) fn id_of(signer: &Signer, request: &Request) -> Option<String> {
    id_in(signer, request.cookie(SESSION_COOKIE)?).map(str::to_owned)
}

/// The id in a cookie of this value, if this server signed it.
pub(super) fn id_in<'a>(signer: &Signer, cookie: &'a str) -> Option<&'a str> {
    signer.verify(COOKIE, cookie)
}

pub(super) fn cookie(signer: &Signer, id: &str, secure: bool) -> Cookie {
    Cookie::new(SESSION_COOKIE, signer.sign(COOKIE, id), secure)
}

/// What a form of this browser holds, and no other site knows.
pub(super) fn csrf_token(signer: &Signer, id: &str) -> String {
    signer.signature(FORM, id)
}

/// In constant time.
pub(super) fn is_csrf_token(signer: &Signer, id: &str, token: &str) -> bool {
    signer.matches(FORM, id, token)
}

/// Who is signed in with this id; notes that the session is in use.
pub(super) async fn user_of(db: &Db, id: &str) -> store::Result<Option<User>> {
    let hash = hash(id);
    let found = sessions::find(&mut db.conn().await?, &hash, IDLE).await?;
    let Some((session, user)) = found else { return Ok(None) };
    if now() - session.last_seen_at >= PRECISION {
        db.record(async |tx| sessions::touch(tx, &hash).await).await?;
    }
    Ok(Some(user))
}

/// Begins a session with this id, and notes where and when. Sessions that nobody uses any more are removed along the way.
pub(super) async fn begin(
    tx: &mut Transaction<'_>,
    id: &str,
    user: &User,
    origin: &Origin,
    details: &str,
) -> store::Result<()> {
    sessions::delete_idle(tx, IDLE).await?;
    create(tx, id, user, origin).await?;
    credentials::signed_in(tx, user.id, &origin.ip).await?;
    let entry = NewEntry { action: "sign_in", resource: "users", resource_id: Some(user.id), details };
    audit::record(tx, &origin.actor(Some(user)), &entry).await
}

/// Gives a session another id, or brings it back.
pub(super) async fn renew(db: &Db, old: &str, new: &str, user: &User, origin: &Origin) -> store::Result<()> {
    db.record(async |tx| {
        delete(tx, old).await?;
        create(tx, new, user, origin).await
    })
    .await
}

/// Ends the session with this id, and notes who signs out.
pub(super) async fn end(tx: &mut Transaction<'_>, id: &str, user: &User, origin: &Origin) -> store::Result<()> {
    delete(tx, id).await?;
    credentials::signed_out(tx, user.id).await?;
    let entry = NewEntry { action: "sign_out", resource: "users", resource_id: Some(user.id), details: "" };
    audit::record(tx, &origin.actor(Some(user)), &entry).await
}

/// Removes the session with this id, if there is one.
pub(super) async fn delete(tx: &mut Transaction<'_>, id: &str) -> store::Result<()> {
    sessions::delete(tx, &hash(id)).await
}

async fn create(tx: &mut Transaction<'_>, id: &str, user: &User, origin: &Origin) -> store::Result<()> {
    let id_hash = hash(id);
    let session =
        NewSession { id_hash: &id_hash, user_id: user.id, ip: &origin.ip, user_agent: origin.user_agent.as_deref() };
    sessions::create(tx, &session).await.map(drop)
}

/// What the database keeps of an id: who reads it there cannot be who the id stands for.
pub(super) fn hash(id: &str) -> String {
    Sha256::digest(id).iter().map(|byte| format!("{byte:02x}")).collect()
}
