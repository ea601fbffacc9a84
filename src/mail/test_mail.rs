//! One mail sent immediately, to test the settings.

use super::{
    letter::{Letter, Stationery},
    message::{Parts, compose},
    smtp::Smtp,
};

/// Sends a test mail to this address directly, not through the database, as the server at `base_url` would.
///
/// # Errors
///
/// The error, in the mail server's own words.
pub async fn send_test(smtp: &Smtp, base_url: &str, recipient: &str) -> Result<(), String> {
    let letter = Stationery::new(base_url).render(&Letter::Test { url: base_url });
    let id = format!("pusher-lite-test-{}", uuid::Uuid::new_v4().simple());
    let parts = Parts { recipient, subject: &letter.subject, text: &letter.text, html: &letter.html, id: &id };
    let (recipient, message) = compose(smtp.from(), &parts)?;
    smtp.deliver(&recipient, &message).await.map_err(|failure| failure.reason)
}
