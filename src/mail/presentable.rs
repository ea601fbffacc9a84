//! Texts of users in mails to other people.
//!
//! Mail programs make links of many texts that were not written as links, each in its own way. So this module does not
//! search for forbidden text: it only lets through what a name needs.

use serde::{Serialize, Serializer};
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// Maximum number of characters of a name in a letter.
const NAME_CHARACTERS: usize = 80;
/// Maximum number of marks on one letter: no script needs more, and a heap of them covers the lines above and below.
const MARKS: usize = 4;

/// Role of a character in a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// A letter or a digit.
    Letter,
    Digit,
    /// A mark above, below or around a letter.
    Mark,
    /// One of `'’-&,`.
    Joint,
    Dot,
    /// Invisible: left out, so that it parts nothing.
    Nothing,
    /// A separator: a blank, a line end, a bracket, a picture. Shown as a blank.
    Gap,
    /// A character of URLs and mail addresses. A name has none, so the text is no name.
    Address,
}

impl Part {
    fn of(character: char) -> Self {
        match character {
            '\'' | '’' | '-' | '&' | ',' => return Self::Joint,
            '.' => return Self::Dot,
            // The last one is the dot of Chinese and Japanese, which some programs treat as a dot in host names.
            '@' | '/' | '\\' | ':' | '。' => return Self::Address,
            // Letters and marks that are drawn as nothing.
            '\u{34f}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{ffa0}'
            | '\u{e0000}'..='\u{e0fff}' => return Self::Nothing,
            _ => {}
        }
        match (character.general_category_group(), character.general_category()) {
            (_, GeneralCategory::Format) => Self::Nothing,
            (_, GeneralCategory::DashPunctuation) => Self::Joint,
            (GeneralCategoryGroup::Letter, _) => Self::Letter,
            (GeneralCategoryGroup::Mark, _) => Self::Mark,
            (GeneralCategoryGroup::Number, _) => Self::Digit,
            _ => Self::Gap,
        }
    }

    /// Returns true if the character continues a text that a program would take for a host name.
    fn is_alphanumeric(self) -> bool {
        matches!(self, Self::Letter | Self::Digit | Self::Mark)
    }
}

/// Returns a name that a stranger chose in a form that is safe in a letter to another person: one line of at most
/// [`NAME_CHARACTERS`], with letters of any script, digits, blanks, `'’-&,`, and dots at the end of words and behind
/// initials. Empty if the text has a character of URLs or mail addresses, and so is no name.
pub(super) fn presentable(name: &str) -> String {
    let parts: Vec<(char, Part)> = name
        .nfkc()
        .map(|character| (character, Part::of(character)))
        .filter(|(_, part)| *part != Part::Nothing)
        .collect();
    let mut line = String::with_capacity(name.len());
    let (mut letters, mut marks) = (0, 0);
    for (at, (character, part)) in parts.iter().enumerate() {
        let next = parts.get(at + 1).map(|(_, part)| *part);
        match part {
            Part::Address => return String::new(),
            Part::Dot if letters == 0 => line.push(' '),
            Part::Dot if next.is_some_and(Part::is_alphanumeric) => {
                // `J.R.R.`, but neither `example.com` nor `127.0.0.1`. Without the text that follows, it is no host
                // name.
                if letters > 1 || !ends_an_initial(&parts[..at]) || next != Some(Part::Letter) {
                    return String::new();
                }
                line.push_str(". ");
            }
            Part::Mark if letters == 0 || marks == MARKS => {}
            Part::Gap | Part::Nothing => line.push(' '),
            Part::Letter | Part::Digit | Part::Mark | Part::Joint | Part::Dot => line.push(*character),
        }
        marks = if *part == Part::Mark { (marks + 1).min(MARKS) } else { 0 };
        letters = match part {
            Part::Letter | Part::Digit => letters + 1,
            Part::Mark => letters,
            _ => 0,
        };
    }
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(NAME_CHARACTERS) {
        Some((end, _)) => format!("{}…", line[..end].trim_end()),
        None => line,
    }
}

/// Returns true if the last of these that is no mark is a letter.
fn ends_an_initial(parts: &[(char, Part)]) -> bool {
    parts.iter().rev().map(|(_, part)| *part).find(|part| *part != Part::Mark) == Some(Part::Letter)
}

/// Returns a mail address that a user typed in a form that is safe in a letter. Empty if its local part could be taken
/// for the address of a page, as in `example.com/x@example.org`, which is a valid mail address as well.
pub(super) fn presentable_address(email: &str) -> String {
    let is_plain = |local: &str| local.chars().all(|c| c.is_ascii_alphanumeric() || "._+-'".contains(c));
    let is_shown = super::is_address(email) && email.split_once('@').is_some_and(|(local, _)| is_plain(local));
    if is_shown { email.to_owned() } else { String::new() }
}

