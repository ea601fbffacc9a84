//! Admission of sockets, over any transport.

use std::sync::Arc;

use pusher_lite_protocol::Vsn;

use super::{Error, Forbidden, RecentRefusal, connect::Connect, recent_refusals, restrictions::of_socket};
use crate::{
    auth::jwt::{self, Claims, Invalid, Presented, SignedClaims},
    http::{Request, header::ORIGIN},
    operations::origins,
    realtime::{self, Credentials, Identity, Principal, Refusal, Reservation},
    store::{
        access::{ApplicationAccess, SocketAccess, State},
        application_policies::Policy,
        sessions::SessionHash,
        signing_secret::SecretId,
    },
    web::App,
};

/// Advice to the developer of a client that a limit refused.
pub(super) const LIMIT_ADVICE: &str = "Close sockets that are not needed, or have the operator raise the limit.";

/// An admitted socket.
pub(super) struct Admitted {
    pub(super) vsn: Vsn,
    pub(super) identity: Identity,
    /// To be kept until the socket is closed.
    pub(super) reservation: Reservation,
}

/// Reads the parameters of a connect and looks up whether they open a socket (D1, D5, D8), see [`Connect::read`], and
/// whether there is a reservation for one more.
pub(super) async fn admit(app: &App, request: &Request, auth_token: Option<&str>) -> Result<Admitted, Error> {
    let (vsn, identity) = examine(app, request, auth_token).await?;
    let reservation = app.hub.reserve(&identity.app_key, request.client_addr());
    let reservation = match reservation {
        Ok(reservation) => reservation,
        Err(refusal) => {
            note(app, request, &identity.app_key, format!("limit: {}", refusal.reason()), LIMIT_ADVICE);
            return Err(refusal.into());
        }
    };
    Ok(Admitted { vsn, identity, reservation })
}

/// Looks up whether the parameters of a connect open a socket, without opening one. Attempts are limited before that: those
/// that open nothing cost as much. Refusals are counted, and shown in the application's console.
pub(super) async fn examine(app: &App, request: &Request, auth_token: Option<&str>) -> Result<(Vsn, Identity), Error> {
    app.hub.attempt(request.client_addr())?;
    // An invalid one gives way to the parameter, the only one that the original looks at. Without it, the reason is that of the
    // invalid one.
    let is_alone = request.params().text("guardian_token").is_none();
    let auth_token = auth_token.filter(|jwt| is_alone || app.jwt.verify(jwt).is_ok() || Presented::read(jwt).is_some());
    let identified = identify(app, request, auth_token).await;
    if let Err(Error::Refused(forbidden)) = &identified {
        app.hub.refused(Refusal::ConnectForbidden);
        if let Some(app_key) = request.params().text("app_key") {
            note(app, request, &app_key, forbidden.to_string(), forbidden.advice());
        }
    }
    identified
}

async fn identify(app: &App, request: &Request, auth_token: Option<&str>) -> Result<(Vsn, Identity), Error> {
    let connect = Connect::read(request.params(), auth_token).map_err(|wrong| Error::Refused(wrong.into()))?;
    // Every member of a topic receives it.
    if connect.unique_identifier.len() > app.hub.limits().name_bytes {
        return Err(Error::Refused(Forbidden::NameTooLong));
    }
    // The database is asked for nobody whose JWT is not valid or does not present itself as the application's.
    let party = match app.jwt.verify(&connect.jwt) {
        Ok(claims) => Ok(claims),
        Err(invalid) => Err(Presented::read(&connect.jwt).ok_or(Error::Refused(Forbidden::Jwt(invalid)))?),
    };
    let application = app.access.application(&connect.app_key).await?;
    let Party { principal, restrictions, may_send, expires_at } = match party {
        Ok(claims) => user(app, &connect, claims, &application).await?,
        Err(presented) => backend(app, &connect, &presented, &application).map_err(Error::Refused)?,
    };
    let policy = &application.policy;
    if !allows_origin(policy, request) {
        return Err(Error::Refused(Forbidden::Origin));
    }
    let restrictions = socket_restrictions(restrictions.as_deref(), policy, &connect).map_err(Error::Refused)?;
    let identity = Identity {
        app_key: connect.app_key.into(),
        unique_identifier: connect.unique_identifier.into(),
        principal,
        may_send,
        restrictions,
        expires_at: expires_at.filter(|_| policy.ends_expired),
    };
    Ok((connect.vsn, identity))
}

