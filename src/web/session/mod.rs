//! Requests of browsers for pages: the visitor, messages to them, and protection of forms.
//!
//! A browser gets a signed cookie with a random id. While signed out, the id only ties forms to the browser; signing in
//! changes it and keeps its hash in the database until the session ends.

mod attempts;
mod browser_session;
mod flash;
mod form;
mod known;
mod local_path;
mod reader;
mod remembered;

use minijinja::{Value, context, value::Serde};

pub(super) use self::{attempts::Trust, flash::Flash, form::Form, local_path::local_path, reader::Reader};
use self::{
    flash::FLASH_COOKIE,
    known::KnownBrowser,
    remembered::{Recall, Remembered},
};
use super::Error;
use crate::{
    auth::{ProvenPassword, TooMany},
    http::{Cookie, Method, Request, Response, StatusCode, header::USER_AGENT},
    operations::{
        Refusal,
        accounts::{Proof, ProvenUser, SignUpMode},
    },
    store::{self, Transaction, audit::Actor, sessions::SessionHash, users::User},
    web::App,
};

/// Message in place of one that promises a mail, on servers that send none.
const NO_MAIL: &str = "This server sends no mail yet, so the mail waits here until it does. Whoever runs it can set that up \
    (PUSHER_LITE_SMTP_URL), or help you in the admin.";

/// Message to a user whose remembered browser sent a cookie that two browsers had.
const STOLEN: &str = "You were signed out everywhere, since the sign-in that this browser kept was also used elsewhere. \
    If you do not know why, sign in and change your password.";

/// One request of a browser for a page, or of a form.
#[derive(Debug)]
pub(super) struct PageRequest {
    app: App,
    /// The id in the browser's cookie: a secret.
    id: String,
    /// True if the browser does not have `id` yet.
    is_new: bool,
    user: Option<User>,
    flash: Option<Flash>,
    remembered: Option<Remembered>,
    /// Change of that cookie by the answer.
    remember: Option<Cookie>,
    known: KnownBrowser,
    /// Change of that cookie by the answer.
    become_known: Option<Cookie>,
    /// True if pages offer to sign up.
    offers_sign_up: bool,
    origin: Origin,
}

/// Origin of a request.
#[derive(Debug)]
struct Origin {
    ip: String,
    user_agent: Option<String>,
    /// The path and query, if they may be requested again after signing in.
    page: Option<String>,
    secure: bool,
}

impl PageRequest {
    /// Looks up the signed-in user.
    ///
    /// # Errors
    ///
    /// Sends a browser that is remembered, but has no session, to the same page with a session, if the request only
    /// views the page; if its login was stolen, to sign in. Otherwise database errors; the database is only queried
    /// about a cookie that this server signed.
    pub(super) async fn of(app: &App, request: &Request) -> Result<Self, Error> {
        let known = browser_session::id_of(&app.accounts.signer, request);
        let user = match &known {
            Some(id) => browser_session::user_of(&app.db, id).await?,
            None => None,
        };
        let (is_new, offers_sign_up) = (known.is_none(), offers_sign_up(app, user.as_ref()).await);
        let id = known.unwrap_or_else(browser_session::new_id);
        let mut page = Self {
            app: app.clone(),
            id,
            is_new,
            user,
            flash: Flash::of(&app.accounts.signer, request),
            remembered: Remembered::of(&app.accounts.signer, request),
            remember: None,
            known: KnownBrowser::of(&app.accounts.signer, request),
            become_known: None,
            offers_sign_up,
            origin: Origin::of(app, request),
        };
        page.recall().await?;
        Ok(page)
    }

