//! The table `audit_entries`: actor, action, time and row of every change. Rows are only ever added; the database
//! refuses updates and deletions, except those of [`audit_trim`](super::audit_trim).

use std::fmt;

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{Result, Transaction, now, reference::truncated, schema::audit_entries};

/// One recorded action.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = audit_entries)]
pub struct Entry {
    /// The primary key, in the order of events.
    pub id: i32,
    /// The user's id, if it was a user.
    pub actor_id: Option<i32>,
    /// Mail address of the user at that time.
    pub actor: Option<String>,
    /// IP address of the request.
    pub ip: Option<String>,
    /// The action: `create`, `update`, `delete`, `archive`, `sign_in`, ….
    pub action: String,
    /// The table of the row: `applications`.
    pub resource: String,
    /// The id of the row.
    pub resource_id: Option<i32>,
    /// Description of the change, for people; never contains a secret.
    pub details: String,
    /// Time of the action.
    pub inserted_at: NaiveDateTime,
}

/// The actor of an action. Texts that are too long for their columns are cut.
#[derive(Clone, Debug, Default)]
pub struct Actor {
    /// The user's id, if it is a user.
    pub id: Option<i32>,
    /// The user's address.
    pub name: Option<String>,
    /// IP address of the request.
    pub ip: Option<String>,
}

impl Actor {
    /// Creates the actor for commands that run on the server's machine.
    pub fn command_line() -> Self {
        Self { name: Some("command line".to_owned()), ..Self::default() }
    }
}

/// An entry to add.
#[derive(Debug)]
pub struct NewEntry<'a> {
    /// The action: `create`, `update`, `delete`, `archive`, `sign_in`, ….
    pub action: &'a str,
    /// The table of the row: `applications`.
    pub resource: &'a str,
    /// The id of the row.
    pub resource_id: Option<i32>,
    /// Description of the change, for people; never contains a secret. Only [`Differences`] creates it, which quotes
    /// and escapes every text of a user.
    pub details: &'a Differences,
}

/// Adds an entry, in the same transaction as the action that it describes.
pub async fn record(tx: &mut Transaction<'_>, actor: &Actor, new: &NewEntry<'_>) -> Result<()> {
    on_conn!(tx, |raw| diesel::insert_into(audit_entries::table)
        .values((
            audit_entries::actor_id.eq(actor.id),
            audit_entries::actor.eq(actor.name.as_deref().map(|name| truncated(&one_line(name)).to_owned())),
            audit_entries::ip.eq(actor.ip.as_deref().map(truncated)),
            audit_entries::action.eq(new.action),
            audit_entries::resource.eq(new.resource),
            audit_entries::resource_id.eq(new.resource_id),
            audit_entries::details.eq(new.details.as_str()),
            audit_entries::inserted_at.eq(now()),
        ))
        .execute(raw))
    .map(drop)
}

/// Differences that a change makes, as the log words them: `name: "Acme" -> "Acme Inc."; password: changed`.
///
/// The server's own words are fixed at compile time. Texts that users can choose are quoted. Characters that break
/// lines, change the text direction or are invisible are escaped, so that no text can look like another part of the
/// entry, or like another entry.
#[derive(Clone, Debug, Default)]
pub struct Differences(String);

/// A number that may stand in the log.
pub trait Figure: fmt::Display + sealed::Sealed {}

mod sealed {
    pub trait Sealed {}
}

macro_rules! figures {
    ($($type:ty),*) => {$(
        impl sealed::Sealed for $type {}
        impl Figure for $type {}
    )*};
}
figures!(i32, i64, u32, usize);

impl Differences {
    /// Creates a description of nothing but these words.
    pub fn words(words: &'static str) -> Self {
        Self(words.to_owned())
    }

    /// Creates a description with one text that a user may have chosen.
    pub fn of(name: &'static str, text: &str) -> Self {
        let mut differences = Self::default();
        differences.text(name, text);
        differences
    }

    /// Adds a text that a user may have chosen.
    pub fn text(&mut self, name: &'static str, text: &str) {
        self.say(format_args!("{name}: {text:?}"));
    }

