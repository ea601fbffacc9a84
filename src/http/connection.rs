//! The connection of a request.

use std::{net::SocketAddr, sync::Arc};

use parking_lot::Mutex;
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;

use super::{TrustedProxies, progress::Progress};

/// The TCP connection of a request. It stays counted against the server's limit until the last clone is dropped, so the
/// owner of an upgraded stream keeps one.
#[derive(Clone, Debug)]
pub struct Connection {
    peer: SocketAddr,
    pub(super) proxies: TrustedProxies,
    pub(super) is_encrypted: bool,
    progress: Progress,
    /// Cancelled when the body of this request has been read.
    body_read: Option<CancellationToken>,
    turn: Turn,
    _permit: Arc<OwnedSemaphorePermit>,
}

/// Turn of a request: a connection has a limited number of requests that are answered at a time.
#[derive(Clone, Debug, Default)]
pub struct Turn {
    permit: Arc<Mutex<Option<OwnedSemaphorePermit>>>,
}

impl Turn {
    /// Creates the turn of this permit.
    pub fn new(permit: OwnedSemaphorePermit) -> Self {
        Self { permit: Arc::new(Mutex::new(Some(permit))) }
    }

    /// Takes the permit, unless it was given back.
    pub fn take(&self) -> Option<OwnedSemaphorePermit> {
        self.permit.lock().take()
    }
}

impl Connection {
    /// Creates a connection from `peer` that holds `permit` while it is open. If the peer is one of `proxies`, its
    /// headers about its clients are trusted.
    pub fn new(peer: SocketAddr, proxies: TrustedProxies, progress: Progress, permit: OwnedSemaphorePermit) -> Self {
        let permit = Arc::new(permit);
        Self { peer, proxies, is_encrypted: false, progress, body_read: None, turn: Turn::default(), _permit: permit }
    }

    /// Returns the connection, marked as encrypted. Called after its TLS handshake.
    #[must_use]
    pub fn encrypted(self) -> Self {
        Self { is_encrypted: true, ..self }
    }

    /// Returns the connection for a request with a body; the token is cancelled when the body has been read.
    #[must_use]
    pub fn with_body(self, read: CancellationToken) -> Self {
        Self { body_read: Some(read), ..self }
    }

    /// Returns the connection for a request that has this turn.
    #[must_use]
    pub fn with_turn(self, turn: Turn) -> Self {
        Self { turn, ..self }
    }

    pub(super) fn note_body_read(&self) {
        self.progress.body_read();
        if let Some(read) = &self.body_read {
            read.cancel();
        }
    }

    /// Returns the address of the peer: the client, or the proxy before this server.
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Returns the progress of the connection.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Ends the request when its client is gone: it waits for an event, which must not be sent to a closed connection.
    /// The requests of the connection that wait for a turn proceed meanwhile.
    pub fn wait_with_peer(&self) {
        self.progress.follow_peer();
        drop(self.turn.take());
    }
}
