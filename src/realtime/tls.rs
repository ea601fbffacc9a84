//! An encrypted stream, for a reader and writers that do not wait for each other.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::Shutdown;
use std::task::{Context, Poll, ready};

use parking_lot::Mutex;
use rustls::ServerConnection;
use socket2::SockRef;
use tokio::io::ReadBuf;
use tokio::net::TcpStream;

/// What may be sealed and not yet taken by the kernel, in bytes: comes on top of what an outbox may hold.
const SEALED_BYTES: usize = 64 << 10;

/// A TLS session over a TCP stream. Writing seals what fits and never waits, as writing to the TCP stream itself would;
/// what the kernel does not take of it at once is brought out by [`TlsStream::poll_flush`].
#[derive(Debug)]
pub(super) struct TlsStream {
    stream: TcpStream,
    /// Never held while waiting.
    session: Mutex<ServerConnection>,
}

impl TlsStream {
    /// Takes over a session whose handshake is done.
    pub(super) fn new(stream: TcpStream, mut session: ServerConnection) -> TlsStream {
        session.set_buffer_limit(Some(SEALED_BYTES));
        TlsStream { stream, session: Mutex::new(session) }
    }

    /// Reads what has come. Nothing is read when the client has closed its side, by TLS or without a word.
    pub(super) fn poll_read(&self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
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

    /// Opens what has come, as far as one read goes.
    fn receive(&self) -> io::Result<()> {
        let mut session = self.session.lock();
        session.read_tls(&mut Raw(&self.stream))?;
        let processed = session.process_new_packets();
        // Answers of TLS itself, such as an alert. What does not go out now goes out with what is written next.
        if let Err(error) = self.flush(&mut session)
            && error.kind() != ErrorKind::WouldBlock
        {
            return Err(error);
        }
        processed.map(drop).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
    }

    /// Seals as much as fits, and hands it to the kernel as far as that takes it. Nothing is sealed while older bytes wait.
    pub(super) fn try_write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut session = self.session.lock();
        self.flush(&mut session)?;
        let sealed = session.writer().write_vectored(slices)?;
        match self.flush(&mut session) {
            Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
            _ => Ok(sealed),
        }
    }

    /// Whether the kernel has taken all that was sealed.
    pub(super) fn is_flushed(&self) -> bool {
        !self.session.lock().wants_write()
    }

    pub(super) fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.poll_write_ready(cx)
    }

    /// Hands what is sealed to the kernel. Ready when it has all of it.
    pub(super) fn poll_flush(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.is_flushed() {
            ready!(self.stream.poll_write_ready(cx))?;
            match self.flush(&mut self.session.lock()) {
                Err(error) if error.kind() != ErrorKind::WouldBlock => return Poll::Ready(Err(error)),
                _ => {}
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Tells the client that nothing follows, by TLS and by TCP. To be called when all is flushed.
    pub(super) fn shut_down(&self) {
        let mut session = self.session.lock();
        session.send_close_notify();
        // Either fails when the client is gone, which the reading side finds out.
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

/// What rustls takes for the TCP stream: it fails with `WouldBlock` instead of waiting.
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
