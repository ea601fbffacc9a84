//! `pusher-lite seed --demo`.

use std::error::Error;

use super::{Outcome, open_database, welcome};
use crate::{
    auth::password,
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
    print!("{}", welcome::text(&config.public_url(config.listen.port), demo.as_ref(), config.keeps_mails()));
    Ok(())
}

/// Fills in the demo data where the database is empty; returns whether it was.
pub(super) async fn demo_data(db: &Db) -> Result<bool, Box<dyn Error + Send + Sync>> {
    // The hash takes a quarter of a second: not at every start.
    if users::any(&mut db.conn().await?).await? {
        return Ok(false);
    }
    let password_hash = password::hash(demo::ADMIN_PASSWORD).await?;
    Ok(demo::seed(db, &password_hash).await?)
}
