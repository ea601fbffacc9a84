//! Shared memory budgets: a total, and a share of it for each address.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};

use parking_lot::Mutex;

/// Divisor of a budget that gives the share of one address.
const SHARE: usize = 4;

/// A number of bytes that all clones share.
#[derive(Clone, Debug)]
pub struct Budget {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    bytes: usize,
    used: Mutex<Used>,
}

#[derive(Debug, Default)]
struct Used {
    bytes: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// Address that a portion is charged to. An IPv6 address counts as its /64 network, which one customer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payer(Option<IpAddr>);

impl Payer {
    /// Returns the payer for a client. Loopback has no share of its own: it may be a backend, or a proxy with all
    /// clients.
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            address if address.is_loopback() => None,
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Some(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into())
            }
            address => Some(address),
        })
    }

    /// Returns a payer that only the whole budget limits.
    pub fn unlimited() -> Self {
        Self(None)
    }
}

/// Bytes taken from a budget. Dropping it gives them back.
#[derive(Debug)]
pub struct Portion {
    budget: Budget,
    payer: Payer,
    bytes: usize,
}

impl Budget {
    /// Creates a budget of this many bytes, of which one address may take a quarter.
    pub fn new(bytes: usize) -> Self {
        Self { inner: Arc::new(Inner { bytes, used: Mutex::default() }) }
    }

    /// Creates an empty portion for `payer`.
    pub fn portion(&self, payer: Payer) -> Portion {
        Portion { budget: self.clone(), payer, bytes: 0 }
    }

    /// Returns the bytes in use.
    pub fn used(&self) -> usize {
        self.inner.used.lock().bytes
    }
}

impl Portion {
    /// Takes more bytes. Returns `false` if the budget or the share of the address does not have them; nothing is taken
    /// then.
    #[must_use]
    pub fn add(&mut self, bytes: usize) -> bool {
        let mut used = self.budget.inner.used.lock();
        let all = used.bytes.saturating_add(bytes);
        if all > self.budget.inner.bytes {
            return false;
        }
        if let Some(address) = self.payer.0 {
            let share = self.budget.inner.bytes / SHARE;
            let before = used.by_address.get(&address).copied().unwrap_or_default();
            if before.saturating_add(bytes) > share {
                return false;
            }
            used.by_address.insert(address, before + bytes);
        }
        used.bytes = all;
        self.bytes += bytes;
        true
    }
}

impl Drop for Portion {
    fn drop(&mut self) {
        if self.bytes == 0 {
            return;
        }
        let mut used = self.budget.inner.used.lock();
        used.bytes -= self.bytes;
        let Some(address) = self.payer.0 else { return };
        if let Some(of_address) = used.by_address.get_mut(&address) {
            *of_address -= self.bytes;
            if *of_address == 0 {
                used.by_address.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payer(address: &str) -> Payer {
        Payer::of(address.parse().unwrap())
    }

    #[test]
    fn one_address_takes_no_more_than_its_share() {
        let budget = Budget::new(400);
        let mut first = budget.portion(payer("203.0.113.1"));
        assert!(first.add(60) && first.add(40));
        assert!(!first.add(1), "its share is full");
        let mut beside = budget.portion(payer("203.0.113.1"));
        assert!(!beside.add(1));
        let mut other = budget.portion(payer("203.0.113.2"));
        assert!(other.add(100));
        drop(first);
        assert!(beside.add(100));
        drop((beside, other));
        assert_eq!(budget.used(), 0);
        assert!(budget.inner.used.lock().by_address.is_empty());
    }

    #[test]
    fn loopback_is_limited_by_the_whole_alone() {
        let budget = Budget::new(400);
        let mut local = budget.portion(payer("::ffff:127.0.0.1"));
        assert!(local.add(400) && !local.add(1));
        assert!(!budget.portion(payer("203.0.113.1")).add(1));
    }

    #[test]
    fn a_network_of_ipv6_has_one_share() {
        assert_eq!(payer("2001:db8::1"), payer("2001:db8::ffff:0:0:1"));
        assert_ne!(payer("2001:db8::1"), payer("2001:db8:0:1::1"));
        assert_eq!(payer("::ffff:203.0.113.1"), payer("203.0.113.1"));
    }
}
