//! `pusher-lite token create`.

use clap::ArgMatches;

use super::{Outcome, open_database};
use crate::{
    config::Config,
    store::{Transaction, user_tokens, users},
};

pub(super) async fn run(config: &Config, matches: &ArgMatches) -> Outcome {
    let Some(("create", matches)) = matches.subcommand() else { return Ok(()) };
    let email = matches.get_one::<String>("user").expect("the argument is required");
    let db = open_database(config).await?;
    let user = users::find_by_email(&mut db.conn().await?, email).await?;
    let user = user.ok_or_else(|| format!("there is no user {email}; `pusher-lite user create` makes one"))?;
    let token = db.transaction(async |tx: &mut Transaction<'_>| user_tokens::create(tx, user.id).await).await?;
    println!("{}", token.token);
    Ok(())
}
