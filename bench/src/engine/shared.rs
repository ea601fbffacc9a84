//! State shared by all threads.
use super::counters::{Ctrs, K};
use crate::http::Publisher;
use crate::proto::Proto;
use crate::tally::Tally;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::Mutex;

pub struct Shared {
    pub host: [u8; 4],
    pub port: u16,
    pub host_header: String,
    pub http_port: u16,
    pub ws_headers: String,
    pub proto: Box<dyn Proto>,
    pub publisher: Option<Publisher>,
    pub topics: Vec<String>,
    /// joined subscribers that read, by topic
    pub members: Vec<AtomicU32>,
    pub threads: u32,
    pub source_addrs: u32,
    pub max_pending: u32,
    pub coalesce_ns: u64,
    pub rcvbuf: u32,
    pub heartbeat: Option<f64>,
    pub no_self: bool,
    pub abrupt: bool,
    pub slots: u32,
    pub chat_ws: bool,
    /// publish templates by topic: bytes, offset of the marker, offset of the ref (0: none)
    pub templates: Vec<(Vec<u8>, usize, usize)>,
    pub event: String,
    pub ctrs: Vec<Ctrs>,
    /// deliveries expected of the published messages, those given up in a stall, messages taken at rate 0
    pub expected: AtomicU64,
    pub forgiven: AtomicU64,
    pub taken: AtomicU64,
    pub watch: Mutex<HashMap<u64, View>>,
    /// of a crowd: the clients that were told of all users, with their tally and the time
    pub complete: Mutex<HashMap<u64, (Tally, u64)>>,
    pub slow: Mutex<Vec<SlowConn>>,
}

impl Shared {
    pub fn get(&self, k: K) -> u64 {
        self.ctrs.iter().map(|c| c.0[k as usize].load(Relaxed)).sum()
    }
}

#[derive(Clone, Default)]
pub struct View {
    pub join_sent: u64,
    pub joined: u64,
    pub size: usize,
    /// time at which the size last changed
    pub changed: u64,
    pub frames: u64,
}

#[derive(Clone)]
pub struct SlowConn {
    pub id: u64,
    pub addr: (u32, u16),
    pub closed_at: Option<u64>,
    pub close_code: Option<u16>,
    pub got: u64,
}
