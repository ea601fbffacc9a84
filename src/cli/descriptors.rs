//! File descriptors: each connection is one, and most systems allow a process a thousand unless it asks.

use rlimit::Resource;

/// What everything but connections and the database needs: the listeners, the runtime, standard streams, files.
const OTHERS: u64 = 32;

/// Descriptors of one connection to an SQLite database: the file, its log, and the log's index.
const PER_DATABASE_CONNECTION: u64 = 3;

/// Asks for as many descriptors as the system gives. Returns how many connections there can be with them, at most `wanted`;
/// then the database never lacks one because clients have all of them.
pub(super) fn make_room(wanted: usize, database_connections: u32, other_connections: usize) -> usize {
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::warn!(%error, "The number of file descriptors could not be raised; it limits how many sockets there can be.");
    }
    let Ok(descriptors) = Resource::NOFILE.get_soft() else { return wanted };
    let needed = OTHERS + PER_DATABASE_CONNECTION * u64::from(database_connections) + other_connections as u64;
    let possible = connections(descriptors, needed);
    if possible < wanted {
        tracing::warn!(
            descriptors,
            connections = possible,
            "The system allows fewer file descriptors than PUSHER_LITE_MAX_CONNECTIONS needs; there can be fewer connections."
        );
    }
    possible.min(wanted)
}

/// What is left for connections, at least a quarter.
fn connections(descriptors: u64, needed: u64) -> usize {
    let left = descriptors.saturating_sub(needed).max(descriptors / 4).max(1);
    usize::try_from(left).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_needed_elsewhere_is_left() {
        assert_eq!(connections(1024, 62), 962);
        assert_eq!(connections(64, 62), 16);
        assert_eq!(connections(0, 62), 1);
    }
}
