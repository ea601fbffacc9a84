//! The figures of a run, as they are printed and stored.
use super::run::Run;
use crate::cli::Cli;
use crate::engine::{Cmd, Report, K};
use crate::procstat::{calibrate, Snap};
use hdrhistogram::Histogram;
use serde_json::{json, Map, Value};

pub(super) fn r3(x: f64) -> Value {
    if !x.is_finite() {
        return Value::Null;
    }
    let m = if x.abs() >= 100.0 { 10.0 } else { 1000.0 };
    json!((x * m).round() / m)
}

impl Run {
    pub(super) fn put(&mut self, k: &str, v: Value) {
        self.out.insert(k.into(), v);
    }

    /// Adds the figures of the join phase, which all scenarios have.
    pub(super) fn put_joins(&mut self, r: &Report) {
        let (j, f) = (self.sh.get(K::Joined), self.sh.get(K::Failed));
        self.put("joined", json!(j));
        self.put("join_failed", json!(f));
        self.put_hist("connect_ms", &r.connect, &[50.0, 99.0, 100.0]);
        self.put_hist("join_ms", &r.join, &[50.0, 99.0, 100.0]);
        self.put_hist("connect_and_join_ms", &r.total, &[50.0, 99.0, 100.0]);
    }

    pub(super) fn put_hist(&mut self, k: &str, h: &Histogram<u64>, ps: &[f64]) {
        let mut m = Map::new();
        m.insert("n".into(), json!(h.len()));
        if !h.is_empty() {
            m.insert("mean".into(), r3(h.mean() / 1000.0));
            for p in ps {
                let (n, v) = if *p == 100.0 {
                    ("max".to_string(), h.max())
                } else {
                    (format!("p{p}"), h.value_at_percentile(*p))
                };
                m.insert(n, r3(v as f64 / 1000.0));
            }
        }
        self.put(k, Value::Object(m));
    }

    pub(super) fn put_window(&mut self, a: &Snap, b: &Snap) {
        let s = (b.t - a.t) as f64 / 1e9;
        let cpu = b.cpu() - a.cpu();
        self.put("window_s", r3(s));
        if self.server.known() {
            self.put("server_cpu_s", r3(cpu));
            self.put("server_cpu_user_s", r3(b.utime - a.utime));
            self.put("server_cpu_sys_s", r3(b.stime - a.stime));
            self.put("server_cpu_pct", r3(cpu / s * 100.0));
        }
        self.put("loadgen_cpu_s", r3(b.own - a.own));
        self.put("loadgen_cpu_pct", r3((b.own - a.own) / s * 100.0));
        self.put("other_cpu_pct", r3(((b.busy - a.busy) - cpu - (b.own - a.own)).max(0.0) / s * 100.0));
        let (other, steal) = (((b.busy - a.busy) - cpu - (b.own - a.own)) / s, (b.steal - a.steal) / s);
        self.put("steal_pct", r3(steal * 100.0));
        // others took more than a tenth of the machine: repeat the run
        let cores = std::thread::available_parallelism().map_or(1, |n| n.get()) as f64;
        self.put("noisy", json!(self.server.known() && other.max(0.0) + steal > 0.1 * cores));
    }

    pub(super) fn put_mem(&mut self, before: &Snap, after: &Snap) {
        if !self.server.known() {
            return;
        }
        self.put("server_procs", json!(after.procs));
        self.put("server_threads", json!(after.threads));
        let mb = |v: u64| r3(v as f64 / 1048576.0);
        self.put("server_rss_before_mb", mb(before.rss));
        self.put("server_rss_after_mb", mb(after.rss));
        self.put("server_pss_before_mb", mb(before.pss));
        self.put("server_pss_after_mb", mb(after.pss));
        let peak = self.peak_rss.max(after.rss);
        self.put("server_rss_peak_mb", mb(peak));
        self.put("server_vmhwm_mb", mb(after.hwm));
    }

    pub(super) fn put_after_close(&mut self, s: Snap) {
        if self.server.known() {
            self.put("server_rss_closed_mb", r3(s.rss as f64 / 1048576.0));
        }
    }

    pub(super) fn finish(mut self, cli: &Cli, argv: Vec<String>) -> i32 {
        let r = self.report();
        let mut errs: Vec<_> = r.errors.into_iter().collect();
        errs.sort_by_key(|e| std::cmp::Reverse(e.1));
        errs.truncate(8);
        let errors: Map<String, Value> = errs.into_iter().map(|(k, v)| (k, json!(v))).collect();
        self.put("errors", Value::Object(errors));
        // the machine's speed before and after
        let e = calibrate();
        self.put("calib_tcp_us", json!([r3(self.calib.0), r3(e.0)]));
        self.put("calib_cpu_ns", json!([r3(self.calib.1), r3(e.1)]));
        self.put("capped", json!(self.capped));
        self.tell_all(|_| Cmd::Exit);
        let c = cli.cmd.common();
        println!("== {} {:?} {} {}", cli.cmd.name(), c.proto, c.url, c.label);
        for (k, v) in &self.out {
            let s = match v {
                Value::Object(m) if m.is_empty() => "none".into(),
                Value::Object(m) => m.iter().map(|(k, v)| format!("{k} {v}")).collect::<Vec<_>>().join("  "),
                Value::Array(a) if a.first().is_some_and(|x| x.is_array()) => {
                    println!("{k:<28}");
                    for row in a {
                        println!(
                            "    {}",
                            row.as_array()
                                .unwrap()
                                .iter()
                                .map(|x| format!("{:>10}", x.as_str().map_or(x.to_string(), String::from)))
                                .collect::<Vec<_>>()
                                .join(" ")
                        );
                    }
                    continue;
                }
                v => v.to_string(),
            };
            println!("{k:<28} {s}");
        }
        if let Some(f) = &c.json {
            let tl: Vec<Value> = self.timeline.iter().map(|(t, r, c)| json!([r3(*t), r, c])).collect();
            let v = json!({"scenario": cli.cmd.name(), "label": c.label, "args": argv, "result": self.out, "timeline_t_rss_cpu": tl});
            if let Err(e) = std::fs::write(f, format!("{v:#}\n")) {
                eprintln!("{f}: {e}");
                return 2;
            }
        }
        (self.capped || self.sh.get(K::Failed) > 0) as i32
    }
}