    /// Adds several texts: `to: "Acme", "Second Org"`. An empty list adds nothing.
    pub fn texts<'a>(&mut self, name: &'static str, texts: impl IntoIterator<Item = &'a str>) {
        let quoted: Vec<String> = texts.into_iter().map(|text| format!("{text:?}")).collect();
        if !quoted.is_empty() {
            self.say(format_args!("{name}: {}", quoted.join(", ")));
        }
    }

    /// Adds one of the server's own words: `role: admin`.
    pub fn word(&mut self, name: &'static str, word: &'static str) {
        self.say(format_args!("{name}: {word}"));
    }

    /// Adds a column that every reader of the log may see. An unchanged one adds nothing.
    pub fn column(&mut self, name: &'static str, old: Option<&str>, new: Option<&str>) {
        match (old, new) {
            (old, new) if old == new => {}
            (None, Some(new)) => self.say(format_args!("{name}: {new:?}")),
            (Some(old), Some(new)) => self.say(format_args!("{name}: {old:?} -> {new:?}")),
            (Some(old), None) => self.say(format_args!("{name}: {old:?} -> nothing")),
            (None, None) => {}
        }
    }

    /// Adds a column that holds a time, in UTC. An unchanged one adds nothing.
    pub fn time(&mut self, name: &'static str, old: Option<NaiveDateTime>, new: Option<NaiveDateTime>) {
        let [old, new] = [old, new].map(|time| time.map(|time| time.format("%Y-%m-%dT%H:%M:%S%.f").to_string()));
        self.column(name, old.as_deref(), new.as_deref());
    }

    /// Adds a boolean column.
    pub fn flag(&mut self, name: &'static str, old: Option<bool>, new: bool) {
        match old {
            Some(old) if old == new => {}
            Some(old) => self.say(format_args!("{name}: {old} -> {new}")),
            None => self.say(format_args!("{name}: {new}")),
        }
    }

    /// Adds a secret, of which the log says only that it changes.
    pub fn secret(&mut self, name: &'static str) {
        self.say(format_args!("{name}: changed"));
    }

    /// Adds a number: `tokens: 3`.
    pub fn note(&mut self, name: &'static str, value: impl Figure) {
        self.say(format_args!("{name}: {value}"));
    }

    /// Returns true if nothing changes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the description as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn say(&mut self, words: fmt::Arguments<'_>) {
        if !self.0.is_empty() {
            self.0.push_str("; ");
        }
        self.0.push_str(&words.to_string());
    }
}

/// Returns a text without quotes, in which characters that break lines, change the text direction or are invisible are
/// escaped.
fn one_line(text: &str) -> String {
    let escape = |character: char| match character {
        '"' | '\'' | '\\' => character.to_string(),
        character => character.escape_debug().to_string(),
    };
    text.chars().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_changes_is_told_and_secrets_are_not() {
        let mut differences = Differences::default();
        differences.column("slug", Some("acme"), Some("acme"));
        differences.flag("is_root", Some(true), true);
        assert!(differences.is_empty());
        differences.column("name", Some("Acme"), Some("\"Acme\""));
        differences.column("archived_at", Some("2026"), None);
        differences.column("email", None, Some("a@b"));
        differences.flag("is_admin", Some(false), true);
        differences.secret("password");
        differences.note("tokens", 3);
        differences.texts("to", ["a", "b"]);
        differences.texts("to", []);
        differences.word("role", "admin");
        assert_eq!(
            differences.as_str(),
            "name: \"Acme\" -> \"\\\"Acme\\\"\"; archived_at: \"2026\" -> nothing; email: \"a@b\"; \
             is_admin: false -> true; password: changed; tokens: 3; to: \"a\", \"b\"; role: admin"
        );
    }

    /// Checks that every character that does not show as itself is escaped.
    #[test]
    fn no_text_breaks_out() {
        let evil =
            "M; is_root: false -> true; password: changed\n2026 admin@example.com\r\u{2028}\u{202e}\u{200b}\0\" x";
        let mut differences = Differences::of("name", evil);
        differences.column("email", Some(evil), Some("a@b"));
        differences.texts("to", [evil]);
        let told = differences.as_str();
        assert_eq!(told.matches('"').count() - told.matches("\\\"").count(), 8, "{told}");
        for said in [told, &one_line(evil)] {
            let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{202e}' | '\u{200b}');
            assert!(!said.contains(breaks), "{said:?}");
        }
        assert_eq!(one_line("O'Neil@example.com"), "O'Neil@example.com");
    }
}