/// The party that a JWT names, and the rights that it gives.
struct Party {
    principal: Principal,
    restrictions: Option<Arc<jwt::Restrictions>>,
    may_send: bool,
    /// Second of the JWT's expiry, since 1970, if it expires.
    expires_at: Option<i64>,
}

/// Returns the user of a JWT that this server issued.
async fn user(app: &App, connect: &Connect, claims: Claims, application: &ApplicationAccess) -> Result<Party, Error> {
    let refused = |forbidden| Err(Error::Refused(forbidden));
    if !claims.permissions.may_join() {
        return refused(Forbidden::NotPermitted);
    }
    let only = claims.restrictions.as_ref().and_then(|to| to.app_key.as_deref());
    if only.is_some_and(|only| only != connect.app_key) {
        return refused(Forbidden::Jwt(Invalid::OtherApplication));
    }
    let Ok(user_id) = claims.user_id else { return refused(Forbidden::NoUser) };
    let access = user_access(app, user_id, claims.token_id, claims.session, &connect.app_key, application).await?;
    if application.policy.requires_restricted && only.is_none() {
        return refused(Forbidden::NotRestricted);
    }
    let credentials = Credentials {
        user_id: user_id.into(),
        token_id: claims.token_id.map(i64::from),
        session: claims.session.map(|session| session.to_string().into()),
        organization_id: access.tag().map(i64::from),
    };
    Ok(Party {
        principal: Principal::User(credentials),
        restrictions: claims.restrictions,
        may_send: claims.permissions.may_send(),
        expires_at: claims.expires_at,
    })
}

/// Returns the application as the party of a JWT that its backend signed.
fn backend(
    app: &App,
    connect: &Connect,
    presented: &Presented,
    application: &ApplicationAccess,
) -> Result<Party, Forbidden> {
    let ApplicationAccess { state, policy, secrets, .. } = application;
    match state {
        State::Unknown => return Err(Forbidden::UnknownApplication),
        State::Archived => return Err(Forbidden::Archived),
        State::Active if !policy.accepts_signed => return Err(Forbidden::NotAccepted),
        State::Active if secrets.is_empty() => return Err(Forbidden::WeakSecret),
        State::Active => {}
    }
    let claims = presented.verify(&connect.jwt, &connect.app_key, secrets, app.signed_jwt_lifetime);
    let SignedClaims { secret, restrictions, expires_at } = claims.map_err(Forbidden::Jwt)?;
    Ok(Party {
        principal: Principal::Application(realtime::SecretId(secret.0)),
        restrictions: Some(Arc::new(restrictions)),
        may_send: true,
        expires_at: Some(expires_at),
    })
}

/// Checks that the JWT is for this name, byte by byte (D41). Returns the restrictions of its socket, if there are any.
fn socket_restrictions(
    of_jwt: Option<&jwt::Restrictions>,
    policy: &Policy,
    connect: &Connect,
) -> Result<Option<Arc<realtime::Restrictions>>, Forbidden> {
    if of_jwt.is_none() && policy.named_topics.is_empty() {
        return Ok(None);
    }
    let none = jwt::Restrictions::default();
    let of_jwt = of_jwt.unwrap_or(&none);
    if of_jwt.unique_identifier.as_ref().is_some_and(|only| *only != connect.unique_identifier) {
        return Err(Forbidden::OtherName);
    }
    let restrictions = of_socket(of_jwt, &policy.named_topics).map_err(|_| Forbidden::Jwt(Invalid::Malformed))?;
    Ok(Some(Arc::new(restrictions)))
}

