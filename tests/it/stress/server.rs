//! The whole server with short times, which counts what it answers.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use pusher_lite::{
    auth::{
        Permissions,
        jwt::{Grant, Scope},
    },
    config::Secrets,
    http::{BodyLimits, Refusal, Refusals, Timeouts},
    realtime::Limits,
    server::{self, Tls},
    store::Db,
    web::{App, Endpoint, Site},
};
use tokio::{sync::Notify, task::JoinHandle, time::Instant};

use crate::support::server::JWT_SECRET;

/// Longer than anything here takes that ends.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) app: App,
    refusals: Refusals,
    begun: Arc<AtomicUsize>,
    stop: Arc<Notify>,
    served: JoinHandle<Instant>,
}

impl Server {
    pub(super) fn start(db: Db, limits: Limits, timeouts: Timeouts, tls: Option<Tls>) -> Self {
        let url = "https://push.example.com";
        let site = Site {
            public_url: Some(url.to_owned()),
            base_url: url.to_owned(),
            demo: true,
            mailbox: true,
            sends_mail: false,
        };
        let secrets = Secrets { jwt: JWT_SECRET.to_owned(), cookie: "c".repeat(32), metrics: None };
        let (refusals, begun, stop) = (Refusals::default(), Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let app = App::new(db, &secrets, limits, refusals.clone(), site).with_body_limits(BodyLimits::default());
        let listener = server::bind([127, 0, 0, 1].into(), 0).unwrap();
        let address = listener.local_addr().unwrap();
        let (endpoint, counted, stopped) = (Endpoint::new(app.clone()), Arc::clone(&begun), Arc::clone(&stop));
        let options = server::Options {
            max_connections: 1000,
            timeouts,
            trusted_proxies: "127.0.0.1".parse().unwrap(),
            tls,
            refusals: refusals.clone(),
            tasks: app.tasks.clone(),
        };
        let answer = move |request, connection| {
            counted.fetch_add(1, Ordering::SeqCst);
            endpoint.clone().answer(request, connection)
        };
        let stopping = async move {
            stopped.notified().await;
            Instant::now() + 2 * PATIENCE
        };
        let served = tokio::spawn(server::serve(listener, options, answer, stopping));
        Self { address, app, refusals, begun, stop, served }
    }

    /// The query that opens a socket of the original's first application.
    pub(super) fn query(&self) -> String {
        let grant = Grant {
            user_id: 1,
            token_id: None,
            permissions: Permissions::ADMIN,
            scope: Scope::Full,
            lifetime: Duration::from_secs(600),
            not_after: None,
        };
        let jwt = self.app.jwt.issue(&grant);
        let app_key = "88911bb8-e6c9-11f1-bf84-f2fc4c7451a7";
        format!("app_key={app_key}&guardian_token={jwt}&unique_identifier=u&vsn=2.0.0")
    }

    /// Requests that handlers have begun to answer.
    pub(super) fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }

    pub(super) fn refused(&self, refusal: Refusal) -> u64 {
        self.refusals.counts().find(|(other, _)| *other == refusal).unwrap().1
    }

    /// Asks it to stop, and waits until it has.
    pub(super) async fn stop(self) {
        self.stop.notify_one();
        self.served.await.unwrap();
    }
}

/// Waits until something is so.
pub(super) async fn until(what: &str, is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("{what}"));
}
