//! What a start prints: where to click and what to paste.

use std::fmt::Write;

use crate::store::demo::{ADMIN_PASSWORD, Demo};

/// The text for a server that people reach at `url`; with demo data, also who to sign in as and what to paste. With a
/// `mailbox` that keeps mails, also where they are.
pub(super) fn text(url: &str, demo: Option<&Demo>, mailbox: bool) -> String {
    let mut text = format!("\n  pusher-lite {} is listening\n\n    Open        {url}\n", env!("CARGO_PKG_VERSION"));
    if mailbox {
        text.push_str(&format!("    Mailbox     {url}/dev/mailbox  (mails that would have been sent)\n"));
    }
    if let Some(demo) = demo {
        write_demo(&mut text, url, demo).expect("writing to a String does not fail");
    }
    text
}

fn write_demo(text: &mut String, url: &str, demo: &Demo) -> std::fmt::Result {
    let Demo { admin_email, token, organization, app_key, .. } = demo;
    let token = token.as_deref().unwrap_or("(none is valid: `pusher-lite token create` makes one)");
    let events = format!("{url}/api/organizations/{organization}/applications/{app_key}/event");
    writeln!(text, "    Chat        {url}/demo  (in two windows)")?;
    writeln!(text, "    Sign in     {url}/sessions/new")?;
    writeln!(text, "    User        {admin_email} / {ADMIN_PASSWORD}")?;
    writeln!(text, "    Token       {token}")?;
    writeln!(text, "    app_key     {app_key}")?;
    writeln!(text, "\n  This is demo data with a known password: do not let others reach it.")?;
    writeln!(text, "\n  Paste into a terminal to publish, and to see who is there:\n")?;
    writeln!(text, "JWT=$(curl -s {url}/api/sessions -d token={token} | sed 's/.*\"jwt\":\"\\([^\"]*\\)\".*/\\1/')")?;
    writeln!(
        text,
        "curl -X POST {events}/new_message -H \"Authorization: Bearer $JWT\" -d topic=general -d name=curl -d message=Hello"
    )?;
    writeln!(text, "curl -X POST {events}/presence_list -H \"Authorization: Bearer $JWT\" -d topic=general")
}
