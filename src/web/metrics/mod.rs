//! `/metrics`: counters and measurements, in the text format of Prometheus.
//!
//! The hub counts for itself, as do the pool of connections and the listeners; only requests are measured here. Values
//! that need a search, such as the bytes that wait for slow clients, are computed at every scrape.

mod applications;
mod endpoint;
mod family;
mod process;
mod realtime;
mod store;

use std::{fmt, time::Duration};

use prometheus_client::{
    encoding::{EncodeLabelSet, prometheus_text},
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};
use tokio::runtime::Handle;

pub use self::endpoint::MetricsEndpoint;
pub(super) use self::endpoint::show;
use super::{Error, forbidden::ForbiddenLabels};
use crate::{
    http::{Method, Refusals, StatusCode},
    realtime::Hub,
    store::Db,
    tasks::Tasks,
};

/// Prefix of all names, except those that all programs share (`process_…`).
const PREFIX: &str = "pusher_lite";

/// Bounds in seconds. A request that only reads from memory is well below the first; a poll waits up to ten.
const LATENCIES: [f64; 9] = [0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0, 5.0, 15.0];

/// All counters and measurements.
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Histogram, fn() -> Histogram>,
    refusals: Refusals,
    forbidden: Family<ForbiddenLabels, Counter>,
    token: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: String,
    route: &'static str,
    status: u16,
}

impl Metrics {
    /// Creates the metrics of a hub and a database, of refusals, and of the requests yet to come. The token gives
    /// access on the main listener; without one nothing does.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn new(hub: &Hub, db: &Db, refusals: Refusals, tasks: Tasks, token: Option<String>) -> Self {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(process::Collector));
        let requests: Family<_, _, fn() -> _> = Family::new_with_constructor(|| Histogram::new(LATENCIES));
        let own = registry.sub_registry_with_prefix(PREFIX);
        let help = "How long requests took, by the pattern of their route";
        own.register("http_request_duration_seconds", help, requests.clone());
        let forbidden = Family::<ForbiddenLabels, Counter>::default();
        own.register("sockets_forbidden", "Sockets that were answered with 403, by the reason", forbidden.clone());
        own.register_collector(Box::new(realtime::Collector { hub: hub.clone(), refusals: refusals.clone() }));
        own.register_collector(Box::new(applications::Collector(hub.clone())));
        own.register_collector(Box::new(store::Collector(db.clone())));
        own.register_collector(Box::new(process::Runtime(Handle::current())));
        own.register_collector(Box::new(process::Panics(tasks)));
        Self { registry, requests, refusals, forbidden, token }
    }

    /// Counts a request that was answered.
    pub(super) fn answered(&self, method: &Method, route: &'static str, status: StatusCode, took: Duration) {
        let labels = RequestLabels { method: method_label(method), route, status: status.as_u16() };
        self.requests.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// Counts a request that reached a limit, if the error is about one. The hub counts its own refusals.
    pub(super) fn failed(&self, error: &Error) {
        match error {
            Error::Request(error) => error.refusal().into_iter().for_each(|refusal| self.refusals.count(refusal)),
            Error::Refused(reason) => {
                self.forbidden.get_or_create(&ForbiddenLabels::from(*reason)).inc();
            }
            _ => {}
        }
    }

    /// Returns all metrics in the format of Prometheus. It visits every socket and topic, so that it should not block a
    /// thread that serves them.
    fn render(&self) -> String {
        let mut text = String::new();
        prometheus_text::encode(&mut text, &self.registry).expect("writing to memory does not fail");
        text
    }
}

/// Returns the label of a method. Invented methods must not create series.
fn method_label(method: &Method) -> String {
    let known = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::HEAD, Method::OPTIONS];
    if known.contains(method) { method.to_string() } else { "other".to_owned() }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Metrics").finish_non_exhaustive()
    }
}
