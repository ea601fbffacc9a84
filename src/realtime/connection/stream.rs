//! The stream between a client and the server, and its two directions.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::FutureExt;
use rustls::ServerConnection;
use tokio::{
    io::{AsyncRead, Interest, ReadBuf},
    net::{TcpStream, tcp::OwnedReadHalf},
};

use super::{sink::Sink, tls::TlsStream};

/// The stream to a client: a TCP stream, or one with a TLS session whose handshake is done.
#[derive(Debug)]
pub enum Stream {
    /// A bare TCP stream.
    Plain(TcpStream),
    /// A TCP stream with TLS.
    Tls(TcpStream, Box<ServerConnection>),
}

/// The reading half of a stream.
#[derive(Debug)]
pub(crate) enum Source {
    Stream(OwnedReadHalf),
    Tls(Arc<TlsStream>),
}

impl From<TcpStream> for Stream {
    fn from(stream: TcpStream) -> Stream {
        Stream::Plain(stream)
    }
}

impl Stream {
    /// Splits the stream into its two directions, for the reader and the writers.
    pub(crate) fn split(self) -> (Source, Sink) {
        // It fails when the client is gone already. Reading notices that.
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
    pub(crate) fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self {
            Source::Stream(stream) => Pin::new(stream).poll_read(cx, buffer),
            Source::Tls(stream) => stream.poll_read(cx, buffer),
        }
    }

    /// Returns true if the client has closed its side, as far as that is known without reading.
    pub(crate) fn is_closed(&self) -> bool {
        // Not awaited. It is ready when something is known, and once the client is gone that stays known.
        let known = match self {
            Source::Stream(stream) => stream.ready(Interest::READABLE).now_or_never(),
            Source::Tls(stream) => stream.tcp().ready(Interest::READABLE).now_or_never(),
        };
        known.is_some_and(|known| known.map_or(true, |known| known.is_read_closed()))
    }
}
