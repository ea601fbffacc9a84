//! Presence as one client has been told it, cheap enough to be kept for each client of a crowd.
use memchr::memmem;

/// Number of users, and a sum over their names: equal for two views if, except by chance, they contain the same users.
/// For scenarios in which each user has one connection.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Tally {
    pub users: i64,
    pub sum: u64,
}

impl Tally {
    /// Reads a `presence_state` or `presence_diff` of Phoenix, without parsing it.
    pub fn read(&mut self, frame: &[u8]) {
        let joins = memmem::find(frame, b"\"joins\":{");
        let leaves = memmem::find(frame, b"\"leaves\":{");
        for end in memmem::find_iter(frame, b"\":{\"metas\"") {
            let start = frame[..end].iter().rposition(|b| *b == b'"').map_or(0, |quote| quote + 1);
            let name = hash(&frame[start..end]);
            if leaves.is_some_and(|leaves| leaves < end && joins.is_none_or(|joins| joins < leaves || joins > end)) {
                self.users -= 1;
                self.sum = self.sum.wrapping_sub(name);
            } else {
                self.users += 1;
                self.sum = self.sum.wrapping_add(name);
            }
        }
    }
}

/// Hashes with FNV-1a.
fn hash(name: &[u8]) -> u64 {
    name.iter().fold(0xcbf2_9ce4_8422_2325, |hash, b| (hash ^ *b as u64).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(frames: &[&str]) -> Tally {
        let mut tally = Tally::default();
        frames.iter().for_each(|frame| tally.read(frame.as_bytes()));
        tally
    }

    const STATE: &str =
        r#"["1",null,"t","presence_state",{"a":{"metas":[{"phx_ref":"x"}]},"b":{"metas":[{"phx_ref":"y"}]}}]"#;

    #[test]
    fn the_same_users_come_to_the_same() {
        let all = tally(&[r#"[null,null,"t","presence_state",{"b":{"metas":[]},"c":{"metas":[]},"a":{"metas":[]}}]"#]);
        assert_eq!(all.users, 3);
        let joins = r#"[null,null,"t","presence_diff",{"joins":{"c":{"metas":[]}},"leaves":{}}]"#;
        assert_eq!(tally(&[STATE, joins]), all);
        let both = r#"[null,null,"t","presence_diff",{"joins":{"d":{"metas":[]}},"leaves":{"c":{"metas":[]}}}]"#;
        let reversed = r#"[null,null,"t","presence_diff",{"leaves":{"c":{"metas":[]}},"joins":{"d":{"metas":[]}}}]"#;
        assert_eq!(tally(&[STATE, joins, both]), tally(&[STATE, joins, reversed]));
        assert_eq!(tally(&[STATE, joins, both]).users, 3);
    }

    #[test]
    fn others_do_not() {
        let other =
            r#"["1",null,"t","presence_state",{"a":{"metas":[{"phx_ref":"x"}]},"c":{"metas":[{"phx_ref":"y"}]}}]"#;
        assert_ne!(tally(&[STATE]), tally(&[other]));
        assert_ne!(tally(&[STATE]), tally(&[STATE, STATE]));
        assert_eq!(tally(&[r#"[null,"1","t","phx_reply",{"status":"ok"}]"#]), Tally::default());
    }
}
