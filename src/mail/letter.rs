//! The letters that users get: subject, text and HTML of each.

use std::fmt;

use minijinja::{
    AutoEscape, Environment, Output, State, UndefinedBehavior, Value, context, escape_formatter, syntax::SyntaxConfig,
    value::Serde,
};
use rust_embed::RustEmbed;
use serde::Serialize;

use super::presentable::{self, presentable};

/// The templates, two for each kind of letter.
#[derive(RustEmbed)]
#[folder = "templates/mail"]
struct Templates;

/// A letter and its contents. A name may be empty; a URL is built from `site.base_url`, never from a request.
///
/// Templates get every text of a user in a form that is safe in a letter, see `presentable`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[allow(missing_docs, reason = "the fields of all letters are who is greeted, who else is named, and where links lead")]
#[rustfmt::skip]
pub enum Letter<'a> {
    /// A user signed up with this address, or wants it for an existing account; the link confirms that the address is
    /// theirs.
    Confirmation { #[serde(serialize_with = "presentable::name")] name: &'a str, is_new_account: bool, url: &'a str },
    /// The address is confirmed. The link leads to the page on which the first token is created: a mail, which is copied
    /// and kept on its way, holds none.
    Welcome { #[serde(serialize_with = "presentable::name")] name: &'a str, url: &'a str },
    /// A request to set a new password, with the link.
    Reset { #[serde(serialize_with = "presentable::name")] name: &'a str, url: &'a str },
    /// Too many attempts locked the account; the link unlocks it.
    Unlock { #[serde(serialize_with = "presentable::name")] name: &'a str, url: &'a str },
    /// An invitation from another user, perhaps into an organization; the link accepts it.
    Invitation {
        #[serde(serialize_with = "presentable::name")] name: &'a str,
        #[serde(serialize_with = "presentable::name")] inviter: &'a str,
        #[serde(serialize_with = "presentable::name_if_any")] organization: Option<&'a str>,
        url: &'a str,
    },
    /// A sign-up with an address that has an account: only the owner of the account is told.
    AlreadyRegistered {
        #[serde(serialize_with = "presentable::name")] name: &'a str,
        sign_in_url: &'a str,
        reset_url: &'a str,
    },
    /// The password was changed. The link leads to setting it again, in case another person did it. The tokens are
    /// those that are still valid, shown by their last characters; they are ended at the other address.
    PasswordChanged {
        #[serde(serialize_with = "presentable::name")] name: &'a str,
        tokens: &'a [String],
        tokens_url: &'a str,
        url: &'a str,
    },
    /// A request to give the account another address: the letter goes to the present one. The link leads to setting a
    /// new password, which cancels the request.
    AddressChangeAsked {
        #[serde(serialize_with = "presentable::name")] name: &'a str,
        #[serde(serialize_with = "presentable::address")] email: &'a str,
        url: &'a str,
    },
    /// The account has another address now: the letter goes to the old one. The link leads to the server.
    AddressChanged {
        #[serde(serialize_with = "presentable::name")] name: &'a str,
        #[serde(serialize_with = "presentable::address")] email: &'a str,
        url: &'a str,
    },
    /// A test mail.
    Test { url: &'a str },
}

/// A rendered letter, ready to be sent.
#[derive(Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The subject, one line.
    pub subject: String,
    /// The plain-text body.
    pub text: String,
    /// The HTML body.
    pub html: String,
}

impl Letter<'_> {
    /// Returns the name of the kind, which is that of its templates.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Confirmation { .. } => "confirmation",
            Self::Welcome { .. } => "welcome",
            Self::Reset { .. } => "reset",
            Self::Unlock { .. } => "unlock",
            Self::Invitation { .. } => "invitation",
            Self::AlreadyRegistered { .. } => "already_registered",
            Self::PasswordChanged { .. } => "password_changed",
            Self::AddressChangeAsked { .. } => "address_change_asked",
            Self::AddressChanged { .. } => "address_changed",
            Self::Test { .. } => "test",
        }
    }

    fn subject(&self) -> String {
        match self {
            Self::Confirmation { .. } => "Confirm your email address".to_owned(),
            Self::Welcome { .. } => "Welcome to pusher-lite".to_owned(),
            Self::Reset { .. } => "Set a new password".to_owned(),
            Self::Unlock { .. } => "Unlock your account".to_owned(),
            Self::Invitation { inviter, organization, .. } => {
                let inviter = Some(presentable(inviter)).filter(|name| !name.is_empty());
                let inviter = inviter.unwrap_or_else(|| "Somebody".to_owned());
                match organization.map(presentable).filter(|name| !name.is_empty()) {
                    Some(organization) => format!("{inviter} invites you to {organization} on pusher-lite"),
                    None => format!("{inviter} invites you to pusher-lite"),
                }
            }
            Self::AlreadyRegistered { .. } => "You already have an account".to_owned(),
            Self::PasswordChanged { .. } => "Your password was changed".to_owned(),
            Self::AddressChangeAsked { .. } => "Your email address is about to change".to_owned(),
            Self::AddressChanged { .. } => "Your email address was changed".to_owned(),
            Self::Test { .. } => "A test mail of pusher-lite".to_owned(),
        }
    }
}

