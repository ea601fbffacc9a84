//! `pusher-lite backup FILE`.

use std::{ffi::OsString, path::Path};

use clap::ArgMatches;

use super::{Outcome, output};
use crate::{config::Config, store::backup};

pub(super) async fn run(config: &Config, matches: &ArgMatches) -> Outcome {
    let file = Path::new(matches.get_one::<OsString>("file").expect("the argument is required"));
    backup::copy(&config.database.url, file).await?;
    let file = file.display();
    output::print(&format!("The database is copied to {file}."), &format!("the database is copied to {file}"))
}
