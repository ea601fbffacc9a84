//! Brings what single applications may use from the database to the hub.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::time::{MissedTickBehavior, interval};

use super::Error;
use crate::{
    app::App,
    realtime::QuotaOverride,
    store::application_limits::{self, ApplicationLimits},
};

/// How soon what another process changed is in effect.
const EVERY: Duration = Duration::from_secs(1);

/// Puts into effect what the database says now. Whoever changes it here calls this after the commit.
///
/// # Errors
///
/// Those of the database; everything stays as it was then.
pub async fn apply(app: &App) -> Result<(), Error> {
    let limits = application_limits::all(&mut app.db.conn().await?).await?;
    let overrides = limits.into_iter().map(|(app_key, limits)| (app_key.into(), override_of(limits)));
    app.hub.set_quotas(overrides.collect::<HashMap<Arc<str>, _>>());
    Ok(())
}

/// Puts into effect what any process changes, within a second or two. Runs for ever.
pub async fn watch(app: App) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // Whether the database answers is told by those who need it; this tries again.
        if let Err(error) = apply(&app).await {
            tracing::debug!(%error, "The limits of single applications could not be read.");
        }
    }
}

fn override_of(limits: ApplicationLimits) -> QuotaOverride {
    let number = |limit: Option<i32>| limit.and_then(|limit| u32::try_from(limit).ok());
    QuotaOverride {
        sockets: number(limits.sockets),
        events_per_second: number(limits.events_per_second),
        socket_events_per_second: number(limits.events_per_socket),
    }
}
