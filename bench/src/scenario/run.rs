//! One run: telling the threads what to do, and waiting for it.
use crate::cli::Common;
use crate::engine::{Cmd, Report, Role, Shared, Spec, K};
use crate::procstat::{mono, Server, Snap};
use serde_json::{Map, Value};
use std::sync::mpsc::{channel, Sender};
use std::sync::Arc;
use std::time::Duration;

pub struct Run {
    pub(super) c: Common,
    pub(super) sh: Arc<Shared>,
    pub(super) tx: Vec<(Sender<Cmd>, i32)>,
    pub(super) server: Server,
    pub(super) t0: u64,
    pub(super) deadline: u64,
    pub(super) capped: bool,
    pub(super) next_sample: u64,
    pub(super) peak_rss: u64,
    /// (seconds since the start, server RSS, server CPU seconds), one a second
    pub(super) timeline: Vec<(f64, u64, f64)>,
    pub(super) out: Map<String, Value>,
    pub(super) calib: (f64, f64),
}

impl Run {
    pub(super) fn tell(&self, w: usize, c: Cmd) {
        let _ = self.tx[w].0.send(c);
        unsafe { libc::write(self.tx[w].1, &1u64 as *const _ as *const _, 8) };
    }

    pub(super) fn tell_all(&self, mut f: impl FnMut(u32) -> Cmd) {
        for w in 0..self.tx.len() {
            self.tell(w, f(w as u32));
        }
    }

    pub(super) fn snap(&mut self, full: bool) -> Snap {
        let s = self.server.snap(full);
        self.peak_rss = self.peak_rss.max(s.rss);
        s
    }

    pub(super) fn tick(&mut self) {
        std::thread::sleep(Duration::from_millis(5));
        let now = mono();
        if now >= self.next_sample {
            self.next_sample = now + 200_000_000;
            let s = self.snap(false);
            let t = (now - self.t0) as f64 / 1e9;
            if self.timeline.last().is_none_or(|l| t - l.0 >= 0.99) {
                self.timeline.push((t, s.rss, s.cpu()));
            }
        }
    }

    /// Waits until `f` is true, at most `secs`, and at most until the cap.
    pub(super) fn wait(&mut self, secs: f64, mut f: impl FnMut(&Run) -> bool) -> bool {
        let end = mono() + (secs * 1e9) as u64;
        loop {
            if f(self) {
                return true;
            }
            let now = mono();
            if now >= self.deadline {
                self.capped = true;
                return false;
            }
            if now >= end {
                return false;
            }
            self.tick();
        }
    }

    pub(super) fn pause(&mut self, secs: f64) {
        self.wait(secs, |_| false);
    }

    pub(super) fn report(&self) -> Report {
        let (t, rx) = channel();
        self.tell_all(|_| Cmd::Report(t.clone()));
        drop(t);
        let mut all = rx.recv().expect("a generator thread died");
        while let Ok(r) = rx.recv_timeout(Duration::from_secs(5)) {
            for (a, b) in [
                (&mut all.connect, &r.connect),
                (&mut all.join, &r.join),
                (&mut all.total, &r.total),
                (&mut all.lat, &r.lat),
                (&mut all.lag, &r.lag),
                (&mut all.rtt, &r.rtt),
            ] {
                a.add(b).unwrap();
            }
            for (k, v) in r.errors {
                *all.errors.entry(k).or_default() += v;
            }
        }
        all
    }

    /// Opens them over all threads at --connect-rate; returns true once each has joined or failed.
    pub(super) fn connect(&mut self, specs: Vec<Spec>) -> bool {
        if specs.is_empty() {
            return true;
        }
        let n = specs.len() as u64;
        let before = self.sh.get(K::Joined) + self.sh.get(K::Failed);
        let w = self.tx.len();
        let mut parts: Vec<Vec<Spec>> = (0..w).map(|_| vec![]).collect();
        for s in specs {
            parts[s.k as usize % w].push(s);
        }
        let (start, rate) = (mono(), self.c.connect_rate.max(0.1));
        for (i, p) in parts.into_iter().enumerate() {
            self.tell(i, Cmd::Connect { specs: p, start, rate });
        }
        self.wait(1e9, |r| r.sh.get(K::Joined) + r.sh.get(K::Failed) - before >= n)
    }

    pub(super) fn subs(&self, n: u32, slot: bool) -> Vec<Spec> {
        let t = self.c.topics.max(1);
        (0..n)
            .map(|i| Spec {
                k: i as u64,
                id: i as u64,
                role: Role::Sub,
                topics: vec![i % t],
                slot: if slot { i / t } else { 0 },
                slow: false,
                watch: false,
                crowd: 0,
                stream: (0, 0),
            })
            .collect()
    }

    /// Returns P publishers over T topics: one topic each when P >= T, otherwise every P-th topic.
    pub(super) fn pubs(&self, p: u32, first_id: u64, http: bool, slots: bool) -> (Vec<Spec>, u64) {
        let t = self.c.topics.max(1);
        let p = p.max(1);
        let v = (0..p)
            .map(|i| {
                let topics = if slots || p >= t { vec![i % t] } else { (i..t).step_by(p as usize).collect() };
                let slot = if slots { i } else { i / t };
                Spec {
                    k: i as u64,
                    id: first_id + i as u64,
                    role: if http { Role::Http } else { Role::Pub },
                    topics,
                    slot,
                    slow: false,
                    watch: false,
                    crowd: 0,
                    stream: (i as u64, p as u64),
                }
            })
            .collect();
        (v, if slots || p >= t { p as u64 } else { t as u64 })
    }

    /// Closes everything and reads how much memory remains in use.
    pub(super) fn close_all(&mut self, secs: f64) -> Snap {
        let open = self.sh.get(K::Closed);
        self.tell_all(|_| Cmd::CloseAll);
        self.wait(4.0, |r| r.sh.get(K::Closed) - open >= r.sh.get(K::Joined).saturating_sub(open));
        self.pause(secs);
        self.snap(true)
    }
}
