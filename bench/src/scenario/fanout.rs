//! Messages to all subscribers of a topic.
use super::run::Run;
use super::setup::publish_kind;
use super::slow::slow_part;
use crate::cli::{Fan, PublishKind};
use crate::engine::{Cmd, Job, K};
use crate::procstat::mono;
use serde_json::json;
use std::sync::atomic::Ordering::Relaxed;

pub(super) fn fanout(mut r: Run, f: &Fan, slow: Option<(u32, f64)>) -> Run {
    let s0 = r.snap(true);
    let mut specs = r.subs(f.conns, false);
    let k = slow.map_or(0, |s| s.0.min(f.conns));
    for i in 0..k {
        specs[(i as u64 * f.conns as u64 / k as u64) as usize].slow = true;
    }
    r.connect(specs);
    let rep = r.report();
    let http = publish_kind(&r.c) == PublishKind::Http;
    let (pubs, streams) = r.pubs(f.publishers, f.conns as u64, http, false);
    r.connect(pubs);
    r.put_joins(&rep);
    r.pause(1.0);
    let members: u64 = r.sh.members.iter().map(|m| m.load(Relaxed) as u64).sum();
    let per = members as f64 / r.sh.topics.len() as f64;
    let job = |total, rate| Job { total, rate, start: 0, budget: f.inflight as u64, streams, any_topic: false };
    if f.warmup > 0 {
        r.publish(job(f.warmup, if f.rate > 0.0 { f.rate.max(f.warmup as f64) } else { 0.0 }), per);
        r.pause(0.3);
    }
    let s1 = r.snap(true);
    r.tell_all(|_| Cmd::MeasureFrom(mono()));
    r.pause(0.1);
    if let Some((_, linger)) = slow {
        return slow_part(r, job(f.messages, f.rate), per, linger, s1);
    }
    let w = r.publish(job(f.messages, f.rate), per);
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