/// Returns true if a page of the request's origin may connect. Without a list every page may, and always those of this server
/// and clients that are no browsers: they name no origin, or any.
fn allows_origin(policy: &Policy, request: &Request) -> bool {
    let list = &policy.allowed_origins;
    let Some(origin) = request.headers().get(ORIGIN).filter(|_| !list.is_empty()) else { return true };
    origin.to_str().is_ok_and(|origin| origin == request.origin() || origins::include(list, origin))
}

/// Looks up again whether a socket may be open that the hub now knows. Its permission may have been revoked before the
/// hub could close it. Another permission is not enough: the hub closes sockets by the permission that they were
/// admitted with, and would never find this one. The client may connect again.
pub(super) async fn confirm(app: &App, identity: &Identity) -> Result<(), Error> {
    let application = app.access.application(&identity.app_key).await?;
    let is_admitted = match &identity.principal {
        Principal::Application(secret) => application.admits(SecretId(secret.0)),
        Principal::User(credentials) => {
            let narrow = |id: i64| i32::try_from(id).map_err(|_| Error::Refused(Forbidden::NoUser));
            let (user_id, token_id) = (narrow(credentials.user_id)?, credentials.token_id.map(narrow).transpose()?);
            let session = credentials.session.as_deref().and_then(SessionHash::parse);
            let access = user_access(app, user_id, token_id, session, &identity.app_key, &application).await?;
            access.admits(credentials.organization_id.map(narrow).transpose()?)
        }
    };
    if is_admitted { Ok(()) } else { Err(Error::Refused(Forbidden::NotEnrolled)) }
}

async fn user_access(
    app: &App,
    user_id: i32,
    token_id: Option<i32>,
    session: Option<SessionHash>,
    app_key: &str,
    application: &ApplicationAccess,
) -> Result<Arc<SocketAccess>, Error> {
    let access = app.access.socket(user_id, token_id, session, app_key).await?;
    if access.may_connect() {
        return Ok(access);
    }
    Err(Error::Refused(match application.state {
        _ if !access.user_active => Forbidden::UserEnded,
        _ if !access.token_active => Forbidden::TokenEnded,
        _ if !access.session_active => Forbidden::SessionEnded,
        State::Unknown => Forbidden::UnknownApplication,
        State::Archived => Forbidden::Archived,
        State::Active => Forbidden::NotEnrolled,
    }))
}

