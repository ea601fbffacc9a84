//! `pusher-lite token create`.

use clap::ArgMatches;

use super::{Outcome, open_database};
use crate::{
    config::Config,
    store::{
        self, Transaction,
        audit::{self, Actor, Differences, NewEntry},
        user_tokens::{self, UserToken},
        users,
    },
};

pub(super) async fn run(config: &Config, matches: &ArgMatches) -> Outcome {
    let Some(("create", matches)) = matches.subcommand() else { return Ok(()) };
    let email = matches.get_one::<String>("user").expect("the argument is required");
    let db = open_database(config).await?;
    let user = users::find_by_email(&mut db.conn().await?, email).await?;
    let user = user.ok_or_else(|| format!("there is no user {email}; `pusher-lite user create` makes one"))?;
    let token = db.transaction(async |tx: &mut Transaction<'_>| create(tx, user.id).await).await?;
    println!("{}", token.token);
    Ok(())
}

/// Creates the token, and tells the audit log.
async fn create(tx: &mut Transaction<'_>, user_id: i32) -> store::Result<UserToken> {
    let token = user_tokens::create(tx, user_id).await?;
    let mut differences = Differences::default();
    differences.note("user_id", user_id);
    let (resource_id, details) = (Some(token.id), differences.as_str());
    let entry = NewEntry { action: "create", resource: "user_tokens", resource_id, details };
    audit::record(tx, &Actor::command_line(), &entry).await?;
    Ok(token)
}
