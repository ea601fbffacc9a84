//! The message at the start: a link to open and a command to paste.

use std::fmt::Write;

use crate::store::demo::{ADMIN_PASSWORD, Demo};

/// Text for an empty database. The command reads the same settings as the server.
const FIRST_USER: &str = "
  There is no user yet. Make the first one, who may manage everything, with the same settings in another terminal. Until
  then anyone can sign up, unless PUSHER_LITE_SIGN_UP says otherwise.

    pusher-lite user create --email you@example.com --root

  or look around with demo data: PUSHER_LITE_DEMO=true pusher-lite
";

/// Returns the text for a server that people reach at `url`. With demo data, it includes an account to sign in with and
/// code to paste. With a `mailbox` that keeps mails, it includes their page. Without users, it tells how to create the
/// first one.
pub(super) fn text(url: &str, demo: Option<&Demo>, mailbox: bool, has_users: bool) -> String {
    let mut text = format!("\n  pusher-lite {} is listening\n\n    Open        {url}\n", env!("CARGO_PKG_VERSION"));
    if mailbox {
        text.push_str(&format!("    Mailbox     {url}/dev/mailbox  (mails that would have been sent)\n"));
    }
    if !has_users {
        text.push_str(FIRST_USER);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_to_make_the_first_user_is_said_while_there_is_none() {
        let said = |has_users| text("http://localhost:4000", None, false, has_users);
        assert!(said(false).contains("pusher-lite user create --email you@example.com --root"));
        assert!(!said(true).contains("user create"));
    }
}
