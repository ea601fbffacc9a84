//! Writing of as many bytes as a socket takes.
use super::sockets::errno;
use super::task::Role;
use super::worker::Worker;
use crate::ws;

impl Worker {
    pub(super) fn send_text(&mut self, idx: u32, text: &[u8]) {
        ws::encode(&mut self.conns[idx as usize].out, ws::TEXT, true, text);
        self.write_out(idx);
    }

    pub(super) fn write_out(&mut self, idx: u32) {
        let c = &mut self.conns[idx as usize];
        while c.out_pos < c.out.len() {
            let b = &c.out[c.out_pos..];
            let n = unsafe { libc::send(c.fd, b.as_ptr() as *const _, b.len(), libc::MSG_NOSIGNAL) };
            if n < 0 {
                // a full buffer: EPOLLOUT will tell; an error: the read side will
                if errno() != libc::EAGAIN {
                    c.out.clear();
                    c.out_pos = 0;
                }
                return;
            }
            c.out_pos += n as usize;
        }
        c.out_pos = 0;
        if c.out.capacity() > 2048 && c.role == Role::Sub {
            c.out = vec![];
        } else {
            c.out.clear();
        }
    }
}
