//! What all sockets may use together, and those of one application or address.

/// What all sockets may use together, and those of one application or address. Zero is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quotas {
    /// Sockets in all.
    pub sockets: u32,
    /// Sockets of one client's address; of IPv6 addresses, all of a /64 count as one.
    pub sockets_per_address: u32,
    /// Sockets that one address may open a second; five seconds' worth may come at once.
    pub connects_per_address: u32,
    /// Whether this machine's own addresses are limited as well. A proxy that is not named as trusted would count as one
    /// client.
    pub limit_loopback: bool,
    /// What each application may use.
    pub application: ApplicationQuota,
}

/// What one application may use. Zero is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ApplicationQuota {
    /// Its sockets.
    pub sockets: u32,
    /// Events that its sockets push and REST publishes to it a second; a second's worth may come at once.
    pub events_per_second: u32,
    /// Events that each of its sockets pushes a second; a second's worth may come at once.
    pub socket_events_per_second: u32,
}

/// What is different for one application; `None` is as for all others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QuotaOverride {
    /// See [`ApplicationQuota::sockets`].
    pub sockets: Option<u32>,
    /// See [`ApplicationQuota::events_per_second`].
    pub events_per_second: Option<u32>,
    /// See [`ApplicationQuota::socket_events_per_second`].
    pub socket_events_per_second: Option<u32>,
}

impl ApplicationQuota {
    /// With what is different.
    #[must_use]
    pub fn with(self, other: QuotaOverride) -> ApplicationQuota {
        ApplicationQuota {
            sockets: other.sockets.unwrap_or(self.sockets),
            events_per_second: other.events_per_second.unwrap_or(self.events_per_second),
            socket_events_per_second: other.socket_events_per_second.unwrap_or(self.socket_events_per_second),
        }
    }
}
