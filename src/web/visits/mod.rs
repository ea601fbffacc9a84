//! Who looks at a page, what the page tells them, and which forms they may send.
//!
//! A browser gets a signed cookie with a random id. Signed out, the id is only there to tie forms to the browser; signing
//! in changes it and keeps its hash in the database until the session ends.

mod flash;
mod form;
mod session;

use minijinja::{Value, context, value::Serde};

use self::flash::FLASH_COOKIE;
pub(super) use self::{flash::Flash, form::Form};
use super::Error;
use crate::{
    app::App,
    http::{Cookie, Method, Request, Response, StatusCode, header::USER_AGENT},
    store::{audit::Actor, users::User},
};

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
    /// Those of the database, which is asked only about a cookie that this server signed.
    pub(super) async fn of(app: &App, request: &Request) -> Result<Self, Error> {
        let known = session::id_of(&app.accounts.signer, request);
        let user = match &known {
            Some(id) => session::user_of(&app.db, id).await?,
            None => None,
        };
        let is_new = known.is_none();
        let id = known.unwrap_or_else(session::new_id);
        let flash = Flash::of(&app.accounts.signer, request);
        Ok(Self { app: app.clone(), id, is_new, user, flash, origin: Origin::of(app, request) })
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
        Actor {
            id: self.user.as_ref().map(|user| user.id),
            name: self.user.as_ref().and_then(|user| user.email.clone()),
            ip: Some(self.origin.ip.clone()),
        }
    }

    /// Where the request comes from.
    pub(super) fn ip(&self) -> &str {
        &self.origin.ip
    }

    /// What the form's field `_csrf_token` must hold.
    pub(super) fn csrf_token(&self) -> String {
        session::csrf_token(&self.app.accounts.signer, &self.id)
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
        let context = context! {
            section,
            csrf_token => self.csrf_token(),
            user => self.user.as_ref().map(|user| context! {
                id => user.id, name => &user.name, email => &user.email, is_root => user.is_root,
            }),
            flash => self.flash.as_ref().map(Serde),
            demo => self.app.pages.site.demo,
            ..context
        };
        let page = self.app.pages.views.page(status, name, context)?;
        let page = if self.is_new { page.cookie(&self.session_cookie()) } else { page };
        Ok(match self.flash {
            Some(_) => page.cookie(&Cookie::removal(FLASH_COOKIE, self.origin.secure)),
            None => page,
        })
    }

    /// Sends the browser to `path`, where the next page shows the message.
    pub(super) fn redirect(&self, path: &str, flash: Flash) -> Response {
        let flash = flash.to_cookie(&self.app.accounts.signer, self.origin.secure);
        let response = Response::see_other(path).cookie(&flash);
        if self.is_new { response.cookie(&self.session_cookie()) } else { response }
    }

    /// Signs the user in: this browser gets a new id, so that nobody who knew the old one is signed in along.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub(super) async fn sign_in(&mut self, user: User) -> Result<(), Error> {
        let id = session::new_id();
        session::begin(&self.app.db, &self.id, &id, &user, &self.origin).await?;
        (self.id, self.is_new, self.user) = (id, true, Some(user));
        Ok(())
    }

    /// Signs out, in this browser.
    ///
    /// # Errors
    ///
    /// Those of the database.
    pub(super) async fn sign_out(&mut self) -> Result<(), Error> {
        session::end(&self.app.db, &self.id).await?;
        (self.id, self.is_new, self.user) = (session::new_id(), true, None);
        Ok(())
    }

    fn session_cookie(&self) -> Cookie {
        session::cookie(&self.app.accounts.signer, &self.id, self.origin.secure)
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
}
