//! `pusher-lite backup FILE`.

use std::path::Path;

use clap::ArgMatches;

use super::Outcome;
use crate::{config::Config, store::backup};

pub(super) async fn run(config: &Config, matches: &ArgMatches) -> Outcome {
    let file = matches.get_one::<String>("file").expect("the argument is required");
    backup::copy(&config.database.url, Path::new(file)).await?;
    println!("The database is copied to {file}.");
    Ok(())
}
