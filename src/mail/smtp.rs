//! Handing mails to a mail server.
//!
//! The conversation is led step by step, because the same refusal means different things at different steps: one of the
//! recipient is about this mail, one of the password about all of them. What happens after the server has taken a mail
//! no longer matters: whoever took that for a failure would send it twice.

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

/// How long it may take to reach the server.
const CONNECT_TIME: Duration = Duration::from_secs(15);
/// How long one mail may take, from the connection to the server's last word.
const SEND_TIME: Duration = Duration::from_secs(60);
/// How long a goodbye may take.
const QUIT_TIME: Duration = Duration::from_secs(2);
/// As much of an error as is kept.
const REASON_CHARACTERS: usize = 500;

/// A mail server, and in whose name it is asked to send. Cheap to clone.
#[derive(Clone)]
pub struct Smtp {
    server: SmtpUrl,
    from: Mailbox,
    tls: Option<TlsParameters>,
    send_time: Duration,
}

/// Why a mail did not leave.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// No later attempt can succeed: the server will never take this mail.
    pub(super) is_final: bool,
    /// The server's code, if it was an answer of the server.
    pub(super) code: Option<u16>,
    /// What went wrong, for the administrator; it may hold the recipient's address.
    pub(super) reason: String,
}

impl Smtp {
    /// The server at `server`, which is asked to send mails from `from`: `Name <name@example.com>`.
    ///
    /// # Errors
    ///
    /// Says why the certificates cannot be used by which the server is known.
    pub fn new(server: SmtpUrl, from: Mailbox) -> Result<Self, String> {
        let tls = match server.security {
            Security::None => None,
            Security::Tls | Security::StartTls => Some(tls(&server)?),
        };
        Ok(Self { server, from, tls, send_time: SEND_TIME })
    }

    /// Gives up on a server that has not taken a mail after this time, instead of a minute.
    #[must_use]
    pub fn with_patience(mut self, send_time: Duration) -> Self {
        self.send_time = send_time;
        self
    }

    /// In whose name mails are sent.
    pub(super) fn from(&self) -> &Mailbox {
        &self.from
    }

    /// Hands over one message; see [`Failure`] for what may go wrong. Done after a minute at the latest.
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
        // The mail is the server's now. It does not matter how the goodbye goes, nor whether it waits for one.
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
    /// What another attempt may mend.
    pub(super) fn later(reason: &str) -> Self {
        Self { is_final: false, code: None, reason: presentable(reason) }
    }

    /// What no other attempt will mend.
    pub(super) fn forever(reason: &str) -> Self {
        Self { is_final: true, code: None, reason: presentable(reason) }
    }

    /// At a step that every mail goes through: whatever the server says, it is about the settings, or about now.
    fn of_all_mails(what: &str, error: &lettre::transport::smtp::Error) -> Self {
        Self { is_final: false, code: code_of(error), reason: presentable(&format!("{what}: {error}")) }
    }

    /// At a step that is about this mail, where 5xx is a refusal forever (RFC 5321, 4.2.1); but for those codes that ask
    /// for a password or for TLS first.
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

/// One line, not too long.
fn presentable(reason: &str) -> String {
    let words: Vec<&str> =
        reason.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().take(REASON_CHARACTERS).collect()
}
