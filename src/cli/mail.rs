//! `pusher-lite mail test`, and the message for servers without a mail server.

use clap::ArgMatches;

use super::{Outcome, output};
use crate::{
    config::Config,
    mail::{is_address, send_test},
};

/// Description, as a sentence, of the features that do not work without a mail server.
pub(super) const WITHOUT_SMTP: &str = "No mail leaves, since PUSHER_LITE_SMTP_URL is not set: who signs up cannot confirm, \
    and invitations, new passwords and unlocking by mail do not work. Mails wait in the database until it is set";

pub(super) async fn run(config: &Config, matches: &ArgMatches) -> Outcome {
    let Some(("test", matches)) = matches.subcommand() else { return Ok(()) };
    let address = matches.get_one::<String>("address").expect("the argument is required");
    if !is_address(address) {
        return Err(format!("{address:?} is no address; say one such as me@example.com").into());
    }
    let smtp = config.smtp.as_ref().ok_or("PUSHER_LITE_SMTP_URL is not set; it says where the mail server is")?;
    send_test(smtp, &config.public_url(config.listen.port), address).await?;
    let taken = format!("he mail server ({smtp}) took a test mail to {address}");
    output::print(&format!("T{taken}."), &format!("t{taken}"))
}
