//! `pusher-lite user create`.

use std::io;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use clap::ArgMatches;

use super::{Outcome, open_database};
use crate::{
    auth::password,
    config::Config,
    store::{
        self, Transaction,
        audit::{self, Actor, Differences, NewEntry},
        credentials,
        users::{self, NewUser},
    },
};

pub(super) async fn run(config: &Config, matches: &ArgMatches) -> Outcome {
    let Some(("create", matches)) = matches.subcommand() else { return Ok(()) };
    let email = matches.get_one::<String>("email").expect("the argument is required");
    let given_name = matches.get_one::<String>("name").map(String::as_str);
    let (local_part, _) = email
        .split_once('@')
        .filter(|(local, host)| !local.is_empty() && !host.is_empty())
        .ok_or(format!("{email:?} is no address; --email takes one such as me@example.com"))?;
    let (password, made) =
        if matches.get_flag("password_stdin") { (read_password()?, false) } else { (make_password()?, true) };

    let db = open_database(config).await?;
    let password_hash = password::hash(&password).await?;
    let new = NewUser {
        name: given_name.unwrap_or(local_part),
        email,
        password_hash: Some(&password_hash),
        is_root: matches.get_flag("root"),
        confirmed: true,
    };
    match db.transaction(async |tx: &mut Transaction<'_>| create(tx, &new).await).await {
        Err(store::Error::Duplicate { .. }) => {
            return Err(format!("there is a user with the address {email} already").into());
        }
        created => created?,
    }
    println!("Created {email}.");
    if made {
        println!("Password: {password}");
    }
    Ok(())
}

/// Creates the user, and tells the audit log: a root user may come of it.
async fn create(tx: &mut Transaction<'_>, new: &NewUser<'_>) -> store::Result<()> {
    if credentials::is_taken(tx, new.email).await? {
        return Err(store::Error::Duplicate { field: "email" });
    }
    let user = users::create(tx, new).await?;
    let mut differences = Differences::default();
    differences.column("email", None, Some(new.email));
    differences.column("name", None, Some(new.name));
    differences.flag("is_root", None, new.is_root);
    differences.flag("confirmed", None, new.confirmed);
    let (resource_id, details) = (Some(user.id), differences.as_str());
    let entry = NewEntry { action: "create", resource: "users", resource_id, details };
    audit::record(tx, &Actor::command_line(), &entry).await
}

fn read_password() -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.chars().count() < password::MIN_CHARACTERS {
        let least = password::MIN_CHARACTERS;
        return Err(format!("the password on standard input must have at least {least} characters").into());
    }
    Ok(password.to_owned())
}

fn make_password() -> Result<String, getrandom::Error> {
    let mut random = [0; 18];
    getrandom::fill(&mut random)?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(random))
}
