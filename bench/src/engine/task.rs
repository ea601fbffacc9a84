//! Commands to the threads, and their reports.
use hdrhistogram::Histogram;
use std::collections::HashMap;
use std::sync::mpsc::Sender;

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Role {
    Sub,
    Pub,
    Http,
}

/// A connection to open; the k-th of its kind over all threads is due at start + k / rate.
#[derive(Clone)]
pub struct Spec {
    pub k: u64,
    pub id: u64,
    pub role: Role,
    pub topics: Vec<u32>,
    pub slot: u32,
    pub slow: bool,
    pub watch: bool,
    /// number of users that it has to be told of; 0: any number
    pub crowd: i64,
    /// publishers: number of the first stream, and how far apart its streams are
    pub stream: (u64, u64),
}

#[derive(Clone)]
pub struct Job {
    pub total: u64,
    pub rate: f64,
    pub start: u64,
    /// rate 0: deliveries outstanding at most
    pub budget: u64,
    /// publisher streams in all (fanout and http chat); 0: every subscriber publishes (chat)
    pub streams: u64,
    /// http chat: any topic
    pub any_topic: bool,
}

pub enum Cmd {
    Connect { specs: Vec<Spec>, start: u64, rate: f64 },
    Publish(Job),
    Churn { start: u64, rate: f64, count: u64, base: u64 },
    MeasureFrom(u64),
    Report(Sender<Report>),
    DrainSlow,
    CloseAll,
    Exit,
}

#[derive(Clone)]
pub struct Report {
    pub connect: Histogram<u64>,
    pub join: Histogram<u64>,
    pub total: Histogram<u64>,
    pub lat: Histogram<u64>,
    pub lag: Histogram<u64>,
    pub rtt: Histogram<u64>,
    pub errors: HashMap<String, u64>,
}

impl Report {
    pub fn empty() -> Report {
        Report {
            connect: hist(),
            join: hist(),
            total: hist(),
            lat: hist(),
            lag: hist(),
            rtt: hist(),
            errors: HashMap::new(),
        }
    }
}

const MAX_US: u64 = 200_000_000;

fn hist() -> Histogram<u64> {
    Histogram::new_with_bounds(1, MAX_US, 3).unwrap()
}

#[inline]
pub(super) fn rec(h: &mut Histogram<u64>, ns: u64) {
    h.saturating_record((ns / 1000).max(1));
}
