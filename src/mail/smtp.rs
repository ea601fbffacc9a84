//! Delivery of mails to a mail server.
//!
//! The conversation is led step by step, because the same refusal means different things at different steps: a refusal
//! of the recipient is about this mail, one of the password is about all of them. Errors after the server has accepted
//! a mail no longer matter: treating them as a failure would send the mail twice.

use std::{fmt, fs, time::Duration};

use lettre::{
    Address,
    message::Mailbox,
    transport::smtp::{
        authentication::{Credentials, DEFAULT_MECHANISMS},
        client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters},
        commands::{Data, Mail, Rcpt},
        extension::ClientId,
        response::Severity,
    },
};
use tokio::time::timeout;

use super::smtp_url::{Security, SmtpUrl};

/// Timeout for connecting to the server.
const CONNECT_TIME: Duration = Duration::from_secs(15);
/// Timeout for one mail, from the connection to the server's last answer.
const SEND_TIME: Duration = Duration::from_secs(60);
/// Timeout for a `QUIT`.
const QUIT_TIME: Duration = Duration::from_secs(2);
/// Maximum length of a stored error, in characters.
const REASON_CHARACTERS: usize = 500;

/// A mail server, and the sender's address for all mails. Cheap to clone.
#[derive(Clone)]
pub struct Smtp {
    server: SmtpUrl,
    from: Mailbox,
    tls: Option<TlsParameters>,
    send_time: Duration,
}

/// Reason why a mail was not sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// No later attempt can succeed: the server will never take this mail.
    pub(super) is_final: bool,
    /// Reply code of the server, if it answered.
    pub(super) code: Option<u16>,
    /// Error message for the administrator; it may hold the recipient's address.
    pub(super) reason: String,
}

impl Smtp {
    /// Creates a client for the server at `server`, which sends mails from `from`: `Name <name@example.com>`.
    ///
    /// # Errors
    ///
    /// The reason why the certificates that identify the server cannot be used.
    pub fn new(server: SmtpUrl, from: Mailbox) -> Result<Self, String> {
        let tls = match server.security {
            Security::None => None,
            Security::Tls | Security::StartTls => Some(tls(&server)?),
        };
        Ok(Self { server, from, tls, send_time: SEND_TIME })
    }

    /// Sets the time after which the client gives up on a server that has not accepted a mail, instead of a minute.
    #[must_use]
    pub fn with_patience(mut self, send_time: Duration) -> Self {
        self.send_time = send_time;
        self
    }

    /// Returns the sender of all mails.
    pub(super) fn from(&self) -> &Mailbox {
        &self.from
    }

    /// Hands over one message; see [`Failure`] for possible errors. Takes a minute at most.
    pub(super) async fn deliver(&self, recipient: &Address, message: &[u8]) -> Result<(), Failure> {
        match timeout(self.send_time, self.converse(recipient, message)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failure::later("The mail server took too long to answer")),
        }
    }

    async fn converse(&self, recipient: &Address, message: &[u8]) -> Result<(), Failure> {
        let of_all = |what| move |error| Failure::of_all_mails(what, &error);
        let of_this = |what| move |error| Failure::of_this_mail(what, &error);
        let mut conn = self.connect().await?;
        let sender = Mail::new(Some(self.from.email.clone()), Vec::new());
        conn.command(sender).await.map_err(of_all("The mail server refused the sender's address"))?;
        let recipient = Rcpt::new(recipient.clone(), Vec::new());
        conn.command(recipient).await.map_err(of_this("The mail server refused the recipient"))?;
        conn.command(Data).await.map_err(of_this("The mail server refused to take the mail"))?;
        conn.message(message).await.map_err(of_this("The mail server refused the mail"))?;
        // The server has accepted the mail. Neither the result nor the delay of `QUIT` matters.
        let _ = timeout(QUIT_TIME, conn.quit()).await;
        Ok(())
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Failure> {
        let SmtpUrl { security, host, port, credentials, .. } = &self.server;
        let name = ClientId::default();
        let at_once = self.tls.clone().filter(|_| *security == Security::Tls);
        let server = (host.as_str(), *port);
        let connecting = AsyncSmtpConnection::connect_tokio1(server, Some(CONNECT_TIME), &name, at_once, None);
        let of_all = |what| move |error| Failure::of_all_mails(what, &error);
        let mut conn = connecting.await.map_err(of_all("The mail server cannot be reached"))?;
        if let (Security::StartTls, Some(tls)) = (security, &self.tls) {
            conn.starttls(tls.clone(), &name).await.map_err(of_all("The mail server did not begin with TLS"))?;
        }
        if let Some((user, password)) = credentials {
            let credentials = Credentials::new(user.clone(), password.clone());
            let signing_in = conn.auth(DEFAULT_MECHANISMS, &credentials).await;
            signing_in.map_err(of_all("The mail server refused the user and password"))?;
        }
        Ok(conn)
    }
}

fn tls(server: &SmtpUrl) -> Result<TlsParameters, String> {
    let mut parameters = TlsParameters::builder(server.host.clone());
    if let Some(path) = &server.root_certificate {
        let unusable = |reason: &dyn fmt::Display| format!("the file of sslrootcert cannot be used: {reason}");
        let pem = fs::read(path).map_err(|error| unusable(&error))?;
        let certificate = Certificate::from_pem(&pem).map_err(|error| unusable(&error))?;
        parameters = parameters.certificate_store(CertificateStore::None).add_root_certificate(certificate);
    }
    parameters.build().map_err(|error| format!("TLS to the mail server cannot be set up: {error}"))
}

impl fmt::Display for Smtp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.server.fmt(formatter)
    }
}

impl fmt::Debug for Smtp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Smtp").field("server", &self.server).finish_non_exhaustive()
    }
}

impl Failure {
    /// Creates a failure that another attempt may overcome.
    pub(super) fn later(reason: &str) -> Self {
        Self { is_final: false, code: None, reason: presentable(reason) }
    }

    /// Creates a failure that no other attempt will overcome.
    pub(super) fn forever(reason: &str) -> Self {
        Self { is_final: true, code: None, reason: presentable(reason) }
    }

    /// Creates a failure of a step that every mail goes through: whatever the server says is about the settings, or
    /// about the current situation.
    fn of_all_mails(what: &str, error: &lettre::transport::smtp::Error) -> Self {
        Self { is_final: false, code: code_of(error), reason: presentable(&format!("{what}: {error}")) }
    }

    /// Creates a failure of a step that is about this mail, where 5xx is a permanent refusal (RFC 5321, 4.2.1), except
    /// the codes that ask for a password or for TLS first.
    fn of_this_mail(what: &str, error: &lettre::transport::smtp::Error) -> Self {
        let is_refusal = error.status().is_some_and(|code| code.severity == Severity::PermanentNegativeCompletion);
        let code = code_of(error);
        let is_about_us = matches!(code, Some(500..=504 | 523 | 530 | 534 | 535 | 538));
        Self { is_final: is_refusal && !is_about_us, ..Self::of_all_mails(what, error) }
    }
}

fn code_of(error: &lettre::transport::smtp::Error) -> Option<u16> {
    Some(error.status()?.into())
}

/// Shortens the reason to one line of at most `REASON_CHARACTERS` characters.
fn presentable(reason: &str) -> String {
    let words: Vec<&str> =
        reason.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().take(REASON_CHARACTERS).collect()
}
