//! Users that join one topic one after another.
use super::figures::r3;
use super::run::Run;
use crate::cli::ProtoKind;
use crate::engine::K;
use crate::procstat::mono;
use serde_json::{json, Value};

pub(super) fn presence(mut r: Run, n: u32, wait: f64) -> Run {
    let s0 = r.snap(true);
    let a = r.snap(false);
    let mut specs = r.subs(n, false);
    specs[0].watch = true;
    specs[n as usize - 1].watch = true;
    if r.c.proto != ProtoKind::Pusher {
        specs.iter_mut().for_each(|s| s.crowd = n as i64);
    }
    let t = mono();
    r.connect(specs);
    let joined_s = (mono() - t) as f64 / 1e9;
    let last_id = n as u64 - 1;
    let view = |r: &Run, id: u64| r.sh.watch.lock().unwrap().get(&id).cloned().unwrap_or_default();
    r.wait(wait, |r| view(r, 0).size >= n as usize && view(r, last_id).size >= n as usize);
    // and until nothing more comes
    let mut last = (0, mono());
    r.wait(wait, |r| {
        let b = r.sh.get(K::BytesIn);
        if b != last.0 {
            last = (b, mono());
        }
        mono() - last.1 > 1_000_000_000
    });
    let mut b = r.snap(false);
    b.t = last.1;
    let rep = r.report();
    let (f, l) = (view(&r, 0), view(&r, last_id));
    r.put_joins(&rep);
    r.put("all_joined_s", r3(joined_s));
    let after = |t: u64| r3(t.saturating_sub(l.join_sent) as f64 / 1e6);
    r.put("users", json!(n));
    r.put("first_view_users", json!(f.size));
    r.put("last_view_users", json!(l.size));
    r.put("first_view_frames", json!(f.frames));
    // from the moment the last user's join was sent
    r.put("last_view_complete_ms", if l.size >= n as usize { after(l.changed) } else { Value::Null });
    r.put("first_view_complete_ms", if f.size >= n as usize { after(f.changed) } else { Value::Null });
    r.put(
        "first_view_complete_s_since_start",
        if f.size >= n as usize { r3((f.changed - t) as f64 / 1e9) } else { Value::Null },
    );
    if r.c.proto != ProtoKind::Pusher {
        // the first view is made of names, so that what it comes to is what all must come to
        let complete = r.sh.complete.lock().unwrap().clone();
        let same = complete.get(&0).map(|(tally, _)| *tally).filter(|tally| tally.users == f.size as i64);
        let right: Vec<u64> = complete.values().filter(|v| Some(v.0) == same).map(|v| v.1).collect();
        r.put("views_incomplete", json!(n as usize - right.len()));
        r.put("every_view_complete_ms", right.iter().max().map_or(Value::Null, |t| after(*t)));
    }
    r.put("quiet_s_since_start", r3((last.1 - t) as f64 / 1e9));
    r.put("bytes_received", json!(r.sh.get(K::BytesIn)));
    r.put("frames_received", json!(r.sh.get(K::FramesIn)));
    r.put("presence_bytes", json!(r.sh.get(K::PresenceBytes)));
    r.put("presence_frames", json!(r.sh.get(K::PresenceFrames)));
    r.put("disconnects", json!(r.sh.get(K::Dropped)));
    r.put_window(&a, &b);
    let s2 = r.snap(true);
    r.put_mem(&s0, &s2);
    let s = r.close_all(2.0);
    r.put_after_close(s);
    r
}
