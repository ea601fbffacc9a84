//! Publishing, and its results.
use super::figures::r3;
use super::run::Run;
use crate::engine::{Cmd, Job, Report, K};
use crate::procstat::{mono, Snap};
use serde_json::json;
use std::sync::atomic::Ordering::Relaxed;

const KEYS: [K; 15] = [
    K::Published,
    K::Delivered,
    K::Dup,
    K::Ooo,
    K::Dropped,
    K::Echo,
    K::HttpErrors,
    K::ReplyErrors,
    K::Stalls,
    K::Other,
    K::Bad,
    K::PresenceFrames,
    K::BytesIn,
    K::HttpAcks,
    K::FramesIn,
];

pub(super) struct Window {
    pub(super) a: Snap,
    pub(super) b: Snap,
    pub(super) secs: f64,
    pub(super) pub_secs: f64,
    pub(super) expected: u64,
    pub(super) unique: u64,
    pub(super) d: Vec<u64>,
}

impl Run {
    /// Publishes and waits for the deliveries; returns the figures of that window.
    pub(super) fn publish(&mut self, job: Job, per_message: f64) -> Window {
        let g = |r: &Run, k| r.sh.get(k);
        let unique = |r: &Run| r.sh.get(K::Delivered).saturating_sub(r.sh.get(K::Dup));
        self.sh.taken.store(0, Relaxed);
        let base: Vec<u64> = KEYS.iter().map(|k| g(self, *k)).collect();
        let (exp0, got0, pub0, done0) =
            (self.sh.expected.load(Relaxed), unique(self), g(self, K::Published), g(self, K::JobDone));
        let a = self.snap(false);
        let job = Job { start: mono() + 5_000_000, budget: ((job.budget as f64 * per_message) as u64).max(1), ..job };
        self.peak_rss = 0;
        self.tell_all(|_| Cmd::Publish(job.clone()));
        let total = job.total;
        let threads = self.tx.len() as u64;
        // published: all of it, or the threads are done and nothing more goes out (dead connections)
        let mut last = (0u64, mono());
        self.wait(1e9, |r| {
            let p = r.sh.get(K::Published) - pub0;
            if p != last.0 {
                last = (p, mono());
            }
            let quiet = (mono() - last.1) as f64 / 1e9;
            p >= total || (r.sh.get(K::JobDone) - done0 >= threads && quiet > 2.0) || quiet > 15.0
        });
        let pub_end = mono();
        let drain = self.c.drain;
        let mut last = (0u64, mono());
        let mut b = self.snap(false);
        self.wait(1e9, |r| {
            let u = r.sh.get(K::Delivered);
            if u != last.0 {
                last = (u, mono());
            }
            unique(r) - got0 >= r.sh.expected.load(Relaxed) - exp0 || (mono() - last.1) as f64 / 1e9 > drain
        });
        let complete = unique(self) - got0 >= self.sh.expected.load(Relaxed) - exp0;
        // a run that waited for what never came ends at its last delivery; the CPU of the wait is counted
        let end = if complete { mono() } else { last.1.max(pub_end) };
        let t = b.t;
        b = self.snap(false);
        b.t = if complete { b.t } else { t.max(end) };
        let d = KEYS.iter().enumerate().map(|(i, k)| g(self, *k) - base[i]).collect();
        Window {
            a,
            b,
            secs: (end - job.start) as f64 / 1e9,
            pub_secs: (pub_end.saturating_sub(job.start)) as f64 / 1e9,
            expected: self.sh.expected.load(Relaxed) - exp0,
            unique: unique(self) - got0,
            d,
        }
    }

    pub(super) fn put_delivery(&mut self, w: &Window, r: &Report) {
        let d = |k: K| w.d[KEYS.iter().position(|x| *x as usize == k as usize).unwrap()];
        let all = d(K::Delivered) + d(K::Echo);
        self.put("published", json!(d(K::Published)));
        self.put("published_per_s", r3(d(K::Published) as f64 / w.pub_secs.max(1e-6)));
        self.put("expected", json!(w.expected));
        self.put("delivered", json!(d(K::Delivered)));
        self.put("delivered_per_s", r3(d(K::Delivered) as f64 / w.secs));
        self.put("delivery_s", r3(w.secs));
        self.put("lost", json!(w.expected as i64 - w.unique as i64));
        self.put("duplicates", json!(d(K::Dup)));
        self.put("out_of_order", json!(d(K::Ooo)));
        self.put("disconnects", json!(d(K::Dropped)));
        self.put("publisher_echoes", json!(d(K::Echo)));
        self.put_hist("latency_ms", &r.lat, &[50.0, 90.0, 99.0, 99.9, 100.0]);
        self.put_hist("publish_lag_ms", &r.lag, &[50.0, 99.0, 100.0]);
        if !r.rtt.is_empty() {
            self.put_hist("publish_http_ms", &r.rtt, &[50.0, 99.0, 100.0]);
        }
        for (n, k) in [
            ("http_errors", K::HttpErrors),
            ("reply_errors", K::ReplyErrors),
            ("stalls", K::Stalls),
            ("other_frames", K::Other),
            ("bad_frames", K::Bad),
            ("presence_frames", K::PresenceFrames),
        ] {
            if d(k) > 0 {
                self.put(n, json!(d(k)));
            }
        }
        self.put_window(&w.a, &w.b);
        let n = all.max(1) as f64;
        if self.server.known() {
            self.put("server_us_per_delivered", r3((w.b.cpu() - w.a.cpu()) * 1e6 / n));
        }
        self.put("loadgen_us_per_delivered", r3((w.b.own - w.a.own) * 1e6 / n));
        self.put("bytes_per_delivered", r3(d(K::BytesIn) as f64 / n));
    }
}
