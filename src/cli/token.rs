//! `pusher-lite token create`.

use clap::ArgMatches;

use super::{Outcome, open_database, output};
use crate::{
    config::Config,
    operations::{Refusal, accounts, tokens},
    store::{audit::Actor, users},
};

pub(super) async fn run(config: &Config, matches: &ArgMatches) -> Outcome {
    let Some(("create", matches)) = matches.subcommand() else { return Ok(()) };
    let email = matches.get_one::<String>("user").expect("the argument is required");
    let db = open_database(config).await?;
    let user = users::find_by_email(&mut db.conn().await?, email).await?;
    let user = user.ok_or_else(|| format!("there is no user {email}; `pusher-lite user create` makes one"))?;
    let actor = Actor::command_line();
    let created = db.transaction(async |tx| tokens::create_for(tx, &actor, user.id).await).await;
    let token = match created {
        Err(Refusal::Rule(rule)) => return Err(format!("{email} {rule}").into()),
        Err(Refusal::Store(error)) => return Err(error.into()),
        Ok(token) => token,
    };
    let tokens = config.public_url(config.listen.port) + accounts::TOKENS;
    let ending = token.ending();
    let lost = format!("created a token of {email} that is lost: invalidate the one that ends in {ending} at {tokens}");
    output::print(&token.token, &lost)
}
