//! A mail server that speaks the necessary part of SMTP, and answers as a test says.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use rustls::{
    ServerConfig,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::TcpListener,
    sync::{
        Notify,
        mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    },
};
use tokio_rustls::TlsAcceptor;

/// Answer to a command, to a connect (`CONNECT`), or to a mail (`.`).
#[derive(Clone)]
pub(super) enum Answer {
    Say(&'static str),
    /// Says nothing until this is notified, and then what it usually does.
    Hold(Arc<Notify>),
    /// Says nothing ever.
    Hang,
    /// Closes the connection.
    Close,
}

/// Encryption of the connection.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Security {
    None,
    StartTls,
    Tls,
}

/// One mail as it arrived.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) recipient: String,
    pub(super) message: String,
    pub(super) encrypted: bool,
}

/// A running server. It stops with its value.
pub(super) struct Sink {
    pub(super) address: SocketAddr,
    pub(super) mails: UnboundedReceiver<Received>,
    /// The PEM of the certificate, as its own authority.
    pub(super) certificate: String,
    shared: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

struct Shared {
    answers: Mutex<HashMap<&'static str, Answer>>,
    /// Every line that clients said, but for the mails.
    said: Mutex<Vec<String>>,
    received: UnboundedSender<Received>,
    security: Security,
    tls: TlsAcceptor,
}

impl Sink {
    pub(super) async fn start() -> Self {
        Self::with(Security::None).await
    }

    pub(super) async fn with(security: Security) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (received, mails) = unbounded_channel();
        let (tls, certificate) = acceptor();
        let (answers, said) = (Mutex::default(), Mutex::default());
        let shared = Arc::new(Shared { answers, said, received, security, tls });
        let serving = Arc::clone(&shared);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&serving);
                // A client that goes away in the middle is no failure of the test.
                tokio::spawn(async move { shared.serve(stream).await.unwrap_or(()) });
            }
        });
        Self { address, mails, certificate, shared, task }
    }

    pub(super) fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// From now on answers a command so; see [`Answer`].
    pub(super) fn answer(&self, command: &'static str, answer: Answer) {
        self.shared.answers.lock().unwrap().insert(command, answer);
    }

    /// From now on answers everything as a friendly server does.
    pub(super) fn be_friendly(&self) {
        self.shared.answers.lock().unwrap().clear();
    }

    /// Returns true if a client sent a line that begins with this.
    pub(super) fn heard(&self, beginning: &str) -> bool {
        self.shared.said.lock().unwrap().iter().any(|line| line.starts_with(beginning))
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn acceptor() -> (TlsAcceptor, String) {
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signed.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![signed.cert.der().clone()], key).unwrap();
    (TlsAcceptor::from(Arc::new(config)), signed.cert.pem())
}

type Io<T> = std::io::Result<T>;

impl Shared {
    async fn serve(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send) -> Io<()> {
        match self.security {
            Security::Tls => self.converse(BufReader::new(self.tls.accept(stream).await?), true, true).await.map(drop),
            Security::None => self.converse(BufReader::new(stream), false, true).await.map(drop),
            Security::StartTls => match self.converse(BufReader::new(stream), false, true).await? {
                Some(stream) => {
                    let stream = self.tls.accept(stream.into_inner()).await?;
                    self.converse(BufReader::new(stream), true, false).await.map(drop)
                }
                None => Ok(()),
            },
        }
    }

    /// Gives the stream back when the client begins with TLS.
    async fn converse<S>(&self, mut stream: BufReader<S>, encrypted: bool, greet: bool) -> Io<Option<BufReader<S>>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if greet && !self.say(&mut stream, "CONNECT", "220 sink").await? {
            return Ok(None);
        }
        let mut recipient = String::new();
        loop {
            let line = read_line(&mut stream).await?;
            let command = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            self.said.lock().unwrap().push(line.clone());
            let (command, usual) = match command.as_str() {
                "EHLO" if self.security == Security::StartTls && !encrypted => ("EHLO", "250-sink\r\n250 STARTTLS"),
                "EHLO" => ("EHLO", "250-sink\r\n250 AUTH PLAIN LOGIN"),
                "STARTTLS" => ("STARTTLS", "220 go on"),
                "AUTH" => ("AUTH", "235 welcome"),
                "MAIL" => ("MAIL", "250 fine"),
                "RCPT" => ("RCPT", "250 fine"),
                "DATA" => ("DATA", "354 go on"),
                "QUIT" => ("QUIT", "221 bye"),
                _ => ("?", "500 what?"),
            };
            if command == "RCPT" {
                recipient = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
            }
            if !self.say(&mut stream, command, usual).await? || command == "QUIT" {
                return Ok(None);
            }
            if command == "STARTTLS" {
                return Ok(Some(stream));
            }
            if command == "DATA" && !self.refuses("DATA") {
                let message = read_message(&mut stream).await?;
                let taken = !self.refuses(".");
                let received = Received { recipient: recipient.clone(), message, encrypted };
                if !self.say(&mut stream, ".", "250 taken").await? {
                    return Ok(None);
                }
                if taken {
                    self.received.send(received).unwrap_or(());
                }
            }
        }
    }

    fn refuses(&self, command: &str) -> bool {
        matches!(self.answers.lock().unwrap().get(command), Some(Answer::Say(_)))
    }

    /// Answers a command; returns true if the conversation continues.
    async fn say(&self, stream: &mut (impl AsyncWrite + Unpin), command: &str, usual: &'static str) -> Io<bool> {
        let answer = self.answers.lock().unwrap().get(command).cloned();
        let text = match answer {
            None => usual,
            Some(Answer::Say(text)) => text,
            Some(Answer::Hold(until)) => {
                until.notified().await;
                usual
            }
            Some(Answer::Hang) => std::future::pending().await,
            Some(Answer::Close) => return Ok(false),
        };
        stream.write_all(format!("{text}\r\n").as_bytes()).await?;
        stream.flush().await?;
        Ok(true)
    }
}

async fn read_line(stream: &mut (impl AsyncBufReadExt + Unpin)) -> Io<String> {
    let mut line = String::new();
    match stream.read_line(&mut line).await? {
        0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(line.trim_end().to_owned()),
    }
}

async fn read_message(stream: &mut (impl AsyncBufReadExt + Unpin)) -> Io<String> {
    let mut message = String::new();
    loop {
        match read_line(stream).await?.as_str() {
            "." => return Ok(message),
            line => message.push_str(&format!("{}\n", line.strip_prefix('.').unwrap_or(line))),
        }
    }
}
