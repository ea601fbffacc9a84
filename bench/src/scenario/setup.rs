//! Setup of a run: the publishers and their topics, and the threads.
use super::run::Run;
use super::url::url;
use crate::cli::{Common, ProtoKind, PublishKind};
use crate::engine::{template, Ctrs, Shared, Worker, MARK};
use crate::http::Publisher;
use crate::procstat::{calibrate, mono, raise_nofile, Server};
use crate::proto;
use serde_json::{json, Map};
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::sync::mpsc::channel;
use std::sync::Arc;
use std::time::Duration;

pub(super) struct Setup {
    pub(super) conns: u64,
    pub(super) size: usize,
    pub(super) publishes: bool,
    pub(super) slots: u32,
    pub(super) chat: bool,
    pub(super) rcvbuf: u32,
    pub(super) abrupt: bool,
}

pub(super) fn publish_kind(c: &Common) -> PublishKind {
    c.publish.unwrap_or(if c.proto == ProtoKind::Pusher || c.publish_url.is_some() {
        PublishKind::Http
    } else {
        PublishKind::Ws
    })
}

impl Run {
    pub(super) fn new(c: &Common, s: Setup) -> Result<Run, String> {
        let u = url(&c.url, "ws://")?;
        let pk = publish_kind(c);
        let event = c.event.clone().unwrap_or_else(|| {
            if c.proto == ProtoKind::Pusher && pk == PublishKind::Ws {
                "client-msg".into()
            } else {
                "new_msg".into()
            }
        });
        let p = proto::make(c, &u.path);
        let topics: Vec<String> = (0..c.topics.max(1)).map(|t| proto::fill(&c.topic, 0, t)).collect();
        let mut templates = vec![];
        let mut publisher = None;
        let mut http_port = u.port;
        if s.publishes {
            let key = proto::app_key(c, &u.path);
            if pk == PublishKind::Http {
                let purl =
                    c.publish_url.clone().unwrap_or_else(|| format!("http://{}/apps/{}/events", u.host, c.app_id));
                if c.proto != ProtoKind::Pusher && c.publish_url.is_none() {
                    return Err("--publish http needs --publish-url".into());
                }
                let pu = url(&purl, "http://")?;
                if pu.ip != u.ip {
                    return Err("--publish-url must be on --url's address".into());
                }
                http_port = pu.port;
                publisher = Some(Publisher::new(c, &pu.host, &pu.path, &key));
            }
            let bare = c.payload.len() - c.payload.matches("{m}").count() * 3;
            let m = format!("~@{}{}", "0".repeat(MARK - 2), "x".repeat(s.size.saturating_sub(bare + MARK)));
            let payload = c.payload.replacen("{m}", &m, 1);
            let body = c.publish_body.clone().unwrap_or_else(|| {
                if c.proto == ProtoKind::Pusher {
                    r#"{"name":"{event}","channels":["{topic}"],"data":"{payload_str}"}"#.into()
                } else {
                    r#"{"topic":"{topic}","event":"{event}","payload":{payload}}"#.into()
                }
            });
            let esc = json!(payload).to_string();
            for t in &topics {
                templates.push(match pk {
                    PublishKind::Ws => template(&p.push(t, &event, &payload), true)?,
                    PublishKind::Http => template(
                        &body
                            .replace("{topic}", t)
                            .replace("{event}", &event)
                            .replace("{payload_str}", &esc[1..esc.len() - 1])
                            .replace("{payload}", &payload),
                        false,
                    )?,
                });
            }
        }
        let want = s.conns + 200;
        let got = raise_nofile(want.max(100_000));
        if got < want {
            return Err(format!(
                "{} connections need {want} open files, the limit is {got} and cannot be raised: run several generators",
                s.conns
            ));
        }
        let server = Server::new(&c.server_pids, c.server_tree)?;
        if let Some(n) = server.nofile().filter(|n| *n < s.conns + 16) {
            eprintln!("warning: the server may open {n} files, {} connections are asked for", s.conns);
        }
        let threads = c.threads.clamp(1, 64);
        let sh = Arc::new(Shared {
            host: u.ip,
            port: u.port,
            host_header: u.host,
            http_port,
            ws_headers: c.ws_headers.iter().map(|h| format!("{h}\r\n")).collect(),
            proto: p,
            publisher,
            members: topics.iter().map(|_| AtomicU32::new(0)).collect(),
            topics,
            threads,
            source_addrs: c.source_addrs.min(250),
            max_pending: c.max_pending.max(1),
            coalesce_ns: c.coalesce_us.min(50_000) * 1000,
            rcvbuf: s.rcvbuf,
            heartbeat: c.heartbeat,
            no_self: c.no_self || (c.proto == ProtoKind::Pusher && pk == PublishKind::Ws),
            abrupt: s.abrupt,
            slots: s.slots.max(1),
            chat_ws: s.chat,
            templates,
            event,
            ctrs: (0..threads).map(|_| Ctrs(std::array::from_fn(|_| AtomicU64::new(0)))).collect(),
            expected: AtomicU64::new(0),
            forgiven: AtomicU64::new(0),
            taken: AtomicU64::new(0),
            watch: Default::default(),
            complete: Default::default(),
            slow: Default::default(),
        });
        let mut tx = vec![];
        for w in 0..threads {
            let (t, rx) = channel();
            let evfd = unsafe { libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC) };
            let sh = sh.clone();
            std::thread::Builder::new()
                .name(format!("gen{w}"))
                .spawn(move || Worker::new(w, sh, rx, evfd).run())
                .unwrap();
            tx.push((t, evfd));
        }
        let calib = calibrate();
        let t0 = mono();
        let cap = c.cap.clamp(1.0, 3600.0);
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_secs_f64(cap + 20.0));
            eprintln!("loadgen: past --cap, giving up");
            std::process::exit(3);
        });
        Ok(Run {
            c: c.clone(),
            sh,
            tx,
            server,
            t0,
            deadline: t0 + (cap * 1e9) as u64,
            capped: false,
            next_sample: 0,
            peak_rss: 0,
            timeline: vec![],
            out: Map::new(),
            calib,
        })
    }
}
