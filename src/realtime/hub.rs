//! The whole of `realtime` for those outside.

use std::collections::HashMap;
use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::available_parallelism;
use std::time::Duration;

use bytes::Bytes;
use pusher_lite_protocol::presence::PhxRef;
use pusher_lite_protocol::{Outgoing, Vsn, event, quote};
use serde_json::value::RawValue;
use tokio::task::AbortHandle;

use super::applications::{ApplicationStats, Applications};
use super::bucket::nanoseconds;
use super::close::Close;
use super::counters::{Counters, Tally};
use super::history::{Counted, History, Sample};
use super::identity::Identity;
use super::limits::Limits;
use super::longpoll::LongPoll;
use super::longpolls::{LongPolls, OpenError, SessionId};
use super::places::{Place, Places};
use super::quotas::QuotaOverride;
use super::refusal::Refusal;
use super::registry::Registry;
use super::sockets::Sockets;
use super::stats::{Sizes, Stats};
use super::stream::Stream;
use super::topic::Topic;
use super::websocket::Pump;

/// All sockets and topics of this server. Cheap to clone; the clones are the same hub.
#[derive(Debug, Clone)]
pub struct Hub {
    shared: Arc<Shared>,
}

/// Why nothing was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// Only the server may send events of this name.
    #[error("reserved event")]
    ReservedEvent,
    /// Clients expect an object.
    #[error("payload must be an object")]
    PayloadNotObject,
    /// The topic's name is longer than [`Limits::name_bytes`].
    #[error("the topic is too long")]
    TopicTooLong,
    /// The event's name is longer than [`Limits::name_bytes`].
    #[error("the event is too long")]
    EventTooLong,
    /// More than the application may have; see [`ApplicationQuota`](super::ApplicationQuota). Try again in a second.
    #[error("rate limited")]
    RateLimited,
    /// Much more was published to the topic than can be written to its members. Try again a little later.
    #[error("the topic has too much to send")]
    Overloaded,
}

impl PublishError {
    fn refusal(self) -> Refusal {
        match self {
            PublishError::ReservedEvent => Refusal::PublishReserved,
            PublishError::PayloadNotObject => Refusal::PublishMalformed,
            PublishError::TopicTooLong | PublishError::EventTooLong => Refusal::PublishTooLong,
            PublishError::RateLimited => Refusal::PublishRateLimited,
            PublishError::Overloaded => Refusal::PublishOverloaded,
        }
    }
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) limits: Limits,
    pub(super) registry: Arc<Registry>,
    pub(super) sockets: Arc<Sockets>,
    pub(super) longpolls: LongPolls,
    pub(super) counters: Arc<Counters>,
    pub(super) applications: Arc<Applications>,
    places: Arc<Places>,
    history: Arc<History>,
    next_phx_ref: AtomicU64,
    tasks: Vec<AbortHandle>,
}

