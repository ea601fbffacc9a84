//! The table of all settings, and the source of each value: flags, environment, file, default.

use std::{
    collections::HashMap,
    ffi::OsString,
    fmt, fs,
    path::{Path, PathBuf},
};

use super::problems::SettingErrors;

/// Prefix of this server's own environment variables. An unknown variable with this prefix stops the start.
const PREFIX: &str = "PUSHER_LITE_";

/// One setting: a row of the table in README.md.
#[derive(Debug)]
pub struct Setting {
    /// Name in the TOML file; with `-` for `_` it is the flag's name.
    pub key: &'static str,
    /// The environment variable.
    pub env: &'static str,
    /// Default value; empty when it is not a fixed text.
    pub default: &'static str,
    /// Kind of value, for `--help` and for messages: `NUMBER`, `SECONDS`, `BYTES`, ….
    pub unit: &'static str,
    /// One line for `--help`, and its meaning in README.md.
    pub help: &'static str,
    /// True for a secret. It has no flag, because other users of the machine can read a process's flags.
    pub secret: bool,
}

const fn setting(
    key: &'static str,
    env: &'static str,
    default: &'static str,
    unit: &'static str,
    help: &'static str,
) -> Setting {
    Setting { key, env, default, unit, help, secret: false }
}

const fn secret(key: &'static str, env: &'static str, help: &'static str) -> Setting {
    Setting { key, env, default: "", unit: "TEXT", help, secret: true }
}

