//! Syntax of mail addresses.

use lettre::Address;

/// Maximum length of an address: what SMTP can carry, which is less than the columns hold.
const MAX_CHARACTERS: usize = 254;

/// Returns true if this is a valid mail address: a local part, and a domain that has a dot or is of the machine's own
/// network, in ASCII. Blanks, line ends and everything else that could end a header or a command are refused.
pub fn is_address(text: &str) -> bool {
    text.len() <= MAX_CHARACTERS && text.is_ascii() && !text.contains(['"', '[']) && text.parse::<Address>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_other_texts() {
        for good in ["ann@example.com", "a.b+c_d@mail.example.co.uk", "root@localhost", "O'Neil@example.com"] {
            assert!(is_address(good), "{good}");
        }
        let long = format!("{}@example.com", "a".repeat(250));
        for bad in [
            "",
            "ann",
            "ann@",
            "@example.com",
            "a b@example.com",
            "ann@example.com\r\nBcc: x@y.z",
            "ann@exa mple.com",
            "ann@example.com ",
            "Ann <ann@example.com>",
            "a@b@c.d",
            "ann@example..com",
            "ann@[127.0.0.1]",
            "\"a b\"@example.com",
            "ann@example.com,bob@example.com",
            "ann@example.com\0",
            "ä@example.com",
            &long,
        ] {
            assert!(!is_address(bad), "{bad:?}");
        }
    }
}