impl Hub {
    /// A hub without sockets. Its own tasks end with the last clone of it and the last socket.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn new(limits: Limits) -> Hub {
        let flushers = available_parallelism().map_or(1, usize::from);
        let counters = Arc::new(Counters::default());
        let applications = Arc::new(Applications::new(Arc::clone(&counters), limits.quotas.application));
        let places = Arc::new(Places::new(limits.quotas, Arc::clone(&applications)));
        let registry = Arc::new(Registry::new(flushers, limits.presence_window, Arc::clone(&applications)));
        let sockets = Arc::new(Sockets::new(Arc::clone(&applications), Arc::clone(&counters)));
        let history = Arc::new(History::default());
        let counted = Counted {
            counters: Arc::clone(&counters),
            registry: Arc::clone(&registry),
            applications: Arc::clone(&applications),
            places: Arc::clone(&places),
        };
        let sampling = Arc::clone(&history).run(counted);
        let idle = Arc::clone(&sockets).close_idle(limits.idle_timeout);
        let mut tasks = vec![tokio::spawn(idle).abort_handle(), tokio::spawn(sampling).abort_handle()];
        for flusher in registry.flushers() {
            tasks.push(tokio::spawn(Arc::clone(flusher).run(Arc::clone(&registry))).abort_handle());
        }
        // Metas of two runs of the server must not be taken for the same by a client that saw both.
        let next_phx_ref = AtomicU64::new(getrandom::u64().expect("the system has random numbers"));
        let longpolls = LongPolls::new(limits.longpoll_sessions);
        let shared = Shared {
            limits,
            registry,
            sockets,
            longpolls,
            counters,
            applications,
            places,
            history,
            next_phx_ref,
            tasks,
        };
        Hub { shared: Arc::new(shared) }
    }

    /// What sockets may use.
    pub fn limits(&self) -> &Limits {
        &self.shared.limits
    }

    /// Counts an attempt of a client at this address to open a socket. To be called before anything is looked up for it.
    ///
    /// # Errors
    ///
    /// [`Refusal::ConnectTooFast`] when it makes too many in a short time; it is counted.
    pub fn attempt(&self, address: IpAddr) -> Result<(), Refusal> {
        self.shared.places.attempt(address).inspect_err(|refusal| self.refused(*refusal))
    }

    /// A place for a socket of this application and of a client at this address, to be kept until the socket is closed.
    ///
    /// # Errors
    ///
    /// Which limit is reached; it is counted.
    pub fn take_place(&self, app_key: &str, address: IpAddr) -> Result<Place, Refusal> {
        self.shared.places.take(app_key, address).inspect_err(|refusal| self.refused(*refusal))
    }

    /// From now on these applications, by key, may use something else than the others. Sockets that are open stay so.
    pub fn set_quotas(&self, overrides: HashMap<Arc<str>, QuotaOverride>) {
        self.shared.applications.set_overrides(overrides);
    }

    /// The whole life of one socket, from right behind the handshake. `unread` is what was read beyond the handshake.
    /// The future should be a task of its own and must be polled by the runtime that `stream` belongs to.
    pub fn serve_websocket(
        &self,
        stream: impl Into<Stream>,
        unread: Bytes,
        identity: Identity,
        vsn: Vsn,
    ) -> impl Future<Output = ()> + Send + 'static {
        Pump::new(Arc::clone(&self.shared), stream.into(), unread, identity, vsn)
    }

    /// Opens a long-poll session. It lives until nobody polls it any more.
    ///
    /// # Errors
    ///
    /// [`OpenError`]: not now.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn open_longpoll(&self, identity: Identity, vsn: Vsn) -> Result<Arc<LongPoll>, OpenError> {
        LongPoll::open(&self.shared, identity, vsn)
    }

    /// A long-poll session, while it lives.
    pub fn longpoll(&self, id: SessionId) -> Option<Arc<LongPoll>> {
        self.shared.longpolls.get(id)
    }

    /// Sends an event to everyone in a topic. `payload` is passed on exactly as it is; that nobody is there is no error.
    ///
    /// # Errors
    ///
    /// [`PublishError`]; nothing was sent then.
    pub fn publish(&self, topic: &Topic, event: &str, payload: &RawValue) -> Result<(), PublishError> {
        let published = self.try_publish(topic, event, payload);
        published.inspect_err(|error| self.refused(error.refusal()))
    }

    fn try_publish(&self, topic: &Topic, event: &str, payload: &RawValue) -> Result<(), PublishError> {
        self.check_event(topic, event, payload)?;
        let application = self.shared.applications.get(topic.app_key());
        if !application.may_publish(self.shared.now()) {
            return Err(PublishError::RateLimited);
        }
        let Some(room) = self.shared.registry.get(topic) else {
            application.add_tally(&Tally { published: 1, ..Tally::default() }, 0);
            return Ok(());
        };
        let (topic, event) = (quote(topic.as_str()), quote(event));
        let sent = room.try_broadcast(&Outgoing::broadcast(&topic, &event, payload.get()));
        sent.then_some(()).ok_or(PublishError::Overloaded)
    }

    fn check_event(&self, topic: &Topic, event: &str, payload: &RawValue) -> Result<(), PublishError> {
        let longest = self.shared.limits.name_bytes;
        if event::is_reserved(event) {
            return Err(PublishError::ReservedEvent);
        }
        if !payload.get().starts_with('{') {
            return Err(PublishError::PayloadNotObject);
        }
        if topic.name().len() > longest {
            return Err(PublishError::TopicTooLong);
        }
        if event.len() > longest { Err(PublishError::EventTooLong) } else { Ok(()) }
    }

    /// Who is in a topic at this moment, as a JSON object: `{"alice":{"metas":[{"phx_ref":…,"online_at":…}]}}`.
    pub fn presence_list(&self, topic: &Topic) -> Box<RawValue> {
        let room = self.shared.registry.get(topic);
        let state = room.map_or_else(|| "{}".to_owned(), |room| room.presence_state());
        RawValue::from_string(state).expect("presence is written as JSON")
    }

    /// Closes a user's sockets of one application, with 1000: phoenix.js 1.6.16 to 1.8.15 does not come back then.
    pub fn disconnect_user(&self, app_key: &str, unique_identifier: &str) {
        self.shared.sockets.close(Close::Disconnected, |identity| {
            *identity.app_key == *app_key && *identity.unique_identifier == *unique_identifier
        });
    }

    /// Closes all sockets of an application that is no more, with 1008.
    pub fn close_application(&self, app_key: &str) {
        self.shared.sockets.close(Close::Revoked, |identity| *identity.app_key == *app_key);
        self.shared.applications.remove(app_key);
    }

    /// Closes all sockets whose JWT came from a token that is no longer valid, with 1008.
    pub fn close_token(&self, token_id: i64) {
        self.shared.sockets.close(Close::Revoked, |identity| identity.token_id == Some(token_id));
    }

    /// Closes all sockets that a user has by an enrollment that is no more, with 1008.
    pub fn close_enrollment(&self, user_id: i64, organization_id: i64) {
        self.shared.sockets.close(Close::Revoked, |identity| {
            identity.user_id == user_id && identity.organization_id == Some(organization_id)
        });
    }

    /// Closes all sockets that have an application by an organization that no longer owns it, with 1008.
    pub fn close_ownership(&self, app_key: &str, organization_id: i64) {
        self.shared.sockets.close(Close::Revoked, |identity| {
            *identity.app_key == *app_key && identity.organization_id == Some(organization_id)
        });
    }

    /// Closes all sockets of a user who is no more, or who is no longer root, with 1008.
    pub fn close_user(&self, user_id: i64) {
        self.shared.sockets.close(Close::Revoked, |identity| identity.user_id == user_id);
    }

    /// Closes the sockets of a user whose JWT came from no token but from a session of this server's pages, which is no
    /// more, with 1008. Those of the console in other browsers come back.
    pub fn close_tokenless(&self, user_id: i64) {
        self.shared
            .sockets
            .close(Close::Revoked, |identity| identity.user_id == user_id && identity.token_id.is_none());
    }

    /// How many sockets there are, long-poll sessions included.
    pub fn socket_count(&self) -> usize {
        self.shared.sockets.len()
    }

    /// What is counted of all sockets and topics.
    pub fn stats(&self) -> Stats {
        self.shared.counters.stats(self.shared.registry.len())
    }

    /// How much there is of what has no fixed size. Looks at every socket and topic: a few milliseconds with a hundred
    /// thousand of them.
    pub fn sizes(&self) -> Sizes {
        let mut sizes = Sizes { addresses: self.shared.places.addresses(), ..Sizes::default() };
        self.shared.sockets.measure(&mut sizes);
        self.shared.registry.measure(&mut sizes);
        sizes
    }

    /// What is counted of each application that was used since the start, in no order.
    pub fn applications(&self) -> Vec<ApplicationStats> {
        self.shared.applications.stats()
    }

    /// The last ten minutes in steps of five seconds, oldest first. A step that is not over is not among them.
    pub fn history(&self) -> Vec<Sample> {
        self.shared.history.samples()
    }

    /// Counts what was refused outside of the hub.
    pub fn refused(&self, refusal: Refusal) {
        self.shared.counters.refused(refusal);
    }

    /// Whether [`Hub::shutdown`] was called.
    pub fn is_stopping(&self) -> bool {
        self.shared.sockets.is_stopping()
    }

    /// Closes all sockets with 1012 in batches spread over `window`, so that their clients do not come back all at once; few
    /// of them in less time. Those that are still handed over are closed at once. Returns when all are gone: at the latest
    /// [`Limits::linger`] after the last batch.
    pub async fn shutdown(&self, window: Duration) {
        self.shared.sockets.stop(window).await;
    }
}

impl Shared {
    /// Nanoseconds since the start.
    pub(super) fn now(&self) -> u64 {
        nanoseconds(self.counters.uptime())
    }

    /// Counts what a reply refuses, if it does.
    pub(super) fn count_reply(&self, reply: &Outgoing<'_>) {
        if let Some(refusal) = Refusal::of_reply(reply.payload) {
            self.counters.refused(refusal);
        }
    }

    pub(super) fn next_phx_ref(&self) -> PhxRef {
        PhxRef(self.next_phx_ref.fetch_add(1, Ordering::Relaxed))
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}
