//! Admission of sockets, over any transport.

use std::sync::Arc;

use pusher_lite_protocol::Vsn;

use super::{Error, Forbidden, connect::Connect, restrictions::of_socket};
use crate::{
    auth::jwt::{Claims, Restrictions},
    http::{Params, Request},
    realtime::{self, Identity, Refusal, Reservation},
    store::{access::SocketAccess, sessions::SessionHash},
    web::App,
};

/// An admitted socket.
pub(super) struct Admitted {
    pub(super) vsn: Vsn,
    pub(super) identity: Identity,
    /// To be kept until the socket is closed.
    pub(super) reservation: Reservation,
}

/// Reads the parameters of a connect and looks up whether they open a socket (D1, D5, D8), see [`Connect::read`], and
/// whether there is a reservation for one more. Attempts are limited before that: those that open nothing cost as much.
pub(super) async fn admit(app: &App, request: &Request, auth_token: Option<&str>) -> Result<Admitted, Error> {
    let address = request.client_addr();
    app.hub.attempt(address)?;
    // An invalid one gives way to the parameter, the only one that the original looks at.
    let auth_token = auth_token.filter(|jwt| app.jwt.verify(jwt).is_ok());
    let identified = identify(app, request.params(), auth_token).await;
    let (vsn, identity) = identified.inspect_err(|error| {
        if matches!(error, Error::Refused(_)) {
            app.hub.refused(Refusal::ConnectForbidden);
        }
    })?;
    let reservation = app.hub.reserve(&identity.app_key, address)?;
    Ok(Admitted { vsn, identity, reservation })
}

async fn identify(app: &App, params: &Params, auth_token: Option<&str>) -> Result<(Vsn, Identity), Error> {
    let connect = Connect::read(params, auth_token).ok_or(Error::Refused(Forbidden::Parameters))?;
    let Connect { vsn, app_key, unique_identifier, jwt } = connect;
    // Every member of a topic receives it.
    if unique_identifier.len() > app.hub.limits().name_bytes {
        return Err(Error::Refused(Forbidden::NameTooLong));
    }
    let claims = claims(app, &jwt)?;
    let restrictions = claims.restrictions.as_deref();
    let restrictions = restrictions.map(|to| check_restrictions(to, &app_key, &unique_identifier)).transpose();
    let restrictions = restrictions.map_err(Error::Refused)?;
    let user_id = claims.user_id.map_err(|_| Error::Refused(Forbidden::NoUser))?;
    let access = access(app, user_id, claims.token_id, claims.session, &app_key).await?;
    let identity = Identity {
        app_key: app_key.into(),
        unique_identifier: unique_identifier.into(),
        user_id: user_id.into(),
        token_id: claims.token_id.map(i64::from),
        session: claims.session.map(|session| session.to_string().into()),
        organization_id: access.tag().map(i64::from),
        may_send: claims.permissions.may_send(),
        restrictions: restrictions.map(Arc::new),
    };
    Ok((vsn, identity))
}

/// Checks that the JWT is for this application and this name, byte by byte (D41). Returns the restrictions of its socket.
fn check_restrictions(
    to: &Restrictions,
    app_key: &str,
    unique_identifier: &str,
) -> Result<realtime::Restrictions, Forbidden> {
    if to.app_key.as_deref().is_some_and(|only| only != app_key) {
        return Err(Forbidden::OtherApplication);
    }
    if to.unique_identifier.as_deref().is_some_and(|only| only != unique_identifier) {
        return Err(Forbidden::OtherName);
    }
    of_socket(to).map_err(|_| Forbidden::Jwt)
}

/// Looks up again whether a socket may be open that the hub now knows. Its permission may have been revoked before the
/// hub could close it. Another permission is not enough: the hub closes sockets by the permission that they were
/// admitted with, and would never find this one. The client may connect again.
pub(super) async fn confirm(app: &App, identity: &Identity) -> Result<(), Error> {
    let narrow = |id: i64| i32::try_from(id).map_err(|_| Error::Refused(Forbidden::NoUser));
    let (user_id, token_id) = (narrow(identity.user_id)?, identity.token_id.map(narrow).transpose()?);
    let session = identity.session.as_deref().and_then(SessionHash::parse);
    let access = access(app, user_id, token_id, session, &identity.app_key).await?;
    let is_admitted = access.admits(identity.organization_id.map(narrow).transpose()?);
    if is_admitted { Ok(()) } else { Err(Error::Refused(Forbidden::NoAccess)) }
}

async fn access(
    app: &App,
    user_id: i32,
    token_id: Option<i32>,
    session: Option<SessionHash>,
    app_key: &str,
) -> Result<Arc<SocketAccess>, Error> {
    let access = app.access.socket(user_id, token_id, session, app_key).await?;
    match access.may_connect() {
        true => Ok(access),
        false if !access.session_active => Err(Error::Refused(Forbidden::SessionEnded)),
        false => Err(Error::Refused(Forbidden::NoAccess)),
    }
}

/// Returns the claims of a JWT, which must permit joining channels.
fn claims(app: &App, jwt: &str) -> Result<Claims, Error> {
    let claims = app.jwt.verify(jwt).map_err(|_| Error::Refused(Forbidden::Jwt))?;
    if claims.permissions.may_join() { Ok(claims) } else { Err(Error::Refused(Forbidden::NotPermitted)) }
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
            user_id: user_id.into(),
            token_id: None,
            session: None,
            organization_id: organization_id.map(i64::from),
            may_send: true,
            restrictions: None,
        }
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
        let parked = Identity { session: Some(session.as_str().into()), ..unnamed.clone() };
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
