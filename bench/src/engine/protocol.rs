//! Frames that are not delivered messages: joining, presence, replies.
use super::connection::St;
use super::counters::K;
use super::task::Role;
use super::worker::Worker;
use crate::proto::{Ctl, Proto, Step};
use memchr::memmem;

impl Worker {
    pub(super) fn protocol(&mut self, idx: u32, f: &[u8], now: u64) {
        let sh = self.sh.clone();
        if self.conns[idx as usize].watch {
            let c = &mut self.conns[idx as usize];
            let users = &mut c.x.as_mut().unwrap().users;
            let before = users.len();
            sh.proto.view(f, users);
            let mut w = sh.watch.lock().unwrap();
            let v = w.entry(c.id).or_default();
            v.frames += 1;
            if users.len() != before {
                v.size = users.len();
                v.changed = now;
            }
        }
        if self.conns[idx as usize].crowd > 0 {
            self.tally(idx, f, now);
        }
        match self.conns[idx as usize].st {
            St::Joining => match sh.proto.joining(self.who(idx), f) {
                Step::Wait => self.presence(&*sh.proto, f),
                Step::Joined => {
                    // pusher: the members come with the subscription
                    if memmem::find(f, b"\\\"presence\\\"").is_some() {
                        self.add(K::PresenceFrames, 1);
                        self.add(K::PresenceBytes, f.len() as u64);
                    }
                    self.joined(idx, now)
                }
                Step::Failed(e) => self.closed(idx, &format!("join: {e}")),
                Step::Established(sid, t) => {
                    if sh.heartbeat.is_none() {
                        self.hb_every = t.clamp(2, 100_000) * 800_000_000;
                    }
                    let role = self.conns[idx as usize].role;
                    if role == Role::Pub {
                        self.conns[idx as usize].x.as_mut().unwrap().sid = sid;
                        self.send_join(idx);
                    } else {
                        let s = sh.proto.join(self.who(idx), &sid);
                        self.conns[idx as usize].t_join = now;
                        self.send_text(idx, s.as_bytes());
                    }
                }
            },
            St::Joined => match sh.proto.classify(f) {
                Ctl::Presence => {
                    self.add(K::PresenceFrames, 1);
                    self.add(K::PresenceBytes, f.len() as u64);
                }
                Ctl::Reply => self.add(K::Replies, 1),
                Ctl::ReplyError => {
                    self.add(K::ReplyErrors, 1);
                    self.error(format!("reply: {}", String::from_utf8_lossy(&f[..f.len().min(160)])));
                }
                Ctl::Ping(pong) => self.send_text(idx, pong.as_bytes()),
                Ctl::Error => {
                    self.add(K::ProtoErrors, 1);
                    self.error(format!("server: {}", String::from_utf8_lossy(&f[..f.len().min(160)])));
                }
                Ctl::Other => self.add(K::Other, 1),
            },
            _ => {}
        }
    }

    pub(super) fn tally(&mut self, idx: u32, f: &[u8], now: u64) {
        let c = &mut self.conns[idx as usize];
        let before = c.tally;
        self.sh.proto.tally(f, &mut c.tally);
        if c.tally != before && c.tally.users >= c.crowd {
            self.sh.complete.lock().unwrap().insert(c.id, (c.tally, now));
        }
    }

    pub(super) fn presence(&mut self, p: &dyn Proto, f: &[u8]) {
        if p.classify(f) == Ctl::Presence {
            self.add(K::PresenceFrames, 1);
            self.add(K::PresenceBytes, f.len() as u64);
        }
    }
}
