//! Connections that come and go.
use super::figures::r3;
use super::run::Run;
use crate::engine::{Cmd, K};
use crate::procstat::mono;
use serde_json::json;
use std::sync::atomic::Ordering::Relaxed;

pub(super) fn churn(mut r: Run, n: u32, rate: f64, duration: f64, settle: f64) -> Run {
    let mut specs = r.subs(n, false);
    specs[0].watch = true;
    r.connect(specs);
    r.pause(settle);
    let rep0 = r.report();
    let s1 = r.snap(true);
    let k0: Vec<u64> =
        [K::Joined, K::Failed, K::Dropped, K::PresenceBytes, K::PresenceFrames, K::BytesIn, K::ProtoErrors]
            .iter()
            .map(|k| r.sh.get(*k))
            .collect();
    let count = (rate * duration) as u64;
    let start = mono();
    let a = r.snap(false);
    r.tell_all(|_| Cmd::Churn { start, rate, count, base: n as u64 });
    r.wait(duration + 15.0, |r| {
        r.sh.get(K::Replaced) >= count && r.sh.get(K::Joined) + r.sh.get(K::Failed) >= k0[0] + k0[1] + count
    });
    let secs = (mono() - start) as f64 / 1e9;
    let b = r.snap(false);
    let k1: Vec<u64> =
        [K::Joined, K::Failed, K::Dropped, K::PresenceBytes, K::PresenceFrames, K::BytesIn, K::ProtoErrors]
            .iter()
            .map(|k| r.sh.get(*k))
            .collect();
    r.pause(settle);
    let s2 = r.snap(true);
    let mut rep = r.report();
    for (x, y) in [(&mut rep.connect, &rep0.connect), (&mut rep.join, &rep0.join), (&mut rep.total, &rep0.total)] {
        let _ = x.subtract(y);
    }
    let d: Vec<u64> = k0.iter().zip(&k1).map(|(a, b)| b - a).collect();
    r.put_joins(&rep);
    let members: u32 = r.sh.members.iter().map(|m| m.load(Relaxed)).sum();
    r.put("replaced", json!(r.sh.get(K::Replaced)));
    r.put("replaced_per_s", r3(r.sh.get(K::Replaced) as f64 / secs));
    r.put("churn_joined", json!(d[0]));
    r.put("churn_failed", json!(d[1]));
    r.put("disconnects", json!(d[2]));
    r.put("server_errors", json!(d[6]));
    r.put("open_at_end", json!(members));
    r.put("presence_bytes", json!(d[3]));
    r.put("presence_frames", json!(d[4]));
    r.put("bytes_received", json!(d[5]));
    r.put_window(&a, &b);
    if r.server.known() {
        r.put("server_cpu_ms_per_replacement", r3((b.cpu() - a.cpu()) * 1e3 / d[0].max(1) as f64));
    }
    let v = r.sh.watch.lock().unwrap().get(&0).cloned().unwrap_or_default();
    if v.size > 0 {
        // the first connection stays for the whole run: who it thinks is there, against who is
        let mine = r.sh.members[0].load(Relaxed);
        r.put("first_view_users", json!(v.size));
        r.put("first_view_should_be", json!(mine));
    }
    r.put_mem(&s1, &s2);
    if r.server.known() {
        r.put("server_rss_growth_mb", r3((s2.rss as f64 - s1.rss as f64) / 1048576.0));
    }
    let s = r.close_all(2.0);
    r.put_after_close(s);
    r
}
