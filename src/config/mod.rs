//! What the server runs with: one struct per concern, read once at the start.

mod mail;
mod secrets;
mod settings;

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

pub use self::secrets::Secrets;
pub use self::settings::{CONFIG_ENV, SETTINGS, Setting, SettingError, Settings, Source};

use self::{secrets::Keep, settings::unusable};
use crate::{
    http::{BodyLimits, TrustedProxies},
    mail::Smtp,
    realtime::{self, ApplicationQuota, Quotas},
    store::{self, DatabaseUrl},
};

/// Everything that was set, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where and how connections are accepted.
    pub listen: Listen,
    /// Where people reach the server, without a slash at the end; unless it is set, pages show
    /// where the request came to.
    pub public_url: Option<String>,
    /// How connections are encrypted, if they are.
    pub tls: Option<TlsFiles>,
    /// For how long browsers that came by https are told to come by nothing else; zero says nothing.
    pub hsts: Duration,
    /// Which database.
    pub database: Database,
    /// What one socket may use.
    pub realtime: realtime::Limits,
    /// The mail server, if mails are to leave.
    pub smtp: Option<Smtp>,
    /// How it stops.
    pub stop: Stop,
    /// Where metrics are served on a listener of their own, if they are.
    pub metrics_listen: Option<SocketAddr>,
    /// Whether an empty database is filled with demo data, and `/demo` served.
    pub demo: bool,
}

/// Where and how connections are accepted.
#[derive(Debug, Clone)]
pub struct Listen {
    /// The address.
    pub host: IpAddr,
    /// The port; 0 picks a free one.
    pub port: u16,
    /// Most TCP connections open at once.
    pub max_connections: usize,
    /// How long the head of a request may take, and a connection be idle.
    pub header_timeout: Duration,
    /// What the body of a request may take.
    pub body: BodyLimits,
    /// The proxies that are believed what they say of their clients.
    pub trusted_proxies: TrustedProxies,
}

/// How connections are encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// A file in PEM.
    pub certificate: PathBuf,
    /// A file in PEM.
    pub key: PathBuf,
    /// The port where plain requests are sent on to the encrypted one.
    pub redirect_port: Option<u16>,
}

/// How the server stops: one after the other.
#[derive(Debug, Clone, Copy)]
pub struct Stop {
    /// How long everything goes on, but `/health/ready` says that it will not.
    pub delay: Duration,
    /// Over how long the closing of sockets is spread.
    pub drain_window: Duration,
    /// How long requests and sockets may take to end after that.
    pub timeout: Duration,
}

/// Which database, and how much of it.
#[derive(Debug, Clone)]
pub struct Database {
    /// Which one.
    pub url: DatabaseUrl,
    /// How to use it.
    pub options: store::Options,
}

/// How the log is written.
#[derive(Debug, Clone)]
pub struct Log {
    /// A level or a tracing filter.
    pub filter: String,
    /// JSON for machines instead of text for people.
    pub json: bool,
}

impl Config {
    /// Where people reach the server when it listens on `port`.
    #[must_use]
    pub fn public_url(&self, port: u16) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        self.public_url.clone().unwrap_or_else(|| format!("{scheme}://localhost:{port}"))
    }

    /// Whether mails stay here, to be looked at, and none leaves.
    #[must_use]
    pub fn keeps_mails(&self) -> bool {
        self.demo && self.smtp.is_none()
    }

    /// Checks the settings, but for the secrets, which only who serves needs.
    ///
    /// # Errors
    /// Names the first setting that is malformed or missing.
    pub fn from_settings(settings: &Settings) -> Result<Self, SettingError> {
        let listen = Listen::from_settings(settings)?;
        let database = Database::from_settings(settings)?;
        let smtp = mail::smtp(settings)?;
        Ok(Self {
            public_url: public_url(settings)?,
            realtime: realtime_limits(settings)?,
            smtp,
            stop: Stop::from_settings(settings)?,
            tls: TlsFiles::from_settings(settings)?,
            hsts: settings.parse("hsts", "a whole number of seconds", |text| number(text).map(Duration::from_secs))?,
            metrics_listen: metrics_listen(settings)?,
            demo: settings.parse("demo", "true or false", boolean)?,
            listen,
            database,
        })
    }

    /// What signs JWTs and cookies; made for an SQLite installation that has none yet. Files made here belong to whoever runs
    /// this, which should be the server's user.
    ///
    /// # Errors
    /// Names the secret that is malformed or missing, or the file that cannot be used.
    pub fn secrets(&self, settings: &Settings) -> Result<Secrets, SettingError> {
        Secrets::load(settings, &self.database.keep_secrets())
    }

    /// Checks the secrets as [`Config::secrets`] does, and makes none. Returns the keys of those that are still to be made.
    ///
    /// # Errors
    /// As [`Config::secrets`].
    pub fn check_secrets(&self, settings: &Settings) -> Result<Vec<&'static str>, SettingError> {
        Secrets::check(settings, &self.database.keep_secrets())
    }
}

