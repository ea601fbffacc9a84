//! The handles that every request shares.

use std::{ops::Deref, sync::Arc, time::Duration};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    auth::{Attempts, Changes, Failures, LimitClock, SessionTokens, Signer, jwt::Jwt},
    config::Secrets,
    http::{Bodies, BodyLimits, Refusals, assets::Assets},
    mail::Postbox,
    operations::{Mailing, accounts::SignUpPolicy, gathered::Gathered, token_uses::TokenUses},
    realtime::{self, Hub},
    store::{
        Db,
        access::{self, Access},
        user_quotas::UserLimits,
    },
    tasks::Tasks,
    web::{self, Metrics, RecentRefusals, Views},
};

/// Longest lifetime of JWTs that backends sign, without a setting: a day.
const SIGNED_JWT_LIFETIME: Duration = Duration::from_secs(86_400);

/// The handles, shared: a clone is one reference count.
#[derive(Clone, Debug)]
pub struct App(Arc<Handles>);

/// The parts that handlers work with.
#[derive(Clone, Debug)]
pub struct Handles {
    /// The database.
    pub db: Db,
    /// Users' access to applications, from memory.
    pub access: Access,
    /// Issues and verifies JWTs.
    pub jwt: Jwt,
    /// Longest lifetime of JWTs that backends sign with the secret of their application.
    pub signed_jwt_lifetime: Duration,
    /// Refused connects.
    pub recent_refusals: Arc<RecentRefusals>,
    /// Issues and verifies the tokens of long-poll sessions.
    pub session_tokens: SessionTokens,
    /// Sockets and topics.
    pub hub: Hub,
    /// Counters and measurements.
    pub metrics: Arc<Metrics>,
    /// Memory limits of request bodies.
    pub bodies: Bodies,
    /// The parts of pages.
    pub pages: Arc<Pages>,
    /// The parts that people's accounts need.
    pub accounts: Arc<Accounts>,
    /// The policy for new accounts of visitors.
    pub sign_up: Arc<SignUpPolicy>,
    /// Quotas of one user.
    pub quotas: Arc<UserQuotas>,
    /// Background tasks that the server cannot be without.
    pub tasks: Tasks,
    /// Cancelled when the server is asked to stop, while it still serves.
    pub stopping: CancellationToken,
}

/// The parts of pages.
#[derive(Debug)]
pub struct Pages {
    /// Scripts, styles, images.
    pub assets: Arc<Assets>,
    /// The templates.
    pub views: Views,
    /// Site settings that pages show, such as its address.
    pub site: Site,
    /// Time of the server's start.
    pub started: Instant,
}

/// Quotas of one user.
#[derive(Debug)]
pub struct UserQuotas {
    pub limits: UserLimits,
    /// Counts the changes of each user.
    pub changes: Changes,
}

impl UserQuotas {
    fn new(limits: UserLimits, clock: &LimitClock) -> Self {
        Self { limits, changes: Changes::new(limits.changes_per_hour, clock) }
    }
}

/// The parts that people's accounts need.
#[derive(Debug)]
pub struct Accounts {
    /// Signs cookies and the tokens of forms.
    pub signer: Signer,
    /// The clock of the limits on attempts, wrong tokens and changes.
    pub limit_clock: LimitClock,
    /// Counts users' attempts.
    pub attempts: Attempts,
    /// Counts wrong tokens.
    pub wrong_tokens: Failures,
    /// Queues mails to users.
    pub postbox: Postbox,
    /// Notes the use of tokens.
    pub token_uses: TokenUses,
    /// Gathers frequent actions of a user for the audit log.
    pub gathered: Gathered,
}

/// Settings of the pages.
#[derive(Clone, Debug)]
pub struct Site {
    /// Public address of the server, without a slash at the end. Without it, pages show the address of the request.
    pub public_url: Option<String>,
    /// Address in the links of mails, without a slash at the end. It never comes from a request, which can claim any
    /// address.
    pub base_url: String,
    /// True if `/demo` is served when there is demo data.
    pub demo: bool,
    /// True if mails stay here. They can be read under `/dev/mailbox`.
    pub mailbox: bool,
    /// True if a mail server sends the mails. If mails are neither sent nor kept here, no page promises one.
    pub sends_mail: bool,
}

