//! The configuration of the server: one struct per concern, read once at the start.

mod database;
mod limits;
mod listen;
mod log;
mod log_filter;
mod mail;
mod problems;
mod secrets;
mod settings;
mod sign_up;
mod stop;
mod values;
mod warnings;

use std::{net::SocketAddr, time::Duration};

pub use self::database::Database;
pub use self::listen::{Listen, TlsFiles};
pub use self::log::Log;

pub use self::problems::{SettingErrors, read_all};
pub use self::secrets::Secrets;
pub use self::settings::{CONFIG_ENV, SETTINGS, Setting, SettingError, Settings, Source};
pub use self::stop::Stop;

use self::values::{boolean, number, seconds};
use crate::{
    mail::Smtp,
    operations::accounts::SignUpPolicy,
    realtime,
    store::{DatabaseUrl, user_quotas::UserLimits},
};

/// The complete configuration, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Listener and limits of connections.
    pub listen: Listen,
    /// Public URL of the server, without a slash at the end. If it is not set, pages show the host that the request
    /// came to.
    pub public_url: Option<String>,
    /// TLS files, if connections are encrypted.
    pub tls: Option<TlsFiles>,
    /// Duration of HSTS for browsers that came by https; zero sends no such header.
    pub hsts: Duration,
    pub database: Database,
    /// Limits of one socket.
    pub realtime: realtime::Limits,
    /// Limits of one user.
    pub users: UserLimits,
    /// Longest lifetime of JWTs that are signed with the secret of an application.
    pub signed_jwt_lifetime: Duration,
    /// The policy for new accounts of visitors.
    pub sign_up: SignUpPolicy,
    /// The mail server, if mails leave the server.
    pub smtp: Option<Smtp>,
    /// Timing of a stop.
    pub stop: Stop,
    /// Address of the separate listener for metrics, if any.
    pub metrics_listen: Option<SocketAddr>,
    /// True if an empty database is filled with demo data, and `/demo` is served.
    pub demo: bool,
}

impl Config {
    /// Returns the public URL of the server when it listens on `port`.
    #[must_use]
    pub fn public_url(&self, port: u16) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        self.public_url.clone().unwrap_or_else(|| format!("{scheme}://localhost:{port}"))
    }

    /// Returns true if mails stay on the server, to be viewed, and none leaves.
    #[must_use]
    pub fn keeps_mails(&self) -> bool {
        self.demo && self.smtp.is_none()
    }

    /// Checks the settings, except the secrets, which only `serve` needs.
    ///
    /// # Errors
    /// Names the first setting that is malformed or missing.
    pub fn from_settings(settings: &Settings) -> Result<Self, SettingError> {
        let listen = Listen::from_settings(settings)?;
        let database = Database::from_settings(settings)?;
        let smtp = mail::smtp(settings)?;
        let demo = settings.parse("demo", "true or false", boolean)?;
        Ok(Self {
            public_url: listen::public_url(settings)?,
            realtime: limits::realtime_limits(settings, listen.body.max_bytes)?,
            users: limits::user_limits(settings)?,
            signed_jwt_lifetime: seconds(settings, "signed_jwt_lifetime")?,
            sign_up: sign_up::policy(settings, demo)?,
            smtp,
            stop: Stop::from_settings(settings)?,
            tls: TlsFiles::from_settings(settings)?,
            hsts: settings.parse("hsts", "a whole number of seconds up to 315360000 (ten years)", |text| {
                number(text).filter(|seconds| *seconds <= 315_360_000).map(Duration::from_secs)
            })?,
            metrics_listen: listen::metrics_listen(settings)?,
            demo,
            listen,
            database,
        })
    }

    /// Returns the secrets that sign JWTs and cookies; creates them for an SQLite installation that has none yet. The
    /// new files belong to the user who runs this, which should be the server's user.
    ///
    /// # Errors
    /// Names the secret that is malformed or missing, or the file that cannot be used.
    pub fn secrets(&self, settings: &Settings) -> Result<Secrets, SettingError> {
        Secrets::load(settings, &self.database.keep_secrets())
    }

    /// Checks the secrets as [`Config::secrets`] does, and creates none. Returns the keys of those that are missing.
    ///
    /// # Errors
    /// The errors of [`Config::secrets`].
    pub fn check_secrets(&self, settings: &Settings) -> Result<Vec<&'static str>, SettingError> {
        Secrets::check(settings, &self.database.keep_secrets())
    }

    /// Returns weaknesses of this installation's secrets that do not stop the start, each as a sentence that says what
    /// to do: a short secret, or files with secrets that every user of the machine can read.
    pub fn warnings(&self, settings: &Settings) -> Vec<String> {
        let file = match &self.database.url {
            DatabaseUrl::Sqlite(file) => Some(file.as_path()),
            DatabaseUrl::Postgres(_) => None,
        };
        warnings::warnings(settings, &self.database.keep_secrets(), file)
    }
}

#[cfg(test)]
mod tests;
