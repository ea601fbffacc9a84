//! `pusher-lite audit trim`.

use chrono::NaiveDate;
use clap::ArgMatches;

use super::{Outcome, open_database, output};
use crate::{
    config::Config,
    store::{
        Transaction,
        audit::Actor,
        audit_trim::{self, Horizon},
    },
};

pub(super) async fn run(config: &Config, matches: &ArgMatches) -> Outcome {
    let Some(("trim", matches)) = matches.subcommand() else { return Ok(()) };
    let before = matches.get_one::<String>("before").expect("the argument is required");
    let date: NaiveDate =
        before.parse().map_err(|_| format!("{before:?} is no date; --before takes one such as 2026-01-31"))?;
    let horizon = Horizon::new(date).map_err(|latest| {
        format!("entries are kept for at least {} days; --before takes {latest} or an earlier date", audit_trim::KEPT)
    })?;
    let db = open_database(config).await?;
    let trim = async |tx: &mut Transaction<'_>| audit_trim::trim(tx, &Actor::command_line(), horizon).await;
    let removed = match db.record(trim).await? {
        1 => "1 entry".to_owned(),
        removed => format!("{removed} entries"),
    };
    output::print(&format!("Removed {removed} from before {date}."), &format!("removed {removed} from before {date}"))
}
