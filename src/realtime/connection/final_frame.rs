//! The close frame of a connection.

use std::sync::Arc;

use bytes::Bytes;

use super::connection::Connection;

/// A connection's close frame. It is sent when the last room that has something for the connection drops it.
#[derive(Debug)]
pub(crate) struct FinalFrame {
    connection: Arc<Connection>,
    frame: Bytes,
}

impl FinalFrame {
    pub(crate) fn new(connection: Arc<Connection>, frame: Bytes) -> Self {
        Self { connection, frame }
    }
}

impl Drop for FinalFrame {
    fn drop(&mut self) {
        self.connection.outbox.finish(&self.frame);
    }
}
