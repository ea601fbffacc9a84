//! Carries out the effects of commits: the store returns them as data, and this module passes them to sockets and mail.

use crate::{
    mail::Postbox,
    operations::application_settings,
    realtime::{Hub, Revocation, SecretId},
    store::{
        Db,
        effects::{self, Effect},
    },
};

/// Carries effects out. It cannot fail: an effect that is not possible now is made up for later by a periodic task.
pub(crate) async fn carry_out(hub: &Hub, postbox: &Postbox, db: &Db, effects: Vec<Effect>) {
    let (mut revocations, mut is_mail_queued, mut are_settings_changed) = (Vec::new(), false, false);
    for effect in effects {
        match effect {
            Effect::Revoke(revocation) => revocations.push(revocation_of(revocation)),
            Effect::MailQueued => is_mail_queued = true,
            Effect::ApplicationSettingsChanged => are_settings_changed = true,
        }
    }
    hub.revoke(&revocations).await;
    if is_mail_queued {
        postbox.wake();
    }
    if are_settings_changed && let Err(error) = application_settings::load(hub, db).await {
        tracing::debug!(%error, "Could not read the settings of single applications; trying again soon.");
    }
}

fn revocation_of(revocation: effects::Revocation) -> Revocation {
    match revocation {
        effects::Revocation::Application(app_key) => Revocation::Application(app_key),
        effects::Revocation::Token(id) => Revocation::Token(id.into()),
        effects::Revocation::Enrollment { user_id, organization_id } => {
            Revocation::Enrollment { user_id: user_id.into(), organization_id: organization_id.into() }
        }
        effects::Revocation::Ownership { app_key, organization_id } => {
            Revocation::Ownership { app_key, organization_id: organization_id.into() }
        }
        effects::Revocation::User(id) => Revocation::User(id.into()),
        effects::Revocation::Pages(user_id) => Revocation::Pages(user_id.into()),
        effects::Revocation::Session { user_id, id_hash } => {
            Revocation::Session { user_id: user_id.into(), session: id_hash }
        }
        effects::Revocation::Secrets { app_key, kept } => {
            Revocation::Secrets { app_key, kept: kept.into_iter().map(|secret| SecretId(secret.0)).collect() }
        }
    }
}