/// Turns letters into text and HTML.
pub(super) struct Stationery {
    environment: Environment<'static>,
    /// Base URL of the server, which every letter gives at its end.
    base_url: String,
}

impl Stationery {
    /// Parses the embedded templates.
    ///
    /// # Panics
    ///
    /// Panics if a template cannot be parsed; every start would show that.
    pub(super) fn new(base_url: &str) -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        environment.set_syntax(line_by_line());
        environment.set_formatter(write_escaped);
        for name in Templates::iter() {
            let source = Templates::get(&name).map(|file| file.data.into_owned()).unwrap_or_default();
            let source = String::from_utf8(source).expect("the embedded templates are UTF-8");
            environment.add_template_owned(name, source).expect("the embedded templates can be parsed");
        }
        Self { environment, base_url: base_url.to_owned() }
    }

    /// Renders the letter.
    ///
    /// # Panics
    ///
    /// Panics if a template uses a variable that its letter does not have; a test renders them all.
    pub(super) fn render(&self, letter: &Letter<'_>) -> Rendered {
        let subject = letter.subject();
        let context = context! {
            subject => &subject,
            base_url => &self.base_url,
            ..Value::from(Serde(letter))
        };
        let render = |extension| {
            let template = self.environment.get_template(&format!("{}.{extension}.j2", letter.kind()));
            template.and_then(|template| template.render(&context)).expect("the templates take every letter")
        };
        Rendered { text: render("txt"), html: render("html"), subject }
    }
}