    /// Looks up the user as [`PageRequest::of`] does, for a request that changes something: it must come from a form
    /// that this browser was given, or from a script of ours that sends the form's token as `X-CSRF-Token`.
    ///
    /// # Errors
    ///
    /// [`Error::Forgery`] for any other request, [`Error::TooManyChanges`], and the errors of [`PageRequest::of`].
    pub(super) async fn of_form(app: &App, request: &Request) -> Result<Self, Error> {
        let page = Self::of(app, request).await?;
        let token = match request.header(browser_session::X_CSRF_TOKEN) {
            Some(token) => token.to_owned(),
            None => request.params().text("_csrf_token").unwrap_or_default(),
        };
        let is_ours = !page.is_new && browser_session::is_csrf_token(&app.accounts.signer, &page.id, &token);
        if !is_ours {
            return Err(Error::Forgery);
        }
        match &page.user {
            Some(user) => count_change(app, user).map(|()| page),
            None => Ok(page),
        }
    }

    /// Returns the signed-in user, if there is one.
    pub(super) fn user(&self) -> Option<&User> {
        self.user.as_ref()
    }

    /// Returns the signed-in user.
    ///
    /// # Errors
    ///
    /// Sends other visitors to sign in first, and then back here.
    pub(super) fn require_user(&self) -> Result<&User, Error> {
        self.user.as_ref().ok_or_else(|| {
            let back = self.origin.page.as_deref().map(|page| {
                let query = form_urlencoded::Serializer::new(String::new()).append_pair("return_to", page).finish();
                format!("/sessions/new?{query}")
            });
            let notice = Flash::error("Sign in to continue.");
            Error::elsewhere(self.redirect(back.as_deref().unwrap_or("/sessions/new"), notice))
        })
    }

    /// Name of this browser's session. A session without a signed-in user has a name as well, and no rights.
    pub(super) fn session(&self) -> SessionHash {
        SessionHash::of(&self.id)
    }

    /// The root user who is signed in.
    ///
    /// # Errors
    ///
    /// Sends other visitors away with a message.
    pub(super) fn require_root(&self) -> Result<&User, Error> {
        let user = self.require_user()?;
        if user.is_root {
            return Ok(user);
        }
        let refusal = Flash::error("Only the administrators of this server can see that page.");
        Err(Error::elsewhere(self.redirect("/", refusal)))
    }

    /// Returns the actor for the audit log.
    pub(super) fn actor(&self) -> Actor {
        self.origin.actor(self.user.as_ref())
    }

    /// Renders a page: the template `name` filled in with `context`, and with the values of every page
    /// (templates/layout.html.j2). `section` is the current entry of the navigation.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] when the template uses a variable that `context` does not have.
    pub(super) fn render(
        &self,
        status: StatusCode,
        name: &str,
        section: &str,
        context: Value,
    ) -> Result<Response, Error> {
        let everywhere = context! {
            section,
            has_mail => self.app.pages.site.has_mail(),
            flash => self.flash.as_ref().map(Serde),
            ..navigation(&self.app, &self.id, self.user.as_ref(), self.offers_sign_up)
        };
        // Values of the page itself come first.
        let context = context! { ..context, ..everywhere };
        let page = self.app.pages.views.page(status, name, context)?;
        let page = self.with_cookies(page);
        Ok(match self.flash {
            Some(_) => page.cookie(&Cookie::removal(FLASH_COOKIE, self.origin.secure)),
            None => page,
        })
    }

    /// Returns the message that a mail is on its way; on servers that send none, what to do.
    pub(super) fn mail_notice(&self, promise: impl Into<String>) -> Flash {
        if self.app.pages.site.has_mail() { Flash::notice(promise) } else { Flash::error(NO_MAIL) }
    }

    /// Sends the browser to `path`, where the next page shows the message.
    pub(super) fn redirect(&self, path: &str, flash: impl Into<Option<Flash>>) -> Response {
        let response = self.with_cookies(Response::see_other(path));
        match flash.into() {
            Some(flash) => response.cookie(&flash.to_cookie(&self.app.accounts.signer, self.origin.secure)),
            None => response,
        }
    }

