//! Reading: from bytes to frames, and to delivered messages.
use super::connection::{Extra, St};
use super::counters::K;
use super::marker::{hex, MARK};
use super::sequence::Slot;
use super::sockets::errno;
use super::task::{rec, Role};
use super::worker::Worker;
use crate::http;
use crate::procstat::mono;
use crate::ws;
use memchr::memmem;

impl Worker {
    pub(super) fn readable(&mut self, idx: u32, ending: bool) {
        let mut buf = std::mem::take(&mut self.buf);
        let gen = self.conns[idx as usize].gen;
        let mut rounds = 0;
        loop {
            let c = &mut self.conns[idx as usize];
            let k = c.carry.len();
            let mut need = k + (64 << 10);
            if let Some(h) =
                (k > 0 && c.st != St::Upgrading && c.role != Role::Http).then(|| ws::head(&c.carry)).flatten()
            {
                need = need.max(h.hlen + h.len.min(256 << 20));
            }
            if buf.len() < need {
                buf.resize(need, 0);
            }
            let room = buf.len() - k;
            let n = unsafe { libc::recv(c.fd, buf.as_mut_ptr().add(k) as *mut _, room, 0) };
            if n <= 0 {
                if n == 0 {
                    self.closed(idx, "closed by the server");
                } else if errno() != libc::EAGAIN {
                    let e = std::io::Error::last_os_error().to_string();
                    self.closed(idx, &e);
                }
                break;
            }
            buf[..k].copy_from_slice(&c.carry);
            let total = k + n as usize;
            let now = mono();
            self.n[K::BytesIn as usize] += n as u64;
            let used = self.consume(idx, gen, &buf[..total], now);
            let c = &mut self.conns[idx as usize];
            if c.gen != gen {
                break;
            }
            c.carry.clear();
            if used < total {
                c.carry.extend_from_slice(&buf[used..total]);
            } else if c.carry.capacity() > 4096 {
                c.carry = vec![];
            }
            if (n as usize) < room && !ending {
                break;
            }
            if c.slow && c.st == St::Joined {
                break;
            }
            rounds += 1;
            if rounds >= 8 && !ending {
                self.again.push((idx, gen));
                break;
            }
        }
        self.buf = buf;
    }

    pub(super) fn consume(&mut self, idx: u32, gen: u32, b: &[u8], now: u64) -> usize {
        let mut at = 0;
        match self.conns[idx as usize].st {
            St::HttpIdle | St::HttpBusy => {
                while let Some((n, status, keep)) = http::response(&b[at..]) {
                    at += n;
                    let t = self.conns[idx as usize].t_join;
                    self.conns[idx as usize].st = St::HttpIdle;
                    if (200..300).contains(&status) {
                        self.add(K::HttpAcks, 1);
                        if t >= self.measure_from {
                            rec(&mut self.r.rtt, now.saturating_sub(t));
                        }
                    } else {
                        self.add(K::HttpErrors, 1);
                        self.error(format!(
                            "publish: status {status}: {}",
                            String::from_utf8_lossy(&b[at - n..at]).chars().take(200).collect::<String>()
                        ));
                    }
                    if !keep {
                        self.closed(idx, "connection: close");
                        return at;
                    }
                    self.http_next(idx);
                }
                return at;
            }
            St::Upgrading => {
                let Some(e) = memmem::find(b, b"\r\n\r\n") else { return 0 };
                if !b.starts_with(b"HTTP/1.1 101") {
                    let line = String::from_utf8_lossy(&b[..b.len().min(120)]).lines().next().unwrap_or("").to_string();
                    self.closed(idx, &format!("upgrade: {line}"));
                    return 0;
                }
                at = e + 4;
                self.add(K::Upgraded, 1);
                let t = self.conns[idx as usize].t_start;
                rec(&mut self.r.connect, now - t);
                self.conns[idx as usize].st = St::Joining;
                self.conns[idx as usize].t_join = now;
                if self.sh.proto.join_at_once() {
                    self.send_join(idx);
                }
            }
            _ => {}
        }
        while let Some(h) = ws::head(&b[at..]) {
            let (p, e) = (at + h.hlen, at + h.hlen + h.len);
            if e > b.len() || h.mask.is_some() {
                if h.mask.is_some() {
                    self.closed(idx, "masked frame from the server");
                }
                break;
            }
            at = e;
            if h.fin && h.op != 0 {
                self.frame(idx, h.op, &b[p..e], now);
            } else {
                let c = &mut self.conns[idx as usize];
                if c.x.is_none() {
                    c.x = Extra::new(vec![], 0, (0, 0));
                }
                let x = c.x.as_mut().unwrap();
                x.frag.extend_from_slice(&b[p..e]);
                if h.fin {
                    let f = std::mem::take(&mut x.frag);
                    self.frame(idx, ws::TEXT, &f, now);
                }
            }
            if self.conns[idx as usize].gen != gen {
                return 0;
            }
        }
        at
    }

