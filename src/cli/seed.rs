//! `pusher-lite seed --demo`.

use std::error::Error;

use super::{Outcome, open_database, output, welcome};
use crate::{
    auth::NewPassword,
    config::Config,
    store::{Db, demo, users},
};

pub(super) async fn run(config: &Config) -> Outcome {
    if !config.demo {
        return Err("say what to fill the database with: `pusher-lite seed --demo`".into());
    }
    let db = open_database(config).await?;
    if !demo_data(&db).await? {
        return Err("the database is not empty; demo data goes into an empty one only".into());
    }
    let demo = demo::find(&mut db.conn().await?).await?;
    let text = welcome::text(&config.public_url(config.listen.port), demo.as_ref(), config.keeps_mails(), true);
    output::print(text.trim_end_matches('\n'), "the database is filled with demo data")
}

/// Fills in the demo data if the database is empty; returns true if it was.
pub(super) async fn demo_data(db: &Db) -> Result<bool, Box<dyn Error + Send + Sync>> {
    // The hash takes a quarter of a second: not at every start.
    if users::any(&mut db.conn().await?).await? {
        return Ok(false);
    }
    let hash = NewPassword::check(demo::ADMIN_PASSWORD)?.hash().await?;
    Ok(demo::seed(db, hash.as_str()).await?)
}
