//! Commands to a thread, and its timers.
use super::connection::St;
use super::counters::K;
use super::sockets::setopt;
use super::task::{Cmd, Role, Spec};
use super::worker::Worker;

impl Worker {
    pub(super) fn commands(&mut self) {
        while let Ok(c) = self.rx.try_recv() {
            match c {
                Cmd::Connect { specs, start, rate } => {
                    for s in specs {
                        self.queue.push_back((start + (s.k as f64 * 1e9 / rate) as u64, s));
                    }
                }
                Cmd::Publish(j) => {
                    self.stall = (u64::MAX, 0);
                    self.job = Some((j, 0, 0));
                }
                Cmd::Churn { start, rate, count, base } => {
                    self.fifo = self
                        .subs
                        .iter()
                        .filter(|i| !self.conns[**i as usize].watch)
                        .map(|i| (*i, self.conns[*i as usize].gen))
                        .collect();
                    self.churn = Some((start, rate, count, base, self.me as u64));
                }
                Cmd::MeasureFrom(t) => self.measure_from = t,
                Cmd::Report(tx) => {
                    let _ = tx.send(self.r.clone());
                }
                Cmd::DrainSlow => {
                    for i in 0..self.conns.len() as u32 {
                        let c = &mut self.conns[i as usize];
                        if c.slow && c.st == St::Joined {
                            c.slow = false;
                            setopt(c.fd, libc::SOL_SOCKET, libc::SO_RCVBUF, 1 << 20);
                            self.poll(
                                i,
                                libc::EPOLL_CTL_MOD,
                                libc::EPOLLIN | libc::EPOLLOUT | libc::EPOLLRDHUP | libc::EPOLLET,
                            );
                            let g = self.conns[i as usize].gen;
                            self.again.push((i, g));
                        }
                    }
                }
                Cmd::CloseAll => {
                    self.queue.clear();
                    self.job = None;
                    self.churn = None;
                    for i in 0..self.conns.len() as u32 {
                        if self.conns[i as usize].st != St::Free {
                            self.begin_close(i, false);
                        }
                    }
                }
                Cmd::Exit => self.exit = true,
            }
        }
    }

    /// Runs the due timers; returns the time of the next check.
    pub(super) fn timers(&mut self, now: u64) -> u64 {
        let mut next = now + 200_000_000;
        while let Some((due, _)) = self.queue.front() {
            if *due > now {
                next = next.min(*due);
                break;
            }
            if self.pending >= self.sh.max_pending.div_ceil(self.sh.threads) {
                break; // joined() or failed() brings us back
            }
            let s = self.queue.pop_front().unwrap().1;
            self.open(s);
        }
        while let Some(&(due, i, g)) = self.hb.front() {
            if due > now {
                next = next.min(due);
                break;
            }
            self.hb.pop_front();
            if self.conns[i as usize].gen == g && self.conns[i as usize].st == St::Joined {
                let t = self.sh.proto.heartbeat();
                self.send_text(i, t.as_bytes());
                self.hb.push_back((now + self.hb_every, i, g));
            }
        }
        while let Some(&(due, i, g)) = self.closing.front() {
            if due > now {
                next = next.min(due);
                break;
            }
            self.closing.pop_front();
            if self.conns[i as usize].gen == g {
                self.free(i);
            }
        }
        if let Some((start, rate, count, base, k)) = self.churn {
            let mut k = k;
            let w = self.sh.threads as u64;
            while k < count {
                let due = start + (k as f64 * 1e9 / rate) as u64;
                if due > now {
                    next = next.min(due);
                    break;
                }
                while let Some((i, g)) = self.fifo.pop_front() {
                    if self.conns[i as usize].gen == g && self.conns[i as usize].st == St::Joined {
                        self.begin_close(i, self.sh.abrupt);
                        break;
                    }
                }
                let id = base + k;
                let t = (id % self.sh.topics.len() as u64) as u32;
                self.queue.push_back((
                    now,
                    Spec {
                        k: 0,
                        id,
                        role: Role::Sub,
                        topics: vec![t],
                        slot: 0,
                        slow: false,
                        watch: false,
                        crowd: 0,
                        stream: (0, 0),
                    },
                ));
                self.add(K::Replaced, 1);
                next = now;
                k += w;
            }
            self.churn = (k < count).then_some((start, rate, count, base, k));
        }
        if self.job.is_some() {
            next = next.min(self.pump(now));
        }
        next
    }
}