    /// Signs in a user who has typed the password, and remembers the browser for two days after each use, if that is
    /// wanted. Returns false if the account has another password by now, so that nothing of the old one outlives a change.
    ///
    /// # Errors
    ///
    /// Database errors.
    pub(super) async fn sign_in(
        &mut self,
        user: User,
        password: &ProvenPassword,
        is_remembered: bool,
    ) -> Result<bool, Error> {
        let id = browser_session::new_id();
        let signed_in = self.app.db.record(async |tx| {
            let owner = ProvenUser::lock(tx, user.id, password).await?;
            self.begin(tx, &id, &user, Proof::Password(&owner)).await?;
            let remembered = if is_remembered { Some(remembered::begin(tx, &user).await?) } else { None };
            Ok::<_, Refusal>(remembered)
        });
        match signed_in.await {
            Ok(remembered) => {
                self.begun(id, user);
                if let Some(remembered) = remembered {
                    self.remember = Some(remembered.to_cookie(&self.app.accounts.signer, self.origin.secure));
                }
                Ok(true)
            }
            Err(Refusal::Rule(_)) => Ok(false),
            Err(Refusal::Store(error)) => Err(error.into()),
        }
    }

    /// Signs in a user who came by a mailed link.
    ///
    /// # Errors
    ///
    /// Database errors.
    pub(super) async fn sign_in_by_link(&mut self, user: User) -> Result<(), Error> {
        let id = browser_session::new_id();
        self.app.db.record(async |tx| self.begin(tx, &id, &user, Proof::Link).await).await?;
        self.begun(id, user);
        Ok(())
    }

    /// Begins a session with this id. This browser gets a new one, so that a person who knew the old one is not signed in
    /// too. The browser no longer remembers another user.
    async fn begin(&self, tx: &mut Transaction<'_>, id: &str, user: &User, proof: Proof<'_>) -> store::Result<()> {
        browser_session::delete(tx, &self.id).await?;
        forget(tx, self.remembered.as_ref()).await?;
        browser_session::begin(tx, id, user, &self.origin, proof).await
    }

    fn begun(&mut self, id: String, user: User) {
        let signer = &self.app.accounts.signer;
        self.become_known = user.email.as_deref().map(|email| self.known.with(signer, email, self.origin.secure));
        (self.id, self.is_new, self.user) = (id, true, Some(user));
        self.remember = self.remembered.take().map(|_| Remembered::removal(self.origin.secure));
    }

    /// Gives this browser a new session of the signed-in user, in the transaction that ends all sessions of that user.
    /// Returns its id, for [`PageRequest::renewed`].
    ///
    /// # Errors
    ///
    /// Database errors.
    pub(super) async fn renew(&self, tx: &mut Transaction<'_>) -> store::Result<String> {
        let id = browser_session::new_id();
        if let Some(user) = &self.user {
            browser_session::renew(tx, &self.id, &id, user, &self.origin).await?;
        }
        Ok(id)
    }

    /// Gives the browser the id of its new session, once the transaction is committed.
    pub(super) fn renewed(&mut self, id: String) {
        (self.id, self.is_new) = (id, true);
        self.remember = self.remembered.take().map(|_| Remembered::removal(self.origin.secure));
    }

    /// Signs out, in this browser.
    ///
    /// # Errors
    ///
    /// Database errors.
    pub(super) async fn sign_out(&mut self) -> Result<(), Error> {
        let forgotten = self.remembered.take();
        if let Some(user) = &self.user {
            self.app
                .db
                .record(async |tx| {
                    forget(tx, forgotten.as_ref()).await?;
                    browser_session::end(tx, &self.id, user, &self.origin).await
                })
                .await?;
        }
        self.remembered = forgotten;
        self.forget();
        Ok(())
    }

    /// Deletes the cookies of a browser whose user, and so the session, no longer exists.
    pub(super) fn forget(&mut self) {
        (self.id, self.is_new, self.user) = (browser_session::new_id(), true, None);
        self.remember = self.remembered.take().map(|_| Remembered::removal(self.origin.secure));
    }

