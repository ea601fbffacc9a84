//! Descriptions of the tables, for lists, searches, pages and forms. Templates and handlers use the same ones.

use serde::Serialize;

use super::Table;

/// One table of the admin.
#[derive(Debug, Serialize)]
pub(super) struct Description {
    /// Its name in paths and in the navigation: `users`.
    pub(super) path: &'static str,
    /// Its name in the audit log, which is that in the database.
    pub(super) resource: &'static str,
    /// Name of one row: `user`. Also the scope of the fields of its form.
    pub(super) one: &'static str,
    /// Name of several rows: `Users`.
    pub(super) many: &'static str,
    /// Columns that the text search covers, for the field's label.
    pub(super) searches: &'static str,
    /// The columns of its list, whose cells `list` gives.
    pub(super) columns: &'static [Column],
    /// Default column to sort by, and true for descending order.
    #[serde(skip)]
    pub(super) order: (&'static str, bool),
    /// Filters of its list.
    #[serde(skip)]
    pub(super) filters: &'static [Filter],
    /// The fields of its form; none where rows are neither created nor changed.
    #[serde(skip)]
    pub(super) fields: &'static [Field],
    /// Actions on a row, with their consequences.
    #[serde(skip)]
    pub(super) actions: &'static [(Action, &'static str)],
    /// The lists of other tables that belong to a row.
    #[serde(skip)]
    pub(super) relations: &'static [Relation],
}

/// A column of a list.
#[derive(Debug, Serialize)]
pub(super) struct Column {
    /// Column to sort by; none if sorting makes no sense.
    pub(super) key: Option<&'static str>,
    /// The head of the column.
    pub(super) label: &'static str,
}

/// A field above a list.
#[derive(Debug)]
pub(super) struct Filter {
    /// The parameter of the query.
    pub(super) name: &'static str,
    /// Label of the field.
    pub(super) label: &'static str,
    pub(super) kind: FilterKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FilterKind {
    /// Yes or no, or either.
    YesNo,
    /// The id of another row.
    Id,
    /// Part of a text.
    Text,
    /// One of the existing values; see [`Table::choices`].
    Choice,
    Day,
}

/// A field of a form.
#[derive(Debug)]
pub(super) struct Field {
    /// The parameter of the form.
    pub(super) name: &'static str,
    /// Label of the field.
    pub(super) label: &'static str,
    pub(super) kind: FieldKind,
    /// A hint of one sentence, or nothing.
    pub(super) hint: &'static str,
    pub(super) required: bool,
    /// True if only the form changes it, and no switch in a list.
    pub(super) only_in_form: bool,
    pub(super) on: On,
}

/// Kind of input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FieldKind {
    Text,
    Email,
    Password,
    Number,
    Date,
    Checkbox,
    /// One of these values, with their labels. The first one is preselected.
    #[serde(skip)]
    Choice(&'static [(&'static str, &'static str)]),
}

/// The forms that have a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum On {
    Both,
    New,
    Edit,
}

/// The rows of another table that belong to a row.
#[derive(Debug)]
pub(super) struct Relation {
    pub(super) table: Table,
    /// The filter of that table that finds them.
    pub(super) filter: &'static str,
    /// Field of that table's form that is filled in when a row is added from here; none if that is not possible.
    pub(super) field: Option<&'static str>,
}

/// An action on a row, by a button of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Delete,
    Archive,
    Restore,
    Invalidate,
    Unlock,
    Suspend,
    Reinstate,
    Retry,
}

impl Column {
    pub(super) const fn new(key: &'static str, label: &'static str) -> Self {
        Self { key: Some(key), label }
    }

    pub(super) const fn unsorted(label: &'static str) -> Self {
        Self { key: None, label }
    }
}

impl Filter {
    pub(super) const fn new(name: &'static str, label: &'static str, kind: FilterKind) -> Self {
        Self { name, label, kind }
    }
}

impl Field {
    pub(super) const fn new(name: &'static str, label: &'static str, kind: FieldKind, on: On) -> Self {
        Self { name, label, kind, hint: "", required: false, only_in_form: false, on }
    }

    pub(super) const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    pub(super) const fn hint(self, hint: &'static str) -> Self {
        Self { hint, ..self }
    }

    pub(super) const fn only_in_form(self) -> Self {
        Self { only_in_form: true, ..self }
    }

    /// Returns true if the form has the field: the form of a new row, or the form of an existing one.
    pub(super) fn is_on(&self, is_new: bool) -> bool {
        match self.on {
            On::Both => true,
            On::New => is_new,
            On::Edit => !is_new,
        }
    }
}

impl Description {
    /// Returns the names of the fields of the form.
    pub(super) fn field_names(&self, is_new: bool) -> Vec<&'static str> {
        self.fields.iter().filter(|field| field.is_on(is_new)).map(|field| field.name).collect()
    }

    /// Returns the field of this name that a switch may change, if it is a checkbox of the form for old rows.
    pub(super) fn switch(&self, name: &str) -> Option<&Field> {
        let is_switch = |field: &&Field| field.kind == FieldKind::Checkbox && field.is_on(false);
        self.fields.iter().filter(is_switch).find(|field| field.name == name)
    }

    /// Returns true if rows can be created.
    pub(super) fn has_new(&self) -> bool {
        !self.fields.is_empty()
    }

    /// Returns the action with this name and its consequences, if the table has it.
    pub(super) fn action(&self, name: &str) -> Option<(Action, &'static str)> {
        self.actions.iter().copied().find(|(action, _)| action.name() == name)
    }
}

impl Action {
    /// Returns the name in paths and in the audit log.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Archive => "archive",
            Self::Restore => "restore",
            Self::Invalidate => "invalidate",
            Self::Unlock => "unlock",
            Self::Suspend => "suspend",
            Self::Reinstate => "reinstate",
            Self::Retry => "retry",
        }
    }

    /// Returns the label on buttons.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Delete => "Delete",
            Self::Archive => "Archive",
            Self::Restore => "Restore",
            Self::Invalidate => "Invalidate",
            Self::Unlock => "Unlock",
            Self::Suspend => "Suspend",
            Self::Reinstate => "Reinstate",
            Self::Retry => "Try again now",
        }
    }

    /// Returns the message when it is done.
    pub(super) fn done(self) -> &'static str {
        match self {
            Self::Delete => "Deleted",
            Self::Archive => "Archived",
            Self::Restore => "Restored",
            Self::Invalidate => "Invalidated",
            Self::Unlock => "Unlocked",
            Self::Suspend => "Suspended",
            Self::Reinstate => "Reinstated",
            Self::Retry => "Tried again:",
        }
    }

    /// Returns the icon beside the label.
    pub(super) fn symbol(self) -> &'static str {
        match self {
            Self::Delete => "trash-2",
            Self::Archive => "archive",
            Self::Restore => "archive-restore",
            Self::Invalidate => "ban",
            Self::Unlock => "lock-open",
            Self::Suspend => "ban",
            Self::Reinstate => "lock-open",
            Self::Retry => "rotate-cw",
        }
    }

    /// Returns true if the action takes something away from a user, so that it needs a confirmation.
    pub(super) fn is_destructive(self) -> bool {
        matches!(self, Self::Delete | Self::Archive | Self::Invalidate | Self::Suspend)
    }
}
