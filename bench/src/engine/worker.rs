//! A generator thread: its loop over ready sockets.
use super::connection::{Conn, St};
use super::counters::{K, NK};
use super::shared::Shared;
use super::task::{Cmd, Job, Report, Spec};
use crate::procstat::mono;
use memchr::memmem;
use std::collections::VecDeque;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::Receiver;
use std::sync::Arc;

pub struct Worker {
    pub(super) me: u32,
    pub(super) sh: Arc<Shared>,
    pub(super) rx: Receiver<Cmd>,
    pub(super) ep: i32,
    pub(super) evfd: i32,
    pub(super) conns: Vec<Conn>,
    pub(super) free: Vec<u32>,
    pub(super) buf: Vec<u8>,
    pub(super) hint: usize,
    pub(super) n: [u64; NK],
    pub(super) r: Report,
    pub(super) queue: VecDeque<(u64, Spec)>,
    pub(super) pending: u32,
    pub(super) hb: VecDeque<(u64, u32, u32)>,
    pub(super) hb_every: u64,
    pub(super) closing: VecDeque<(u64, u32, u32)>,
    pub(super) again: Vec<(u32, u32)>,
    /// joined subscribers, for chat and churn
    pub(super) subs: Vec<u32>,
    /// churn: oldest first
    pub(super) fifo: VecDeque<(u32, u32)>,
    /// publishers' streams: global number, connection, topic
    pub(super) streams: Vec<(u64, u32, u32)>,
    pub(super) pubs: Vec<u32>,
    pub(super) job: Option<(Job, u64, u64)>,
    pub(super) churn: Option<(u64, f64, u64, u64, u64)>,
    pub(super) measure_from: u64,
    pub(super) rng: u64,
    pub(super) stall: (u64, u64),
    pub(super) exit: bool,
    pub(super) finder: memmem::Finder<'static>,
}

impl Worker {
    pub fn new(me: u32, sh: Arc<Shared>, rx: Receiver<Cmd>, evfd: i32) -> Self {
        let ep = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        let mut e = libc::epoll_event { events: libc::EPOLLIN as u32, u64: u64::MAX };
        unsafe { libc::epoll_ctl(ep, libc::EPOLL_CTL_ADD, evfd, &mut e) };
        let hb_every = (sh.heartbeat.unwrap_or(30.0) * 1e9) as u64;
        Worker {
            me,
            sh,
            rx,
            ep,
            evfd,
            conns: vec![],
            free: vec![],
            buf: vec![0; 256 << 10],
            hint: 0,
            n: [0; NK],
            r: Report::empty(),
            queue: VecDeque::new(),
            pending: 0,
            hb: VecDeque::new(),
            hb_every,
            closing: VecDeque::new(),
            again: vec![],
            subs: vec![],
            fifo: VecDeque::new(),
            streams: vec![],
            pubs: vec![],
            job: None,
            churn: None,
            measure_from: u64::MAX,
            rng: 0x9E3779B97F4A7C15 ^ (me as u64 + 1) << 20,
            stall: (0, 0),
            exit: false,
            finder: memmem::Finder::new(b"~@"),
        }
    }

    pub fn run(mut self) {
        let mut evs: Vec<libc::epoll_event> = vec![unsafe { std::mem::zeroed() }; 256];
        unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, 1000usize) };
        let coalesce = self.sh.coalesce_ns;
        let mut busy = 0;
        while !self.exit {
            if coalesce > 0 && busy > 0 && busy < evs.len() && self.again.is_empty() {
                let ts = libc::timespec { tv_sec: 0, tv_nsec: coalesce as i64 };
                unsafe { libc::nanosleep(&ts, std::ptr::null_mut()) };
            }
            let now = mono();
            let next = self.timers(now);
            self.flush_counters();
            let wait = if self.again.is_empty() { next.saturating_sub(mono()).min(200_000_000) } else { 0 };
            let ts = libc::timespec { tv_sec: (wait / 1_000_000_000) as i64, tv_nsec: (wait % 1_000_000_000) as i64 };
            let k = unsafe {
                libc::syscall(libc::SYS_epoll_pwait2, self.ep, evs.as_mut_ptr(), evs.len() as i32, &ts, 0usize, 0usize)
            };
            busy = k.max(0) as usize;
            for a in std::mem::take(&mut self.again) {
                if self.conns[a.0 as usize].gen == a.1 {
                    self.readable(a.0, false);
                }
            }
            for e in evs.iter().take(k.max(0) as usize) {
                let (data, ev) = (e.u64, e.events as i32);
                if data == u64::MAX {
                    let mut b = [0u8; 8];
                    unsafe { libc::read(self.evfd, b.as_mut_ptr() as *mut _, 8) };
                    self.commands();
                    continue;
                }
                let (idx, gen) = (data as u32, (data >> 32) as u32);
                if self.conns[idx as usize].gen != gen {
                    continue;
                }
                if ev & libc::EPOLLOUT != 0 {
                    let c = &self.conns[idx as usize];
                    if c.st == St::Connecting {
                        self.connected(idx);
                    } else if c.out_pos < c.out.len() {
                        self.write_out(idx);
                    }
                }
                let c = &self.conns[idx as usize];
                if c.gen == gen
                    && c.st != St::Connecting
                    && ev & (libc::EPOLLIN | libc::EPOLLRDHUP | libc::EPOLLHUP | libc::EPOLLERR) != 0
                {
                    if c.slow && c.st == St::Joined {
                        self.closed(idx, "slow connection reset");
                    } else {
                        self.readable(idx, ev & (libc::EPOLLRDHUP | libc::EPOLLHUP | libc::EPOLLERR) != 0);
                    }
                } else if c.gen == gen && c.st == St::Connecting && ev & (libc::EPOLLERR | libc::EPOLLHUP) != 0 {
                    self.closed(idx, "connect refused");
                }
            }
        }
    }

    pub(super) fn flush_counters(&mut self) {
        for (a, v) in self.sh.ctrs[self.me as usize].0.iter().zip(&self.n) {
            a.store(*v, Relaxed);
        }
    }

    #[inline]
    pub(super) fn add(&mut self, k: K, v: u64) {
        self.n[k as usize] += v;
    }

    pub(super) fn error(&mut self, e: String) {
        if self.r.errors.len() < 50 || self.r.errors.contains_key(&e) {
            *self.r.errors.entry(e).or_default() += 1;
        }
    }

    pub(super) fn rand(&mut self) -> u64 {
        self.rng ^= self.rng << 13;
        self.rng ^= self.rng >> 7;
        self.rng ^= self.rng << 17;
        self.rng
    }
}
