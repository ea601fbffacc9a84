//! Publishing at a rate, or as fast as it is delivered.
use super::connection::St;
use super::counters::K;
use super::marker::put_mark;
use super::task::{rec, Role};
use super::worker::Worker;
use crate::procstat::mono;
use std::sync::atomic::Ordering::Relaxed;

impl Worker {
    pub(super) fn pump(&mut self, now: u64) -> u64 {
        let Some((job, mut q, mut rot)) = self.job.take() else { return u64::MAX };
        let w = self.sh.threads as u64;
        let mut next = now + 200_000_000;
        let mut done = false;
        if job.rate > 0.0 {
            let mut burst = 0;
            loop {
                let (k, conn, topic);
                if job.streams == 0 {
                    k = q * w + self.me as u64;
                    conn = u32::MAX;
                    topic = 0;
                } else {
                    if self.streams.is_empty() {
                        done = true;
                        break;
                    }
                    let n = self.streams.len() as u64;
                    let s = self.streams[(q % n) as usize];
                    k = q / n * job.streams + s.0;
                    (conn, topic) = (s.1, s.2);
                }
                if k >= job.total {
                    done = true;
                    break;
                }
                let due = job.start + (k as f64 * 1e9 / job.rate) as u64;
                if due > now {
                    next = next.min(due);
                    break;
                }
                if burst >= 256 {
                    next = now; // let deliveries through
                    break;
                }
                if conn != u32::MAX && self.conns[conn as usize].out.len() > 1 << 20 {
                    next = now + 1_000_000;
                    break;
                }
                burst += 1;
                q += 1;
                if conn == u32::MAX {
                    for _ in 0..8 {
                        if self.subs.is_empty() {
                            break;
                        }
                        let n = self.rand() % self.subs.len() as u64;
                        let i = self.subs[n as usize];
                        if self.conns[i as usize].st == St::Joined {
                            let t = self.conns[i as usize].topic;
                            self.publish(i, t, due);
                            break;
                        }
                    }
                } else {
                    let t = if job.any_topic { (self.rand() % self.sh.topics.len() as u64) as u32 } else { topic };
                    self.publish(conn, t, due);
                }
            }
        } else {
            let mut burst = 0;
            self.flush_counters();
            // deliveries wake this thread; those of other threads do not
            next = now + if w == 1 { 20_000_000 } else { 200_000 };
            loop {
                if self.streams.is_empty() || self.sh.taken.load(Relaxed) >= job.total {
                    done = true;
                    break;
                }
                let seen =
                    self.sh.get(K::Delivered).saturating_sub(self.sh.get(K::Dup)) + self.sh.forgiven.load(Relaxed);
                let out = self.sh.expected.load(Relaxed).saturating_sub(seen);
                if out >= job.budget {
                    if self.stall.0 != seen {
                        self.stall = (seen, now);
                    } else if now - self.stall.1 > 2_000_000_000 {
                        self.sh.forgiven.fetch_add(out, Relaxed);
                        self.add(K::Stalls, 1);
                    }
                    break;
                }
                if burst >= 64 {
                    next = now;
                    break;
                }
                // the next publisher that can take one
                let n = self.streams.len() as u64;
                let Some(j) = (0..n).map(|o| (rot + o) % n).find(|j| {
                    let c = &self.conns[self.streams[*j as usize].1 as usize];
                    c.st == St::HttpIdle || c.st == St::Joined && c.out.len() < 64 << 10
                }) else {
                    break;
                };
                if self.sh.taken.fetch_add(1, Relaxed) >= job.total {
                    break;
                }
                rot = j + 1;
                burst += 1;
                let s = self.streams[j as usize];
                let t = if job.any_topic { (self.rand() % self.sh.topics.len() as u64) as u32 } else { s.2 };
                self.publish(s.1, t, now);
            }
        }
        self.write_pubs();
        if done {
            self.add(K::JobDone, 1);
        } else {
            self.job = Some((job, q, rot));
        }
        next
    }

    pub(super) fn write_pubs(&mut self) {
        for j in 0..self.pubs.len() {
            let i = self.pubs[j];
            let c = &self.conns[i as usize];
            if c.out_pos < c.out.len() && c.role == Role::Pub {
                self.write_out(i);
            }
        }
    }

    pub(super) fn publish(&mut self, i: u32, topic: u32, due: u64) {
        let c = &mut self.conns[i as usize];
        if c.role == Role::Http {
            if c.st == St::Free || c.x.is_none() {
                return self.add(K::HttpErrors, 1);
            }
            c.x.as_mut().unwrap().pending.push_back((topic, due));
            if c.st == St::HttpIdle {
                self.http_next(i);
            }
            return;
        }
        if c.st != St::Joined {
            return;
        }
        let seq = match &mut c.x {
            Some(x) if !x.seqs.is_empty() => &mut x.seqs[topic as usize],
            _ => &mut c.seq,
        };
        *seq += 1;
        let seq = *seq;
        let sh = self.sh.clone();
        let (tpl, mark, r) = &sh.templates[topic as usize];
        let at = c.out.len();
        c.out.extend_from_slice(tpl);
        if *r > 0 {
            let mut v = seq % 10_000_000;
            for x in c.out[at + r + 1..at + r + 8].iter_mut().rev() {
                *x = b'0' + (v % 10) as u8;
                v /= 10;
            }
        }
        let (slot, chat) = (c.slot, c.role == Role::Sub);
        let now = mono();
        put_mark(&mut c.out[at + mark..], now, slot, seq);
        self.count_published(topic, tpl.len(), now, due, chat);
        if chat {
            self.write_out(i);
        }
    }

    pub(super) fn count_published(&mut self, topic: u32, bytes: usize, now: u64, due: u64, chat: bool) {
        let m = self.sh.members[topic as usize].load(Relaxed) as u64;
        let m = if chat && self.sh.no_self { m.saturating_sub(1) } else { m };
        self.sh.expected.fetch_add(m, Relaxed);
        self.add(K::Published, 1);
        self.add(K::BytesPublished, bytes as u64);
        if now >= self.measure_from {
            rec(&mut self.r.lag, now.saturating_sub(due));
        }
    }

    pub(super) fn http_next(&mut self, i: u32) {
        let sh = self.sh.clone();
        let c = &mut self.conns[i as usize];
        let x = c.x.as_mut().unwrap();
        let Some((topic, due)) = x.pending.pop_front() else { return };
        x.seqs[topic as usize] += 1;
        let (tpl, mark, _) = &sh.templates[topic as usize];
        let mut body = tpl.clone();
        let now = mono();
        put_mark(&mut body[*mark..], now, c.slot, x.seqs[topic as usize]);
        sh.publisher.as_ref().unwrap().request(&sh.topics[topic as usize], &sh.event, &body, &mut c.out);
        c.st = St::HttpBusy;
        c.t_join = now;
        let n = c.out.len();
        self.count_published(topic, n, now, due, false);
        self.write_out(i);
    }
}