/// Serializes a name in the form of [`presentable`].
pub(super) fn name<S: Serializer>(name: &str, serializer: S) -> Result<S::Ok, S::Error> {
    presentable(name).serialize(serializer)
}

/// Serializes an optional name as [`name()`] does.
pub(super) fn name_if_any<S: Serializer>(name: &Option<&str>, serializer: S) -> Result<S::Ok, S::Error> {
    presentable(name.unwrap_or_default()).serialize(serializer)
}

/// Serializes an address in the form of [`presentable_address`].
pub(super) fn address<S: Serializer>(email: &str, serializer: S) -> Result<S::Ok, S::Error> {
    presentable_address(email).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_as_they_are() {
        for name in [
            "Ann",
            "Zoë Müller-Lüdenscheidt",
            "O'Neil & Sons, Inc.",
            "D’Arcy",
            "J. R. R. Tolkien, St.-Jean",
            "Acme Inc.",
            "Ελένη Παπαδοπούλου",
            "Мария Ивановна",
            "محمد عبد الله",
            "नरेन्द्र",
            "สมชาย ใจดี",
            "山田 太郎",
            "3 Musketeers",
            "",
        ] {
            assert_eq!(presentable(name), name);
        }
    }

    #[test]
    fn what_is_no_name_is_made_one_or_left_out() {
        for (name, shown) in [
            ("J.R.R. Tolkien", "J. R. R. Tolkien"),
            ("J.Smith", "J. Smith"),
            ("  Ann\r\nsmith\0\t ", "Ann smith"),
            ("Ann (Ops) \u{1f600} <b>", "Ann Ops b"),
            ("Ａｎｎ", "Ann"),
            ("e\u{301}", "é"),
            ("A\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}\u{308}", "Á\u{302}\u{303}\u{304}\u{305}"),
            ("Ann\u{200b}\u{200d}\u{feff}\u{ad}\u{3164}", "Ann"),
            ("Ann \u{202e}moc", "Ann moc"),
            ("\u{2066}Ann\u{2069}", "Ann"),
            ("Ann\u{2028}Bob", "Ann Bob"),
            ("wait...", "wait."),
            (" .com", "com"),
            // No longer a host name.
            ("t.co", "t. co"),
        ] {
            assert_eq!(presentable(name), shown, "{name:?}");
        }
        assert_eq!(presentable(&"ü".repeat(255)).chars().count(), NAME_CHARACTERS + 1);
    }

    #[test]
    fn nothing_that_leads_anywhere_is_let_through() {
        for name in [
            "Claim your prize at evil.com/@x",
            "evil.com/@login",
            "evil.com:443/@",
            "evil.com",
            "Win at HTTPS://evil.example",
            "see WWW.evil.example",
            "EVIL．COM",
            "evil。com",
            "evil｡com",
            "evil․com",
            "evil\u{200b}.\u{200b}com",
            "evil.\u{ad}com",
            "evil.\u{3164}com",
            "evil.\u{301}com",
            "evil.\u{202e}moc",
            "203.0.113.9",
            "203.0.113.9/login",
            "1.2",
            "a1.co",
            "1.co",
            "user@host",
            "user＠host",
            "mailto:ann",
            "Bcc: all",
            "\\\\host\\share",
            "//host",
            "℅",
        ] {
            let shown = presentable(name);
            assert_eq!(shown, "", "{name:?}");
        }
    }

    /// The result for a name holds only the listed characters, and its own result is the same.
    #[test]
    fn no_character_gets_around_the_rule() {
        for character in '\0'..=char::MAX {
            let shown = presentable(&format!("evil{character}com"));
            let is_in_order = |c: char| {
                let part = Part::of(c);
                part.is_alphanumeric() || part == Part::Joint || matches!(c, ' ' | '.')
            };
            assert!(shown.chars().all(is_in_order), "{character:?}: {shown:?}");
            // Two dots that are one character end a word as well.
            let continues = |rest: &str| rest.chars().next().is_some_and(|c| c != ' ');
            assert!(!shown.split('.').skip(1).any(continues), "{character:?}: {shown:?}");
            assert_eq!(presentable(&shown), shown, "{character:?}");
        }
    }

    #[test]
    fn an_address_is_shown_unless_it_hides_another() {
        assert_eq!(presentable_address("o'neil+x_y-z.a@example.com"), "o'neil+x_y-z.a@example.com");
        for bad in ["evil.com/claim@example.com", "a#b@example.com", "no address", "ann@example.com\r\nBcc: x@y.z"] {
            assert_eq!(presentable_address(bad), "", "{bad}");
        }
    }
}