/// All settings.
#[rustfmt::skip]
pub const SETTINGS: &[Setting] = &[
    setting("host", "HOST", "127.0.0.1", "ADDRESS", "Address to listen on. 0.0.0.0 or :: for every network."),
    setting("port", "PORT", "4000", "NUMBER", "Port to listen on. 0 picks a free one."),
    setting("public_url", "PUSHER_LITE_PUBLIC_URL", "", "URL", "Public URL of this server, http://localhost:PORT if not set. Required with PUSHER_LITE_SMTP_URL."),
    setting("trusted_proxies", "PUSHER_LITE_TRUSTED_PROXIES", "", "LIST", "Addresses and networks of trusted proxies, separated by commas. Only their X-Forwarded-For, -Proto and -Host count."),
    setting("tls_certificate", "PUSHER_LITE_TLS_CERTIFICATE", "", "FILE", "PEM file with the certificate chain, this server's certificate first. With it, PORT speaks https."),
    setting("tls_key", "PUSHER_LITE_TLS_KEY", "", "FILE", "PEM file with the private key of the certificate."),
    setting("redirect_port", "PUSHER_LITE_REDIRECT_PORT", "", "NUMBER", "With TLS, a port that redirects plain requests to https."),
    setting("hsts", "PUSHER_LITE_HSTS", "31536000", "SECONDS", "Lifetime of Strict-Transport-Security, which answers over https carry. 0 omits the header."),
    setting("database_url", "DATABASE_URL", "sqlite://data/pusher-lite.db", "URL", "Database: sqlite://PATH or postgres://USER:PASSWORD@HOST/NAME."),
    setting("database_connections", "PUSHER_LITE_DATABASE_CONNECTIONS", "10", "NUMBER", "Maximum open database connections."),
    setting("database_timeout", "PUSHER_LITE_DATABASE_TIMEOUT", "5", "SECONDS", "Timeout for getting a database connection, and for a query on Postgres. Then requests get 503."),
    secret("jwt_secret", "PUSHER_LITE_JWT_SECRET", "Secret that signs JWTs; in an existing installation, Guardian's secret_key. With SQLite made once and kept beside the database, with Postgres required."),
    secret("cookie_secret", "PUSHER_LITE_COOKIE_SECRET", "Secret that signs cookies and session tokens, at least 32 characters. With SQLite made once and kept beside the database, with Postgres required."),
    secret("smtp_url", "PUSHER_LITE_SMTP_URL", "Mail server: smtps://USER:PASSWORD@HOST, or smtp:// for STARTTLS. Without it, no mail is sent."),
    setting("mail_from", "PUSHER_LITE_MAIL_FROM", "", "ADDRESS", "Sender of all mail, as Name <name@example.com>. Required with PUSHER_LITE_SMTP_URL."),
    setting("demo", "PUSHER_LITE_DEMO", "false", "BOOL", "Fill an empty database with demo data and serve /demo. Never for production."),
    setting("sign_up", "PUSHER_LITE_SIGN_UP", "", "MODE", "Ways to open an account: open (by sign-up or invitation), invited (by invitation) or off. Root users and commands always create accounts. If not set, open in demo mode and in an older installation; in a new one, invited once there is a root user."),
    setting("sign_up_domains", "PUSHER_LITE_SIGN_UP_DOMAINS", "", "LIST", "Mail domains whose addresses may sign up, separated by commas. Subdomains are domains of their own. Empty permits all. Invitations go to any domain."),
    setting("max_connections", "PUSHER_LITE_MAX_CONNECTIONS", "100000", "NUMBER", "Maximum open TCP connections. At the limit, idle ones are closed; if there are none, new ones wait."),
    setting("max_sockets", "PUSHER_LITE_MAX_SOCKETS", "90000", "NUMBER", "Maximum open sockets, over WebSocket and long-polling. Further connections get 503."),
    setting("sockets_per_application", "PUSHER_LITE_SOCKETS_PER_APPLICATION", "90000", "NUMBER", "Maximum open sockets of one application. Further connections get 429. 0 for no limit."),
    setting("sockets_per_address", "PUSHER_LITE_SOCKETS_PER_ADDRESS", "10000", "NUMBER", "Maximum open sockets of one client address (IPv6: of a /64), except loopback. Further connections get 429. 0 for no limit."),
    setting("connects_per_address", "PUSHER_LITE_CONNECTS_PER_ADDRESS", "100", "PER SECOND", "Maximum rate at which one client address opens sockets, with bursts of five seconds' worth. Further connections get 429. 0 for no limit."),
    setting("events_per_socket", "PUSHER_LITE_EVENTS_PER_SOCKET", "500", "PER SECOND", "Maximum rate of events that one socket pushes. Further events get the error `rate limited`. 0 for no limit."),
    setting("reply_bytes_per_socket", "PUSHER_LITE_REPLY_BYTES_PER_SOCKET", "1048576", "BYTES PER SECOND", "Maximum rate of bytes that the joins, refused pushes and other messages of one socket cause, with bursts of ten seconds' worth. Over it, the server reads from the socket more slowly. 0 for no limit."),
    setting("events_per_application", "PUSHER_LITE_EVENTS_PER_APPLICATION", "20000", "PER SECOND", "Maximum rate of events of one application, pushed and by REST. Further events get the error `rate limited`, by REST 429. 0 for no limit."),
    setting("organizations_per_user", "PUSHER_LITE_ORGANIZATIONS_PER_USER", "1000", "NUMBER", "Maximum organizations that a user administers. Creating another gets 422. Root users have no limit. 0 for no limit."),
    setting("tokens_per_user", "PUSHER_LITE_TOKENS_PER_USER", "1000", "NUMBER", "Maximum valid tokens of a user. Creating another gets 422. Root users have no limit. 0 for no limit."),
    setting("changes_per_user", "PUSHER_LITE_CHANGES_PER_USER", "10000", "PER HOUR", "Maximum rate of requests with which a user changes something, by REST and by pages, with bursts of an hour's worth. Further requests get 429 with Retry-After. Root users have no limit. 0 for no limit."),
    setting("signed_jwt_lifetime", "PUSHER_LITE_SIGNED_JWT_LIFETIME", "86400", "SECONDS", "Maximum time from now to the expiry of a JWT that is signed with the secret of an application. With a later one, connections get 403."),
    setting("max_name_bytes", "PUSHER_LITE_MAX_NAME_BYTES", "1024", "BYTES", "Maximum length of the names of topics, events and users (unique_identifier)."),
    setting("max_body_bytes", "PUSHER_LITE_MAX_BODY_BYTES", "8000000", "BYTES", "Maximum body of a request. A larger one gets 413."),
    setting("header_timeout", "PUSHER_LITE_HEADER_TIMEOUT", "30", "SECONDS", "Timeout for the head of a request to arrive, and for the client to read the answer to a handshake."),
    setting("keep_alive_timeout", "PUSHER_LITE_KEEP_ALIVE_TIMEOUT", "75", "SECONDS", "Timeout of a connection that is idle between two requests. Set it above that of your proxy."),
    setting("send_timeout", "PUSHER_LITE_SEND_TIMEOUT", "60", "SECONDS", "Timeout for a client that reads nothing of an answer. Then the connection is closed."),
    setting("body_timeout", "PUSHER_LITE_BODY_TIMEOUT", "60", "SECONDS", "Timeout for the body of a request to arrive. A slower one gets 408."),
    setting("max_message_bytes", "PUSHER_LITE_MAX_MESSAGE_BYTES", "1048576", "BYTES", "Maximum message on a socket. A larger one closes the socket with 1009."),
    setting("outbox_bytes", "PUSHER_LITE_OUTBOX_BYTES", "2097152", "BYTES", "Maximum bytes that wait for one slow client, behind the message it is being sent. With more, its socket is closed with 1013."),
    setting("outbox_memory", "PUSHER_LITE_OUTBOX_MEMORY", "536870912", "BYTES", "Maximum memory of messages that wait for all clients together; shared messages count once. Over it, the sockets with the most waiting are closed with 1013."),
    setting("partial_memory", "PUSHER_LITE_PARTIAL_MEMORY", "268435456", "BYTES", "Maximum memory of partly received messages of all sockets together. Over it, the largest and slowest are closed with 1013."),
    setting("channels_per_socket", "PUSHER_LITE_CHANNELS_PER_SOCKET", "100", "NUMBER", "Maximum topics that one socket joins. Further joins get the error `too many channels joined`."),
    setting("idle_timeout", "PUSHER_LITE_IDLE_TIMEOUT", "60", "SECONDS", "Timeout for a socket that sends nothing. Then it is closed with 1001."),
    setting("presence_window", "PUSHER_LITE_PRESENCE_WINDOW", "100", "MILLISECONDS", "Maximum delay of presence changes in a busy topic, where several are sent together. 0 sends each immediately."),
    setting("shutdown_delay", "PUSHER_LITE_SHUTDOWN_DELAY", "0", "SECONDS", "First step of a stop: time to continue serving while /health/ready answers 503, so that balancers notice."),
    setting("drain_window", "PUSHER_LITE_DRAIN_WINDOW", "10", "SECONDS", "Second step of a stop: time over which sockets are closed, a few at a time. Few sockets take less."),
    setting("shutdown_timeout", "PUSHER_LITE_SHUTDOWN_TIMEOUT", "10", "SECONDS", "Last step of a stop: timeout for requests and sockets to end."),
    setting("metrics_listen", "PUSHER_LITE_METRICS_LISTEN", "", "ADDRESS:PORT", "Second listener, for /metrics and /health alone, such as 127.0.0.1:9568."),
    secret("metrics_token", "PUSHER_LITE_METRICS_TOKEN", "Bearer token for /metrics on the main listener, at least 16 characters. Without it, /metrics is 404 there."),
    setting("log", "PUSHER_LITE_LOG", "info", "FILTER", "Log level (error, warn, info, debug, trace), or a tracing filter."),
    setting("log_format", "PUSHER_LITE_LOG_FORMAT", "text", "FORMAT", "Log format: text for people, json for machines."),
];

