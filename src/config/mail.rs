//! Settings of outgoing mail.

use super::settings::{SettingError, Settings, malformed, unusable};
use crate::mail::{Mailbox, Smtp, SmtpUrl, is_address};

const FROM: SettingError = SettingError::Missing {
    name: "PUSHER_LITE_MAIL_FROM",
    reason: "with PUSHER_LITE_SMTP_URL, mails need a sender",
    example: "pusher-lite <noreply@example.com>",
};
const PUBLIC_URL: SettingError = SettingError::Missing {
    name: "PUSHER_LITE_PUBLIC_URL",
    reason: "with PUSHER_LITE_SMTP_URL, the links in mails need to lead to this server",
    example: "https://push.example.com",
};

/// Returns the mail server, if one is set.
pub(super) fn smtp(settings: &Settings) -> Result<Option<Smtp>, SettingError> {
    let from = settings.get("mail_from").map(|(text, source)| {
        let expected = "an address that mails come from, such as pusher-lite <noreply@example.com>";
        let from = text.parse::<Mailbox>().ok().filter(|from| is_address(from.email.as_ref()));
        from.ok_or_else(|| malformed("mail_from", expected, text, source))
    });
    let from = from.transpose()?;
    let Some((url, source)) = settings.get("smtp_url") else { return Ok(None) };
    let url: SmtpUrl = url.parse().map_err(|reason| unusable("smtp_url", reason, source))?;
    let from = from.ok_or(FROM)?;
    settings.get("public_url").ok_or(PUBLIC_URL)?;
    Smtp::new(url, from).map(Some).map_err(|reason| unusable("smtp_url", reason, source))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Option<Smtp>, String> {
        let mut settings = Settings::default();
        settings.read_environment(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))).unwrap();
        smtp(&settings).map_err(|error| error.to_string())
    }

    const FROM: (&str, &str) = ("PUSHER_LITE_MAIL_FROM", "pusher-lite <noreply@example.com>");
    const PUBLIC_URL: (&str, &str) = ("PUSHER_LITE_PUBLIC_URL", "https://push.example.com");

    #[test]
    fn a_server_needs_a_sender_and_where_links_lead() {
        assert!(read(&[]).unwrap().is_none());
        assert!(read(&[FROM]).unwrap().is_none());
        let url = ("PUSHER_LITE_SMTP_URL", "smtps://me:hunter2@mail.example.com");
        let smtp = read(&[url, FROM, PUBLIC_URL]).unwrap().unwrap();
        assert_eq!(smtp.to_string(), "mail.example.com port 465 with TLS");
        assert!(!format!("{smtp:?}").contains("hunter2"));
        let error = read(&[("PUSHER_LITE_SMTP_URL", "smtp://localhost")]).unwrap_err();
        assert!(error.contains("PUSHER_LITE_MAIL_FROM must be set"), "{error}");
        let error = read(&[url, FROM]).unwrap_err();
        assert!(error.contains("PUSHER_LITE_PUBLIC_URL must be set"), "{error}");
    }

    #[test]
    fn what_is_wrong_is_named_without_the_password() {
        let error = read(&[("PUSHER_LITE_SMTP_URL", "smtps://me:hunter2@"), FROM]).unwrap_err();
        assert!(error.contains("PUSHER_LITE_SMTP_URL") && !error.contains("hunter2"), "{error}");
        let error = read(&[("PUSHER_LITE_MAIL_FROM", "nobody")]).unwrap_err();
        assert!(error.contains("PUSHER_LITE_MAIL_FROM must be an address"), "{error}");
        let url = "smtps://mail.example.com?sslrootcert=/no/such/file";
        let error = read(&[("PUSHER_LITE_SMTP_URL", url), FROM, PUBLIC_URL]).unwrap_err();
        assert!(error.contains("the file of sslrootcert cannot be used"), "{error}");
    }
}
