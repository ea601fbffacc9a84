//! The table of every setting, and where each value comes from: flags, environment, file, default.

use std::{collections::HashMap, fmt, fs, path::Path};

/// The prefix of this server's own environment variables. An unknown variable that starts so stops the start.
const PREFIX: &str = "PUSHER_LITE_";

/// One setting: a row of the table in README.md.
#[derive(Debug)]
pub struct Setting {
    /// The name in the TOML file; with `-` for `_` it is the flag's name.
    pub key: &'static str,
    /// The environment variable.
    pub env: &'static str,
    /// What holds when nobody set it; empty when that is not a fixed text.
    pub default: &'static str,
    /// What the value is, for `--help` and for messages: `NUMBER`, `SECONDS`, `BYTES`, ….
    pub unit: &'static str,
    /// One line for `--help`.
    pub help: &'static str,
    /// A secret has no flag, because other users of the machine can read a process's flags.
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

/// Every setting there is.
#[rustfmt::skip]
pub const SETTINGS: &[Setting] = &[
    setting("host", "HOST", "127.0.0.1", "ADDRESS", "Address to listen on; 0.0.0.0 or :: for every network"),
    setting("port", "PORT", "4000", "NUMBER", "Port to listen on; 0 picks a free one"),
    setting("public_url", "PUSHER_LITE_PUBLIC_URL", "", "URL", "Where people reach this server; http://localhost:PORT unless set; required with PUSHER_LITE_SMTP_URL"),
    setting("trusted_proxies", "PUSHER_LITE_TRUSTED_PROXIES", "", "LIST", "Addresses and networks of proxies whose X-Forwarded-For, -Proto and -Host are believed; none unless set"),
    setting("tls_certificate", "PUSHER_LITE_TLS_CERTIFICATE", "", "FILE", "PEM file with the certificate and those that lead to its authority; with it, PORT speaks https"),
    setting("tls_key", "PUSHER_LITE_TLS_KEY", "", "FILE", "PEM file with the certificate's private key"),
    setting("redirect_port", "PUSHER_LITE_REDIRECT_PORT", "", "NUMBER", "With TLS, a port where plain requests are sent on to https; none unless set"),
    setting("hsts", "PUSHER_LITE_HSTS", "31536000", "SECONDS", "For how long browsers that came by https shall come by nothing else; 0 says nothing"),
    setting("database_url", "DATABASE_URL", "sqlite://data/pusher-lite.db", "URL", "sqlite://PATH or postgres://USER:PASSWORD@HOST/NAME"),
    setting("database_connections", "PUSHER_LITE_DATABASE_CONNECTIONS", "10", "NUMBER", "Most database connections open at once"),
    setting("database_timeout", "PUSHER_LITE_DATABASE_TIMEOUT", "5", "SECONDS", "How long to wait for a connection to the database, and for Postgres to answer a query"),
    secret("jwt_secret", "PUSHER_LITE_JWT_SECRET", "Signs JWTs; the original's Guardian secret_key. Made once and kept beside an SQLite database; required with Postgres"),
    secret("cookie_secret", "PUSHER_LITE_COOKIE_SECRET", "Signs cookies and session tokens, at least 32 characters. Made once and kept beside an SQLite database; required with Postgres"),
    secret("smtp_url", "PUSHER_LITE_SMTP_URL", "The mail server: smtps://USER:PASSWORD@HOST, or smtp:// for STARTTLS"),
    setting("mail_from", "PUSHER_LITE_MAIL_FROM", "", "ADDRESS", "Whom mails come from, as Name <name@example.com>; required with PUSHER_LITE_SMTP_URL"),
    setting("demo", "PUSHER_LITE_DEMO", "false", "BOOL", "Fill an empty database with demo data and serve /demo; never for production"),
    setting("max_connections", "PUSHER_LITE_MAX_CONNECTIONS", "100000", "NUMBER", "Most TCP connections open at once, where further ones wait"),
    setting("max_sockets", "PUSHER_LITE_MAX_SOCKETS", "90000", "NUMBER", "Most sockets open at once, over WebSocket and long-polling; further ones are refused with 503"),
    setting("sockets_per_application", "PUSHER_LITE_SOCKETS_PER_APPLICATION", "90000", "NUMBER", "Most sockets of one application; further ones are refused with 429; 0 for no limit"),
    setting("sockets_per_address", "PUSHER_LITE_SOCKETS_PER_ADDRESS", "10000", "NUMBER", "Most sockets of one client address (of IPv6, of a /64), loopback excepted; further ones are refused with 429; 0 for no limit"),
    setting("connects_per_address", "PUSHER_LITE_CONNECTS_PER_ADDRESS", "100", "PER SECOND", "Sockets that one address may open a second, five seconds' worth at once; further ones are refused with 429; 0 for no limit"),
    setting("events_per_socket", "PUSHER_LITE_EVENTS_PER_SOCKET", "500", "PER SECOND", "Events that one socket may push a second; further ones are refused; 0 for no limit"),
    setting("events_per_application", "PUSHER_LITE_EVENTS_PER_APPLICATION", "20000", "PER SECOND", "Events that one application may have a second, pushed and by REST; further ones are refused, by REST with 429; 0 for no limit"),
    setting("max_name_bytes", "PUSHER_LITE_MAX_NAME_BYTES", "1024", "BYTES", "Longest name of a topic, of an event, and of a user"),
    setting("max_body_bytes", "PUSHER_LITE_MAX_BODY_BYTES", "8000000", "BYTES", "Largest body of a request; a larger one is refused with 413"),
    setting("header_timeout", "PUSHER_LITE_HEADER_TIMEOUT", "30", "SECONDS", "How long the head of a request may take to arrive, and a connection be idle between two"),
    setting("body_timeout", "PUSHER_LITE_BODY_TIMEOUT", "60", "SECONDS", "How long the body of a request may take to arrive; a slower one is refused with 408"),
    setting("max_message_bytes", "PUSHER_LITE_MAX_MESSAGE_BYTES", "1048576", "BYTES", "Largest message on a socket; a larger one closes it with 1009"),
    setting("outbox_bytes", "PUSHER_LITE_OUTBOX_BYTES", "2097152", "BYTES", "Most that waits for one slow client before it is closed"),
    setting("channels_per_socket", "PUSHER_LITE_CHANNELS_PER_SOCKET", "100", "NUMBER", "Most topics one socket may join"),
    setting("idle_timeout", "PUSHER_LITE_IDLE_TIMEOUT", "60", "SECONDS", "A socket that sends nothing for so long is closed with 1001"),
    setting("presence_window", "PUSHER_LITE_PRESENCE_WINDOW", "100", "MILLISECONDS", "Most that changes in who is in a busy topic are gathered before its members are told; 0 tells each at once"),
    setting("shutdown_delay", "PUSHER_LITE_SHUTDOWN_DELAY", "0", "SECONDS", "How long a stop goes on serving while /health/ready answers 503, so that balancers notice"),
    setting("drain_window", "PUSHER_LITE_DRAIN_WINDOW", "10", "SECONDS", "Then, over how long a stop spreads the closing of sockets; few take less"),
    setting("shutdown_timeout", "PUSHER_LITE_SHUTDOWN_TIMEOUT", "10", "SECONDS", "Then, how long a stop waits for requests and sockets to end"),
    setting("metrics_listen", "PUSHER_LITE_METRICS_LISTEN", "", "ADDRESS:PORT", "A second listener, for /metrics and /health alone, such as 127.0.0.1:9568; none unless set"),
    secret("metrics_token", "PUSHER_LITE_METRICS_TOKEN", "Whoever sends it as a bearer token may read /metrics on the main listener, at least 16 characters; nobody may unless set"),
    setting("log", "PUSHER_LITE_LOG", "info", "FILTER", "What to log: error, warn, info, debug, trace, or a tracing filter"),
    setting("log_format", "PUSHER_LITE_LOG_FORMAT", "text", "FORMAT", "text for people, json for machines"),
];

/// What is wrong with a setting. The message names the setting and its source and never shows a secret.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SettingError {
    /// The value is not what the setting takes.
    #[error("{name} must be {expected}, not {value:?} (set {source_name})")]
    Malformed {
        /// The setting as its source spells it.
        name: String,
        /// What would have been right.
        expected: String,
        /// What was given; hidden for secrets.
        value: String,
        /// Where it was given.
        source_name: Source,
    },
    /// The value has the right form, and yet cannot be used.
    #[error("{name}: {reason} (set {source_name})")]
    Unusable {
        /// The setting as its source spells it.
        name: String,
        /// Why; without the value, which may hold a password.
        reason: String,
        /// Where it was given.
        source_name: Source,
    },
    /// No setting has this name.
    #[error("unknown setting {name} ({source_name}){hint}")]
    Unknown {
        /// The name that was given.
        name: String,
        /// Where it was given.
        source_name: Source,
        /// `; did you mean …?` or nothing.
        hint: String,
    },
    /// A setting that this configuration needs is not set.
    #[error("{name} must be set: {reason}")]
    Missing {
        /// The environment variable to set.
        name: &'static str,
        /// Why.
        reason: &'static str,
    },
    /// The file of a made secret cannot be used.
    #[error("the secret's file {path}: {reason}")]
    SecretFile {
        /// Its path.
        path: String,
        /// Why.
        reason: String,
    },
    /// The settings file cannot be used.
    #[error("the settings file {path}: {reason}")]
    File {
        /// Its path, as given.
        path: String,
        /// Why.
        reason: String,
    },
}

