//! An encrypted stream, for a reader and writers that do not wait for each other.

use std::{
    io::{self, ErrorKind, IoSlice, Read, Write},
    net::Shutdown,
    task::{Context, Poll, ready},
};

use parking_lot::Mutex;
use rustls::ServerConnection;
use socket2::SockRef;
use tokio::{io::ReadBuf, net::TcpStream};

/// Limit of bytes that are encrypted and not yet taken by the kernel. They come on top of the outbox's limit.
const SEALED_BYTES: usize = 64 << 10;

/// A TLS session over a TCP stream. Writing encrypts as much as fits and never waits, like writing to the TCP stream
/// itself. [`TlsStream::poll_flush`] writes the rest that the kernel does not take immediately.
#[derive(Debug)]
pub(crate) struct TlsStream {
    stream: TcpStream,
    /// Never held while waiting.
    session: Mutex<ServerConnection>,
}

impl TlsStream {
    /// Takes over a session whose handshake is done.
    pub(crate) fn new(stream: TcpStream, mut session: ServerConnection) -> TlsStream {
        session.set_buffer_limit(Some(SEALED_BYTES));
        TlsStream { stream, session: Mutex::new(session) }
    }

    pub(crate) fn tcp(&self) -> &TcpStream {
        &self.stream
    }

    /// Reads received bytes. Reads nothing when the client has closed its side, with or without a TLS alert.
    pub(crate) fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            match self.session.lock().reader().read(buffer.initialize_unfilled()) {
                Ok(read) => {
                    buffer.advance(read);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
            ready!(self.stream.poll_read_ready(cx))?;
            match self.receive() {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
                Ok(()) => {}
            }
        }
    }

    /// Decrypts the received bytes, as far as one read goes.
    fn receive(&self) -> io::Result<()> {
        let mut session = self.session.lock();
        session.read_tls(&mut Raw(&self.stream))?;
        let processed = session.process_new_packets();
        // Answers of TLS itself, such as an alert. An answer that cannot be sent now is sent with the next write.
        if let Err(error) = self.flush(&mut session)
            && error.kind() != ErrorKind::WouldBlock
        {
            return Err(error);
        }
        processed.map(drop).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
    }

    /// Encrypts as much as fits, and hands it to the kernel as far as that takes it. Encrypts nothing while older bytes
    /// wait.
    pub(crate) fn try_write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut session = self.session.lock();
        self.flush(&mut session)?;
        let sealed = session.writer().write_vectored(slices)?;
        match self.flush(&mut session) {
            Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
            _ => Ok(sealed),
        }
    }

    /// Returns true if the kernel has taken all encrypted bytes.
    pub(crate) fn is_flushed(&self) -> bool {
        !self.session.lock().wants_write()
    }

    pub(crate) fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.poll_write_ready(cx)
    }

    /// Hands encrypted bytes to the kernel. Ready when it has taken all of them.
    pub(crate) fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.is_flushed() {
            ready!(self.stream.poll_write_ready(cx))?;
            match self.flush(&mut self.session.lock()) {
                Err(error) if error.kind() != ErrorKind::WouldBlock => return Poll::Ready(Err(error)),
                _ => {}
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Tells the client that nothing follows, by TLS and by TCP. Call it when everything is flushed.
    pub(crate) fn shut_down(&self) {
        let mut session = self.session.lock();
        session.send_close_notify();
        // Either fails when the client is gone. The reading side notices that.
        let _ = self.flush(&mut session);
        let _ = SockRef::from(&self.stream).shutdown(Shutdown::Write);
    }

    fn flush(&self, session: &mut ServerConnection) -> io::Result<()> {
        while session.wants_write() {
            session.write_tls(&mut Raw(&self.stream))?;
        }
        Ok(())
    }
}

/// The TCP stream as rustls uses it: it fails with `WouldBlock` instead of waiting.
struct Raw<'a>(&'a TcpStream);

impl Read for Raw<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(buffer)
    }
}

impl Write for Raw<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
