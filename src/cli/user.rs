//! `pusher-lite user create`.

use std::io;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use clap::ArgMatches;

use super::{Outcome, open_database, output};
use crate::{
    auth::NewPassword,
    config::Config,
    mail,
    operations::accounts::{self, NewAccount},
    store::{self, audit::Actor},
};

pub(super) async fn run(config: &Config, matches: &ArgMatches) -> Outcome {
    let Some(("create", matches)) = matches.subcommand() else { return Ok(()) };
    let email = matches.get_one::<String>("email").expect("the argument is required");
    let given_name = matches.get_one::<String>("name").map(String::as_str);
    let (local_part, _) = email
        .split_once('@')
        .filter(|_| mail::is_address(email))
        .ok_or(format!("{email:?} is no address; --email takes one such as me@example.com"))?;
    let name = given_name.unwrap_or(local_part).trim();
    check_name(name)?;
    let (typed, made) =
        if matches.get_flag("password_stdin") { (read_password()?, false) } else { (make_password()?, true) };
    let password = NewPassword::check(&typed).map_err(|reason| format!("the password {reason}"))?;

    let db = open_database(config).await?;
    let (hash, actor, is_root) = (password.hash().await?, Actor::command_line(), matches.get_flag("root"));
    let new = NewAccount { name, email, password: Some(&hash), is_root, is_confirmed: true };
    match db.transaction(async |tx| accounts::create(tx, &actor, &new).await).await {
        Err(store::Error::Duplicate { .. }) => {
            return Err(format!("there is a user with the address {email} already").into());
        }
        created => drop(created?),
    }
    match made {
        true => output::print(&format!("Created {email}.\nPassword: {typed}"), &lost_password(config, email)),
        false => output::print(&format!("Created {email}."), &format!("created {email}")),
    }
}

/// Returns the way on for a user who was created, but whose password could not be printed.
fn lost_password(config: &Config, email: &str) -> String {
    let url = config.public_url(config.listen.port);
    let mailed = match config.smtp {
        Some(_) => "",
        None => " (once PUSHER_LITE_SMTP_URL is set, since the link comes by mail)",
    };
    format!("created {email} with a password that is lost: set another one at {url}/passwords/new{mailed}")
}

fn check_name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("the name can't be blank; --name takes the name to show".to_owned());
    }
    store::check_text(name).map_err(|reason| format!("the name {reason}"))
}

fn read_password() -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let mut line = String::new();
    io::stdin().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn make_password() -> Result<String, getrandom::Error> {
    let mut random = [0; 18];
    getrandom::fill(&mut random)?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(random))
}
