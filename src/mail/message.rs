//! Encoding of a letter for SMTP.

use lettre::{
    Address, Message,
    message::{
        Mailbox, MultiPart,
        header::{Header, HeaderName, HeaderValue},
    },
};

/// The parts of a message.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    pub(super) recipient: &'a str,
    pub(super) subject: &'a str,
    pub(super) text: &'a str,
    pub(super) html: &'a str,
    /// Prefix of the message's id: the same for each attempt, so that a duplicate is recognized.
    pub(super) id: &'a str,
}

/// Returns the recipient and the message, in ASCII alone.
///
/// # Errors
///
/// The reason why no mail can go to this recipient.
pub(super) fn compose(from: &Mailbox, parts: &Parts<'_>) -> Result<(Address, Vec<u8>), String> {
    if !super::is_address(parts.recipient) {
        return Err("The recipient is no address that mail can be sent to.".to_owned());
    }
    let recipient: Address =
        parts.recipient.parse().map_err(|error| format!("The recipient is no address: {error}."))?;
    let message = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, recipient.clone()))
        .subject(parts.subject)
        .message_id(Some(format!("<{}@{}>", parts.id, from.email.domain())))
        .header(AutoSubmitted)
        .multipart(MultiPart::alternative_plain_html(parts.text.to_owned(), parts.html.to_owned()))
        .map_err(|error| format!("The mail cannot be put together: {error}."))?;
    Ok((recipient, message.formatted()))
}

/// Header that tells programs not to send automatic replies (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(recipient: &str, subject: &str) -> Result<String, String> {
        let from: Mailbox = "Pusher Lité <noreply@example.com>".parse().unwrap();
        let parts = Parts { recipient, subject, text: "Hällo\n.\nover\n", html: "<p>Hällo</p>", id: "mail-7" };
        compose(&from, &parts).map(|(_, message)| String::from_utf8(message).unwrap())
    }

    #[test]
    fn a_message_has_both_parts_and_says_that_nobody_wrote_it() {
        let message = message("ann@example.com", "Grüße").unwrap();
        assert!(message.is_ascii(), "{message}");
        for line in
            ["To: ann@example.com\r\n", "Message-ID: <mail-7@example.com>\r\n", "Auto-Submitted: auto-generated\r\n"]
        {
            assert!(message.contains(line), "{line}: {message}");
        }
        assert!(message.contains("text/plain; charset=utf-8") && message.contains("text/html; charset=utf-8"));
        assert!(message.contains("Date: ") && message.contains("From: ") && message.contains("=?utf-8?"));
    }

    #[test]
    fn no_text_can_add_a_header() {
        let injected = message("ann@example.com", "Hello\r\nBcc: all@example.com\r\n\r\nbody").unwrap();
        let (head, _) = injected.split_once("\r\n\r\n").unwrap();
        assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
        assert!(message("ann@example.com\r\nBcc: all@example.com", "Hello").is_err());
        assert!(message("ann@example.com, bob@example.com", "Hello").is_err());
    }
}
