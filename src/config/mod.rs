//! What the server runs with: one struct per concern, read once at the start.

mod secrets;
mod settings;

use std::{net::IpAddr, path::PathBuf, time::Duration};

pub use secrets::Secrets;
pub use settings::{CONFIG_ENV, SETTINGS, Setting, SettingError, Settings, Source};

use secrets::Keep;

/// Everything that was set, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where and how connections are accepted.
    pub listen: Listen,
    /// Where people reach the server, without a slash at the end.
    pub public_url: String,
    /// Which database.
    pub database: Database,
    /// What signs JWTs and cookies.
    pub secrets: Secrets,
    /// What one socket may use.
    pub socket: SocketLimits,
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
    /// How long a stop waits for requests and sockets to end.
    pub shutdown_timeout: Duration,
}

/// Which database, and how much of it.
#[derive(Debug, Clone)]
pub struct Database {
    /// `sqlite://PATH` or `postgres://…`.
    pub url: String,
    /// Most connections open at once.
    pub connections: u32,
}

/// What one socket may use.
#[derive(Debug, Clone)]
pub struct SocketLimits {
    /// Largest incoming message, in bytes.
    pub message_bytes: usize,
    /// Most outgoing bytes that wait for a slow client.
    pub outbox_bytes: usize,
    /// Most topics joined.
    pub channels: usize,
    /// How long nothing may come in.
    pub idle_timeout: Duration,
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
    /// Checks the settings; makes the secrets of an SQLite installation that has none yet.
    ///
    /// # Errors
    /// Names the first setting that is malformed or missing.
    pub fn from_settings(settings: &Settings) -> Result<Self, SettingError> {
        let listen = Listen::from_settings(settings)?;
        let database = Database::from_settings(settings)?;
        Ok(Self {
            public_url: public_url(settings, listen.port)?,
            secrets: Secrets::load(settings, &database.keep_secrets())?,
            socket: SocketLimits::from_settings(settings)?,
            demo: settings.parse("demo", "true or false", boolean)?,
            listen,
            database,
        })
    }
}

impl Listen {
    fn from_settings(settings: &Settings) -> Result<Self, SettingError> {
        Ok(Self {
            host: settings.parse("host", "an IP address or localhost", host)?,
            port: settings.parse("port", "a whole number from 0 to 65535", number)?,
            max_connections: settings.parse("max_connections", "a whole number above 0", positive)?,
            shutdown_timeout: seconds(settings, "shutdown_timeout")?,
        })
    }
}

impl Database {
    fn from_settings(settings: &Settings) -> Result<Self, SettingError> {
        let expected = "sqlite://PATH or postgres://USER:PASSWORD@HOST/NAME";
        let known = |url: &str| {
            let path = ["sqlite://", "postgres://", "postgresql://"]
                .iter()
                .find_map(|scheme| url.strip_prefix(scheme))?;
            (!path.is_empty()).then(|| url.to_owned())
        };
        // A database URL may hold a password, so the message shows what comes before `://` alone.
        let url = settings
            .parse("database_url", expected, known)
            .map_err(|error| match error {
                SettingError::Malformed {
                    name,
                    expected,
                    value,
                    source_name,
                } => {
                    let value = value
                        .split_once("://")
                        .map_or("…".to_owned(), |(scheme, _)| format!("{scheme}://…"));
                    SettingError::Malformed {
                        name,
                        expected,
                        value,
                        source_name,
                    }
                }
                other => other,
            })?;
        let connections = settings.parse("database_connections", "a whole number from 1 to 1000", |text| {
            number(text).filter(|connections| (1..=1000).contains(connections))
        })?;
        Ok(Self { url, connections })
    }

    /// The secrets of an SQLite installation lie in the folder of its database file.
    fn keep_secrets(&self) -> Keep {
        match self.url.strip_prefix("sqlite://") {
            Some(path) => {
                let mut folder = PathBuf::from(path);
                folder.pop();
                Keep::Folder(folder)
            }
            None => Keep::Nowhere,
        }
    }
}

impl SocketLimits {
    fn from_settings(settings: &Settings) -> Result<Self, SettingError> {
        let bytes = |key| {
            settings.parse(key, "a whole number of bytes, at least 1024", |text| {
                number::<usize>(text).filter(|bytes| *bytes >= 1024)
            })
        };
        Ok(Self {
            message_bytes: bytes("max_message_bytes")?,
            outbox_bytes: bytes("outbox_bytes")?,
            channels: settings.parse("channels_per_socket", "a whole number above 0", positive)?,
            idle_timeout: seconds(settings, "idle_timeout")?,
        })
    }
}

impl Log {
    /// Checks the two settings of the log, which is set up before everything else.
    ///
    /// # Errors
    /// Names the malformed one.
    pub fn from_settings(settings: &Settings) -> Result<Self, SettingError> {
        let filter = settings.parse("log", "a level such as info, or a tracing filter", |text| {
            tracing_subscriber::EnvFilter::try_new(text)
                .ok()
                .map(|_| text.to_owned())
        })?;
        let json = settings.parse("log_format", "text or json", |text| match text {
            "json" => Some(true),
            "text" => Some(false),
            _ => None,
        })?;
        Ok(Self { filter, json })
    }
}

fn public_url(settings: &Settings, port: u16) -> Result<String, SettingError> {
    if settings.get("public_url").is_none() {
        return Ok(format!("http://localhost:{port}"));
    }
    settings.parse("public_url", "an http:// or https:// URL", |text| {
        let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"))?;
        let sound = !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || "\"<>?#@".contains(c));
        sound.then(|| text.trim_end_matches('/').to_owned())
    })
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
        let secrets = [
            ("PUSHER_LITE_JWT_SECRET", "j"),
            ("PUSHER_LITE_COOKIE_SECRET", "cccccccccccccccccccccccccccccccc"),
        ];
        let all = secrets
            .iter()
            .chain(pairs)
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        settings.read_environment(all).unwrap();
        settings
    }

    #[test]
    fn the_defaults_are_sound() {
        let config = Config::from_settings(&settings(&[])).unwrap();
        assert_eq!(
            (config.listen.host, config.listen.port),
            (IpAddr::from([127, 0, 0, 1]), 4000)
        );
        assert_eq!(config.public_url, "http://localhost:4000");
        assert_eq!(config.database.url, "sqlite://data/pusher-lite.db");
        assert_eq!(config.socket.message_bytes, 1 << 20);
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
            ("PUSHER_LITE_IDLE_TIMEOUT", "0"),
            ("PUSHER_LITE_MAX_MESSAGE_BYTES", "1MiB"),
            ("PUSHER_LITE_MAX_CONNECTIONS", "0"),
            ("PUSHER_LITE_DATABASE_CONNECTIONS", "0"),
        ] {
            let error = Config::from_settings(&settings(&[(name, value)]))
                .unwrap_err()
                .to_string();
            assert!(
                error.contains(name) && error.contains("in the environment"),
                "{name}: {error}"
            );
        }
        let error = Config::from_settings(&settings(&[("DATABASE_URL", "mysql://root:hunter2@h/x")])).unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
