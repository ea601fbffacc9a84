//! Timing of a stop.

use std::time::Duration;

use super::{
    SettingError, Settings,
    values::{number, seconds},
};

/// Timing of a stop, in this order.
#[derive(Debug, Clone, Copy)]
pub struct Stop {
    /// Time for which everything goes on, while `/health/ready` already reports the stop.
    pub delay: Duration,
    /// Time over which the closing of sockets is spread.
    pub drain_window: Duration,
    /// Time that requests and sockets have to end after that.
    pub timeout: Duration,
}

impl Stop {
    pub(super) fn from_settings(settings: &Settings) -> Result<Self, SettingError> {
        let up_to_an_hour = |key| {
            settings.parse(key, "a whole number of seconds up to 3600", |text| {
                number(text).filter(|seconds| *seconds <= 3600).map(Duration::from_secs)
            })
        };
        Ok(Self {
            delay: up_to_an_hour("shutdown_delay")?,
            drain_window: up_to_an_hour("drain_window")?,
            timeout: seconds(settings, "shutdown_timeout")?,
        })
    }
}
