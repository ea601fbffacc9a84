//! The whole of `realtime` for those outside.

use std::{
    collections::HashMap,
    future::Future,
    net::IpAddr,
    sync::{Arc, atomic::AtomicU64},
    thread::available_parallelism,
    time::Duration,
};

use bytes::Bytes;
use pusher_lite_protocol::{
    Dialect, EventPayload, PayloadError, Spelling, Vsn,
    name::{self, NameError},
    quote,
};
use serde_json::value::RawValue;

use super::{
    close::Close,
    connection::{
        budget::{Budget, Budgets},
        pressure,
        sockets::Sockets,
        stream::Stream,
    },
    identity::{Basis, Identity},
    limits::Limits,
    publish_error::PublishError,
    revocation::{Revocation, Revoked},
    room::{
        flusher::Flusher,
        publication::{CheckedPayload, Publication, Published, Source},
        registry::Registry,
    },
    shared::Shared,
    supervision::{Supervision, Supervisor},
    topic::Topic,
    transport::{
        longpoll::{LongPoll, OpenError, SessionId},
        longpolls::LongPolls,
        websocket::Pump,
    },
    usage::{
        applications::{Application, ApplicationStats, Applications},
        counters::{Counters, Tally},
        refusal::Refusal,
        reservations::{Reservation, Reservations},
        samples::{Counted, Sample, Samples},
        settings::ApplicationSettings,
        stats::{Sizes, Stats},
    },
};

/// The dialect of REST's `presence_list`: that of the original.
const PRESENCE_LIST: Dialect = Dialect::Phoenix(Vsn::V2);

/// All sockets and topics of this server. Cheap to clone; the clones are the same hub.
#[derive(Debug, Clone)]
pub struct Hub {
    pub(super) shared: Arc<Shared>,
    longpolls: Arc<LongPolls>,
}

