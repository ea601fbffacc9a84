//! Sockets that join and then do nothing.
use super::figures::r3;
use super::run::Run;
use crate::engine::K;
use crate::procstat::mono;
use serde_json::json;

pub(super) fn idle(mut r: Run, n: u32, settle: f64, hold: f64) -> Run {
    let s0 = r.snap(true);
    let t = mono();
    let specs = r.subs(n, false);
    r.connect(specs);
    let s1 = r.snap(false);
    let secs = (mono() - t) as f64 / 1e9;
    r.pause(settle);
    let s2 = r.snap(true);
    let rep = r.report();
    r.put_joins(&rep);
    let j = r.sh.get(K::Joined);
    r.put("connects_per_s", r3(j as f64 / secs));
    if r.server.known() {
        r.put("server_cpu_s_per_1000_joins", r3((s1.cpu() - s0.cpu()) * 1000.0 / j.max(1) as f64));
        r.put("rss_bytes_per_conn", json!((s2.rss as i64 - s0.rss as i64) / j.max(1) as i64));
        r.put("pss_bytes_per_conn", json!((s2.pss as i64 - s0.pss as i64) / j.max(1) as i64));
    }
    r.put("loadgen_cpu_s_per_1000_joins", r3((s1.own - s0.own) * 1000.0 / j.max(1) as f64));
    r.put_mem(&s0, &s2);
    let d0 = r.sh.get(K::Dropped);
    let a = r.snap(false);
    r.pause(hold);
    let b = r.snap(false);
    r.put_window(&a, &b);
    let d = r.sh.get(K::Dropped) - d0;
    r.put("disconnects", json!(d));
    let s = r.close_all(2.0);
    r.put_after_close(s);
    r
}