    /// Signs in the user that this browser remembers: the same page again, since the code that answers it knows nothing
    /// of cookies. A form that was sent meanwhile is not lost: it is treated as signed out, and leads to such a page.
    async fn recall(&mut self) -> Result<(), Error> {
        let (None, Some(remembered), Some(page)) = (&self.user, &self.remembered, &self.origin.page) else {
            return Ok(());
        };
        let (signer, secure) = (&self.app.accounts.signer, self.origin.secure);
        match remembered::recall(&self.app.db, signer, remembered, &self.origin).await? {
            Recall::SignedIn(id, next) => {
                let again = Response::see_other(local_path(page).unwrap_or("/"));
                let again = again.cookie(&browser_session::cookie(signer, &id, secure));
                return Err(Error::elsewhere(again.cookie(&next.to_cookie(signer, secure))));
            }
            Recall::Stolen => {
                self.remember = Some(Remembered::removal(secure));
                return Err(Error::elsewhere(self.redirect("/sessions/new", Flash::error(STOLEN))));
            }
            Recall::Forgotten => self.remember = Some(Remembered::removal(secure)),
        }
        Ok(())
    }

    fn with_cookies(&self, response: Response) -> Response {
        let response = match self.is_new {
            true => response.cookie(&browser_session::cookie(&self.app.accounts.signer, &self.id, self.origin.secure)),
            false => response,
        };
        [&self.remember, &self.become_known].into_iter().flatten().fold(response, Response::cookie)
    }
}

/// Counts a request of this user, who is not root, that changes something.
///
/// # Errors
///
/// [`Error::TooManyChanges`].
pub(super) fn count_change(app: &App, user: &User) -> Result<(), Error> {
    if user.is_root {
        return Ok(());
    }
    let counted = app.quotas.changes.count(user.id);
    counted.map_err(|TooMany { retry_after }| Error::TooManyChanges { retry_after })
}

/// Returns true if pages offer this visitor to sign up. They do not while the database does not answer: a page without
/// the offer is better than none.
async fn offers_sign_up(app: &App, user: Option<&User>) -> bool {
    if user.is_some() {
        return false;
    }
    if let Some(mode) = app.sign_up.known_mode() {
        return mode == SignUpMode::Open;
    }
    let mode = async { app.sign_up.mode(&mut app.db.conn().await?).await };
    match mode.await {
        Ok(mode) => mode == SignUpMode::Open,
        Err(error) => {
            tracing::debug!(%error, "Could not look up whether sign-up is open.");
            false
        }
    }
}

/// Returns the navigation of a page, in a browser with this id: the signed-in user, the token of the form that signs
/// out, and whether there are a demo and a sign-up.
fn navigation(app: &App, id: &str, user: Option<&User>, offers_sign_up: bool) -> Value {
    context! {
        csrf_token => browser_session::csrf_token(&app.accounts.signer, id),
        user => user.map(|user| context! {
            id => user.id, name => &user.name, email => &user.email, is_root => user.is_root,
        }),
        demo => app.pages.site.demo,
        offers_sign_up,
    }
}

async fn forget(tx: &mut Transaction<'_>, remembered: Option<&Remembered>) -> store::Result<()> {
    match remembered {
        Some(remembered) => remembered.forget(tx).await,
        None => Ok(()),
    }
}

impl Origin {
    fn of(app: &App, request: &Request) -> Self {
        let may_return = matches!(*request.method(), Method::GET | Method::HEAD);
        let page = || match request.query() {
            Some(query) => format!("{}?{query}", request.path()),
            None => request.path().to_owned(),
        };
        Self {
            ip: request.client_addr().to_string(),
            user_agent: request.header(USER_AGENT).map(str::to_owned),
            page: may_return.then(page),
            secure: request.is_secure() || app.pages.site.base_url.starts_with("https://"),
        }
    }

    fn actor(&self, user: Option<&User>) -> Actor {
        Actor {
            id: user.map(|user| user.id),
            name: user.and_then(|user| user.email.clone()),
            ip: Some(self.ip.clone()),
        }
    }
}