/// Shows a refusal in the console of the application with this key.
fn note(app: &App, request: &Request, app_key: &str, reason: String, advice: &'static str) {
    let refusal = RecentRefusal {
        at: recent_refusals::now(),
        reason,
        advice,
        ip: request.client_addr().to_string(),
        origin: request.header(ORIGIN).map(str::to_owned),
        unique_identifier: request.params().text("unique_identifier"),
    };
    app.recent_refusals.note(app_key, refusal);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::Secrets,
        http::Refusals,
        realtime::Limits,
        store::{
            self, DatabaseUrl, Db, Options, Transaction, admin, demo, enrollments,
            organizations::{self, NewOrganization},
            ownerships,
            sessions::{self, NewSession},
        },
        web::Site,
    };

    /// Creates an application on demo data: two organizations own the one that sockets connect to, and the guest is in
    /// both.
    async fn app(folder: &tempfile::TempDir) -> (App, demo::Demo, [i32; 2]) {
        let url = DatabaseUrl::Sqlite(folder.path().join("test.db"));
        let db = Db::connect(&url, &Options::default()).await.unwrap();
        db.migrate().await.unwrap();
        demo::seed(&db, "hash").await.unwrap();
        let secrets = Secrets { jwt: "j".repeat(32), cookie: "c".repeat(32), metrics: None };
        let url = "http://localhost:4000".to_owned();
        let site = Site { public_url: None, base_url: url, demo: true, mailbox: true, sends_mail: false };
        let app = App::new(db, &secrets, Limits::default(), Refusals::default(), site);
        let demo = demo::find(&mut app.db.conn().await.unwrap()).await.unwrap().unwrap();
        let access = app.access.socket(demo.guest_id, None, None, &demo.app_key).await.unwrap();
        let (first, application_id) = (access.organization_ids[0], access.application_id.unwrap());
        let second = app.db.transaction(async |tx: &mut Transaction<'_>| -> store::Result<i32> {
            let new = NewOrganization { name: "Second", slug: "second", archived_at: None };
            let second = organizations::create(tx, &new, demo.guest_id).await?;
            ownerships::create(tx, second.id, application_id).await?;
            Ok(second.id)
        });
        let second = second.await.unwrap();
        (app, demo, [first, second])
    }

    fn identity(demo: &demo::Demo, user_id: i32, organization_id: Option<i32>) -> Identity {
        Identity {
            app_key: demo.app_key.as_str().into(),
            unique_identifier: "a".into(),
            principal: Principal::User(credentials(user_id, organization_id)),
            may_send: true,
            restrictions: None,
            expires_at: None,
        }
    }

    fn credentials(user_id: i32, organization_id: Option<i32>) -> Credentials {
        let organization_id = organization_id.map(i64::from);
        Credentials { user_id: user_id.into(), token_id: None, session: None, organization_id }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_socket_that_another_organization_would_let_in_is_not_confirmed() {
        let folder = tempfile::tempdir().unwrap();
        let (app, demo, [first, second]) = app(&folder).await;
        let parked = identity(&demo, demo.guest_id, Some(first));
        confirm(&app, &parked).await.unwrap();
        app.db.transaction(async |tx| organizations::delete(tx, first).await).await.unwrap();
        assert!(matches!(confirm(&app, &parked).await, Err(Error::Refused(_))));
        // It may connect again, and then ends with the permission that admits it.
        confirm(&app, &identity(&demo, demo.guest_id, Some(second))).await.unwrap();
        app.db.transaction(async |tx| enrollments::delete(tx, demo.guest_id, second).await).await.unwrap();
        assert!(matches!(confirm(&app, &identity(&demo, demo.guest_id, Some(second))).await, Err(Error::Refused(_))));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_socket_whose_session_has_ended_meanwhile_is_not_confirmed() {
        let folder = tempfile::tempdir().unwrap();
        let (app, demo, [first, _]) = app(&folder).await;
        let session = SessionHash::of("id").to_string();
        let new = NewSession { id_hash: &session, user_id: demo.guest_id, ip: "127.0.0.1", user_agent: None };
        app.db.record(async |tx| sessions::create(tx, &new).await).await.unwrap();
        let unnamed = identity(&demo, demo.guest_id, Some(first));
        let by_session =
            Credentials { session: Some(session.as_str().into()), ..credentials(demo.guest_id, Some(first)) };
        let parked = Identity { principal: Principal::User(by_session), ..unnamed.clone() };
        confirm(&app, &parked).await.unwrap();
        app.db.record(async |tx| sessions::delete(tx, &session).await).await.unwrap();
        assert!(matches!(confirm(&app, &parked).await, Err(Error::Refused(Forbidden::SessionEnded))));
        confirm(&app, &unnamed).await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_socket_of_a_root_user_who_is_only_a_member_by_now_is_not_confirmed() {
        let folder = tempfile::tempdir().unwrap();
        let (app, demo, [first, _]) = app(&folder).await;
        let root = store::users::find_by_email(&mut app.db.conn().await.unwrap(), demo::ADMIN_EMAIL).await;
        let root = root.unwrap().unwrap();
        let parked = identity(&demo, root.id, None);
        confirm(&app, &parked).await.unwrap();
        let changes = admin::users::Changes { is_root: Some(false), ..admin::users::Changes::default() };
        app.db.transaction(async |tx| admin::users::update(tx, root.id, &changes).await).await.unwrap();
        assert!(app.access.socket(root.id, None, None, &demo.app_key).await.unwrap().may_connect(), "still a member");
        assert!(matches!(confirm(&app, &parked).await, Err(Error::Refused(_))));
        confirm(&app, &identity(&demo, root.id, Some(first))).await.unwrap();
    }
}
