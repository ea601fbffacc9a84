//! Changes of users to their own account. Address and password need the current password.

use super::{
    current_password,
    fields::{check_email, new_password},
};
use crate::{
    auth::{Attempt, PasswordHash, ProvenPassword},
    operations::{
        Refusal,
        accounts::{self, ProvenUser, RemainingTokens},
    },
    store::users::User,
    web::{
        App, Error, password_changed,
        session::{Form, PageRequest},
    },
};

/// Changes that need the current password.
struct Guarded {
    /// True if the address of the form is another one.
    email: bool,
    password: Option<PasswordHash>,
}

/// A new password that is in force.
struct Changed {
    remaining: RemainingTokens,
    /// The id of this browser's new session.
    session: String,
}

/// Carries out the changes of the form. Returns the message about them; nothing when the form has errors.
pub(super) async fn apply(
    app: &App,
    page: &mut PageRequest,
    user: &User,
    form: &mut Form,
) -> Result<Option<String>, Error> {
    let wants_email = !form.value("email").eq_ignore_ascii_case(user.email.as_deref().unwrap_or_default());
    let wants_password = !form.value("password").is_empty();
    form.require(&["name"]);
    if wants_email {
        check_email(form);
    }
    let new_password = if wants_password { new_password(form) } else { None };
    let proven = match wants_email || wants_password {
        true => current_password::check(app, page, user, form).await?,
        false => None,
    };
    if !form.is_valid() {
        return Ok(None);
    }
    let password = match new_password {
        Some(password) => Some(password.hash().await.map_err(Error::internal)?),
        None => None,
    };
    if wants_email {
        page.attempt(Attempt::Confirmation, Some(form.value("email")))?;
    }
    let wanted = Guarded { email: wants_email, password };
    let Some(changed) = save_with(app, page, user, form, (&wanted, proven)).await? else { return Ok(None) };
    let remaining = changed.map(|Changed { remaining, session }| {
        page.renewed(session);
        remaining
    });
    Ok(Some(message(app, form, wants_email, remaining.as_ref())))
}

/// Saves the form; `None` with the error in the form when the password is another one by now.
async fn save_with(
    app: &App,
    page: &PageRequest,
    user: &User,
    form: &mut Form,
    (wanted, mut proven): (&Guarded, Option<ProvenPassword>),
) -> Result<Option<Option<Changed>>, Error> {
    loop {
        match save(app, page, user, form, (wanted, proven.as_ref())).await {
            Ok(changed) => return Ok(Some(changed)),
            Err(Refusal::Store(error)) => return Err(error.into()),
            Err(Refusal::Rule(_)) => {
                proven = current_password::check_again(app, user, form).await?;
                if proven.is_none() {
                    return Ok(None);
                }
            }
        }
    }
}

/// Changes everything in one transaction, in which the password is still the one that was typed, if one was.
async fn save(
    app: &App,
    page: &PageRequest,
    user: &User,
    form: &Form,
    (wanted, proven): (&Guarded, Option<&ProvenPassword>),
) -> Result<Option<Changed>, Refusal> {
    let (actor, mailing) = (page.actor(), app.mailing());
    let save = app.db.record(async |tx| {
        let owner = match proven {
            Some(proven) => Some(ProvenUser::lock(tx, user.id, proven).await?),
            None => None,
        };
        accounts::rename(tx, &actor, user.id, form.value("name")).await?;
        let Some(owner) = owner else { return Ok(None) };
        let mut changed = None;
        if let Some(password) = &wanted.password {
            let remaining = accounts::change_own_password(tx, &actor, mailing, &owner, password).await?;
            changed = Some(Changed { remaining, session: page.renew(tx).await? });
        }
        if wanted.email {
            accounts::ask_to_change_address(tx, &actor, mailing, &owner, form.value("email")).await?;
        }
        Ok::<_, Refusal>(changed)
    });
    save.await
}

fn message(app: &App, form: &Form, wants_email: bool, remaining: Option<&RemainingTokens>) -> String {
    let mut message = match remaining {
        Some(remaining) => {
            format!(
                "Your password is changed, and you are signed out everywhere else.{}",
                password_changed::sentence(remaining)
            )
        }
        None => "Your changes are saved.".to_owned(),
    };
    if wants_email {
        let email = form.value("email");
        message += &match app.pages.site.has_mail() {
            true => {
                format!(" Your address becomes {email} when you confirm it by the link in the mail that we sent there.")
            }
            false => format!(
                " This server sends no mail yet: the mail with the link that makes {email} your address waits until it does. \
                 Whoever runs it can change your address in the admin."
            ),
        };
    }
    message
}