/// Where a value came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// Nobody set it.
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

/// The values that were set, each with its source. Flags win over the environment, the environment over the file.
#[derive(Debug, Default)]
pub struct Settings {
    values: HashMap<&'static str, (String, Source)>,
}

impl Settings {
    /// Takes a flag's value. `key` is that of the table.
    pub fn set_flag(&mut self, key: &'static str, value: String) {
        self.set(key, value, Source::Flag);
    }

    /// Takes what the environment sets; empty values count as not set.
    ///
    /// # Errors
    /// A variable with this server's prefix that is no setting is an error, since it is most likely a misspelt one.
    pub fn read_environment(
        &mut self,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(), SettingError> {
        for (name, value) in variables {
            match SETTINGS.iter().find(|setting| setting.env == name) {
                Some(setting) if !value.is_empty() => self.set(setting.key, value, Source::Environment),
                None if name.starts_with(PREFIX) && name != CONFIG_ENV => {
                    let hint = hint(&name, SETTINGS.iter().map(|setting| setting.env));
                    return Err(SettingError::Unknown { name, source_name: Source::Environment, hint });
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Takes what the TOML file at `path` sets: one `key = value` a setting, without sections.
    ///
    /// # Errors
    /// Says what is wrong with the file or names the key that is no setting.
    pub fn read_file(&mut self, path: &Path) -> Result<(), SettingError> {
        let file_error = |reason: String| SettingError::File { path: path.display().to_string(), reason };
        let text = fs::read_to_string(path).map_err(|error| file_error(error.to_string()))?;
        // Only the parser's message: its full report quotes the line, which may hold a secret.
        let table: toml::Table =
            text.parse().map_err(|error: toml::de::Error| file_error(error.message().to_owned()))?;
        for (name, value) in table {
            let Some(setting) = SETTINGS.iter().find(|setting| setting.key == name) else {
                let hint = hint(&name, SETTINGS.iter().map(|setting| setting.key));
                return Err(SettingError::Unknown { name, source_name: Source::File, hint });
            };
            let value = match value {
                toml::Value::String(text) => text,
                toml::Value::Integer(number) => number.to_string(),
                toml::Value::Boolean(flag) => flag.to_string(),
                other => return Err(file_error(format!("{name} must not be a {}", other.type_str()))),
            };
            self.set(setting.key, value, Source::File);
        }
        Ok(())
    }

    /// The value of a setting, its default where nobody set it, or `None` where it has no default either.
    #[must_use]
    pub fn get(&self, key: &'static str) -> Option<(&str, Source)> {
        match self.values.get(key) {
            Some((value, source)) => Some((value, *source)),
            None => Some((row(key).default, Source::Default)).filter(|(default, _)| !default.is_empty()),
        }
    }

    /// The value of a setting that has a default, read by `parse`; `expected` completes "must be …".
    ///
    /// # Errors
    /// [`SettingError::Malformed`] where `parse` gives `None`.
    pub fn parse<T>(
        &self,
        key: &'static str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, SettingError> {
        let (value, source) = self.get(key).unwrap_or(("", Source::Default));
        parse(value).ok_or_else(|| malformed(key, expected, value, source))
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

/// The error for a value that a setting cannot take.
pub(super) fn malformed(key: &'static str, expected: &str, value: &str, source: Source) -> SettingError {
    let value = if row(key).secret { "…".to_owned() } else { value.to_owned() };
    SettingError::Malformed { name: spelt(key, source), expected: expected.to_owned(), value, source_name: source }
}

/// The error for a value that its user cannot work with.
pub(super) fn unusable(key: &'static str, reason: impl fmt::Display, source: Source) -> SettingError {
    SettingError::Unusable { name: spelt(key, source), reason: reason.to_string(), source_name: source }
}

/// A setting's name where it was set.
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

/// `; did you mean …?` for the most similar name, if one is similar at all.
fn hint(name: &str, names: impl Iterator<Item = &'static str>) -> String {
    names
        .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(similarity, _)| *similarity > 0.85)
        .map_or_else(String::new, |(_, candidate)| format!("; did you mean {candidate}?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Result<Settings, SettingError> {
        let mut settings = Settings::default();
        settings.read_environment(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())))?;
        Ok(settings)
    }

    #[test]
    fn a_flag_wins_over_the_environment_and_that_over_the_file() {
        let mut settings = environment(&[("PORT", "2")]).unwrap();
        settings.set("port", "1".to_owned(), Source::File);
        assert_eq!(settings.get("port"), Some(("2", Source::Environment)));
        settings.set_flag("port", "3".to_owned());
        assert_eq!(settings.get("port"), Some(("3", Source::Flag)));
        assert_eq!(settings.get("host"), Some(("127.0.0.1", Source::Default)));
    }

    #[test]
    fn a_misspelt_variable_is_named_with_the_right_one() {
        let error = environment(&[("PUSHER_LITE_JWT_SECRT", "x")]).unwrap_err().to_string();
        assert!(
            error.contains("PUSHER_LITE_JWT_SECRT") && error.contains("did you mean PUSHER_LITE_JWT_SECRET?"),
            "{error}"
        );
        assert!(environment(&[("PATH", "/bin"), ("PUSHER_LITE_CONFIG", "x.toml")]).is_ok());
    }

    #[test]
    fn a_file_is_read_and_an_unknown_key_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        let mut settings = Settings::default();
        fs::write(&path, "port = 5000\ndemo = true\nhost = \"::1\"\n").unwrap();
        settings.read_file(&path).unwrap();
        assert_eq!(settings.get("port"), Some(("5000", Source::File)));
        assert_eq!(settings.get("demo"), Some(("true", Source::File)));
        fs::write(&path, "prot = 5000\n").unwrap();
        let error = settings.read_file(&path).unwrap_err().to_string();
        assert_eq!(error, "unknown setting prot (in the settings file); did you mean port?");
        fs::write(&path, "jwt_secret = \"hunter2\n").unwrap();
        let error = settings.read_file(&path).unwrap_err().to_string();
        assert!(error.contains("settings.toml") && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn a_malformed_secret_is_not_shown() {
        let error = malformed("jwt_secret", "longer", "hunter2", Source::Environment).to_string();
        assert!(error.contains("PUSHER_LITE_JWT_SECRET") && !error.contains("hunter2"), "{error}");
    }
}
