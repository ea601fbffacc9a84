//! `pusher-lite token create`.

use chrono::TimeDelta;
use clap::ArgMatches;

use super::{Outcome, open_database, output};
use crate::{
    config::Config,
    operations::{
        Refusal, accounts,
        tokens::{self, NewToken, TokenFault},
    },
    store::{audit::Actor, now, token_scope::TokenScope, users},
};

pub(super) async fn run(config: &Config, matches: &ArgMatches) -> Outcome {
    let Some(("create", matches)) = matches.subcommand() else { return Ok(()) };
    let email = matches.get_one::<String>("user").expect("the argument is required");
    let new = new_token(matches)?;
    let db = open_database(config).await?;
    let user = users::find_by_email(&mut db.conn().await?, email).await?;
    let user = user.ok_or_else(|| format!("there is no user {email}; `pusher-lite user create` makes one"))?;
    let actor = Actor::command_line();
    let created = db.transaction(async |tx| tokens::create_for(tx, &actor, user.id, &new).await).await;
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

/// Returns the settings that the arguments say.
fn new_token(matches: &ArgMatches) -> Result<NewToken, String> {
    let name = matches.get_one::<String>("token_name").map(String::as_str);
    let scope = matches.get_one::<String>("scope").and_then(|scope| TokenScope::parse(scope));
    let scope = scope.expect("the argument has a default, and takes the names of scopes alone");
    let days = matches.get_one::<u16>("expires_in_days").copied();
    let expires_at = days.map(|days| now() + TimeDelta::days(days.into()));
    NewToken::check(name, scope, expires_at).map_err(|faults| {
        let words = |fault: &TokenFault| format!("the {} {fault}", fault.field().replace('_', " "));
        faults.iter().map(words).collect::<Vec<_>>().join("; ")
    })
}
