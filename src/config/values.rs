//! Values of settings, from their texts.

use std::{net::IpAddr, time::Duration};

use super::{SettingError, Settings};

pub(super) fn host(text: &str) -> Option<IpAddr> {
    match text {
        "localhost" => Some(IpAddr::from([127, 0, 0, 1])),
        _ => text.trim_start_matches('[').trim_end_matches(']').parse().ok(),
    }
}

pub(super) fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}

pub(super) fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

pub(super) fn positive(text: &str) -> Option<usize> {
    number(text).filter(|count| *count > 0)
}

/// The longest time that a setting takes, in seconds: a week. Points in time that are later by it exist on every clock,
/// and Postgres takes it in milliseconds.
const LONGEST: u64 = 604_800;

/// Reads a time, of at least a second and at most a week.
pub(super) fn seconds(settings: &Settings, key: &'static str) -> Result<Duration, SettingError> {
    settings.parse(key, "a whole number of seconds from 1 to 604800 (a week)", |text| {
        number(text).filter(|seconds| (1..=LONGEST).contains(seconds)).map(Duration::from_secs)
    })
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, SETTINGS, Settings};

    #[test]
    fn no_time_is_too_long_for_a_clock() {
        for setting in SETTINGS.iter().filter(|setting| ["SECONDS", "MILLISECONDS"].contains(&setting.unit)) {
            let read = |value: &str| {
                let mut settings = Settings::default();
                settings.set_flag(setting.key, value.to_owned());
                Config::from_settings(&settings).map(drop).map_err(|error| error.to_string())
            };
            for value in ["18446744073709551615", "18446744073709551616", "1000000000", "-1"] {
                let error = read(value).unwrap_err();
                let named = format!("--{} must be", setting.key.replace('_', "-"));
                assert!(error.starts_with(&named), "{value}: {error}");
            }
            assert_eq!(read("60"), Ok(()), "{}", setting.key);
        }
    }
}
