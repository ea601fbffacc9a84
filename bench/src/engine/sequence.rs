//! Sequence numbers received from a publisher.

#[derive(Clone, Copy, Default)]
pub(super) struct Slot {
    last: u32,
    win: u32,
}

impl Slot {
    /// Returns 0 if new and in order or after a gap, 1 if late (out of order), 2 for a duplicate.
    #[inline]
    pub(super) fn see(&mut self, seq: u32) -> u8 {
        if seq == self.last.wrapping_add(1) {
            self.win = self.win << 1 | 1;
            self.last = seq;
            0
        } else if seq > self.last {
            let d = seq - self.last;
            self.win = if d >= 32 { 0 } else { (self.win << 1 | 1) << (d - 1) };
            self.last = seq;
            0
        } else if seq == self.last {
            2
        } else {
            let d = self.last - seq - 1;
            if d >= 32 {
                return 1;
            }
            if self.win >> d & 1 == 1 {
                return 2;
            }
            self.win |= 1 << d;
            1
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequence_window() {
        let mut s = Slot::default();
        assert_eq!([1, 2, 3].map(|q| s.see(q)), [0, 0, 0]);
        assert_eq!(s.see(2), 2);
        assert_eq!(s.see(6), 0);
        assert_eq!([5, 5, 4, 4, 6, 3].map(|q| s.see(q)), [1, 2, 1, 2, 2, 2]);
        assert_eq!(s.see(7), 0);
        assert_eq!(s.see(100), 0);
        assert_eq!([99, 99, 7].map(|q| s.see(q)), [1, 2, 1]);
        let mut t = Slot::default();
        assert_eq!([33, 1, 2, 32, 32].map(|q| t.see(q)), [0, 1, 1, 1, 2]);
    }
}
