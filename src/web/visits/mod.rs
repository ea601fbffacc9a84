//! Who looks at a page, what the page tells them, and which forms they may send.
//!
//! A browser gets a signed cookie with a random id. Signed out, the id is only there to tie forms to the browser; signing
//! in changes it and keeps its hash in the database until the session ends.

mod flash;
mod form;
mod local_path;
mod reader;
mod remembered;
mod session;

use minijinja::{Value, context, value::Serde};

use self::{
    flash::FLASH_COOKIE,
    remembered::{Recall, Remembered},
};
pub(super) use self::{flash::Flash, form::Form, local_path::local_path, reader::Reader};
use super::Error;
use crate::{
    app::App,
    auth::Attempt,
    http::{Cookie, Method, Request, Response, StatusCode, header::USER_AGENT},
    store::{self, Transaction, audit::Actor, credentials, users::User},
};

/// What is said to whoever was remembered with a cookie that two browsers had.
const STOLEN: &str = "You were signed out everywhere, since the sign-in that this browser kept was also used elsewhere. \
    If you do not know why, sign in and change your password.";

/// One request of a browser for a page, or of a form.
#[derive(Debug)]
pub(super) struct Visit {
    app: App,
    /// The id in the browser's cookie: a secret.
    id: String,
    /// Whether the browser has to be given `id` yet.
    is_new: bool,
    user: Option<User>,
    flash: Option<Flash>,
    remembered: Option<Remembered>,
    /// What the answer changes about that.
    remember: Option<Cookie>,
    origin: Origin,
}

/// Where a request comes from.
#[derive(Debug)]
struct Origin {
    ip: String,
    user_agent: Option<String>,
    /// The path and query, when it may be asked for again after signing in.
    page: Option<String>,
    secure: bool,
}

impl Visit {
    /// Looks up who is signed in.
    ///
    /// # Errors
    ///
    /// Sends a browser in which somebody stays signed in, but has no session, to the same page with a session, if it only
    /// looks at the page; where that login was stolen, to sign in. Else those of the database, which is asked only about
    /// a cookie that this server signed.
    pub(super) async fn of(app: &App, request: &Request) -> Result<Self, Error> {
        let known = session::id_of(&app.accounts.signer, request);
        let user = match &known {
            Some(id) => session::user_of(&app.db, id).await?,
            None => None,
        };
        let is_new = known.is_none();
        let id = known.unwrap_or_else(session::new_id);
        let mut visit = Self {
            app: app.clone(),
            id,
            is_new,
            user,
            flash: Flash::of(&app.accounts.signer, request),
            remembered: Remembered::of(&app.accounts.signer, request),
            remember: None,
            origin: Origin::of(app, request),
        };
        visit.recall().await?;
        Ok(visit)
    }

    /// As [`Visit::of`], for a request that changes something: it must come from a form that this browser was given, or
    /// from a script of ours that sends the form's token as `X-CSRF-Token`.
    ///
    /// # Errors
    ///
    /// [`Error::Forgery`] for any other request, and those of [`Visit::of`].
    pub(super) async fn of_form(app: &App, request: &Request) -> Result<Self, Error> {
        let visit = Self::of(app, request).await?;
        let token = match request.header(session::X_CSRF_TOKEN) {
            Some(token) => token.to_owned(),
            None => request.params().text("_csrf_token").unwrap_or_default(),
        };
        let is_ours = !visit.is_new && session::is_csrf_token(&app.accounts.signer, &visit.id, &token);
        if is_ours { Ok(visit) } else { Err(Error::Forgery) }
    }

    /// Who is signed in, if anyone is.
    pub(super) fn user(&self) -> Option<&User> {
        self.user.as_ref()
    }

