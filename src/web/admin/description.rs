//! What a table has to be listed, searched, shown and changed: for the templates and the handlers alike.

use serde::Serialize;

use super::Table;

/// One table of the admin.
#[derive(Debug, Serialize)]
pub(super) struct Description {
    /// Its name in paths and in the navigation: `users`.
    pub(super) path: &'static str,
    /// Its name in the audit log, which is that in the database.
    pub(super) resource: &'static str,
    /// What a row is called: `user`. Also the scope of the fields of its form.
    pub(super) one: &'static str,
    /// What several are called: `Users`.
    pub(super) many: &'static str,
    /// What the text search looks through, for the field's label.
    pub(super) searches: &'static str,
    /// The columns of its list, whose cells `list` gives.
    pub(super) columns: &'static [Column],
    /// The column that the list is sorted by unless asked otherwise, and whether the greatest comes first.
    #[serde(skip)]
    pub(super) order: (&'static str, bool),
    /// What its list can be narrowed down by.
    #[serde(skip)]
    pub(super) filters: &'static [Filter],
    /// The fields of its form; none where rows are neither created nor changed.
    #[serde(skip)]
    pub(super) fields: &'static [Field],
    /// What can be done to a row, and the consequences.
    #[serde(skip)]
    pub(super) actions: &'static [(Action, &'static str)],
    /// The lists of other tables that belong to a row.
    #[serde(skip)]
    pub(super) relations: &'static [Relation],
}

/// A column of a list.
#[derive(Debug, Serialize)]
pub(super) struct Column {
    /// What to sort by; none where that makes no sense.
    pub(super) key: Option<&'static str>,
    /// The head of the column.
    pub(super) label: &'static str,
}

/// A field above a list.
#[derive(Debug)]
pub(super) struct Filter {
    /// The parameter of the query.
    pub(super) name: &'static str,
    /// What is written beside it.
    pub(super) label: &'static str,
    pub(super) kind: FilterKind,
}

/// What a filter asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FilterKind {
    /// Yes or no, or either.
    YesNo,
    /// The id of another row.
    Id,
    /// Part of a text.
    Text,
    /// One of what there is; see [`Table::choices`].
    Choice,
    /// A day.
    Day,
}

/// A field of a form.
#[derive(Debug)]
pub(super) struct Field {
    /// The parameter.
    pub(super) name: &'static str,
    /// What is written beside it.
    pub(super) label: &'static str,
    pub(super) kind: FieldKind,
    /// A sentence about it, or nothing.
    pub(super) hint: &'static str,
    pub(super) required: bool,
    pub(super) on: On,
}

/// How a field is filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FieldKind {
    Text,
    Email,
    Password,
    Number,
    Checkbox,
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
    /// The field of that table's form that is filled in when one is added; none where that cannot be done from here.
    pub(super) field: Option<&'static str>,
}

/// What can be done to a row by a button of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Delete,
    Archive,
    Restore,
    Invalidate,
    Unlock,
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
        Self { name, label, kind, hint: "", required: false, on }
    }

    pub(super) const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    pub(super) const fn hint(self, hint: &'static str) -> Self {
        Self { hint, ..self }
    }

    /// Whether the form of a new row, or else that of an old one, has it.
    pub(super) fn is_on(&self, is_new: bool) -> bool {
        match self.on {
            On::Both => true,
            On::New => is_new,
            On::Edit => !is_new,
        }
    }
}

impl Description {
    /// The names of the fields of the form.
    pub(super) fn field_names(&self, is_new: bool) -> Vec<&'static str> {
        self.fields.iter().filter(|field| field.is_on(is_new)).map(|field| field.name).collect()
    }

    /// Whether rows can be created.
    pub(super) fn has_new(&self) -> bool {
        !self.fields.is_empty()
    }

    /// The action with this name and its consequences, if the table has it.
    pub(super) fn action(&self, name: &str) -> Option<(Action, &'static str)> {
        self.actions.iter().copied().find(|(action, _)| action.name() == name)
    }
}

impl Action {
    /// As it stands in paths and in the audit log.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Archive => "archive",
            Self::Restore => "restore",
            Self::Invalidate => "invalidate",
            Self::Unlock => "unlock",
            Self::Retry => "retry",
        }
    }

    /// As it stands on buttons.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Delete => "Delete",
            Self::Archive => "Archive",
            Self::Restore => "Restore",
            Self::Invalidate => "Invalidate",
            Self::Unlock => "Unlock",
            Self::Retry => "Try again now",
        }
    }

    /// What is said when it is done.
    pub(super) fn done(self) -> &'static str {
        match self {
            Self::Delete => "Deleted",
            Self::Archive => "Archived",
            Self::Restore => "Restored",
            Self::Invalidate => "Invalidated",
            Self::Unlock => "Unlocked",
            Self::Retry => "Tried again:",
        }
    }

    /// The icon beside the label.
    pub(super) fn symbol(self) -> &'static str {
        match self {
            Self::Delete => "trash-2",
            Self::Archive => "archive",
            Self::Restore => "archive-restore",
            Self::Invalidate => "ban",
            Self::Unlock => "lock-open",
            Self::Retry => "rotate-cw",
        }
    }

    /// Whether somebody loses something by it, so that it is asked about first.
    pub(super) fn is_destructive(self) -> bool {
        matches!(self, Self::Delete | Self::Archive | Self::Invalidate)
    }
}
