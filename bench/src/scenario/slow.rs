//! The same with subscribers that stop reading.
use super::figures::r3;
use super::run::Run;
use crate::engine::{Cmd, Job, SlowConn, K};
use crate::procstat::{held_by_server, mono, Snap};
use serde_json::{json, Value};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::Arc;
use std::time::Duration;

pub(super) fn slow_part(mut r: Run, job: Job, per: f64, linger: f64, s1: Snap) -> Run {
    // a thread of its own looks at the server's side of the slow sockets once a second
    let (sh, stop) = (r.sh.clone(), Arc::new(AtomicU32::new(0)));
    let (stop2, start) = (stop.clone(), mono());
    let watcher = std::thread::spawn(move || {
        let mut rows: Vec<(f64, usize)> = vec![];
        loop {
            let list: Vec<SlowConn> = sh.slow.lock().unwrap().clone();
            let held = held_by_server(sh.port, &list.iter().map(|s| s.addr).collect::<Vec<_>>());
            let now = mono();
            for (s, h) in sh.slow.lock().unwrap().iter_mut().zip(&held) {
                if !h {
                    s.closed_at.get_or_insert(now);
                }
            }
            rows.push(((now - start) as f64 / 1e9, held.iter().filter(|h| **h).count()));
            for _ in 0..20 {
                if stop2.load(Relaxed) == 1 {
                    return rows;
                }
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    });
    let tl0 = r.timeline.len();
    let w = r.publish(job, per);
    let rep = r.report();
    let peak = r.peak_rss;
    r.pause(linger);
    stop.store(1, Relaxed);
    let held = watcher.join().unwrap_or_default();
    let s2 = r.snap(true);
    r.put_delivery(&w, &rep);
    r.peak_rss = r.peak_rss.max(peak);
    r.put_mem(&s1, &s2);
    let slow = r.sh.slow.lock().unwrap().clone();
    let mut at: Vec<f64> =
        slow.iter().filter_map(|s| s.closed_at).map(|t| t.saturating_sub(start) as f64 / 1e9).collect();
    at.sort_by(f64::total_cmp);
    r.put("slow_conns", json!(slow.len()));
    r.put("slow_dropped_by_server", json!(at.len()));
    if !at.is_empty() {
        r.put(
            "slow_dropped_at_s",
            json!({"first": r3(at[0]), "median": r3(at[at.len() / 2]), "last": r3(at[at.len() - 1])}),
        );
    }
    let off = (start - r.t0) as f64 / 1e9;
    let rows: Vec<Value> = std::iter::once(json!(["t_s", "rss_mb", "slow_held"]))
        .chain(r.timeline[tl0.min(r.timeline.len())..].iter().map(|(t, rss, _)| {
            let h = held.iter().take_while(|h| h.0 <= t - off + 0.5).last().map_or(json!(null), |h| json!(h.1));
            json!([r3(t - off), r3(*rss as f64 / 1048576.0), h])
        }))
        .collect();
    r.put("growth", json!(rows));
    // now let them read: what had the server kept for them?
    r.tell_all(|_| Cmd::DrainSlow);
    let mut last = (0, mono());
    r.wait(15.0, |r| {
        let g = r.sh.get(K::SlowDelivered) + r.sh.get(K::SlowClosed);
        if g != last.0 {
            last = (g, mono());
        }
        mono() - last.1 > 1_500_000_000
    });
    let slow = r.sh.slow.lock().unwrap().clone();
    let mut got: Vec<u64> = slow.iter().map(|s| s.got).collect();
    got.sort();
    if !got.is_empty() {
        r.put("slow_got_once_reading", json!({"min": got[0], "median": got[got.len() / 2], "max": got[got.len() - 1]}));
    }
    let codes: Vec<u16> = slow.iter().filter_map(|s| s.close_code).collect();
    r.put("slow_close_codes", json!(codes.iter().collect::<std::collections::BTreeSet<_>>()));
    r
}