    /// Who is signed in.
    ///
    /// # Errors
    ///
    /// Sends everyone else to sign in first, and then back here.
    pub(super) fn require_user(&self) -> Result<&User, Error> {
        self.user.as_ref().ok_or_else(|| {
            let back = self.origin.page.as_deref().map(|page| {
                let query = form_urlencoded::Serializer::new(String::new()).append_pair("return_to", page).finish();
                format!("/sessions/new?{query}")
            });
            let notice = Flash::error("Sign in to go on.");
            Error::elsewhere(self.redirect(back.as_deref().unwrap_or("/sessions/new"), notice))
        })
    }

    /// The root user who is signed in.
    ///
    /// # Errors
    ///
    /// Sends everyone else away with a message.
    pub(super) fn require_root(&self) -> Result<&User, Error> {
        let user = self.require_user()?;
        if user.is_root {
            return Ok(user);
        }
        let refusal = Flash::error("Only the administrators of this server can see that page.");
        Err(Error::elsewhere(self.redirect("/", refusal)))
    }

    /// Whom the audit log names.
    pub(super) fn actor(&self) -> Actor {
        self.origin.actor(self.user.as_ref())
    }

    /// Counts an attempt, by where the request comes from and, if there is one, by the account it is about.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyAttempts`].
    pub(super) fn attempt(&self, attempt: Attempt, email: Option<&str>) -> Result<(), Error> {
        self.app.accounts.attempts.check_client(attempt, &self.origin.ip)?;
        if let Some(email) = email {
            self.app.accounts.attempts.check_account(attempt, email)?;
        }
        Ok(())
    }

    /// As [`Visit::attempt`], for a form with the account's address.
    ///
    /// # Errors
    ///
    /// What `page` makes of the form: with what was typed, and when it can be sent again.
    pub(super) fn attempt_by_form(
        &self,
        attempt: Attempt,
        form: &mut Form,
        page: impl FnOnce(StatusCode, &Form) -> Result<Response, Error>,
    ) -> Result<(), Error> {
        let Err(error) = self.attempt(attempt, Some(form.value("email"))) else { return Ok(()) };
        form.error("base", error.in_words());
        Err(Error::elsewhere(error.with_retry_after(page(error.status(), form)?)))
    }

    /// A page: the template `name` filled in with `context`, and with what every page has (templates/layout.html.j2).
    /// `section` is the entry of the navigation that is current.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] when the template asks for what `context` does not have.
    pub(super) fn page(
        &self,
        status: StatusCode,
        name: &str,
        section: &str,
        context: Value,
    ) -> Result<Response, Error> {
        let everywhere = context! {
            section,
            flash => self.flash.as_ref().map(Serde),
            ..navigation(&self.app, &self.id, self.user.as_ref())
        };
        // What the page says itself comes first.
        let context = context! { ..context, ..everywhere };
        let page = self.app.pages.views.page(status, name, context)?;
        let page = self.with_cookies(page);
        Ok(match self.flash {
            Some(_) => page.cookie(&Cookie::removal(FLASH_COOKIE, self.origin.secure)),
            None => page,
        })
    }

    /// Sends the browser to `path`, where the next page shows the message.
    pub(super) fn redirect(&self, path: &str, flash: impl Into<Option<Flash>>) -> Response {
        let response = self.with_cookies(Response::see_other(path));
        match flash.into() {
            Some(flash) => response.cookie(&flash.to_cookie(&self.app.accounts.signer, self.origin.secure)),
            None => response,
        }
    }

