//! Connections from dialling to their end.
use super::connection::{Conn, Extra, St};
use super::counters::K;
use super::sequence::Slot;
use super::shared::SlowConn;
use super::sockets::{addr, errno, setopt};
use super::task::{rec, Role, Spec};
use super::worker::Worker;
use crate::procstat::mono;
use crate::proto::Who;
use crate::tally::Tally;
use crate::ws;
use std::sync::atomic::Ordering::Relaxed;

impl Worker {
    pub(super) fn open(&mut self, s: Spec) {
        let idx = self.free.pop().unwrap_or_else(|| {
            self.conns.push(Conn::free());
            self.conns.len() as u32 - 1
        });
        let sh = self.sh.clone();
        let c = &mut self.conns[idx as usize];
        c.id = s.id;
        c.role = s.role;
        (c.was_slow, c.t_join) = (s.slow, 0);
        (c.slow, c.watch, c.topic, c.slot, c.nth, c.seq) =
            (s.slow, s.watch, s.topics.first().copied().unwrap_or(0), s.slot, 1, 0);
        (c.crowd, c.tally) = (s.crowd, Tally::default());
        c.one = Slot::default();
        c.slots = vec![];
        if s.role != Role::Sub || s.watch {
            let seqs = if s.role == Role::Sub { 0 } else { sh.topics.len() };
            c.x = Extra::new(s.topics, seqs, s.stream);
        }
        c.t_start = mono();
        self.dial(idx);
    }

