//! Quiet connections: those without a complete request that is being answered. When the server reaches its connection
//! limit, it ends the connections that have been quiet longest. So clients that open many connections and send no
//! request, or never finish a body, keep no other client out.

use std::{collections::BTreeMap, future::ready, sync::Arc, time::Duration};

use hyper::{Response, StatusCode};
use parking_lot::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Time for which a quiet connection is left alone, since its request, or its last answer, may be on its way.
const GRACE: Duration = Duration::from_secs(1);

/// All quiet connections, ordered by the time since which they are quiet. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Quiet {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    /// In the order in which they became quiet.
    quiet: BTreeMap<u64, (Instant, CancellationToken)>,
}

/// One connection. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Presence {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    all: Quiet,
    unwanted: CancellationToken,
    /// Number of requests being answered, and the connection's place among the quiet ones when there are none.
    requests: Mutex<(usize, Option<u64>)>,
}

/// A request whose head has come. The connection is quiet until its body has come, too.
#[derive(Debug)]
pub(super) enum Arrival {
    Whole(Busy),
    Head(Presence, CancellationToken),
}

/// A request that is being answered.
#[derive(Debug)]
pub(super) struct Busy {
    inner: Arc<Inner>,
}

impl Quiet {
    /// Registers a connection that was just accepted.
    pub(super) fn enter(&self) -> Presence {
        let unwanted = CancellationToken::new();
        let place = self.add(&unwanted);
        Presence { inner: Arc::new(Inner { all: self.clone(), unwanted, requests: Mutex::new((0, Some(place))) }) }
    }

    /// Ends the connections that have been quiet longest, at most this many. Returns their number.
    pub(super) fn end_some(&self, most: usize) -> usize {
        let mut state = self.state.lock();
        let mut ended = 0;
        while let Some(first) = state.quiet.first_entry()
            && ended < most
            && first.get().0.elapsed() >= GRACE
        {
            let (_, unwanted) = first.remove();
            unwanted.cancel();
            ended += 1;
        }
        ended
    }

    fn add(&self, unwanted: &CancellationToken) -> u64 {
        let mut state = self.state.lock();
        let place = state.next;
        state.next += 1;
        state.quiet.insert(place, (Instant::now(), unwanted.clone()));
        place
    }

    fn remove(&self, place: u64) {
        self.state.lock().quiet.remove(&place);
    }
}

impl Presence {
    /// Registers a request, complete or still without its body.
    pub(super) fn arrive(&self, is_whole: bool) -> Arrival {
        if is_whole {
            return Arrival::Whole(self.begin());
        }
        // The body has a moment to come, even after a long pause.
        drop(self.begin());
        Arrival::Head(self.clone(), CancellationToken::new())
    }

    /// Registers a complete request; the connection is not quiet until it is answered.
    fn begin(&self) -> Busy {
        let mut requests = self.inner.requests.lock();
        requests.0 += 1;
        if let Some(place) = requests.1.take() {
            self.inner.all.remove(place);
        }
        Busy { inner: Arc::clone(&self.inner) }
    }

    /// Completes when the server wants to end the connection.
    pub(super) async fn unwanted(&self) {
        self.inner.unwanted.cancelled().await;
    }
}

impl Arrival {
    /// Returns the token to cancel when the body has been read, if a body is expected.
    pub(super) fn body_read(&self) -> Option<CancellationToken> {
        match self {
            Self::Whole(_) => None,
            Self::Head(_, read) => Some(read.clone()),
        }
    }

    /// Waits for the answer.
    pub(super) async fn until<B>(self, mut answered: impl Future<Output = Response<B>> + Unpin) -> Response<B> {
        let busy = match self {
            Self::Whole(busy) => busy,
            Self::Head(presence, read) => tokio::select! {
                biased;
                () = read.cancelled() => presence.begin(),
                // The body is still missing.
                response = &mut answered => return presence.begin().until(ready(response)).await,
            },
        };
        busy.until(answered).await
    }
}

impl Busy {
    /// Waits for the answer. After a 101 the connection carries no more requests.
    async fn until<B>(self, answered: impl Future<Output = Response<B>>) -> Response<B> {
        let response = answered.await;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            self.for_good();
        }
        response
    }

    fn for_good(self) {
        self.inner.requests.lock().0 += 1;
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let mut requests = self.inner.requests.lock();
        requests.0 -= 1;
        if requests.0 == 0 {
            requests.1 = Some(self.inner.all.add(&self.inner.unwanted));
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(place) = self.requests.get_mut().1.take() {
            self.all.remove(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Quiet {
        fn age(&self) {
            for (since, _) in self.state.lock().quiet.values_mut() {
                *since -= GRACE;
            }
        }

        fn len(&self) -> usize {
            self.state.lock().quiet.len()
        }
    }

    #[test]
    fn those_that_were_quiet_longest_are_ended() {
        let quiet = Quiet::default();
        let [first, second, third] = [quiet.enter(), quiet.enter(), quiet.enter()];
        assert_eq!(quiet.end_some(1), 0, "they have just come");
        let answering = first.begin();
        quiet.age();
        assert_eq!(quiet.end_some(1), 1);
        let ended = [&first, &second, &third].map(|connection| connection.inner.unwanted.is_cancelled());
        assert_eq!(ended, [false, true, false]);
        drop(answering);
        assert_eq!(quiet.end_some(9), 1, "the first has only now become quiet");
        assert!(third.inner.unwanted.is_cancelled() && !first.inner.unwanted.is_cancelled());
        drop((first, second, third));
        assert_eq!(quiet.len(), 0);
    }

    #[test]
    fn one_with_several_requests_is_quiet_when_all_are_answered() {
        let quiet = Quiet::default();
        let connection = quiet.enter();
        let (one, other) = (connection.begin(), connection.begin());
        drop(one);
        assert_eq!(quiet.len(), 0);
        drop(other);
        assert_eq!(quiet.len(), 1);
        connection.begin().for_good();
        assert_eq!(quiet.len(), 0);
    }
}
