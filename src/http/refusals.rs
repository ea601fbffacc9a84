//! What requests and connections are refused because a limit is reached, in words that metrics count by.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// What is refused, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A request whose body is larger than its limit: 413.
    BodyTooLarge,
    /// A request whose body did not arrive in time: 408.
    BodyTooSlow,
    /// A request whose body does not fit beside those that are being read: 503.
    BodiesFull,
    /// A request whose line and headers are larger than their limit: 431.
    HeadTooLarge,
    /// A connection on which no request arrived in time: it is closed.
    HeadTooSlow,
    /// A connection whose TLS handshake did not end in time: it is closed.
    HandshakeTooSlow,
    /// A connection that asked for nothing when there was no room for another one: it is closed.
    Quiet,
}

impl Refusal {
    /// All there are.
    pub const ALL: [Self; 7] = [
        Self::BodyTooLarge,
        Self::BodyTooSlow,
        Self::BodiesFull,
        Self::HeadTooLarge,
        Self::HeadTooSlow,
        Self::HandshakeTooSlow,
        Self::Quiet,
    ];

    /// What is refused: a `request` or a `connection`.
    pub fn what(self) -> &'static str {
        match self {
            Self::BodyTooLarge | Self::BodyTooSlow | Self::BodiesFull | Self::HeadTooLarge => "request",
            Self::HeadTooSlow | Self::HandshakeTooSlow | Self::Quiet => "connection",
        }
    }

    /// Why it is refused.
    pub fn reason(self) -> &'static str {
        match self {
            Self::BodyTooLarge => "body too large",
            Self::BodyTooSlow => "body too slow",
            Self::BodiesFull => "bodies full",
            Self::HeadTooLarge => "head too large",
            Self::HeadTooSlow => "head too slow",
            Self::HandshakeTooSlow => "handshake too slow",
            Self::Quiet => "server full",
        }
    }
}

/// How often each happened. The clones count together.
#[derive(Clone, Debug, Default)]
pub struct Refusals {
    counts: Arc<[AtomicU64; Refusal::ALL.len()]>,
}

impl Refusals {
    /// It happened once more.
    pub fn count(&self, refusal: Refusal) {
        self.counts[refusal as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// How often each happened so far.
    pub fn counts(&self) -> impl Iterator<Item = (Refusal, u64)> + '_ {
        Refusal::ALL.into_iter().zip(self.counts.iter().map(|count| count.load(Ordering::Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_counted_for_itself() {
        let refusals = Refusals::default();
        for (times, refusal) in Refusal::ALL.into_iter().enumerate() {
            (0..times).for_each(|_| refusals.clone().count(refusal));
        }
        let expected: Vec<_> = Refusal::ALL.into_iter().zip(0..).collect();
        assert_eq!(refusals.counts().collect::<Vec<_>>(), expected);
    }
}