    /// Signs in a user who has shown who they are: this browser gets a new id, so that nobody who knew the old one is
    /// signed in along. Wrong passwords are forgotten. Whoever was remembered here is so no more.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub(super) async fn sign_in(&mut self, user: User) -> Result<(), Error> {
        let id = session::new_id();
        let forgotten = self.remembered.take();
        self.app
            .db
            .record(async |tx| {
                session::delete(tx, &self.id).await?;
                forget(tx, forgotten.as_ref()).await?;
                credentials::unlock(tx, user.id).await?;
                session::begin(tx, &id, &user, &self.origin, "").await
            })
            .await?;
        (self.id, self.is_new, self.user) = (id, true, Some(user));
        self.remember = forgotten.map(|_| Remembered::removal(self.origin.secure));
        Ok(())
    }

    /// Keeps whoever is signed in so for two days after each use, also when the browser is closed meanwhile.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub(super) async fn stay_signed_in(&mut self) -> Result<(), Error> {
        if let Some(user) = &self.user {
            let remembered = remembered::begin(&self.app.db, user).await?;
            self.remember = Some(remembered.to_cookie(&self.app.accounts.signer, self.origin.secure));
        }
        Ok(())
    }

    /// Gives this browser a new session of whoever is signed in, after all of theirs were ended.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub(super) async fn renew(&mut self) -> Result<(), Error> {
        let Some(user) = &self.user else { return Ok(()) };
        let id = session::new_id();
        session::renew(&self.app.db, &self.id, &id, user, &self.origin).await?;
        (self.id, self.is_new) = (id, true);
        self.remember = self.remembered.take().map(|_| Remembered::removal(self.origin.secure));
        Ok(())
    }

    /// Signs out, in this browser.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub(super) async fn sign_out(&mut self) -> Result<(), Error> {
        let forgotten = self.remembered.take();
        if let Some(user) = &self.user {
            self.app
                .db
                .record(async |tx| {
                    forget(tx, forgotten.as_ref()).await?;
                    session::end(tx, &self.id, user, &self.origin).await
                })
                .await?;
            self.app.hub.close_tokenless(user.id.into());
        }
        self.remembered = forgotten;
        self.forget();
        Ok(())
    }

    /// Takes the cookies away from a browser whose user, and with it the session, is no more.
    pub(super) fn forget(&mut self) {
        (self.id, self.is_new, self.user) = (session::new_id(), true, None);
        self.remember = self.remembered.take().map(|_| Remembered::removal(self.origin.secure));
    }

    /// Signs in whoever stays signed in in this browser: the same page again, since what answers it knows nothing of
    /// cookies. A form that was sent meanwhile is not lost with it: it is signed out, and leads to such a page.
    async fn recall(&mut self) -> Result<(), Error> {
        let (None, Some(remembered), Some(page)) = (&self.user, &self.remembered, &self.origin.page) else {
            return Ok(());
        };
        let (signer, secure) = (&self.app.accounts.signer, self.origin.secure);
        match remembered::recall(&self.app.db, signer, remembered, &self.origin).await? {
            Recall::SignedIn(id, next) => {
                let again = Response::see_other(local_path(page).unwrap_or("/"));
                let again = again.cookie(&session::cookie(signer, &id, secure));
                return Err(Error::elsewhere(again.cookie(&next.to_cookie(signer, secure))));
            }
            Recall::Stolen(user_id) => {
                self.app.hub.close_tokenless(user_id.into());
                self.remember = Some(Remembered::removal(secure));
                return Err(Error::elsewhere(self.redirect("/sessions/new", Flash::error(STOLEN))));
            }
            Recall::Forgotten => self.remember = Some(Remembered::removal(secure)),
        }
        Ok(())
    }

    fn with_cookies(&self, response: Response) -> Response {
        let response = match self.is_new {
            true => response.cookie(&session::cookie(&self.app.accounts.signer, &self.id, self.origin.secure)),
            false => response,
        };
        match &self.remember {
            Some(cookie) => response.cookie(cookie),
            None => response,
        }
    }
}

/// What the navigation of a page has, in a browser with this id: who is signed in, the token of the form that signs out, and
/// whether there is a demo.
fn navigation(app: &App, id: &str, user: Option<&User>) -> Value {
    context! {
        csrf_token => session::csrf_token(&app.accounts.signer, id),
        user => user.map(|user| context! {
            id => user.id, name => &user.name, email => &user.email, is_root => user.is_root,
        }),
        demo => app.pages.site.demo,
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
