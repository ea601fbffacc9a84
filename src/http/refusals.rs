//! Requests and connections that are refused because a limit is reached, by the labels of the metrics.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Refused requests and connections, by reason.
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
    /// A request whose method is malformed: 400.
    MalformedMethod,
    /// A request whose path or query is malformed: 400.
    MalformedTarget,
    /// A request of another version of HTTP, or of none: 400.
    MalformedVersion,
    /// A request with a malformed header: 400.
    MalformedHeader,
    /// A request whose `Content-Length` is malformed: 400.
    MalformedLength,
    /// A request whose `Transfer-Encoding` is malformed: 400.
    MalformedEncoding,
    /// A request whose answer does not fit beside those that wait for slow clients: 503.
    AnswersFull,
    /// A connection whose head does not fit beside those that are being read: it is closed.
    HeadsFull,
    /// A connection on which no request arrived in time: it is closed.
    HeadTooSlow,
    /// A connection whose client did not read an answer in time: it is closed.
    AnswerTooSlow,
    /// A connection whose TLS handshake did not end in time: it is closed.
    HandshakeTooSlow,
    /// A connection without a request, when there was no room for another one: it is closed.
    Quiet,
}

impl Refusal {
    /// All variants.
    pub const ALL: [Self; 16] = [
        Self::BodyTooLarge,
        Self::BodyTooSlow,
        Self::BodiesFull,
        Self::HeadTooLarge,
        Self::MalformedMethod,
        Self::MalformedTarget,
        Self::MalformedVersion,
        Self::MalformedHeader,
        Self::MalformedLength,
        Self::MalformedEncoding,
        Self::AnswersFull,
        Self::HeadsFull,
        Self::HeadTooSlow,
        Self::AnswerTooSlow,
        Self::HandshakeTooSlow,
        Self::Quiet,
    ];

    /// Returns the refused kind: a `request` or a `connection`.
    pub fn what(self) -> &'static str {
        match self {
            Self::HeadsFull | Self::HeadTooSlow | Self::AnswerTooSlow | Self::HandshakeTooSlow | Self::Quiet => {
                "connection"
            }
            _ => "request",
        }
    }

    /// Returns the reason, as the label of the metric.
    pub fn reason(self) -> &'static str {
        match self {
            Self::BodyTooLarge => "body too large",
            Self::BodyTooSlow => "body too slow",
            Self::BodiesFull => "bodies full",
            Self::HeadTooLarge => "head too large",
            Self::MalformedMethod => "malformed method",
            Self::MalformedTarget => "malformed target",
            Self::MalformedVersion => "malformed version",
            Self::MalformedHeader => "malformed header",
            Self::MalformedLength => "malformed content length",
            Self::MalformedEncoding => "malformed transfer encoding",
            Self::AnswersFull => "answers full",
            Self::HeadsFull => "heads full",
            Self::HeadTooSlow => "head too slow",
            Self::AnswerTooSlow => "answer too slow",
            Self::HandshakeTooSlow => "handshake too slow",
            Self::Quiet => "server full",
        }
    }
}

/// Counters of all refusals. The clones share them.
#[derive(Clone, Debug, Default)]
pub struct Refusals {
    counts: Arc<[AtomicU64; Refusal::ALL.len()]>,
}

impl Refusals {
    /// Counts a refusal.
    pub fn count(&self, refusal: Refusal) {
        self.counts[refusal as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the number of each refusal so far.
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
