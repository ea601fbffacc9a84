//! The handles that every request shares.

use std::sync::Arc;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    auth::{Attempts, SessionTokens, Signer, jwt::Jwt},
    config::Secrets,
    http::{Bodies, BodyLimits, Refusals, assets::Assets},
    mail::Postbox,
    realtime::{self, Hub},
    store::{
        Db,
        access::{self, Access},
    },
    web::{self, Metrics, TokenUses, Views},
};

/// What handlers work with. Cheap to clone: every field is shared.
#[derive(Clone, Debug)]
pub struct App {
    /// The database.
    pub db: Db,
    /// Who may use which application, from memory.
    pub access: Access,
    /// Issues and verifies JWTs.
    pub jwt: Jwt,
    /// Issues and verifies the tokens of long-poll sessions.
    pub session_tokens: SessionTokens,
    /// Sockets and topics.
    pub hub: Hub,
    /// What is counted and measured.
    pub metrics: Arc<Metrics>,
    /// What the bodies of requests may take.
    pub bodies: Bodies,
    /// What pages are made of.
    pub pages: Arc<Pages>,
    /// What people's accounts need.
    pub accounts: Arc<Accounts>,
    /// Cancelled as soon as the server is asked to stop, when it still serves.
    pub stopping: CancellationToken,
}

/// What pages are made of.
#[derive(Debug)]
pub struct Pages {
    /// Scripts, styles, images.
    pub assets: Arc<Assets>,
    /// The templates.
    pub views: Views,
    /// The address and the like that pages show.
    pub site: Site,
    /// Since when there are pages.
    pub started: Instant,
}

/// What people's accounts need.
#[derive(Debug)]
pub struct Accounts {
    /// Signs cookies and the tokens of forms.
    pub signer: Signer,
    /// Counts what they try.
    pub attempts: Attempts,
    /// Takes the mails to them.
    pub postbox: Postbox,
    /// Notes when tokens are used.
    pub token_uses: TokenUses,
}

/// What the settings say about the pages.
#[derive(Clone, Debug)]
pub struct Site {
    /// Where people reach the server, without a slash at the end; else pages show where the request came to.
    pub public_url: Option<String>,
    /// Where links in mails lead, without a slash at the end: never where a request claims to have come to.
    pub base_url: String,
    /// Whether `/demo` is served when there is demo data.
    pub demo: bool,
    /// Whether mails stay here, to be looked at under `/dev/mailbox`.
    pub mailbox: bool,
}

impl App {
    /// The handles of an application on this database. Its metrics show what the listeners refuse, too.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn new(db: Db, secrets: &Secrets, limits: realtime::Limits, refusals: Refusals, site: Site) -> Self {
        let assets = Arc::new(web::assets());
        let hub = Hub::new(limits);
        Self {
            metrics: Arc::new(Metrics::new(&hub, &db, refusals, secrets.metrics.clone())),
            access: Access::new(db.clone(), &access::Limits::default()),
            db,
            jwt: Jwt::new(&secrets.jwt),
            session_tokens: SessionTokens::new(&secrets.cookie),
            hub,
            bodies: Bodies::default(),
            accounts: Arc::new(Accounts {
                signer: Signer::new(&secrets.cookie),
                attempts: Attempts::new(),
                postbox: Postbox::new(&site.base_url, site.mailbox),
                token_uses: TokenUses::new(),
            }),
            pages: Arc::new(Pages { views: Views::new(&assets), assets, site, started: Instant::now() }),
            stopping: CancellationToken::new(),
        }
    }

    /// The same with other limits for the bodies of requests.
    #[must_use]
    pub fn with_body_limits(self, body: BodyLimits) -> Self {
        Self { bodies: Bodies::new(body), ..self }
    }
}
