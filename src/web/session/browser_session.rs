//! The cookie that ties requests of one browser together, and the database row with its user.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::TimeDelta;

use super::Origin;
use crate::{
    auth::Signer,
    http::{Cookie, Request, header::HeaderName},
    operations::accounts::{self, Proof},
    store::{
        self, Db, Transaction, now,
        sessions::{self, NewSession, SessionHash},
        users::User,
    },
};

/// The cookie's name.
pub(super) const SESSION_COOKIE: &str = "pusher_lite_session";
/// Header in which scripts send the token of forms.
pub(super) const X_CSRF_TOKEN: HeaderName = HeaderName::from_static("x-csrf-token");

/// Precision of the time of a session's last request. The server does not write it down more often.
const PRECISION: TimeDelta = TimeDelta::minutes(1);

/// The purposes of signatures.
const COOKIE: &str = "session";
const FORM: &str = "form";

/// Returns a new id: 256 random bits in base64url.
pub(super) fn new_id() -> String {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// Returns the id in the request's cookie, if this server signed it.
pub(super) fn id_of(signer: &Signer, request: &Request) -> Option<String> {
    id_in(signer, request.cookie(SESSION_COOKIE)?).map(str::to_owned)
}

/// Returns the id in a cookie of this value, if this server signed it.
pub(super) fn id_in<'a>(signer: &Signer, cookie: &'a str) -> Option<&'a str> {
    signer.verify(COOKIE, cookie)
}

pub(super) fn cookie(signer: &Signer, id: &str, secure: bool) -> Cookie {
    Cookie::new(SESSION_COOKIE, signer.sign(COOKIE, id), secure)
}

/// Returns the token in forms of this browser, which no other site knows.
pub(super) fn csrf_token(signer: &Signer, id: &str) -> String {
    signer.signature(FORM, id)
}

/// Checks the token, in constant time.
pub(super) fn is_csrf_token(signer: &Signer, id: &str, token: &str) -> bool {
    signer.matches(FORM, id, token)
}

/// Returns the user who is signed in with this id; records that the session is in use.
pub(super) async fn user_of(db: &Db, id: &str) -> store::Result<Option<User>> {
    let hash = hash(id);
    let found = sessions::find(&mut db.conn().await?, &hash).await?;
    let Some((session, user)) = found else { return Ok(None) };
    if now() - session.last_seen_at >= PRECISION {
        db.record(async |tx| sessions::touch(tx, &hash).await).await?;
    }
    Ok(Some(user))
}

/// Begins a session with this id, and records its address and time. Also removes idle sessions.
pub(super) async fn begin(
    tx: &mut Transaction<'_>,
    id: &str,
    user: &User,
    origin: &Origin,
    proof: Proof<'_>,
) -> store::Result<()> {
    let id_hash = hash(id);
    accounts::sign_in(tx, &origin.actor(Some(user)), &new_session(&id_hash, user, origin), proof).await
}

/// Gives a session another id, or restores it.
pub(super) async fn renew(
    tx: &mut Transaction<'_>,
    old: &str,
    new: &str,
    user: &User,
    origin: &Origin,
) -> store::Result<()> {
    delete(tx, old).await?;
    sessions::create(tx, &new_session(&hash(new), user, origin)).await.map(drop)
}

/// Ends the session with this id, and records the sign-out.
pub(super) async fn end(tx: &mut Transaction<'_>, id: &str, user: &User, origin: &Origin) -> store::Result<()> {
    accounts::sign_out(tx, &origin.actor(Some(user)), user.id, &hash(id)).await
}

/// Removes the session with this id, if there is one.
pub(super) async fn delete(tx: &mut Transaction<'_>, id: &str) -> store::Result<()> {
    sessions::delete(tx, &hash(id)).await
}

fn new_session<'a>(id_hash: &'a str, user: &User, origin: &'a Origin) -> NewSession<'a> {
    NewSession { id_hash, user_id: user.id, ip: &origin.ip, user_agent: origin.user_agent.as_deref() }
}

/// Returns the stored form of an id: a reader of the database cannot use it in place of the id.
pub(super) fn hash(id: &str) -> String {
    SessionHash::of(id).to_string()
}
