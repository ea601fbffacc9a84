//! Sockets on many topics, each of which may publish.
use super::run::Run;
use crate::engine::{Cmd, Job, K};
use crate::procstat::mono;
use serde_json::json;

pub(super) fn chat(mut r: Run, n: u32, rate: f64, duration: f64, warmup: f64, publishers: u32) -> Run {
    let s0 = r.snap(true);
    let specs = r.subs(n, true);
    r.connect(specs);
    let rep = r.report();
    let mut streams = 0;
    if !r.sh.chat_ws {
        let (p, _) = r.pubs(publishers, n as u64, true, true);
        streams = p.len() as u64;
        r.connect(p);
    }
    r.put_joins(&rep);
    r.pause(1.0);
    let job = |secs: f64| Job {
        total: (rate * secs).max(1.0) as u64,
        rate,
        start: 0,
        budget: 1,
        streams,
        any_topic: streams > 0,
    };
    if warmup > 0.0 {
        r.publish(job(warmup), 1.0);
        r.pause(0.3);
    }
    let s1 = r.snap(true);
    r.tell_all(|_| Cmd::MeasureFrom(mono()));
    r.pause(0.1);
    let w = r.publish(job(duration), 1.0);
    let rep = r.report();
    let s2 = r.snap(true);
    r.put_delivery(&w, &rep);
    r.put_mem(&s1, &s2);
    let conns = r.sh.get(K::Joined).max(1) as i64;
    if r.server.known() {
        r.put("rss_bytes_per_conn", json!((s1.rss as i64 - s0.rss as i64) / conns));
    }
    r
}
