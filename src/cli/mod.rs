//! The command line: its arguments, and one file for each command.

mod args;
mod audit;
mod backup;
mod clock;
mod config_check;
mod descriptors;
mod health;
mod mail;
mod mail_sending;
mod metrics;
mod migrate;
mod output;
mod seed;
mod serve;
mod stop;
#[cfg(test)]
mod tests;
mod token;
mod user;
mod welcome;

use std::{error::Error, ffi::OsString, io::IsTerminal, path::Path};

use clap::ArgMatches;
use tracing::Level;
use tracing_subscriber::{EnvFilter, filter::filter_fn, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{
    config::{CONFIG_ENV, Config, Log, SettingErrors, Settings, read_all},
    store::Db,
};

/// Result of a command: nothing, or a message for the user.
type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

/// Reads the command line and does what it says.
///
/// # Errors
/// The reason that stopped the command, as a sentence that says what to do about it.
pub async fn run() -> Outcome {
    let matches = args::command().get_matches();
    let (settings, config) = settings(&matches)?;
    match matches.subcommand() {
        Some(("backup", backup)) => backup::run(&config, backup).await,
        Some(("health", _)) => health::run(&config).await,
        Some(("migrate", _)) => migrate::run(&config).await,
        Some(("seed", _)) => seed::run(&config).await,
        Some(("user", user)) => user::run(&config, user).await,
        Some(("token", token)) => token::run(&config, token).await,
        Some(("audit", audit)) => audit::run(&config, audit).await,
        Some(("mail", mail)) => mail::run(&config, mail).await,
        Some(("config", _)) => config_check::run(&config, &settings),
        _ => {
            let secrets = config.secrets(&settings)?;
            for warning in config.warnings(&settings) {
                tracing::warn!("{warning}");
            }
            serve::run(config, &secrets).await
        }
    }
}

/// Reads the flags, the environment and the settings file, and starts the log.
///
/// # Errors
/// All errors in the settings, and, for a command that needs them, in the secrets.
fn settings(matches: &ArgMatches) -> Result<(Settings, Config), SettingErrors> {
    let (settings, gathered) = gather(matches);
    let needs_secrets = matches!(matches.subcommand_name(), None | Some("serve" | "config"));
    let read = read_all(&settings, |settings| {
        let (log, config) = (Log::from_settings(settings)?, Config::from_settings(settings)?);
        if needs_secrets {
            // Before the secrets, whose files are in the same folder.
            config.database.check_files(settings)?;
            config.check_secrets(settings)?;
        }
        Ok((log, config))
    });
    let (log, config) = all_or_errors(gathered, read)?;
    start_log(&log);
    Ok((settings, config))
}

/// Returns the value, unless there were errors here or before.
fn all_or_errors<T>(before: Result<(), SettingErrors>, read: Result<T, SettingErrors>) -> Result<T, SettingErrors> {
    match (before, read) {
        (Ok(()), read) => read,
        (Err(errors), Ok(_)) => Err(errors),
        (Err(errors), Err(more)) => Err(errors.and(more)),
    }
}

/// Returns the values of all known settings, and the errors in the others.
fn gather(matches: &ArgMatches) -> (Settings, Result<(), SettingErrors>) {
    let mut settings = Settings::default();
    for (key, value) in args::flags(matches) {
        settings.set_flag(key, value);
    }
    let mut gathered = settings.read_environment(std::env::vars_os());
    let file = matches.get_one::<OsString>("config_file").cloned().or_else(|| std::env::var_os(CONFIG_ENV));
    if let Some(file) = file.filter(|file| !file.is_empty()) {
        gathered = all_or_errors(gathered, settings.read_file(Path::new(&file)));
    }
    (settings, gathered)
}

/// Starts the log on standard error, so that another program can read what a command prints.
///
/// Libraries log at most at level `info`, whatever the filter says: below that some of them print data that passes
/// through them, messages of sockets and values of queries, which must not be in any log.
fn start_log(log: &Log) {
    let presentable = filter_fn(|metadata| {
        *metadata.level() <= Level::INFO || metadata.target().split("::").next() == Some(env!("CARGO_CRATE_NAME"))
    });
    let builder = fmt()
        .with_env_filter(EnvFilter::new(&log.filter))
        .with_writer(std::io::stderr)
        // Otherwise it would report on standard error that it cannot write there, and panic.
        .log_internal_errors(false)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    if log.json {
        builder.json().flatten_event(true).finish().with(presentable).init();
    } else {
        builder.finish().with(presentable).init();
    }
}

/// Connects to the configured database and migrates it.
async fn open_database(config: &Config) -> Result<Db, Box<dyn Error + Send + Sync>> {
    let db = Db::connect(&config.database.url, &config.database.options).await?;
    db.migrate().await?;
    Ok(db)
}
