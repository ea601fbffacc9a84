//! Open sockets, compared with the database every few seconds.
//!
//! Commits of this process close the sockets that depended on what they revoke (`effects`). Nothing tells this process
//! about changes by others: another process, the original, an administrator with psql. Nothing tells it that a token has
//! expired, either. The sweep makes sure that no socket outlives its permission by more than a moment, even if an event is
//! lost.

use std::{panic::resume_unwind, time::Duration};

use tokio::{
    task::spawn_blocking,
    time::{MissedTickBehavior, interval},
};

use crate::{
    realtime::{self, Basis, Credentials, Principal, Revocation},
    store::{
        self,
        access::{OpenSocket, PAGE, SocketKey},
        sessions::SessionHash,
        signing_secret::SecretId,
    },
    web::App,
};

/// Interval of sweeps: time until a socket is closed whose token has expired, or whose permission another process revoked.
const EVERY: Duration = Duration::from_secs(5);

/// Sweeps periodically. Runs forever.
pub async fn watch(app: App) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // Callers that need the database report its outage; this tries again.
        if let Err(error) = sweep(&app).await {
            tracing::debug!(%error, "Could not compare open sockets with the database.");
        }
    }
}

/// Closes the sockets that may not be open any more, according to the database.
///
/// # Errors
///
/// Database errors. Sockets without an answer stay open.
pub async fn sweep(app: &App) -> store::Result<()> {
    let hub = app.hub.clone();
    // It looks at every socket, and nothing waits for it.
    let bases = spawn_blocking(move || hub.bases()).await;
    // A panic there is this task's, too. Without one, the runtime ends.
    let bases =
        bases.unwrap_or_else(|error| error.try_into_panic().map_or_else(|_| Vec::new(), |panic| resume_unwind(panic)));
    let open: Vec<OpenSocket> = bases.iter().filter_map(open_socket).collect();
    let (mut ended, mut outcome) = (Vec::new(), Ok(()));
    for page in open.chunks(PAGE) {
        match app.access.ended(page).await {
            Ok(found) => ended.extend(found.into_iter().map(|ended| Revocation::Basis(basis(ended)))),
            Err(error) => {
                outcome = Err(error);
                break;
            }
        }
    }
    if !ended.is_empty() {
        tracing::info!(
            count = ended.len(),
            "Closed sockets whose token has expired, or whose permission another process took away."
        );
        app.hub.revoke(&ended).await;
    }
    outcome
}

/// Converts a basis. Ids that no row can have do not occur: a socket is admitted by a row.
fn open_socket(Basis { app_key, principal }: &Basis) -> Option<OpenSocket> {
    let narrow = |id: i64| i32::try_from(id).ok();
    let app_key = app_key.to_string();
    Some(match principal {
        Principal::User(credentials) => OpenSocket::User {
            key: SocketKey {
                user_id: narrow(credentials.user_id)?,
                token_id: credentials.token_id.and_then(narrow),
                session: credentials.session.as_deref().and_then(SessionHash::parse),
                app_key,
            },
            organization_id: credentials.organization_id.and_then(narrow),
        },
        Principal::Application(secret) => OpenSocket::Application { app_key, secret: SecretId(secret.0) },
    })
}

fn basis(open: OpenSocket) -> Basis {
    match open {
        OpenSocket::User { key: SocketKey { user_id, token_id, session, app_key }, organization_id } => Basis {
            app_key: app_key.into(),
            principal: Principal::User(Credentials {
                user_id: user_id.into(),
                token_id: token_id.map(i64::from),
                session: session.map(|session| session.to_string().into()),
                organization_id: organization_id.map(i64::from),
            }),
        },
        OpenSocket::Application { app_key, secret } => {
            Basis { app_key: app_key.into(), principal: Principal::Application(realtime::SecretId(secret.0)) }
        }
    }
}
