//! What people change about their own account. Address and password take the current password: a browser that somebody
//! left open is not enough.

use super::{
    fields::{check_email, check_new_password},
    letters, passwords,
    sign_up::tell,
};
use crate::{
    app::App,
    auth::{Attempt, MailedToken, password},
    mail::Letter,
    store::{
        self, Transaction,
        audit::{self, NewEntry},
        credentials, email_changes,
        users::{self, User},
    },
    web::{
        Error,
        visits::{Form, Visit},
    },
};

/// Changes what the form asks for. Returns what to say about it; nothing when the form says what is wrong.
pub(super) async fn apply(app: &App, visit: &mut Visit, user: &User, form: &mut Form) -> Result<Option<String>, Error> {
    let wants_email = !form.value("email").eq_ignore_ascii_case(user.email.as_deref().unwrap_or_default());
    let wants_password = !form.value("password").is_empty();
    form.require(&["name"]);
    if wants_email {
        check_email(form);
    }
    if wants_password {
        check_new_password(form);
    }
    if wants_email || wants_password {
        check_current_password(app, visit, user, form).await?;
    }
    if !form.is_valid() {
        return Ok(None);
    }
    let new_hash = match wants_password {
        true => Some(password::hash(form.value("password")).await.map_err(Error::internal)?),
        false => None,
    };
    if wants_email {
        visit.attempt(Attempt::Confirmation, Some(form.value("email")))?;
    }
    app.db
        .record(async |tx| {
            rename(tx, visit, user, form.value("name")).await?;
            if let Some(hash) = &new_hash {
                passwords::change(tx, app, visit, user, hash).await?;
            }
            if wants_email { ask_to_confirm(tx, app, user, form).await } else { Ok(()) }
        })
        .await?;
    app.accounts.postbox.wake();
    if wants_password {
        app.hub.close_tokenless(user.id.into());
        visit.renew().await?;
    }
    Ok(Some(message(form, wants_email, wants_password)))
}

/// Checks the current password. Wrong ones are limited as those of signing in are.
pub(super) async fn check_current_password(
    app: &App,
    visit: &Visit,
    user: &User,
    form: &mut Form,
) -> Result<(), Error> {
    form.require(&["current_password"]);
    let typed = form.value("current_password").to_owned();
    if typed.is_empty() {
        return Ok(());
    }
    visit.attempt(Attempt::SignIn, user.email.as_deref())?;
    let hash = users::password_hash(&mut app.db.conn().await?, user.id).await?;
    if !password::verify(&typed, hash.as_deref()).await {
        form.error("current_password", "is wrong");
    }
    Ok(())
}

async fn rename(tx: &mut Transaction<'_>, visit: &Visit, user: &User, name: &str) -> store::Result<()> {
    if user.name.as_deref() == Some(name) {
        return Ok(());
    }
    credentials::rename(tx, user.id, name).await?;
    let details = format!("name: {name}");
    let entry = NewEntry { action: "update", resource: "users", resource_id: Some(user.id), details: &details };
    audit::record(tx, &visit.actor(), &entry).await
}

/// The address changes when the link that is mailed there is followed. Where somebody else has it, they are told, and
/// the wish waits all the same, for a link that nobody gets: who looks at their own data sees no difference. The address
/// of now is told either way, while a new password can still stop it: whoever asks may be somebody else.
async fn ask_to_confirm(tx: &mut Transaction<'_>, app: &App, user: &User, form: &Form) -> store::Result<()> {
    let (email, base_url) = (form.value("email"), &app.pages.site.base_url);
    let url = &format!("{base_url}/passwords/new");
    let warning = Letter::AddressChangeAsked { name: form.value("name"), email, url };
    letters::write(tx, app, user.email.as_deref().unwrap_or_default(), &warning).await?;
    let token = MailedToken::new();
    email_changes::replace(tx, user.id, email, &token.stored()).await?;
    if credentials::is_taken(tx, email).await? {
        return tell(tx, app, email).await;
    }
    let url = &format!("{base_url}/confirmations/{}/edit", token.text());
    let letter = Letter::Confirmation { name: form.value("name"), is_new_account: false, url };
    letters::write(tx, app, email, &letter).await
}

fn message(form: &Form, wants_email: bool, wants_password: bool) -> String {
    let mut message = match wants_password {
        true => "Your password is changed, and you are signed out everywhere else.".to_owned(),
        false => "Your changes are saved.".to_owned(),
    };
    if wants_email {
        let email = form.value("email");
        message += &format!(" Your address becomes {email} when you follow the link in the mail that we sent there.");
    }
    message
}