impl Hub {
    /// A hub without sockets. Its own tasks end with the last clone of it and the last socket.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn new(limits: Limits) -> Hub {
        Hub::supervised(limits, Supervision::default())
    }

    /// As [`Hub::new`], with a party that runs its tasks and learns of panics.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn with_tasks(limits: Limits, supervisor: Arc<dyn Supervisor>) -> Hub {
        Hub::supervised(limits, Supervision::new(supervisor))
    }

    fn supervised(limits: Limits, supervision: Supervision) -> Hub {
        let flushers = available_parallelism().map_or(1, usize::from);
        let counters = Arc::new(Counters::default());
        let applications = Arc::new(Applications::new(Arc::clone(&counters), limits.quotas.application));
        let reservations = Arc::new(Reservations::new(limits.quotas, Arc::clone(&applications)));
        let budgets = Budgets {
            outgoing: Arc::new(Budget::new(limits.outbox_memory)),
            incoming: Arc::new(Budget::new(limits.partial_memory)),
        };
        let presence_window = limits.presence_window;
        let registry =
            Registry::new(flushers, presence_window, Arc::clone(&applications), &budgets.outgoing, &supervision);
        let registry = Arc::new(registry);
        let sockets = Arc::new(Sockets::new(Arc::clone(&applications), Arc::clone(&counters)));
        let samples = Arc::new(Samples::default());
        let counted = Counted {
            counters: Arc::clone(&counters),
            applications: Arc::clone(&applications),
            reservations: Arc::clone(&reservations),
            topics: {
                let registry = Arc::clone(&registry);
                move || registry.len()
            },
        };
        let sampling = Arc::clone(&samples).run(counted);
        let idle = Arc::clone(&sockets).close_idle(limits.idle_timeout);
        let outgoing = pressure::relieve_outgoing(Arc::clone(&sockets), Arc::clone(&budgets.outgoing));
        let incoming = pressure::relieve_incoming(Arc::clone(&sockets), Arc::clone(&budgets.incoming));
        let mut tasks = vec![
            supervision.spawn("closing idle sockets", idle),
            supervision.spawn("closing sockets whose JWT has expired", Arc::clone(&sockets).close_expired()),
            supervision.spawn("taking samples", sampling),
            supervision.spawn("relieving outgoing memory", outgoing),
            supervision.spawn("relieving incoming memory", incoming),
        ];
        for flusher in Flusher::all(&registry) {
            tasks.push(supervision.spawn("flushing topics", flusher.run()));
        }
        // Metas of two runs of the server must not be taken for the same by a client that saw both.
        let next_meta_id = AtomicU64::new(getrandom::u64().expect("the system has random numbers"));
        let longpolls = Arc::new(LongPolls::new(limits.longpoll_sessions));
        let shared = Shared {
            limits,
            registry,
            sockets,
            counters,
            applications,
            budgets,
            supervision,
            reservations,
            samples,
            next_meta_id,
            tasks,
        };
        Hub { shared: Arc::new(shared), longpolls }
    }

    /// Limits of sockets.
    pub fn limits(&self) -> &Limits {
        &self.shared.limits
    }

    /// Counts an attempt of a client at this address to open a socket. To be called before anything is looked up for it.
    ///
    /// # Errors
    ///
    /// [`Refusal::ConnectTooFast`] when it makes too many in a short time; it is counted.
    pub fn attempt(&self, address: IpAddr) -> Result<(), Refusal> {
        self.shared.reservations.attempt(address).inspect_err(|refusal| self.refused(*refusal))
    }

    /// A place for a socket of this application and of a client at this address, to be kept until the socket is closed.
    ///
    /// # Errors
    ///
    /// The limit that is reached; it is counted.
    pub fn reserve(&self, app_key: &str, address: IpAddr) -> Result<Reservation, Refusal> {
        self.shared.reservations.reserve(app_key, address).inspect_err(|refusal| self.refused(*refusal))
    }

    /// Returns the settings of each application that has none of its own.
    pub fn default_settings(&self) -> ApplicationSettings {
        self.shared.applications.defaults()
    }

    /// Replaces the settings of all applications that have their own, by key. Sockets that are open stay so.
    pub fn set_own_settings(&self, settings: HashMap<Arc<str>, ApplicationSettings>) {
        self.shared.applications.set_own_settings(settings);
    }

    /// The whole life of one socket, from right behind the handshake. `unread` is what was read beyond the handshake.
    /// The future should be a task of its own and must be polled by the runtime that `stream` belongs to.
    pub fn serve_websocket(
        &self,
        stream: impl Into<Stream>,
        unread: Bytes,
        identity: Identity,
        dialect: impl Into<Dialect>,
    ) -> impl Future<Output = ()> + Send + 'static {
        Pump::new(Arc::clone(&self.shared), stream.into(), unread, identity, dialect.into())
    }

    /// Opens a long-poll session. It ends when its client stops polling.
    ///
    /// # Errors
    ///
    /// [`OpenError`]: not now.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn open_longpoll(&self, identity: Identity, vsn: Vsn) -> Result<Arc<LongPoll>, OpenError> {
        self.longpolls.open(&self.shared, identity, vsn)
    }

    /// A long-poll session, while it lives.
    pub fn longpoll(&self, id: SessionId) -> Option<Arc<LongPoll>> {
        self.longpolls.get(id)
    }

    /// Sends an event to everyone in a topic. `payload` is what [`EventPayload::check`] returned, and is passed on exactly as
    /// it is. An empty topic is no error.
    ///
    /// # Errors
    ///
    /// [`PublishError`]; nothing was sent then.
    pub fn publish(
        &self,
        topic: &Topic,
        event: &str,
        payload: Result<EventPayload<'_>, PayloadError>,
    ) -> Result<(), PublishError> {
        let published = self.try_publish(topic, event, payload);
        published.inspect_err(|error| self.refused(error.refusal()))
    }

    fn try_publish(
        &self,
        topic: &Topic,
        event: &str,
        payload: Result<EventPayload<'_>, PayloadError>,
    ) -> Result<(), PublishError> {
        let payload = self.check_event(topic, event, payload)?;
        let application = self.charge(topic.app_key())?;
        let Some(room) = self.shared.registry.get(topic) else {
            application.add_tally(&Tally { published: 1, ..Tally::default() }, 0);
            return Ok(());
        };
        let event = quote(event);
        let payload = CheckedPayload::Text(payload);
        let topic = Spelling::Own;
        let publication = Publication { topic, event: &event, payload, source: Source::Rest, except: None };
        match room.publish(&publication) {
            Published::Sent | Published::Held(_) => Ok(()),
            Published::Refused => Err(PublishError::Overloaded),
        }
    }

    fn check_event<'a>(
        &self,
        topic: &Topic,
        event: &str,
        payload: Result<EventPayload<'a>, PayloadError>,
    ) -> Result<EventPayload<'a>, PublishError> {
        let longest = self.shared.limits.name_bytes;
        let name = name::check(event, longest);
        if name == Err(NameError::Reserved) {
            return Err(PublishError::ReservedEvent);
        }
        let payload = payload?;
        if topic.name().len() > longest {
            return Err(PublishError::TopicTooLong);
        }
        name?;
        let largest = self.shared.limits.event_bytes;
        if payload.as_str().len() > largest { Err(PublishError::TooLarge(largest)) } else { Ok(payload) }
    }

    /// Charges an application for something that is done by REST, as for an event.
    fn charge(&self, app_key: &str) -> Result<Arc<Application>, PublishError> {
        let application = self.shared.applications.get(app_key);
        if application.may_publish(self.shared.now()) { Ok(application) } else { Err(PublishError::RateLimited) }
    }

    /// Returns the presence of a topic at this moment, as a JSON object:
    /// `{"alice":{"metas":[{"phx_ref":…,"online_at":…}]}}`. Counts as an event of the application, a long list as several.
    ///
    /// # Errors
    ///
    /// [`PublishError::RateLimited`].
    pub fn presence_list(&self, topic: &Topic) -> Result<Box<RawValue>, PublishError> {
        let application = self.charge(topic.app_key()).inspect_err(|error| self.refused(error.refusal()))?;
        let room = self.shared.registry.get(topic);
        let state = room.map_or_else(|| "{}".to_owned(), |room| room.presence(PRESENCE_LIST));
        application.charge_bytes(state.len(), self.shared.now());
        Ok(RawValue::from_string(state).expect("presence is written as JSON"))
    }

    /// Closes a user's sockets of one application, with 1000: phoenix.js 1.6.16 to 1.8.15 does not come back then. Counts
    /// as an event of the application.
    ///
    /// # Errors
    ///
    /// [`PublishError::RateLimited`]; nothing was closed then.
    pub fn disconnect_user(&self, app_key: &str, unique_identifier: &str) -> Result<(), PublishError> {
        self.charge(app_key).inspect_err(|error| self.refused(error.refusal()))?;
        self.shared.sockets.close_user(Close::Disconnected, app_key, unique_identifier);
        Ok(())
    }

    /// Closes all sockets that lived by one of these, with 1008, together: none of them hears that another one left. Looks
    /// at each socket once, however many there are of the revocations.
    pub async fn revoke(&self, revocations: &[Revocation]) {
        if revocations.is_empty() {
            return;
        }
        let revoked = Revoked::new(revocations);
        let closed = self.shared.sockets.close_all(Close::Revoked, |identity| revoked.includes(identity)).await;
        revoked.applications().for_each(|app_key| self.shared.applications.remove(app_key));
        tracing::debug!(revocations = revocations.len(), sockets = closed, "Permissions were taken away.");
    }

    /// Returns the bases of the open sockets, each once. Looks at every socket: a few milliseconds with a hundred thousand of
    /// them.
    pub fn bases(&self) -> Vec<Basis> {
        self.shared.sockets.bases()
    }

    /// The number of open sockets, long-poll sessions included.
    pub fn socket_count(&self) -> usize {
        self.shared.sockets.len()
    }

    /// Counters of all sockets and topics.
    pub fn stats(&self) -> Stats {
        self.shared.counters.stats(self.shared.registry.len())
    }

    /// Measures everything that has no fixed size. Looks at every socket and topic: a few milliseconds with a hundred
    /// thousand of them.
    pub fn sizes(&self) -> Sizes {
        let Budgets { outgoing, incoming } = &self.shared.budgets;
        let mut sizes = Sizes {
            addresses: self.shared.reservations.addresses(),
            outbox_memory: outgoing.used(),
            partial_memory: incoming.used(),
            ..Sizes::default()
        };
        self.shared.sockets.measure(&mut sizes);
        self.shared.registry.measure(&mut sizes);
        sizes
    }

    /// Counters of each application that was used since the start, in no order.
    pub fn applications(&self) -> Vec<ApplicationStats> {
        self.shared.applications.stats()
    }

    /// The last ten minutes in steps of five seconds, oldest first. A step that is not over is not among them.
    pub fn samples(&self) -> Vec<Sample> {
        self.shared.samples.all()
    }

    /// Counts a request that was refused outside of the hub.
    pub fn refused(&self, refusal: Refusal) {
        self.shared.counters.refused(refusal);
    }

    /// Returns true after [`Hub::shutdown`] was called.
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
