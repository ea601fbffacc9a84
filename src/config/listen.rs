//! Listeners: addresses, limits of connections, and TLS.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use super::{
    SettingError, Settings,
    settings::unusable,
    values::{host, number, positive, seconds},
};
use crate::http::{BodyLimits, Timeouts, TrustedProxies};

/// Listener and limits of connections.
#[derive(Debug, Clone)]
pub struct Listen {
    /// The IP address.
    pub host: IpAddr,
    /// The port; 0 picks a free one.
    pub port: u16,
    /// Maximum number of open TCP connections.
    pub max_connections: usize,
    /// The time limits of a connection.
    pub timeouts: Timeouts,
    /// Limits of request bodies.
    pub body: BodyLimits,
    /// The proxies whose headers about their clients are trusted.
    pub trusted_proxies: TrustedProxies,
}

/// TLS certificate and key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, a file in PEM.
    pub certificate: PathBuf,
    /// The key, a file in PEM.
    pub key: PathBuf,
    /// Port that redirects plain requests to the encrypted one.
    pub redirect_port: Option<u16>,
}

impl Listen {
    pub(super) fn from_settings(settings: &Settings) -> Result<Self, SettingError> {
        Ok(Self {
            host: settings.parse("host", "an IP address or localhost", host)?,
            port: settings.parse("port", "a whole number from 0 to 65535", number)?,
            max_connections: settings.parse("max_connections", "a whole number above 0", positive)?,
            trusted_proxies: settings.parse(
                "trusted_proxies",
                "IP addresses and networks with commas between them, such as 127.0.0.1, 10.0.0.0/8",
                |text| text.parse().ok(),
            )?,
            timeouts: Timeouts {
                head: seconds(settings, "header_timeout")?,
                keep_alive: seconds(settings, "keep_alive_timeout")?,
                send: seconds(settings, "send_timeout")?,
            },
            body: body_limits(settings)?,
        })
    }
}

impl TlsFiles {
    pub(super) fn from_settings(settings: &Settings) -> Result<Option<Self>, SettingError> {
        let redirect = match settings.get("redirect_port") {
            Some((_, source)) => {
                let port = settings.parse("redirect_port", "a whole number from 0 to 65535", number)?;
                Some((port, source))
            }
            None => None,
        };
        let file = |key| settings.get(key).map(|(path, _)| PathBuf::from(path));
        let missing = |name| SettingError::Missing {
            name,
            reason: "TLS needs both a certificate and its key",
            example: "file.pem",
        };
        match (file("tls_certificate"), file("tls_key")) {
            (Some(certificate), Some(key)) => {
                Ok(Some(Self { certificate, key, redirect_port: redirect.map(|(port, _)| port) }))
            }
            (Some(_), None) => Err(missing("PUSHER_LITE_TLS_KEY")),
            (None, Some(_)) => Err(missing("PUSHER_LITE_TLS_CERTIFICATE")),
            (None, None) => match redirect {
                Some((_, source)) => Err(unusable("redirect_port", "there is no TLS to send requests on to", source)),
                None => Ok(None),
            },
        }
    }
}

fn body_limits(settings: &Settings) -> Result<BodyLimits, SettingError> {
    let max_bytes = settings.parse("max_body_bytes", "a whole number of bytes, at least 1024", |text| {
        number::<usize>(text).filter(|bytes| *bytes >= 1024)
    })?;
    Ok(BodyLimits { max_bytes, time: seconds(settings, "body_timeout")? })
}

pub(super) fn public_url(settings: &Settings) -> Result<Option<String>, SettingError> {
    if settings.get("public_url").is_none() {
        return Ok(None);
    }
    let url = settings.parse("public_url", "an http:// or https:// URL", |text| {
        let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"))?;
        let sound = !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || "\"<>?#@".contains(c));
        sound.then(|| text.trim_end_matches('/').to_owned())
    })?;
    Ok(Some(url))
}

pub(super) fn metrics_listen(settings: &Settings) -> Result<Option<SocketAddr>, SettingError> {
    if settings.get("metrics_listen").is_none() {
        return Ok(None);
    }
    let expected = "an IP address and a port, such as 127.0.0.1:9568";
    settings.parse("metrics_listen", expected, |text| text.parse().ok()).map(Some)
}
