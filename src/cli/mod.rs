//! The command line: what can be said, and one file for each thing that can be done.

mod args;
mod backup;
mod clock;
mod config_check;
mod descriptors;
mod health;
mod mail;
mod mail_sending;
mod metrics;
mod migrate;
mod seed;
mod serve;
mod stop;
mod token;
mod user;
mod welcome;

use std::{error::Error, io::IsTerminal, path::Path};

use clap::ArgMatches;
use tracing::Level;
use tracing_subscriber::{EnvFilter, filter::filter_fn, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{
    config::{CONFIG_ENV, Config, Log, Settings},
    store::Db,
};

/// What a command ends with: nothing, or what to tell the person who gave it.
type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

/// Reads the command line and does what it says.
///
/// # Errors
/// Whatever stopped the command, as a sentence that says what to do about it.
pub async fn run() -> Outcome {
    let matches = args::command().get_matches();
    let settings = settings(&matches)?;
    start_log(&Log::from_settings(&settings)?);
    let config = Config::from_settings(&settings)?;
    match matches.subcommand() {
        Some(("backup", backup)) => backup::run(&config, backup).await,
        Some(("health", _)) => health::run(&config).await,
        Some(("migrate", _)) => migrate::run(&config).await,
        Some(("seed", _)) => seed::run(&config).await,
        Some(("user", user)) => user::run(&config, user).await,
        Some(("token", token)) => token::run(&config, token).await,
        Some(("mail", mail)) => mail::run(&config, mail).await,
        Some(("config", _)) => config_check::run(&config, &settings),
        _ => {
            let secrets = config.secrets(&settings)?;
            serve::run(config, &secrets).await
        }
    }
}

/// Puts together what the flags, the environment and the settings file say.
fn settings(matches: &ArgMatches) -> Result<Settings, Box<dyn Error + Send + Sync>> {
    let mut settings = Settings::default();
    for (key, value) in args::flags(matches) {
        settings.set_flag(key, value);
    }
    let environment = std::env::vars_os();
    settings.read_environment(
        environment.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))),
    )?;
    let file = matches.get_one::<String>("config_file").cloned().or_else(|| std::env::var(CONFIG_ENV).ok());
    if let Some(file) = file.filter(|file| !file.is_empty()) {
        settings.read_file(Path::new(&file))?;
    }
    Ok(settings)
}

/// Logs go to standard error, so that what a command prints can be used by the next one.
///
/// Libraries say no more than `info`, whatever is asked for: below that some of them print what passes through them,
/// messages of sockets and values of queries, which no log may hold.
fn start_log(log: &Log) {
    let presentable = filter_fn(|metadata| {
        *metadata.level() <= Level::INFO || metadata.target().split("::").next() == Some(env!("CARGO_CRATE_NAME"))
    });
    let builder = fmt()
        .with_env_filter(EnvFilter::new(&log.filter))
        .with_writer(std::io::stderr)
        // It would say on standard error that it cannot write there, and panic.
        .log_internal_errors(false)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    if log.json {
        builder.json().flatten_event(true).finish().with(presentable).init();
    } else {
        builder.finish().with(presentable).init();
    }
}

/// Connects to the configured database and brings it up to date.
async fn open_database(config: &Config) -> Result<Db, Box<dyn Error + Send + Sync>> {
    let db = Db::connect(&config.database.url, &config.database.options).await?;
    db.migrate().await?;
    Ok(db)
}
