//! Sockets that are closed when their JWT expires, by the time.

use std::{
    collections::BTreeSet,
    time::{SystemTime, UNIX_EPOCH},
};

use super::connection::SocketId;

/// Sockets that end with their JWT, the first to expire first.
#[derive(Debug, Default)]
pub(crate) struct Expiries(BTreeSet<(i64, SocketId)>);

impl Expiries {
    /// Adds a socket that ends at this time, in seconds since 1970.
    pub(crate) fn insert(&mut self, expires_at: i64, socket: SocketId) {
        self.0.insert((expires_at, socket));
    }

    /// Removes a socket that was added with this time.
    pub(crate) fn remove(&mut self, expires_at: i64, socket: SocketId) {
        self.0.remove(&(expires_at, socket));
    }

    /// Takes the sockets whose JWT is no longer valid. A JWT is valid until the end of the second that it names.
    pub(crate) fn take(&mut self, now: i64) -> Vec<SocketId> {
        let later = self.0.split_off(&(now, SocketId::MIN));
        let expired = std::mem::replace(&mut self.0, later);
        expired.into_iter().map(|(_, socket)| socket).collect()
    }
}

/// Returns the time in seconds since 1970. JWTs hold times of the calendar, which may be set.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs().try_into().unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_taken_once_when_its_second_is_over() {
        let mut expiries = Expiries::default();
        for (expires_at, socket) in [(100, 1), (101, 2), (100, 3), (102, 4)] {
            expiries.insert(expires_at, socket);
        }
        expiries.remove(100, 3);
        assert!(expiries.take(100).is_empty());
        assert_eq!(expiries.take(101), [1]);
        assert_eq!(expiries.take(105), [2, 4]);
        assert!(expiries.take(i64::MAX).is_empty());
    }
}
