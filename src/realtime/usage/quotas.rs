//! Quotas of all sockets together, and of those of one application or address.

use super::settings::ApplicationSettings;

/// Quotas of all sockets together, and of those of one application or address. Zero means no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Quotas {
    /// Sockets in all.
    pub sockets: u32,
    /// Sockets of one client's address. The addresses of an IPv6 /64 count as one.
    pub sockets_per_address: u32,
    /// Sockets that one address may open a second, with a burst of five seconds' worth.
    pub connects_per_address: u32,
    /// True if this machine's own addresses are limited as well. A proxy that is not named as trusted would count as
    /// one client.
    pub limit_loopback: bool,
    /// Settings of each application that has none of its own.
    pub application: ApplicationSettings,
}
