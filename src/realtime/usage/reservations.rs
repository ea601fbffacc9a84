//! Reservations for sockets: in all, of one application, and of one address.

use std::{
    net::{IpAddr, Ipv6Addr},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use dashmap::DashMap;
use tokio::time::Instant;

use super::{
    applications::{Application, Applications, increment},
    bucket::{Bucket, Rate, nanoseconds},
    quotas::Quotas,
    refusal::Refusal,
};

/// Burst of sockets that an address may open, in seconds' worth.
const CONNECT_BURST_SECONDS: u32 = 5;

/// Counts of sockets, in all and by address.
#[derive(Debug)]
pub(crate) struct Reservations {
    quotas: Quotas,
    applications: Arc<Applications>,
    taken: AtomicU32,
    addresses: DashMap<IpAddr, Address>,
    started: Instant,
}

/// Use of the quotas by one address.
#[derive(Debug, Default)]
struct Address {
    sockets: u32,
    connects: Bucket,
}

/// The place of one socket, from before its handshake is answered until it is closed.
#[derive(Debug)]
pub struct Reservation {
    places: Arc<Reservations>,
    application: Option<Arc<Application>>,
    /// `None` if the address is not limited.
    address: Option<IpAddr>,
}

impl Reservations {
    pub(crate) fn new(quotas: Quotas, applications: Arc<Applications>) -> Reservations {
        let taken = AtomicU32::new(0);
        Reservations { quotas, applications, taken, addresses: DashMap::new(), started: Instant::now() }
    }

    /// Counts an attempt to open a socket. Fails if the address opens them too fast.
    pub(crate) fn attempt(&self, address: IpAddr) -> Result<(), Refusal> {
        let Some(address) = self.limited(address) else { return Ok(()) };
        let rate = Rate { per_second: self.quotas.connects_per_address, burst_seconds: CONNECT_BURST_SECONDS };
        let mut used = self.addresses.entry(address).or_default();
        if used.connects.take(rate, self.now()) { Ok(()) } else { Err(Refusal::ConnectTooFast) }
    }

    /// Takes a place, or returns the limit that is reached.
    pub(crate) fn reserve(self: &Arc<Self>, app_key: &str, address: IpAddr) -> Result<Reservation, Refusal> {
        let address = self.limited(address);
        if !increment(&self.taken, self.quotas.sockets) {
            return Err(Refusal::ConnectServerFull);
        }
        // If it is dropped early, it gives back the parts that it has by then.
        let mut place = Reservation { places: Arc::clone(self), application: None, address: None };
        if let Some(address) = address {
            self.take_of_address(address)?;
            place.address = Some(address);
        }
        let application = self.applications.get(app_key);
        if !application.take_place() {
            return Err(Refusal::ConnectApplicationFull);
        }
        place.application = Some(application);
        Ok(place)
    }

    fn take_of_address(&self, address: IpAddr) -> Result<(), Refusal> {
        let mut used = self.addresses.entry(address).or_default();
        let most = self.quotas.sockets_per_address;
        if most > 0 && used.sockets >= most {
            return Err(Refusal::ConnectAddressFull);
        }
        used.sockets += 1;
        Ok(())
    }

    /// Returns the address that quotas count, if this address is limited.
    fn limited(&self, address: IpAddr) -> Option<IpAddr> {
        (self.quotas.limit_loopback || !address.is_loopback()).then(|| network(address))
    }

    fn give_back_of_address(&self, address: IpAddr) {
        let now = self.now();
        self.addresses.remove_if_mut(&address, |_, used| {
            used.sockets -= 1;
            used.is_unused(now)
        });
    }

    /// Forgets addresses without sockets that have not opened any lately. Call it regularly.
    pub(crate) fn sweep(&self) {
        let now = self.now();
        self.addresses.retain(|_, used| !used.is_unused(now));
    }

    /// Returns the number of addresses that have sockets, or opened some lately.
    pub(crate) fn addresses(&self) -> usize {
        self.addresses.len()
    }

    fn now(&self) -> u64 {
        nanoseconds(self.started.elapsed())
    }
}

impl Address {
    fn is_unused(&self, now: u64) -> bool {
        self.sockets == 0 && self.connects.is_full(now)
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if let Some(application) = &self.application {
            application.give_place_back();
        }
        if let Some(address) = self.address {
            self.places.give_back_of_address(address);
        }
        self.places.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Returns the address that quotas count: an owner of an IPv6 address most often has all of its /64.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::realtime::ApplicationSettings;

    const SOMEBODY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 1));

    fn places(quotas: Quotas) -> Arc<Reservations> {
        let applications = Applications::new(Arc::default(), quotas.application);
        Arc::new(Reservations::new(quotas, Arc::new(applications)))
    }

    fn refusal(taken: Result<Reservation, Refusal>) -> Option<Refusal> {
        taken.err()
    }

    #[tokio::test]
    async fn places_are_given_back_whatever_was_refused() {
        let application = ApplicationSettings { sockets: 2, ..ApplicationSettings::default() };
        let places = places(Quotas { sockets: 4, sockets_per_address: 3, application, ..Quotas::default() });
        let first = places.reserve("a", SOMEBODY).unwrap();
        let _second = places.reserve("a", SOMEBODY).unwrap();
        assert_eq!(refusal(places.reserve("a", SOMEBODY)), Some(Refusal::ConnectApplicationFull));
        let _third = places.reserve("b", SOMEBODY).unwrap();
        assert_eq!(refusal(places.reserve("b", SOMEBODY)), Some(Refusal::ConnectAddressFull));
        let fourth = places.reserve("b", [127, 0, 0, 1].into()).unwrap();
        assert_eq!(refusal(places.reserve("c", [203, 0, 113, 2].into())), Some(Refusal::ConnectServerFull));
        drop((first, fourth));
        let _again = places.reserve("a", SOMEBODY).unwrap();
        assert_eq!(places.taken.load(Ordering::Relaxed), 3);
    }

    #[tokio::test]
    async fn an_application_may_be_given_more_or_less_while_it_runs() {
        let places = places(Quotas::default());
        let _taken: Vec<_> = (0..3).map(|_| places.reserve("a", SOMEBODY).unwrap()).collect();
        let fewer = ApplicationSettings { sockets: 3, ..ApplicationSettings::default() };
        places.applications.set_own_settings([("a".into(), fewer)].into());
        assert_eq!(refusal(places.reserve("a", SOMEBODY)), Some(Refusal::ConnectApplicationFull));
        places.reserve("b", SOMEBODY).unwrap();
        places.applications.set_own_settings([].into());
        places.reserve("a", SOMEBODY).unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_opens_so_many_a_second() {
        let places = places(Quotas { connects_per_address: 10, ..Quotas::default() });
        let opened = |address: IpAddr| (0..100).filter(|_| places.attempt(address).is_ok()).count();
        assert_eq!((opened(SOMEBODY), opened(SOMEBODY)), (50, 0));
        assert_eq!(places.attempt(SOMEBODY), Err(Refusal::ConnectTooFast));
        assert_eq!(opened([127, 0, 0, 1].into()), 100, "this machine is not limited");
        assert_eq!(opened("2001:db8::1".parse().unwrap()), 50);
        assert_eq!(opened("2001:db8::ffff:0:0:1".parse().unwrap()), 0, "the same /64");
        assert_eq!(opened("2001:db8:0:1::1".parse().unwrap()), 50);
        assert_eq!(opened("::ffff:203.0.113.1".parse().unwrap()), 0);
        tokio::time::advance(std::time::Duration::from_secs(1)).await;
        assert_eq!(opened(SOMEBODY), 10);
        assert_eq!(places.addresses(), 3);
        tokio::time::advance(std::time::Duration::from_secs(5)).await;
        places.sweep();
        assert_eq!(places.addresses(), 0);
    }
}
