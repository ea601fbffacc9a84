//! Transfer of the settings of single applications from the database to the hub.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::time::{MissedTickBehavior, interval};

use crate::{
    realtime::{ApplicationSettings, Hub},
    store::{
        self, Db,
        application_limits::{self, OwnSettings},
    },
};

/// Interval of reading changes that another process made.
const EVERY: Duration = Duration::from_secs(1);

/// Applies the settings in the database. A commit that changes them triggers this.
///
/// # Errors
///
/// Database errors; all settings stay as they were then.
pub async fn load(hub: &Hub, db: &Db) -> store::Result<()> {
    let all = application_limits::all(&mut db.conn().await?).await?;
    let defaults = hub.default_settings();
    let settings = all.into_iter().map(|(app_key, own)| (app_key.into(), effective(own, defaults)));
    hub.set_own_settings(settings.collect::<HashMap<Arc<str>, _>>());
    Ok(())
}

/// Applies changes of any process, within a second or two. Runs forever.
pub async fn watch(hub: Hub, db: Db) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // Callers that need the database report its outage; this tries again.
        if let Err(error) = load(&hub, &db).await {
            tracing::debug!(%error, "Could not read the settings of single applications.");
        }
    }
}

/// Returns the settings that apply to an application: its own, or else the server's.
fn effective(own: OwnSettings, defaults: ApplicationSettings) -> ApplicationSettings {
    let number = |own: Option<i32>, default| own.and_then(|own| u32::try_from(own).ok()).unwrap_or(default);
    ApplicationSettings {
        sockets: number(own.sockets, defaults.sockets),
        events_per_second: number(own.events_per_second, defaults.events_per_second),
        events_per_socket: number(own.events_per_socket, defaults.events_per_socket),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_application_has_not_of_its_own_is_the_servers() {
        let defaults = ApplicationSettings { sockets: 1, events_per_second: 2, events_per_socket: 3 };
        assert_eq!(effective(OwnSettings::default(), defaults), defaults);
        let own = OwnSettings { sockets: Some(0), events_per_second: None, events_per_socket: Some(9) };
        let expected = ApplicationSettings { sockets: 0, events_per_second: 2, events_per_socket: 9 };
        assert_eq!(effective(own, defaults), expected);
    }
}