impl Site {
    /// Returns true if the recipients or the operator can read the mails.
    pub fn has_mail(&self) -> bool {
        self.sends_mail || self.mailbox
    }
}

impl App {
    /// The handles of an application on this database. Its metrics show what the listeners refuse, too.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn new(db: Db, secrets: &Secrets, limits: realtime::Limits, refusals: Refusals, site: Site) -> Self {
        Self::with_tasks(db, secrets, limits, refusals, site, Tasks::default())
    }

    /// As [`App::new`], with its own background tasks among others of the server.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn with_tasks(
        db: Db,
        secrets: &Secrets,
        limits: realtime::Limits,
        refusals: Refusals,
        site: Site,
        tasks: Tasks,
    ) -> Self {
        let assets = Arc::new(web::assets());
        let limit_clock = LimitClock::start();
        let hub = Hub::with_tasks(limits, Arc::new(tasks.clone()));
        let postbox = Postbox::new(&site.base_url, site.mailbox);
        let carry_out = (hub.clone(), postbox.clone(), tasks.clone());
        let db = db.with_effects(move |db, effects| {
            let (hub, postbox, tasks) = carry_out.clone();
            Box::pin(async move {
                tasks.survive("commit's effects", web::carry_out(&hub, &postbox, &db, effects)).await;
            })
        });
        Self(Arc::new(Handles {
            metrics: Arc::new(Metrics::new(&hub, &db, refusals, tasks.clone(), secrets.metrics.clone())),
            access: Access::new(db.clone(), &access::Limits::default()),
            db,
            jwt: Jwt::new(&secrets.jwt),
            signed_jwt_lifetime: SIGNED_JWT_LIFETIME,
            recent_refusals: Arc::default(),
            session_tokens: SessionTokens::new(&secrets.cookie),
            hub,
            bodies: Bodies::default(),
            quotas: Arc::new(UserQuotas::new(UserLimits::default(), &limit_clock)),
            sign_up: Arc::new(SignUpPolicy::new(None, Vec::new(), site.demo)),
            accounts: Arc::new(Accounts {
                signer: Signer::new(&secrets.cookie),
                attempts: Attempts::new(&limit_clock),
                wrong_tokens: Failures::new(&limit_clock),
                postbox,
                token_uses: TokenUses::new(tasks.clone()),
                gathered: Gathered::new(tasks.clone()),
                limit_clock,
            }),
            pages: Arc::new(Pages { views: Views::new(&assets), assets, site, started: Instant::now() }),
            stopping: tasks.stopping().clone(),
            tasks,
        }))
    }

    /// The same with other limits for users.
    #[must_use]
    pub fn with_user_limits(self, limits: UserLimits) -> Self {
        self.with(|handles| handles.quotas = Arc::new(UserQuotas::new(limits, &handles.accounts.limit_clock)))
    }

    /// The same with another limit for the lifetime of JWTs that backends sign.
    #[must_use]
    pub fn with_signed_jwt_lifetime(self, lifetime: Duration) -> Self {
        self.with(|handles| handles.signed_jwt_lifetime = lifetime)
    }

    /// The same with another policy for new accounts.
    #[must_use]
    pub fn with_sign_up(self, policy: SignUpPolicy) -> Self {
        self.with(|handles| handles.sign_up = Arc::new(policy))
    }

    /// The same with other limits for the bodies of requests.
    #[must_use]
    pub fn with_body_limits(self, body: BodyLimits) -> Self {
        self.with(|handles| handles.bodies = Bodies::new(body))
    }

    fn with(mut self, change: impl FnOnce(&mut Handles)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }
}

impl Handles {
    /// Returns the parts that letters of operations need.
    pub(super) fn mailing(&self) -> Mailing<'_> {
        let Accounts { postbox, signer, .. } = &*self.accounts;
        Mailing { postbox, base_url: &self.pages.site.base_url, signer }
    }
}

impl Deref for App {
    type Target = Handles;

    fn deref(&self) -> &Handles {
        &self.0
    }
}