    pub(super) fn dial(&mut self, idx: u32) {
        let sh = self.sh.clone();
        let c = &mut self.conns[idx as usize];
        c.st = St::Connecting;
        let port = if c.role == Role::Http { sh.http_port } else { sh.port };
        let (rc, e);
        unsafe {
            c.fd = libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC, 0);
            if c.fd < 0 {
                let e = std::io::Error::last_os_error().to_string();
                self.pending += (c.role != Role::Http) as u32;
                return self.closed(idx, &format!("socket: {e}"));
            }
            setopt(c.fd, libc::IPPROTO_TCP, libc::TCP_NODELAY, 1);
            if c.slow {
                setopt(c.fd, libc::SOL_SOCKET, libc::SO_RCVBUF, sh.rcvbuf as i32);
            }
            if sh.source_addrs > 0 {
                setopt(c.fd, libc::IPPROTO_IP, 24 /* IP_BIND_ADDRESS_NO_PORT */, 1);
                let a = addr([127, 0, 0, 2 + (c.id % sh.source_addrs as u64) as u8], 0);
                libc::bind(c.fd, &a as *const _ as *const _, 16);
            }
            let a = addr(sh.host, port);
            rc = libc::connect(c.fd, &a as *const _ as *const _, 16);
            e = errno();
        }
        if c.role != Role::Http {
            self.pending += 1;
        }
        if rc != 0 && e != libc::EINPROGRESS {
            return self.closed(idx, &format!("connect: errno {e}"));
        }
        self.poll(idx, libc::EPOLL_CTL_ADD, libc::EPOLLIN | libc::EPOLLOUT | libc::EPOLLRDHUP | libc::EPOLLET);
    }

    pub(super) fn poll(&mut self, idx: u32, op: i32, events: i32) {
        let c = &self.conns[idx as usize];
        let mut e = libc::epoll_event { events: events as u32, u64: (c.gen as u64) << 32 | idx as u64 };
        unsafe { libc::epoll_ctl(self.ep, op, c.fd, &mut e) };
    }

    pub(super) fn who(&self, idx: u32) -> Who {
        let c = &self.conns[idx as usize];
        Who { i: c.id, t: c.topic, n: c.nth }
    }

    pub(super) fn connected(&mut self, idx: u32) {
        let fd = self.conns[idx as usize].fd;
        let (mut e, mut l) = (0i32, 4u32);
        unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, libc::SO_ERROR, &mut e as *mut _ as *mut _, &mut l) };
        if e != 0 {
            return self.closed(idx, &format!("connect: {}", std::io::Error::from_raw_os_error(e)));
        }
        if self.conns[idx as usize].role == Role::Http {
            self.conns[idx as usize].st = St::HttpIdle;
            self.add(K::Joined, 1);
            if self.conns[idx as usize].t_join == 0 {
                self.add_streams(idx);
            }
            return self.http_next(idx);
        }
        let target = self.sh.proto.target(self.who(idx));
        let sh = self.sh.clone();
        let c = &mut self.conns[idx as usize];
        c.st = St::Upgrading;
        c.out.extend_from_slice(
            format!(
                "GET {target} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{}\r\n",
                sh.host_header, sh.ws_headers
            )
            .as_bytes(),
        );
        self.write_out(idx);
    }

    pub(super) fn add_streams(&mut self, idx: u32) {
        let x = self.conns[idx as usize].x.as_ref().unwrap();
        self.streams.extend(x.topics.iter().enumerate().map(|(n, t)| (x.stream.0 + n as u64 * x.stream.1, idx, *t)));
        self.streams.sort();
        self.pubs.push(idx);
    }

    pub(super) fn send_join(&mut self, idx: u32) {
        let c = &self.conns[idx as usize];
        let sid = c.x.as_ref().map_or(String::new(), |x| x.sid.clone());
        let s = self.sh.proto.join(self.who(idx), &sid);
        self.conns[idx as usize].t_join = mono();
        self.send_text(idx, s.as_bytes());
    }

    pub(super) fn joined(&mut self, idx: u32, now: u64) {
        let c = &mut self.conns[idx as usize];
        if let Some(x) = &c.x {
            if c.role == Role::Pub && (c.nth as usize) < x.topics.len() {
                c.topic = x.topics[c.nth as usize];
                c.nth += 1;
                return self.send_join(idx);
            }
        }
        c.st = St::Joined;
        let (start, join, gen, role, topic, watch, id, slow) =
            (c.t_start, c.t_join, c.gen, c.role, c.topic, c.watch, c.id, c.slow);
        self.pending -= 1;
        self.add(K::Joined, 1);
        rec(&mut self.r.join, now - join);
        rec(&mut self.r.total, now - start);
        if let Some(s) = self.sh.proto.after_join(self.who(idx)) {
            self.send_text(idx, s.as_bytes());
        }
        if watch {
            let mut w = self.sh.watch.lock().unwrap();
            let v = w.entry(id).or_default();
            (v.join_sent, v.joined) = (join, now);
        }
        self.hb.push_back((now + self.hb_every, idx, gen));
        if slow {
            self.poll(idx, libc::EPOLL_CTL_MOD, libc::EPOLLET);
            let mut a: libc::sockaddr_in = unsafe { std::mem::zeroed() };
            let mut l = 16u32;
            unsafe { libc::getsockname(self.conns[idx as usize].fd, &mut a as *mut _ as *mut _, &mut l) };
            self.sh.slow.lock().unwrap().push(SlowConn {
                id,
                addr: (a.sin_addr.s_addr, u16::from_be(a.sin_port)),
                closed_at: None,
                close_code: None,
                got: 0,
            });
            return;
        }
        if role == Role::Sub {
            self.sh.members[topic as usize].fetch_add(1, Relaxed);
            self.conns[idx as usize].sub_pos = self.subs.len() as u32;
            self.subs.push(idx);
            if self.churn.is_some() {
                self.fifo.push_back((idx, gen));
            }
        } else {
            self.add_streams(idx);
        }
    }

    pub(super) fn leave(&mut self, idx: u32) {
        let c = &self.conns[idx as usize];
        if c.st == St::Joined && c.role == Role::Sub && !c.was_slow && self.subs.get(c.sub_pos as usize) == Some(&idx) {
            let p = c.sub_pos as usize;
            self.sh.members[c.topic as usize].fetch_sub(1, Relaxed);
            self.subs.swap_remove(p);
            if let Some(m) = self.subs.get(p) {
                self.conns[*m as usize].sub_pos = p as u32;
            }
        }
    }

    pub(super) fn begin_close(&mut self, idx: u32, abrupt: bool) {
        let st = self.conns[idx as usize].st;
        self.leave(idx);
        if matches!(st, St::Connecting | St::Upgrading | St::Joining) {
            self.pending -= (self.conns[idx as usize].role != Role::Http) as u32;
        }
        let slow = self.conns[idx as usize].slow;
        if st != St::Joined || abrupt || slow {
            let l = libc::linger { l_onoff: 1, l_linger: 0 };
            if abrupt || slow {
                unsafe {
                    libc::setsockopt(
                        self.conns[idx as usize].fd,
                        libc::SOL_SOCKET,
                        libc::SO_LINGER,
                        &l as *const _ as *const _,
                        8,
                    )
                };
            }
            return self.free(idx);
        }
        let mut f = vec![];
        ws::encode(&mut f, ws::CLOSE, true, &1000u16.to_be_bytes());
        let c = &mut self.conns[idx as usize];
        c.st = St::Closing;
        c.out.extend_from_slice(&f);
        let g = c.gen;
        self.closing.push_back((mono() + 2_000_000_000, idx, g));
        self.write_out(idx);
    }

    pub(super) fn free(&mut self, idx: u32) {
        let c = &mut self.conns[idx as usize];
        if c.fd >= 0 {
            unsafe { libc::close(c.fd) };
        }
        c.fd = -1;
        c.gen = c.gen.wrapping_add(1) & 0x7fff_ffff;
        c.st = St::Free;
        c.carry = vec![];
        c.out = vec![];
        c.out_pos = 0;
        c.x = None;
        c.slots = vec![];
        self.free.push(idx);
        self.add(K::Closed, 1);
    }

    /// Handles a connection that the server ended, or that never came up.
    pub(super) fn closed(&mut self, idx: u32, why: &str) {
        let c = &self.conns[idx as usize];
        match c.st {
            St::Free => return,
            St::Closing => {}
            St::Joined => {
                if c.was_slow {
                    let mut l = self.sh.slow.lock().unwrap();
                    let s = l.iter_mut().find(|s| s.id == c.id).unwrap();
                    s.closed_at.get_or_insert(mono());
                    self.n[K::SlowClosed as usize] += 1;
                } else {
                    self.n[K::Dropped as usize] += 1;
                    self.error(format!("joined, then: {why}"));
                }
            }
            St::HttpIdle | St::HttpBusy => {
                // dial again; what was on the wire counts as an error
                if c.st == St::HttpBusy {
                    self.add(K::HttpErrors, 1);
                    self.error(format!("publish: {why}"));
                }
                let c = &mut self.conns[idx as usize];
                unsafe { libc::close(c.fd) };
                c.gen = c.gen.wrapping_add(1) & 0x7fff_ffff;
                c.out.clear();
                c.out_pos = 0;
                c.carry.clear();
                c.t_join = c.t_join.max(1);
                self.n[K::Joined as usize] -= 1;
                return self.dial(idx);
            }
            _ => {
                self.pending -= (c.role != Role::Http) as u32;
                self.add(K::Failed, 1);
                self.error(why.to_string());
            }
        }
        self.leave(idx);
        self.free(idx);
    }
}
