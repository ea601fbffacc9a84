//! The letters that people get: what each says, as subject, text and HTML.

use std::fmt;

use minijinja::{
    AutoEscape, Environment, Output, State, UndefinedBehavior, Value, context, escape_formatter, syntax::SyntaxConfig,
    value::Serde,
};
use rust_embed::RustEmbed;
use serde::Serialize;

/// The most characters of a name that a letter shows.
const NAME_CHARACTERS: usize = 80;

/// The templates, two for each kind of letter.
#[derive(RustEmbed)]
#[folder = "templates/mail"]
struct Templates;

/// What a letter says. A name may be empty; a URL is built from `site.base_url`, never from a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[allow(missing_docs, reason = "the fields of all letters are who is greeted, who else is named, and where links lead")]
pub enum Letter<'a> {
    /// Somebody signed up with this address, or wants it for the account they have; the link confirms that it is theirs.
    Confirmation { name: &'a str, is_new_account: bool, url: &'a str },
    /// The address is confirmed; here is the first token. The link leads to the account.
    Welcome { name: &'a str, token: &'a str, url: &'a str },
    /// The password may be set anew with the link.
    Reset { name: &'a str, url: &'a str },
    /// Too many attempts locked the account; the link unlocks it.
    Unlock { name: &'a str, url: &'a str },
    /// Somebody invites the reader, perhaps into an organization; the link accepts.
    Invitation { name: &'a str, inviter: &'a str, organization: Option<&'a str>, url: &'a str },
    /// Somebody signed up with an address that has an account: only its owner is told.
    AlreadyRegistered { name: &'a str, sign_in_url: &'a str, reset_url: &'a str },
    /// The password was changed; the link leads to setting it anew, in case somebody else did it.
    PasswordChanged { name: &'a str, url: &'a str },
    /// Somebody asked to give the account another address: its present one is told. The link leads to setting the password
    /// anew, which ends that.
    AddressChangeAsked { name: &'a str, email: &'a str, url: &'a str },
    /// The account has another address now: the one it had is told. The link leads to the server.
    AddressChanged { name: &'a str, email: &'a str, url: &'a str },
    /// Mail works.
    Test { url: &'a str },
}

/// A letter, ready to be sent.
#[derive(Debug, PartialEq, Eq)]
pub struct Rendered {
    /// One line.
    pub subject: String,
    /// All of it as plain text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
}

impl Letter<'_> {
    /// The name of the kind, which is that of its templates.
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
    /// Where the server is, as every letter says at its end.
    base_url: String,
}

impl Stationery {
    /// Parses the embedded templates.
    ///
    /// # Panics
    ///
    /// When a template cannot be parsed, which every start would show.
    pub(super) fn new(base_url: &str) -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        environment.set_syntax(line_by_line());
        environment.set_formatter(write_escaped);
        environment.add_filter("presentable", |name: String| presentable(&name));
        for name in Templates::iter() {
            let source = Templates::get(&name).map(|file| file.data.into_owned()).unwrap_or_default();
            let source = String::from_utf8(source).expect("the embedded templates are UTF-8");
            environment.add_template_owned(name, source).expect("the embedded templates can be parsed");
        }
        Self { environment, base_url: base_url.to_owned() }
    }

    /// The letter in words.
    ///
    /// # Panics
    ///
    /// When a template asks for what its letter does not have; a test renders them all.
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

/// In plain text line ends count, so a line that holds only a tag leaves none behind.
fn line_by_line() -> SyntaxConfig {
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build();
    syntax.expect("the delimiters are the usual ones")
}

/// As minijinja does it, but that `/` stays: programs that look for links in the source of a mail find whole addresses.
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

/// A name that a stranger chose, as it may stand in a letter to somebody else: one line, not long, and nothing that a
/// mail program would make a link of; a name that is one is left out.
fn presentable(name: &str) -> String {
    let words: Vec<&str> =
        name.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()).collect();
    let line = words.join(" ");
    let lower = line.to_lowercase();
    if lower.contains("://") || words.iter().any(|word| is_like_a_domain(word)) {
        return String::new();
    }
    match line.char_indices().nth(NAME_CHARACTERS) {
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
        None => line,
    }
}

/// Whether a mail program may take a word for the address of a page: a dot between a letter or digit and two letters.
/// Mail addresses lead nowhere.
fn is_like_a_domain(word: &str) -> bool {
    let labels: Vec<&str> = word.split('.').collect();
    let ends_a_name = |label: &str| label.ends_with(char::is_alphanumeric);
    let begins_one = |label: &str| label.chars().take_while(|c| c.is_alphabetic()).count() >= 2;
    !word.contains('@') && labels.windows(2).any(|pair| ends_a_name(pair[0]) && begins_one(pair[1]))
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
            Letter::Welcome { name, token: "the-token", url: URL },
            Letter::Reset { name, url: URL },
            Letter::Unlock { name, url: URL },
            Letter::Invitation { name, inviter: "Bob & Co", organization: Some("Acme Inc."), url: URL },
            Letter::Invitation { name: "", inviter: "", organization: None, url: URL },
            Letter::AlreadyRegistered { name, sign_in_url: URL, reset_url: "https://push.example.com/passwords/new" },
            Letter::PasswordChanged { name, url: URL },
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
        let welcome = stationery.render(&letters()[2]);
        assert!(welcome.text.contains("the-token") && welcome.html.contains("the-token"));
        let invitation = stationery.render(&letters()[5]);
        assert_eq!(invitation.subject, "Bob & Co invites you to Acme Inc. on pusher-lite");
        assert!(invitation.text.contains("Bob & Co") && invitation.html.contains("Bob &#38; Co"));
    }

    #[test]
    fn names_of_strangers_are_one_line_without_links() {
        for (name, shown) in [
            ("Ann", "Ann"),
            ("  Ann\r\nBcc: all@example.com\0 ", "Ann Bcc: all@example.com"),
            ("Win at HTTPS://evil.example", ""),
            ("see WWW.evil.example", ""),
            ("Win at evil.example/x", ""),
            ("Acme Inc.", "Acme Inc."),
            ("J. R. R. Tolkien, St.-Jean, v1.2", "J. R. R. Tolkien, St.-Jean, v1.2"),
            ("", ""),
        ] {
            assert_eq!(presentable(name), shown, "{name:?}");
        }
        assert_eq!(presentable(&"ü".repeat(255)).chars().count(), NAME_CHARACTERS + 1);
        let letter = Letter::Invitation { name: "", inviter: "a\r\nBcc: x", organization: Some("b\nc"), url: URL };
        assert_eq!(letter.subject(), "a Bcc: x invites you to b c on pusher-lite");
    }
}
