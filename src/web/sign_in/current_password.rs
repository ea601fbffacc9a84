//! The current password, which users type for changes to their own account: a browser that was left open is not enough.

use crate::{
    auth::{ProvenPassword, password},
    store::users::{self, User},
    web::{
        App, Error,
        session::{Form, PageRequest},
    },
};

/// Checks the current password in the form; `None` with the error in the form. Attempts are limited by session.
pub(super) async fn check(
    app: &App,
    page: &PageRequest,
    user: &User,
    form: &mut Form,
) -> Result<Option<ProvenPassword>, Error> {
    form.require(&["current_password"]);
    if form.value("current_password").is_empty() {
        return Ok(None);
    }
    page.attempt_own_password()?;
    check_again(app, user, form).await
}

/// Checks it as [`check`] does, after an operation found another hash: a sign-in may have hashed the same password again.
pub(super) async fn check_again(app: &App, user: &User, form: &mut Form) -> Result<Option<ProvenPassword>, Error> {
    let hash = users::password_hash(&mut app.db.conn().await?, user.id).await?;
    let proven = password::prove(form.value("current_password"), hash.as_deref()).await;
    if proven.is_none() {
        form.error("current_password", "is wrong");
    }
    Ok(proven)
}
