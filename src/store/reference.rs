//! References to rows in URLs: by id, or by a unique string.

/// An id, or the slug of an organization or the key of an application.
///
/// An integer is always an id, as in the original; so a slug of digits alone cannot be reached by its slug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reference<'a> {
    /// The primary key.
    Id(i32),
    /// The slug or key.
    Name(&'a str),
    /// A value that no row can have: an integer beyond the ids, a text with NUL (which Postgres cannot hold) or of more
    /// than 255 characters.
    Nothing,
}

impl<'a> Reference<'a> {
    /// Reads one segment of a path.
    pub fn parse(text: &'a str) -> Self {
        if let Ok(id) = text.parse() {
            return Self::Id(id);
        }
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
        let is_integer = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        if is_integer || !is_storable(text) { Self::Nothing } else { Self::Name(text) }
    }

    /// Reads the value that the original takes for the id when it looks up an *enrollment*: any integer at the
    /// beginning.
    ///
    /// The original finds nothing under `1abc`, but asks first whether the user is an admin of organization 1.
    pub(super) fn leading_id(self) -> Option<i32> {
        match self {
            Self::Id(id) => Some(id),
            Self::Name(text) => {
                let sign = usize::from(text.starts_with(['+', '-']));
                let digits = text[sign..].bytes().take_while(u8::is_ascii_digit).count();
                text[..sign + digits].parse().ok()
            }
            Self::Nothing => None,
        }
    }

    /// Returns the id to compare with; `NULL`, which equals nothing, otherwise.
    pub(super) fn id(self) -> Option<i32> {
        if let Self::Id(id) = self { Some(id) } else { None }
    }

    /// Returns the slug or key to compare with; `NULL`, which equals nothing, otherwise.
    pub(super) fn name(self) -> Option<&'a str> {
        if let Self::Name(name) = self { Some(name) } else { None }
    }
}

/// Maximum length of a text of the original's columns, `varchar(255)`, in characters.
const MAX_CHARACTERS: usize = 255;

/// Reason why a column cannot hold a text, as the end of a sentence that begins with the name of the column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unstorable {
    /// It has a NUL, which Postgres cannot hold.
    #[error("is invalid")]
    Nul,
    /// It is longer than 255 characters.
    #[error("should be at most {MAX_CHARACTERS} character(s)")]
    TooLong,
}

/// Checks that the columns of names, addresses, slugs and keys can hold this text. An entrance that takes one from
/// outside checks it by this.
///
/// # Errors
///
/// [`Unstorable`].
pub fn check_text(text: &str) -> Result<(), Unstorable> {
    if text.contains('\0') {
        return Err(Unstorable::Nul);
    }
    if text.chars().nth(MAX_CHARACTERS).is_some() { Err(Unstorable::TooLong) } else { Ok(()) }
}

/// Returns true if a column of the original can hold this text.
pub(super) fn is_storable(text: &str) -> bool {
    check_text(text).is_ok()
}

/// Returns the beginning of the text that such a column can hold.
pub(super) fn truncated(text: &str) -> &str {
    let end = text.char_indices().find(|(_, character)| *character == '\0').map_or(text.len(), |(at, _)| at);
    let end = text.char_indices().nth(MAX_CHARACTERS).map_or(end, |(at, _)| at.min(end));
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_ids_and_the_rest_are_names() {
        assert_eq!(Reference::parse("12"), Reference::Id(12));
        assert_eq!(Reference::parse("-1"), Reference::Id(-1));
        assert_eq!(Reference::parse("1abc"), Reference::Name("1abc"));
        assert_eq!(Reference::parse("acme-inc"), Reference::Name("acme-inc"));
    }

    #[test]
    fn what_no_row_can_have_is_not_asked_for() {
        assert_eq!(Reference::parse("99999999999999999999"), Reference::Nothing);
        assert_eq!(Reference::parse("a\0b"), Reference::Nothing);
        assert_eq!(Reference::parse(&"ü".repeat(256)), Reference::Nothing);
        assert_eq!(Reference::parse(&"ü".repeat(255)), Reference::Name(&"ü".repeat(255)));
    }

    #[test]
    fn the_leading_integer_counts_for_enrollments() {
        assert_eq!(Reference::parse("1abc").leading_id(), Some(1));
        assert_eq!(Reference::parse("7").leading_id(), Some(7));
        assert_eq!(Reference::parse("acme").leading_id(), None);
        assert_eq!(Reference::parse("-").leading_id(), None);
    }

    #[test]
    fn texts_are_cut_to_what_a_column_holds() {
        assert_eq!(truncated("text"), "text");
        assert_eq!(truncated("te\0xt"), "te");
        assert_eq!(truncated(&"ü".repeat(300)), "ü".repeat(255));
        assert_eq!(truncated(&format!("{}\0", "ü".repeat(300))), "ü".repeat(255));
    }
}
