//! `pusher-lite migrate`.

use super::{Outcome, open_database, output};
use crate::config::Config;

pub(super) async fn run(config: &Config) -> Outcome {
    open_database(config).await?;
    output::print("The database is up to date.", "the database is up to date")
}
