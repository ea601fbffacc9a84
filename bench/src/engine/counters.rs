//! Counters of the threads.
use std::sync::atomic::AtomicU64;

/// Counters of a thread: kept locally, stored for the main thread once per epoll round.
#[derive(Clone, Copy)]
pub enum K {
    Upgraded,
    Joined,
    Failed,
    /// joined connections the server closed
    Dropped,
    Delivered,
    Dup,
    Ooo,
    /// own publishes come back to publishers that are no subscribers
    Echo,
    BytesIn,
    FramesIn,
    PresenceFrames,
    PresenceBytes,
    Replies,
    ReplyErrors,
    ProtoErrors,
    Other,
    Published,
    BytesPublished,
    HttpAcks,
    HttpErrors,
    Stalls,
    Replaced,
    SlowDelivered,
    SlowClosed,
    Closed,
    Bad,
    /// threads through with their part of the publishing
    JobDone,
    N,
}

pub const NK: usize = K::N as usize;

#[repr(align(128))]
pub struct Ctrs(pub [AtomicU64; NK]);