impl fmt::Debug for Stationery {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Stationery").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

/// Returns the syntax for plain text. Line ends count there, so a line that holds only a tag leaves none behind.
fn line_by_line() -> SyntaxConfig {
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build();
    syntax.expect("the delimiters are the usual ones")
}

/// Escapes as minijinja does, except `/`: programs that look for links in the source of a mail find whole addresses.
fn write_escaped(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), minijinja::Error> {
    match value.as_str() {
        Some(text) if *state.auto_escape() == AutoEscape::Html && !value.is_safe() => {
            let mut rest = text;
            while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
                write!(out, "{}&#{};", &rest[..at], rest.as_bytes()[at])?;
                rest = &rest[at + 1..];
            }
            Ok(out.write_str(rest)?)
        }
        _ => escape_formatter(out, state, value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://push.example.com/x/TOKEN";

    fn letters() -> Vec<Letter<'static>> {
        let name = "Ann <b>";
        vec![
            Letter::Confirmation { name, is_new_account: true, url: URL },
            Letter::Confirmation { name, is_new_account: false, url: URL },
            Letter::Welcome { name, url: URL },
            Letter::Reset { name, url: URL },
            Letter::Unlock { name, url: URL },
            Letter::Invitation { name, inviter: "Bob & Co", organization: Some("Acme Inc."), url: URL },
            Letter::Invitation { name: "", inviter: "", organization: None, url: URL },
            Letter::AlreadyRegistered { name, sign_in_url: URL, reset_url: "https://push.example.com/passwords/new" },
            Letter::PasswordChanged { name, tokens: &[], tokens_url: URL, url: URL },
            Letter::AddressChangeAsked { name, email: "new@example.com", url: URL },
            Letter::AddressChanged { name, email: "new@example.com", url: URL },
            Letter::Test { url: URL },
        ]
    }

    #[test]
    fn every_letter_has_its_link_as_text_and_as_html() {
        let stationery = Stationery::new("https://push.example.com");
        for letter in letters() {
            let Rendered { subject, text, html } = stationery.render(&letter);
            assert!(!subject.is_empty() && !subject.contains('\n'), "{letter:?}");
            assert!(text.contains(URL) && html.contains(&format!("href=\"{URL}\"")), "{letter:?}\n{text}\n{html}");
            assert!(!text.contains("&#") && !text.contains("{{"), "{text}");
            assert!(!html.contains("<b>") && !html.contains("<script") && !html.contains("<img"), "{html}");
            assert!(text.starts_with("Hello") && text.ends_with('\n') && !text.contains("\n\n\n"), "{text:?}");
            assert!(text.contains("https://push.example.com\n"), "{text}");
        }
        let invitation = stationery.render(&letters()[5]);
        assert_eq!(invitation.subject, "Bob & Co invites you to Acme Inc. on pusher-lite");
        assert!(invitation.text.contains("Bob & Co") && invitation.html.contains("Bob &#38; Co"));
    }

    /// A text that a user may choose leads nowhere, in every letter.
    #[test]
    fn no_text_of_a_user_leads_anywhere() {
        let (evil, hidden) = ("evil.com/@x", "evil.com/x@example.com");
        let (name, inviter, organization, url) = (evil, evil, Some(evil), URL);
        let tokens = &[];
        for letter in [
            Letter::Confirmation { name, is_new_account: true, url },
            Letter::Welcome { name, url },
            Letter::Reset { name, url },
            Letter::Unlock { name, url },
            Letter::Invitation { name, inviter, organization, url },
            Letter::AlreadyRegistered { name, sign_in_url: URL, reset_url: URL },
            Letter::PasswordChanged { name, tokens, tokens_url: URL, url },
            Letter::AddressChangeAsked { name, email: hidden, url },
            Letter::AddressChanged { name, email: hidden, url },
        ] {
            let Rendered { subject, text, html } = Stationery::new("https://push.example.com").render(&letter);
            assert!(![&subject, &text, &html].iter().any(|said| said.contains("evil")), "{letter:?}: {text}");
        }
    }

    #[test]
    fn a_subject_is_one_line() {
        let letter = Letter::Invitation { name: "", inviter: "a\r\nb", organization: Some("b\nc"), url: URL };
        assert_eq!(letter.subject(), "a b invites you to b c on pusher-lite");
    }

    #[test]
    fn tokens_that_stay_valid_are_named_after_a_new_password() {
        let stationery = Stationery::new("https://push.example.com");
        let (tokens, tokens_url) = (["ab12".to_owned(), String::new()], "https://push.example.com/account/tokens");
        let letter = Letter::PasswordChanged { name: "Ann", tokens: &tokens, tokens_url, url: URL };
        let Rendered { text, html, .. } = stationery.render(&letter);
        for said in [&text, &html] {
            assert!(said.contains("ab12") && said.contains(tokens_url), "{said}");
        }
        let letter = Letter::PasswordChanged { name: "Ann", tokens: &[], tokens_url, url: URL };
        assert!(!stationery.render(&letter).text.contains(tokens_url));
    }
}
