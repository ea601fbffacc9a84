//! Limits on a visitor's attempts.
//!
//! An attempt counts against the client's address, and against the account that it is about. An attacker can use up
//! both. So a browser that signed in to the account before, and an address of its last sign-ins, have a budget of their
//! own, which is used first.

use super::{Form, PageRequest};
use crate::{
    auth::{
        Attempt,
        attempts::{Familiar, client},
    },
    http::{Response, StatusCode},
    store::credentials,
    web::Error,
};

/// Trust in an attempt to sign in, by the places from which the account was signed in before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::web) enum Trust {
    /// The attempt is within the budget of a known browser or address: a lock of the account does not apply to it.
    Known,
    /// The client is unknown.
    Unknown,
}

impl PageRequest {
    /// Counts an attempt, by the address of the request and, if there is one, by the account it is about.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyAttempts`].
    pub(in crate::web) fn attempt(&self, attempt: Attempt, email: Option<&str>) -> Result<(), Error> {
        if self.is_known_browser(attempt, email) {
            return Ok(());
        }
        self.app.accounts.attempts.check_client(attempt, &self.origin.ip)?;
        if let Some(email) = email {
            self.app.accounts.attempts.check_account(attempt, email)?;
        }
        Ok(())
    }

    /// Counts an attempt to sign in to the account with this address.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyAttempts`], and database errors; the database is queried no more often than the client's address
    /// allows.
    pub(in crate::web) async fn attempt_sign_in(&self, email: &str) -> Result<Trust, Error> {
        if self.is_known_browser(Attempt::SignIn, Some(email)) {
            return Ok(Trust::Known);
        }
        let attempts = &self.app.accounts.attempts;
        attempts.check_client(Attempt::SignIn, &self.origin.ip)?;
        let known = credentials::sign_in_addresses(&mut self.app.db.conn().await?, email).await?;
        let ip = client(&self.origin.ip);
        let is_known = known.iter().any(|known| client(known) == ip);
        if is_known && attempts.check_known(Attempt::SignIn, Familiar::Address(&ip), Some(email)).is_ok() {
            return Ok(Trust::Known);
        }
        attempts.check_account(Attempt::SignIn, email)?;
        Ok(Trust::Unknown)
    }

    /// Counts an attempt of a signed-in user to enter their own password again. Only this session's attempts count:
    /// attempts from elsewhere cannot keep the user from changing a password.
    ///
    /// # Errors
    ///
    /// [`Error::TooManyAttempts`].
    pub(in crate::web) fn attempt_own_password(&self) -> Result<(), Error> {
        Ok(self.app.accounts.attempts.check_session(Attempt::OwnPassword, &self.id)?)
    }

    /// Counts an attempt as [`PageRequest::attempt`] does, for a form with the account's address.
    ///
    /// # Errors
    ///
    /// The answer that `page` makes of the form: with the typed values, and the time at which it can be sent again.
    pub(in crate::web) fn attempt_by_form(
        &self,
        attempt: Attempt,
        form: &mut Form,
        page: impl FnOnce(StatusCode, &Form) -> Result<Response, Error>,
    ) -> Result<(), Error> {
        self.attempt(attempt, Some(form.value("email"))).map_err(|error| refused(error, form, page))
    }

    /// Counts an attempt as [`PageRequest::attempt_sign_in`] does, for a form with the account's address. Errors as
    /// [`PageRequest::attempt_by_form`].
    pub(in crate::web) async fn attempt_sign_in_by_form(
        &self,
        form: &mut Form,
        page: impl FnOnce(StatusCode, &Form) -> Result<Response, Error>,
    ) -> Result<Trust, Error> {
        self.attempt_sign_in(form.value("email")).await.map_err(|error| refused(error, form, page))
    }

    /// Returns true if the account was signed in with this browser before, and the browser's own budget has room.
    fn is_known_browser(&self, attempt: Attempt, email: Option<&str>) -> bool {
        let id = self.known.id_for(&self.app.accounts.signer, email);
        id.is_some_and(|id| self.app.accounts.attempts.check_known(attempt, Familiar::Browser(id), email).is_ok())
    }
}

/// Returns the form again, with the time at which it can be sent; other errors unchanged.
fn refused(error: Error, form: &mut Form, page: impl FnOnce(StatusCode, &Form) -> Result<Response, Error>) -> Error {
    if !matches!(error, Error::TooManyAttempts { .. }) {
        return error;
    }
    form.error("base", error.in_words());
    match page(error.status(), form) {
        Ok(page) => Error::elsewhere(error.with_retry_after(page)),
        Err(error) => error,
    }
}
