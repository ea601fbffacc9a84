//! The end of several sockets at once.

use std::sync::Arc;

use parking_lot::Mutex;

use super::channel::Channel;
use super::connection::Connection;

/// Sockets that the server closes together. Each holds it until it has parted from its topics; when the last one has, the
/// presence of all of them ends. So none of them hears that another one has left, as none did in the original.
#[derive(Debug, Default)]
pub(super) struct Departure {
    parted: Mutex<Vec<(Arc<Connection>, Channel)>>,
}

impl Departure {
    /// Takes channels that send nothing more to their client, and still show it as present.
    pub(super) fn add(&self, connection: &Arc<Connection>, channels: Vec<Channel>) {
        self.parted.lock().extend(channels.into_iter().map(|channel| (Arc::clone(connection), channel)));
    }
}

impl Drop for Departure {
    fn drop(&mut self) {
        for (connection, channel) in self.parted.get_mut().drain(..) {
            channel.room.end_presence(&connection, channel.phx_ref);
        }
    }
}
