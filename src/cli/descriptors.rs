//! File descriptors: each connection needs one, and most systems allow a process a thousand unless it asks for more.

use rlimit::Resource;

/// Descriptors needed beside connections and the database: listeners, the runtime, standard streams, files.
const OTHERS: u64 = 32;

/// Descriptors of one connection to an SQLite database: the file, its log, and the log's index.
const PER_DATABASE_CONNECTION: u64 = 3;

/// Raises the limit of descriptors to the system's maximum. Returns the number of connections that fit, at most
/// `wanted`. That number leaves enough descriptors for the database even if clients use all the others.
pub(super) fn make_room(wanted: usize, database_connections: u32, other_connections: usize) -> usize {
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::warn!(%error, "Could not raise the limit of file descriptors; it limits the number of sockets.");
    }
    let Ok(descriptors) = Resource::NOFILE.get_soft() else { return wanted };
    let needed = OTHERS + PER_DATABASE_CONNECTION * u64::from(database_connections) + other_connections as u64;
    let possible = connections(descriptors, needed);
    if possible < wanted {
        tracing::warn!(
            descriptors,
            connections = possible,
            "The system allows fewer file descriptors than PUSHER_LITE_MAX_CONNECTIONS needs; fewer connections can be open."
        );
    }
    possible.min(wanted)
}

/// Returns the descriptors left for connections, at least a quarter.
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