impl Listen {
    fn from_settings(settings: &Settings) -> Result<Self, SettingError> {
        Ok(Self {
            host: settings.parse("host", "an IP address or localhost", host)?,
            port: settings.parse("port", "a whole number from 0 to 65535", number)?,
            max_connections: settings.parse("max_connections", "a whole number above 0", positive)?,
            trusted_proxies: settings.parse(
                "trusted_proxies",
                "IP addresses and networks with commas between them, such as 127.0.0.1, 10.0.0.0/8",
                |text| text.parse().ok(),
            )?,
            header_timeout: seconds(settings, "header_timeout")?,
            body: body_limits(settings)?,
        })
    }
}

impl TlsFiles {
    fn from_settings(settings: &Settings) -> Result<Option<Self>, SettingError> {
        let redirect = match settings.get("redirect_port") {
            Some((_, source)) => {
                let port = settings.parse("redirect_port", "a whole number from 0 to 65535", number)?;
                Some((port, source))
            }
            None => None,
        };
        let file = |key| settings.get(key).map(|(path, _)| PathBuf::from(path));
        let missing = |name| SettingError::Missing { name, reason: "TLS needs both a certificate and its key" };
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

impl Stop {
    fn from_settings(settings: &Settings) -> Result<Self, SettingError> {
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

impl Database {
    fn from_settings(settings: &Settings) -> Result<Self, SettingError> {
        let (url, source) = settings.get("database_url").expect("the setting has a default");
        let url = url.parse().map_err(|reason: store::Error| unusable("database_url", reason, source))?;
        let pool_size = settings.parse("database_connections", "a whole number from 1 to 1000", |text| {
            number(text).filter(|connections| (1..=1000).contains(connections))
        })?;
        Ok(Self { url, options: store::Options { pool_size, timeout: seconds(settings, "database_timeout")? } })
    }

    /// The secrets of an SQLite installation lie in the folder of its database file.
    fn keep_secrets(&self) -> Keep {
        match &self.url {
            DatabaseUrl::Sqlite(file) => Keep::Folder(file.parent().unwrap_or(file).to_owned()),
            DatabaseUrl::Postgres(_) => Keep::Nowhere,
        }
    }
}

fn realtime_limits(settings: &Settings) -> Result<realtime::Limits, SettingError> {
    let bytes = |key| {
        settings.parse(key, "a whole number of bytes, at least 1024", |text| {
            number::<usize>(text).filter(|bytes| *bytes >= 1024)
        })
    };
    Ok(realtime::Limits {
        message_bytes: bytes("max_message_bytes")?,
        outbox_bytes: bytes("outbox_bytes")?,
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
    })
}

fn quotas(settings: &Settings) -> Result<Quotas, SettingError> {
    let count = |key| settings.parse(key, "a whole number", number::<u32>);
    Ok(Quotas {
        sockets: settings
            .parse("max_sockets", "a whole number above 0", |text| number(text).filter(|most| *most > 0))?,
        sockets_per_address: count("sockets_per_address")?,
        connects_per_address: count("connects_per_address")?,
        limit_loopback: false,
        application: ApplicationQuota {
            sockets: count("sockets_per_application")?,
            events_per_second: count("events_per_application")?,
            socket_events_per_second: count("events_per_socket")?,
        },
    })
}

fn body_limits(settings: &Settings) -> Result<BodyLimits, SettingError> {
    let max_bytes = settings.parse("max_body_bytes", "a whole number of bytes, at least 1024", |text| {
        number::<usize>(text).filter(|bytes| *bytes >= 1024)
    })?;
    Ok(BodyLimits { max_bytes, time: seconds(settings, "body_timeout")? })
}

impl Log {
    /// Checks the two settings of the log, which is set up before everything else.
    ///
    /// # Errors
    /// Names the malformed one.
    pub fn from_settings(settings: &Settings) -> Result<Self, SettingError> {
        let filter = settings.parse("log", "a level such as info, or a tracing filter", |text| {
            tracing_subscriber::EnvFilter::try_new(text).ok().map(|_| text.to_owned())
        })?;
        let json = settings.parse("log_format", "text or json", |text| match text {
            "json" => Some(true),
            "text" => Some(false),
            _ => None,
        })?;
        Ok(Self { filter, json })
    }
}

fn public_url(settings: &Settings) -> Result<Option<String>, SettingError> {
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

fn metrics_listen(settings: &Settings) -> Result<Option<SocketAddr>, SettingError> {
    if settings.get("metrics_listen").is_none() {
        return Ok(None);
    }
    let expected = "an IP address and a port, such as 127.0.0.1:9568";
    settings.parse("metrics_listen", expected, |text| text.parse().ok()).map(Some)
}

fn host(text: &str) -> Option<IpAddr> {
    match text {
        "localhost" => Some(IpAddr::from([127, 0, 0, 1])),
        _ => text.trim_start_matches('[').trim_end_matches(']').parse().ok(),
    }
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}

fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

fn positive(text: &str) -> Option<usize> {
    number(text).filter(|count| *count > 0)
}

fn seconds(settings: &Settings, key: &'static str) -> Result<Duration, SettingError> {
    settings.parse(key, "a whole number of seconds, at least 1", |text| {
        number(text).filter(|seconds| *seconds > 0).map(Duration::from_secs)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        let mut settings = Settings::default();
        let secrets =
            [("PUSHER_LITE_JWT_SECRET", "j"), ("PUSHER_LITE_COOKIE_SECRET", "cccccccccccccccccccccccccccccccc")];
        let all = secrets.iter().chain(pairs).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        settings.read_environment(all).unwrap();
        settings
    }

    #[test]
    fn the_defaults_are_sound() {
        let config = Config::from_settings(&settings(&[])).unwrap();
        assert_eq!((config.listen.host, config.listen.port), (IpAddr::from([127, 0, 0, 1]), 4000));
        assert_eq!(config.public_url(4000), "http://localhost:4000");
        assert_eq!(config.database.url, DatabaseUrl::Sqlite("data/pusher-lite.db".into()));
        assert_eq!(config.realtime.message_bytes, 1 << 20);
        assert!(!config.demo);
        Log::from_settings(&Settings::default()).unwrap();
    }

    #[test]
    fn a_malformed_value_is_an_error_that_names_the_setting() {
        for (name, value) in [
            ("PORT", "abc"),
            ("PORT", "70000"),
            ("HOST", "nowhere.example"),
            ("DATABASE_URL", "mysql://root@localhost/x"),
            ("DATABASE_URL", "sqlite://"),
            ("PUSHER_LITE_DEMO", "maybe"),
            ("PUSHER_LITE_PUBLIC_URL", "chat.example.com"),
            ("PUSHER_LITE_TRUSTED_PROXIES", "10.0.0.0/33"),
            ("PUSHER_LITE_TRUSTED_PROXIES", "localhost"),
            ("PUSHER_LITE_IDLE_TIMEOUT", "0"),
            ("PUSHER_LITE_PRESENCE_WINDOW", "0.1"),
            ("PUSHER_LITE_PRESENCE_WINDOW", "10001"),
            ("PUSHER_LITE_REDIRECT_PORT", "http"),
            ("PUSHER_LITE_REDIRECT_PORT", "80"),
            ("PUSHER_LITE_HSTS", "a year"),
            ("PUSHER_LITE_SHUTDOWN_DELAY", "-1"),
            ("PUSHER_LITE_DRAIN_WINDOW", "3601"),
            ("PUSHER_LITE_SHUTDOWN_TIMEOUT", "0"),
            ("PUSHER_LITE_MAX_MESSAGE_BYTES", "1MiB"),
            ("PUSHER_LITE_MAX_CONNECTIONS", "0"),
            ("PUSHER_LITE_MAX_SOCKETS", "0"),
            ("PUSHER_LITE_EVENTS_PER_SOCKET", "-1"),
            ("PUSHER_LITE_MAX_NAME_BYTES", "1"),
            ("PUSHER_LITE_MAX_BODY_BYTES", "8 MB"),
            ("PUSHER_LITE_METRICS_LISTEN", "9568"),
            ("PUSHER_LITE_METRICS_TOKEN", "fifteen letters"),
            ("PUSHER_LITE_DATABASE_CONNECTIONS", "0"),
        ] {
            let settings = settings(&[(name, value)]);
            let checked = Config::from_settings(&settings).and_then(|config| config.secrets(&settings));
            let error = checked.unwrap_err().to_string();
            assert!(error.contains(name) && error.contains("in the environment"), "{name}: {error}");
        }
        let error = Config::from_settings(&settings(&[("DATABASE_URL", "mysql://root:hunter2@h/x")])).unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    #[test]
    fn tls_needs_certificate_and_key() {
        let (certificate, key) = (("PUSHER_LITE_TLS_CERTIFICATE", "c.pem"), ("PUSHER_LITE_TLS_KEY", "k.pem"));
        for (set, missing) in [(certificate, key.0), (key, certificate.0)] {
            let error = Config::from_settings(&settings(&[set])).unwrap_err().to_string();
            assert!(error.contains(missing) && error.contains("must be set"), "{error}");
        }
        let config =
            Config::from_settings(&settings(&[certificate, key, ("PUSHER_LITE_REDIRECT_PORT", "80")])).unwrap();
        let expected = TlsFiles { certificate: "c.pem".into(), key: "k.pem".into(), redirect_port: Some(80) };
        assert_eq!((config.tls.as_ref(), config.public_url(443).as_str()), (Some(&expected), "https://localhost:443"));
    }
}
