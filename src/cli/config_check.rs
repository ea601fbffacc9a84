//! `pusher-lite config check`.

use super::{Outcome, mail::WITHOUT_SMTP};
use crate::config::{Config, SETTINGS, Settings};

/// Shows every setting with its value and source. The caller has checked them: whoever comes here has none that
/// is wrong, but for the secrets.
pub(super) fn run(config: &Config, settings: &Settings) -> Outcome {
    let to_make = config.check_secrets(settings)?;
    let public_url = config.public_url(config.listen.port);
    println!("The settings are sound: {public_url} with the {}.\n", config.database.url);
    for setting in SETTINGS {
        let (value, source) = match settings.get(setting.key) {
            Some((_, source)) if setting.secret => ("(secret)", source.to_string()),
            Some((value, source)) if setting.key == "database_url" => (without_password(value), source.to_string()),
            Some((value, source)) => (value, source.to_string()),
            None if setting.key == "public_url" => (public_url.as_str(), "by default".to_owned()),
            None if to_make.contains(&setting.key) => ("-", "made at the first start".to_owned()),
            None if ["jwt_secret", "cookie_secret"].contains(&setting.key) => {
                ("(secret)", "in the data folder".to_owned())
            }
            None => ("-", "not set".to_owned()),
        };
        println!("{:<34} {value}  ({source})", setting.env);
    }
    match &config.smtp {
        Some(smtp) => println!("\nMails leave through {smtp}; `pusher-lite mail test ADDRESS` tries it."),
        None if config.demo => println!("\nNo mail leaves in demo mode; /dev/mailbox shows them."),
        None => println!("\n{WITHOUT_SMTP}."),
    }
    Ok(())
}

/// The part of a Postgres URL behind the user and password; an SQLite URL as it is.
fn without_password(url: &str) -> &str {
    match url.rsplit_once('@') {
        Some((_, place)) if !url.starts_with("sqlite") => place,
        _ => url,
    }
}