/// Error in a setting. The message names the setting and its source and never shows a secret.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum SettingError {
    /// The setting does not accept the value.
    #[error("{name} must be {expected}, not {value:?} (set {source_name})")]
    Malformed {
        /// The setting as its source spells it.
        name: String,
        /// Description of a right value.
        expected: String,
        /// The given value; hidden for secrets.
        value: String,
        /// Source of the value.
        source_name: Source,
    },
    /// The value has the right form, but cannot be used.
    #[error("{name}: {reason} (set {source_name})")]
    Unusable {
        /// The setting as its source spells it.
        name: String,
        /// The reason, without the value, which may hold a password.
        reason: String,
        /// Source of the value.
        source_name: Source,
    },
    /// No setting has this name.
    #[error("unknown setting {name} ({source_name}){hint}")]
    Unknown {
        /// The given name.
        name: String,
        /// Source of the value.
        source_name: Source,
        /// `; did you mean …?` or nothing.
        hint: String,
    },
    /// A setting that this configuration needs is not set.
    #[error("{name} must be set: {reason}")]
    Missing {
        /// The environment variable to set.
        name: &'static str,
        reason: &'static str,
        /// A valid value.
        example: &'static str,
    },
    /// The file of a created secret cannot be used.
    #[error("the secret's file {path}: {reason}")]
    SecretFile { path: String, reason: String },
    /// The settings file cannot be used.
    #[error("the settings file {path}: {reason}")]
    File {
        /// Its path, as given.
        path: String,
        reason: String,
    },
}

