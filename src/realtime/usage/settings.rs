//! Settings of single applications.

/// Settings of one application. A quota of zero means no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ApplicationSettings {
    /// Sockets.
    pub sockets: u32,
    /// Events a second that its sockets push and REST publishes to it, with a burst of one second's worth.
    pub events_per_second: u32,
    /// Events a second that each of its sockets pushes, with a burst of one second's worth.
    pub events_per_socket: u32,
}
