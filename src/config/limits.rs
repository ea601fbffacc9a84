//! Limits of sockets, applications and users.

use std::time::Duration;

use super::{
    SettingError, Settings, Source,
    settings::unusable,
    values::{number, positive, seconds},
};
use crate::{
    realtime::{self, ApplicationSettings, Quotas},
    store::user_quotas::UserLimits,
};

/// Reads the limits of sockets. `event_bytes` is the largest event that REST accepts, which is the largest body.
pub(super) fn realtime_limits(settings: &Settings, event_bytes: usize) -> Result<realtime::Limits, SettingError> {
    let bytes = |key| {
        settings.parse(key, "a whole number of bytes, at least 1024", |text| {
            number::<usize>(text).filter(|bytes| *bytes >= 1024)
        })
    };
    let limits = realtime::Limits {
        message_bytes: bytes("max_message_bytes")?,
        event_bytes,
        outbox_bytes: bytes("outbox_bytes")?,
        outbox_memory: bytes("outbox_memory")?,
        partial_memory: bytes("partial_memory")?,
        reply_bytes_per_second: settings.parse("reply_bytes_per_socket", "a whole number", number)?,
        channels_per_socket: settings.parse("channels_per_socket", "a whole number above 0", positive)?,
        idle_timeout: seconds(settings, "idle_timeout")?,
        longpoll_sessions: settings.parse("max_sockets", "a whole number above 0", positive)?,
        name_bytes: settings.parse("max_name_bytes", "a whole number of bytes, at least 64", |text| {
            number::<usize>(text).filter(|bytes| *bytes >= 64)
        })?,
        quotas: quotas(settings)?,
        presence_window: settings.parse("presence_window", "milliseconds, a whole number up to 10000", |text| {
            number(text).filter(|milliseconds| *milliseconds <= 10_000).map(Duration::from_millis)
        })?,
        ..realtime::Limits::default()
    };
    check_memory(settings, &limits)?;
    Ok(limits)
}

/// Checks that every accepted event can be delivered: the memory of all clients together must be at least that of one
/// client.
fn check_memory(settings: &Settings, limits: &realtime::Limits) -> Result<(), SettingError> {
    let largest = limits.event_bytes.max(limits.message_bytes);
    let one_client = largest.saturating_mul(2).saturating_add(limits.outbox_bytes);
    for (key, memory, least, what) in [
        (
            "outbox_memory",
            limits.outbox_memory,
            one_client,
            "twice the largest event (PUSHER_LITE_MAX_BODY_BYTES or PUSHER_LITE_MAX_MESSAGE_BYTES) and PUSHER_LITE_OUTBOX_BYTES",
        ),
        (
            "partial_memory",
            limits.partial_memory,
            limits.message_bytes.saturating_mul(2),
            "two messages of PUSHER_LITE_MAX_MESSAGE_BYTES",
        ),
        ("max_message_bytes", limits.message_bytes, limits.name_bytes, "a topic of PUSHER_LITE_MAX_NAME_BYTES"),
    ] {
        if memory < least {
            let source = settings.get(key).map_or(Source::Default, |(_, source)| source);
            return Err(unusable(key, format_args!("must be at least {least}, to hold {what}"), source));
        }
    }
    Ok(())
}

fn quotas(settings: &Settings) -> Result<Quotas, SettingError> {
    let count = |key| settings.parse(key, "a whole number", number::<u32>);
    Ok(Quotas {
        sockets: settings
            .parse("max_sockets", "a whole number above 0", |text| number(text).filter(|most| *most > 0))?,
        sockets_per_address: count("sockets_per_address")?,
        connects_per_address: count("connects_per_address")?,
        limit_loopback: false,
        application: ApplicationSettings {
            sockets: count("sockets_per_application")?,
            events_per_second: count("events_per_application")?,
            events_per_socket: count("events_per_socket")?,
        },
    })
}

pub(super) fn user_limits(settings: &Settings) -> Result<UserLimits, SettingError> {
    let count = |key| settings.parse(key, "a whole number", number::<u32>);
    Ok(UserLimits {
        organizations: count("organizations_per_user")?,
        tokens: count("tokens_per_user")?,
        changes_per_hour: count("changes_per_user")?,
    })
}