impl SettingError {
    /// Returns the key of the setting in the table, if the error is about one.
    pub(super) fn key(&self) -> Option<&'static str> {
        let name = match self {
            Self::Malformed { name, .. } | Self::Unusable { name, .. } => name.as_str(),
            Self::Missing { name, .. } => name,
            Self::Unknown { .. } | Self::SecretFile { .. } | Self::File { .. } => return None,
        };
        let flag = name.strip_prefix("--").unwrap_or(name).replace('-', "_");
        let is_named = |setting: &&Setting| setting.env == name || setting.key == flag;
        SETTINGS.iter().find(is_named).map(|setting| setting.key)
    }
}

/// Source of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    Default,
    /// The TOML file.
    File,
    /// An environment variable.
    Environment,
    /// A command line flag.
    Flag,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Default => "by default",
            Self::File => "in the settings file",
            Self::Environment => "in the environment",
            Self::Flag => "as a flag",
        })
    }
}

/// The values that are set, each with its source. Flags win over the environment, the environment over the file.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    values: HashMap<&'static str, (String, Source)>,
    /// The file that was read, if one was.
    file: Option<PathBuf>,
}

impl Settings {
    /// Takes a flag's value. `key` is the one in the table.
    pub fn set_flag(&mut self, key: &'static str, value: String) {
        self.set(key, value, Source::Flag);
    }

    /// Reads the environment; empty values count as not set.
    ///
    /// # Errors
    /// An unknown variable with this server's prefix is an error, since it is most likely misspelt; so is the value of a
    /// known one that is not UTF-8. All others are read nevertheless.
    pub fn read_environment(
        &mut self,
        variables: impl IntoIterator<Item = (impl Into<OsString>, impl Into<OsString>)>,
    ) -> Result<(), SettingErrors> {
        let mut wrong = SettingErrors::default();
        for (name, value) in variables {
            let name = name.into().to_string_lossy().into_owned();
            match SETTINGS.iter().find(|setting| setting.env == name) {
                Some(setting) => match value.into().into_string() {
                    Ok(value) if value.is_empty() => {}
                    Ok(value) => self.set(setting.key, value, Source::Environment),
                    Err(_) => wrong.add(unusable(setting.key, "the value is not UTF-8 text", Source::Environment)),
                },
                None if name.starts_with(PREFIX) && name != CONFIG_ENV => {
                    let hint = hint(&name, SETTINGS.iter().map(|setting| setting.env));
                    wrong.add(SettingError::Unknown { name, source_name: Source::Environment, hint });
                }
                None => {}
            }
        }
        wrong.none()
    }

    /// Reads the TOML file at `path`: one `key = value` per setting, without sections.
    ///
    /// # Errors
    /// Describes what is wrong with the file, or names the unknown keys. All known ones are read nevertheless.
    pub fn read_file(&mut self, path: &Path) -> Result<(), SettingErrors> {
        let mut wrong = SettingErrors::default();
        let file_error = |reason: String| SettingError::File { path: path.display().to_string(), reason };
        let text = fs::read_to_string(path).map_err(|error| file_error(error.to_string()))?;
        // Only the parser's message: its full report quotes the line, which may hold a secret.
        let table: toml::Table =
            text.parse().map_err(|error: toml::de::Error| file_error(error.message().to_owned()))?;
        for (name, value) in table {
            let Some(setting) = SETTINGS.iter().find(|setting| setting.key == name) else {
                let hint = hint(&name, SETTINGS.iter().map(|setting| setting.key));
                wrong.add(SettingError::Unknown { name, source_name: Source::File, hint });
                continue;
            };
            let value = match value {
                toml::Value::String(text) => text,
                toml::Value::Integer(number) => number.to_string(),
                toml::Value::Boolean(flag) => flag.to_string(),
                other => {
                    wrong.add(file_error(format!("{name} must not be a {}", other.type_str())));
                    continue;
                }
            };
            self.set(setting.key, value, Source::File);
        }
        self.file = Some(path.to_owned());
        wrong.none()
    }

