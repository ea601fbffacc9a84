//! `pusher-lite config check`.

use std::fmt::{self, Write};

use super::{Outcome, mail::WITHOUT_SMTP, output, serve};
use crate::config::{Config, SETTINGS, Settings};

/// Shows every setting with its value and source. The caller has checked that all are valid.
pub(super) fn run(config: &Config, settings: &Settings) -> Outcome {
    let to_make = config.check_secrets(settings)?;
    serve::load_tls(config)?;
    let public_url = config.public_url(config.listen.port);
    let text = described(config, settings, &public_url, &to_make)?;
    output::print(&text, "the settings are sound")
}

/// Returns every setting with its value and source, the warnings, and the way of mails.
fn described(
    config: &Config,
    settings: &Settings,
    public_url: &str,
    to_make: &[&'static str],
) -> Result<String, fmt::Error> {
    let mut text = format!("The settings are sound: {public_url} with the {}.\n", config.database.url);
    for setting in SETTINGS {
        let (value, source) = match settings.get(setting.key) {
            Some((_, source)) if setting.secret => ("(secret)", source.to_string()),
            Some((value, source)) if setting.key == "database_url" => (without_password(value), source.to_string()),
            Some((value, source)) => (value, source.to_string()),
            None if setting.key == "public_url" => (public_url, "by default".to_owned()),
            None if setting.key == "sign_up" && config.demo => ("open", "in demo mode".to_owned()),
            None if setting.key == "sign_up" => (
                "-",
                "not set: open in an older installation; in a new one, invited once there is a root user".to_owned(),
            ),
            None if to_make.contains(&setting.key) => ("-", "made at the first start".to_owned()),
            None if ["jwt_secret", "cookie_secret"].contains(&setting.key) => {
                ("(secret)", "in the data folder".to_owned())
            }
            None => ("-", "not set".to_owned()),
        };
        write!(text, "\n{:<34} {value}  ({source})", setting.env)?;
    }
    for warning in config.warnings(settings) {
        write!(text, "\n\nWarning: {warning}")?;
    }
    match &config.smtp {
        Some(smtp) => write!(text, "\n\nMails leave through {smtp}; `pusher-lite mail test ADDRESS` tries it.")?,
        None if config.demo => write!(text, "\n\nNo mail leaves in demo mode; /dev/mailbox shows them.")?,
        None => write!(text, "\n\n{WITHOUT_SMTP}.")?,
    }
    Ok(text)
}

/// Returns the part of a Postgres URL behind the user and password; an SQLite URL as it is.
fn without_password(url: &str) -> &str {
    match url.rsplit_once('@') {
        Some((_, place)) if !url.starts_with("sqlite") => place,
        _ => url,
    }
}