    #[inline]
    pub(super) fn frame(&mut self, idx: u32, op: u8, f: &[u8], now: u64) {
        self.n[K::FramesIn as usize] += 1;
        if op > 2 {
            return self.control(idx, op, f);
        }
        if self.conns[idx as usize].st == St::Joined {
            let h = self.hint;
            let at = if f.len() >= h + MARK && &f[h..h + 2] == b"~@" { Some(h) } else { self.finder.find(f) };
            if let Some(at) = at.filter(|a| f.len() >= a + MARK) {
                self.hint = at;
                return self.delivery(idx, f, at, now);
            }
        }
        self.protocol(idx, f, now);
    }

    #[inline]
    pub(super) fn delivery(&mut self, idx: u32, f: &[u8], at: usize, now: u64) {
        let (ts, slot, seq) =
            (hex(&f[at + 2..at + 18]), hex(&f[at + 18..at + 23]) as u32, hex(&f[at + 23..at + 31]) as u32);
        let slots = self.sh.slots;
        let c = &mut self.conns[idx as usize];
        // a reply that quotes the message back is no delivery
        if (c.role == Role::Pub || self.sh.chat_ws && c.slot == slot) && memmem::find(f, b"phx_reply").is_some() {
            return self.protocol(idx, f, now);
        }
        if c.role == Role::Pub {
            self.n[K::Echo as usize] += 1;
            return;
        }
        if slot >= slots {
            self.n[K::Bad as usize] += 1;
            return;
        }
        let s = if slots == 1 {
            &mut c.one
        } else {
            if c.slots.is_empty() {
                c.slots = vec![Slot::default(); slots as usize];
            }
            &mut c.slots[slot as usize]
        };
        let kind = s.see(seq);
        if c.was_slow {
            return self.slow_delivery(idx);
        }
        self.n[K::Delivered as usize] += 1;
        match kind {
            1 => self.n[K::Ooo as usize] += 1,
            2 => self.n[K::Dup as usize] += 1,
            _ => {}
        }
        if ts >= self.measure_from {
            rec(&mut self.r.lat, now.saturating_sub(ts));
        }
    }

    /// Counts a delivery to a slow connection. Once slow connections are drained, their deliveries are counted
    /// separately.
    #[cold]
    pub(super) fn slow_delivery(&mut self, idx: u32) {
        let id = self.conns[idx as usize].id;
        if let Some(s) = self.sh.slow.lock().unwrap().iter_mut().find(|s| s.id == id) {
            s.got += 1;
        }
        self.n[K::SlowDelivered as usize] += 1;
    }

    pub(super) fn control(&mut self, idx: u32, op: u8, f: &[u8]) {
        match op {
            ws::PING => {
                ws::encode(&mut self.conns[idx as usize].out, ws::PONG, true, f);
                self.write_out(idx);
            }
            ws::CLOSE => {
                let code = (f.len() >= 2).then(|| u16::from_be_bytes([f[0], f[1]]));
                let c = &self.conns[idx as usize];
                if let Some(s) = self.sh.slow.lock().unwrap().iter_mut().find(|s| s.id == c.id) {
                    s.close_code = code;
                }
                let why = format!(
                    "close frame {} {}",
                    code.map_or("without code".into(), |c| c.to_string()),
                    String::from_utf8_lossy(f.get(2..).unwrap_or(b""))
                );
                self.closed(idx, &why);
            }
            _ => {}
        }
    }
}
