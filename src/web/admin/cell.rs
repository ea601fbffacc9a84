//! Cells of tables, on a page or in a file.

use chrono::NaiveDateTime;
use serde::Serialize;

use crate::store::admin::{ApplicationName, OrganizationName, UserName};

/// A cell. The template `admin/cell.html.j2` knows each kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Cell {
    /// Text; empty for nothing.
    Text { text: String },
    /// Text for programs: a key, an IP address.
    Code { text: String },
    /// A link to another page.
    Link { text: String, href: String },
    /// A boolean.
    YesNo { value: bool },
    /// A boolean with a switch: `path` sets the opposite by PUT.
    Toggle { value: bool, path: String, label: String },
    /// Archived or in use.
    Archived { value: bool },
    /// A status: `tone` is "", "good", "warn" or "bad".
    Badge { text: &'static str, tone: &'static str },
    /// A time, as RFC 3339 without a zone; none for never.
    When { moment: Option<String> },
    /// A secret, which the page shows only when it is unfolded, and which is in no file.
    Secret { label: &'static str, text: String },
}

/// A row of a list.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    /// The primary key.
    pub(super) id: i32,
    /// One for each column.
    pub(super) cells: Vec<Cell>,
}

/// One fact about a row, on the row's own page.
#[derive(Debug, Serialize)]
pub(super) struct Fact {
    label: &'static str,
    cell: Cell,
}

impl Cell {
    pub(super) fn text(text: Option<&str>) -> Self {
        Self::Text { text: text.unwrap_or_default().to_owned() }
    }

    pub(super) fn number(number: impl ToString) -> Self {
        Self::Text { text: number.to_string() }
    }

    pub(super) fn code(text: Option<&str>) -> Self {
        Self::Code { text: text.unwrap_or_default().to_owned() }
    }

    pub(super) fn when(moment: Option<NaiveDateTime>) -> Self {
        Self::When { moment: moment.map(|moment| moment.format("%Y-%m-%dT%H:%M:%S").to_string()) }
    }

    /// Creates a link to a row, with its name, or else its number, as the text.
    pub(super) fn row(table: &str, id: i32, name: &str) -> Self {
        let text = if name.trim().is_empty() { format!("No. {id}") } else { name.to_owned() };
        Self::Link { text, href: format!("/admin/{table}/{id}") }
    }

    pub(super) fn user(user: &UserName) -> Self {
        Self::row("users", user.id, user.email.as_deref().or(user.name.as_deref()).unwrap_or_default())
    }

    pub(super) fn organization(organization: &OrganizationName) -> Self {
        Self::row("organizations", organization.id, organization.name.as_deref().unwrap_or_default())
    }

    pub(super) fn application(application: &ApplicationName) -> Self {
        Self::row("applications", application.id, application.name.as_deref().unwrap_or_default())
    }

    /// Creates a switch for the field `flag` of a row.
    pub(super) fn toggle(table: &str, id: i32, flag: &str, value: bool, label: String) -> Self {
        Self::Toggle { value, path: format!("/admin/{table}/{id}/{flag}"), label }
    }

    /// Returns the text for a file: without secrets.
    pub(super) fn plain(&self) -> &str {
        match self {
            Self::Text { text } | Self::Code { text } | Self::Link { text, .. } => text,
            Self::YesNo { value } | Self::Toggle { value, .. } => {
                if *value {
                    "yes"
                } else {
                    "no"
                }
            }
            Self::Archived { value } => {
                if *value {
                    "Archived"
                } else {
                    "Active"
                }
            }
            Self::Badge { text, .. } => text,
            Self::When { moment } => moment.as_deref().unwrap_or_default(),
            Self::Secret { .. } => "",
        }
    }
}

impl Fact {
    pub(super) fn new(label: &'static str, cell: Cell) -> Self {
        Self { label, cell }
    }
}
