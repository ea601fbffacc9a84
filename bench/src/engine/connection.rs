//! One connection, as its thread sees it.
use super::sequence::Slot;
use super::task::Role;
use crate::tally::Tally;
use std::collections::{HashSet, VecDeque};

#[derive(Clone, Copy, PartialEq)]
pub(super) enum St {
    Free,
    Connecting,
    Upgrading,
    Joining,
    Joined,
    HttpIdle,
    HttpBusy,
    Closing,
}

pub(super) struct Conn {
    pub(super) fd: i32,
    pub(super) gen: u32,
    pub(super) id: u64,
    pub(super) st: St,
    pub(super) role: Role,
    /// never reads; was_slow stays once it is drained
    pub(super) slow: bool,
    pub(super) was_slow: bool,
    pub(super) watch: bool,
    pub(super) crowd: i64,
    pub(super) tally: Tally,
    pub(super) topic: u32,
    pub(super) slot: u32,
    /// topics joined so far
    pub(super) nth: u32,
    pub(super) seq: u32,
    pub(super) sub_pos: u32,
    pub(super) t_start: u64,
    pub(super) t_join: u64,
    pub(super) one: Slot,
    pub(super) slots: Vec<Slot>,
    pub(super) carry: Vec<u8>,
    pub(super) out: Vec<u8>,
    pub(super) out_pos: usize,
    pub(super) x: Option<Box<Extra>>,
}

impl Conn {
    /// Creates an unused one.
    pub(super) fn free() -> Conn {
        Conn {
            fd: -1,
            gen: 0,
            id: 0,
            st: St::Free,
            role: Role::Sub,
            slow: false,
            was_slow: false,
            watch: false,
            crowd: 0,
            tally: Tally::default(),
            topic: 0,
            slot: 0,
            nth: 0,
            seq: 0,
            sub_pos: 0,
            t_start: 0,
            t_join: 0,
            one: Slot::default(),
            slots: vec![],
            carry: vec![],
            out: vec![],
            out_pos: 0,
            x: None,
        }
    }
}

/// State that only few connections need.
pub(super) struct Extra {
    pub(super) users: HashSet<String>,
    pub(super) seqs: Vec<u32>,
    pub(super) pending: VecDeque<(u32, u64)>,
    pub(super) topics: Vec<u32>,
    pub(super) frag: Vec<u8>,
    pub(super) sid: String,
    pub(super) stream: (u64, u64),
}

impl Extra {
    pub(super) fn new(topics: Vec<u32>, seqs: usize, stream: (u64, u64)) -> Option<Box<Extra>> {
        Some(Box::new(Extra {
            users: HashSet::new(),
            seqs: vec![0; seqs],
            pending: VecDeque::new(),
            topics,
            frag: vec![],
            sid: String::new(),
            stream,
        }))
    }
}