    /// Returns the path of the file that was read, if it contains a secret.
    pub(super) fn file_with_secrets(&self) -> Option<&Path> {
        let is_secret = |key: &str, value: &str| row(key).secret || (key == "database_url" && value.contains('@'));
        let mut of_file = self.values.iter().filter(|(_, (_, source))| *source == Source::File);
        self.file.as_deref().filter(|_| of_file.any(|(key, (value, _))| is_secret(key, value)))
    }

    /// Returns the value of a setting: the default if it is not set, or `None` if it has no default either.
    #[must_use]
    pub fn get(&self, key: &'static str) -> Option<(&str, Source)> {
        match self.values.get(key) {
            Some((value, source)) => Some((value, *source)),
            None => Some((row(key).default, Source::Default)).filter(|(default, _)| !default.is_empty()),
        }
    }

    /// Reads the value of a setting that has a default by `parse`; `expected` completes "must be …".
    ///
    /// # Errors
    /// [`SettingError::Malformed`] if `parse` returns `None`.
    pub fn parse<T>(
        &self,
        key: &'static str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, SettingError> {
        let (value, source) = self.get(key).unwrap_or(("", Source::Default));
        parse(value).ok_or_else(|| malformed(key, expected, value, source))
    }

    /// Puts a wrong setting right, so that the others can be read: it counts as not set, or, if it has to be set, gets
    /// an example. `false` when that was done before.
    pub(super) fn put_right(&mut self, key: &'static str, error: &SettingError) -> bool {
        match error {
            SettingError::Missing { example, .. } => {
                let before = self.values.insert(key, ((*example).to_owned(), Source::Default));
                before.is_none_or(|(value, _)| value != *example)
            }
            _ => self.values.remove(key).is_some(),
        }
    }

    fn set(&mut self, key: &'static str, value: String, source: Source) {
        match self.values.get(key) {
            Some((_, current)) if *current > source => {}
            _ => {
                self.values.insert(key, (value, source));
            }
        }
    }
}

/// The environment variable that names the TOML file.
pub const CONFIG_ENV: &str = "PUSHER_LITE_CONFIG";

/// Returns the error for a value that a setting cannot take.
pub(super) fn malformed(key: &'static str, expected: &str, value: &str, source: Source) -> SettingError {
    let value = if row(key).secret { "…".to_owned() } else { value.to_owned() };
    SettingError::Malformed { name: spelt(key, source), expected: expected.to_owned(), value, source_name: source }
}

/// Returns the error for a value that has the right form but does not work.
pub(super) fn unusable(key: &'static str, reason: impl fmt::Display, source: Source) -> SettingError {
    SettingError::Unusable { name: spelt(key, source), reason: reason.to_string(), source_name: source }
}

/// Returns a setting's name as its source spells it.
fn spelt(key: &'static str, source: Source) -> String {
    match source {
        Source::Flag => format!("--{}", key.replace('_', "-")),
        Source::File => key.to_owned(),
        Source::Environment | Source::Default => row(key).env.to_owned(),
    }
}

fn row(key: &str) -> &'static Setting {
    SETTINGS.iter().find(|setting| setting.key == key).expect("only keys of the table are asked for")
}

/// Returns `; did you mean …?` for the most similar name, if one is similar at all.
fn hint(name: &str, names: impl Iterator<Item = &'static str>) -> String {
    names
        .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(similarity, _)| *similarity > 0.85)
        .map_or_else(String::new, |(_, candidate)| format!("; did you mean {candidate}?"))
}

#[cfg(test)]
mod tests;
