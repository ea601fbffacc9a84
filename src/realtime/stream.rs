//! What connects a client, and its two directions.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::ServerConnection;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;

use super::sink::Sink;
use super::tls::TlsStream;

/// What connects a client: a TCP stream, or one with a TLS session whose handshake is done.
#[derive(Debug)]
pub enum Stream {
    /// Nothing around it.
    Plain(TcpStream),
    /// With TLS.
    Tls(TcpStream, Box<ServerConnection>),
}

/// Where a client's bytes come from.
#[derive(Debug)]
pub(super) enum Source {
    Stream(OwnedReadHalf),
    Tls(Arc<TlsStream>),
}

impl From<TcpStream> for Stream {
    fn from(stream: TcpStream) -> Stream {
        Stream::Plain(stream)
    }
}

impl Stream {
    /// The two directions, for whoever reads and whoever writes.
    pub(super) fn split(self) -> (Source, Sink) {
        // It fails when the client is gone already, which reading finds out.
        let _ = self.tcp().set_nodelay(true);
        match self {
            Stream::Plain(stream) => {
                let (reader, writer) = stream.into_split();
                (Source::Stream(reader), Sink::Stream(writer))
            }
            Stream::Tls(stream, session) => {
                let stream = Arc::new(TlsStream::new(stream, *session));
                (Source::Tls(Arc::clone(&stream)), Sink::Tls(stream))
            }
        }
    }

    fn tcp(&self) -> &TcpStream {
        match self {
            Stream::Plain(stream) | Stream::Tls(stream, _) => stream,
        }
    }
}

impl Source {
    /// As [`AsyncRead::poll_read`].
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self {
            Source::Stream(stream) => Pin::new(stream).poll_read(cx, buffer),
            Source::Tls(stream) => stream.poll_read(cx, buffer),
        }
    }
}
