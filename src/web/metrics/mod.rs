//! `/metrics`: what is counted and measured, in the text format of Prometheus.
//!
//! The hub counts for itself, the pool of connections and the listeners too; only requests are measured here. What has to be
//! looked for, such as what waits for slow clients, is looked for whenever the metrics are asked for.

mod applications;
mod endpoint;
mod family;
mod process;
mod realtime;
mod store;

use std::{fmt, time::Duration};

use hyper::{Method, StatusCode};
use prometheus_client::{
    encoding::{EncodeLabelSet, prometheus_text},
    metrics::{family::Family, histogram::Histogram},
    registry::Registry,
};
use tokio::runtime::Handle;

pub use self::endpoint::MetricsEndpoint;
pub(super) use self::endpoint::show;
use super::Error;
use crate::{http::Refusals, realtime::Hub, store::Db};

/// What every name begins with, but for those that all programs share (`process_…`).
const PREFIX: &str = "pusher_lite";

/// Seconds. A request that only reads from memory is well below the first; a poll waits up to ten.
const LATENCIES: [f64; 9] = [0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0, 5.0, 15.0];

/// Everything that is counted and measured.
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Histogram, fn() -> Histogram>,
    refusals: Refusals,
    token: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: String,
    route: &'static str,
    status: u16,
}

impl Metrics {
    /// The metrics of a hub and a database, of what is refused, and of the requests yet to come. Who knows the token may read
    /// them on the main listener; without one nobody may.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime.
    pub fn new(hub: &Hub, db: &Db, refusals: Refusals, token: Option<String>) -> Self {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(process::Collector));
        let requests: Family<_, _, fn() -> _> = Family::new_with_constructor(|| Histogram::new(LATENCIES));
        let own = registry.sub_registry_with_prefix(PREFIX);
        let help = "How long requests took, by the pattern of their route";
        own.register("http_request_duration_seconds", help, requests.clone());
        own.register_collector(Box::new(realtime::Collector { hub: hub.clone(), refusals: refusals.clone() }));
        own.register_collector(Box::new(applications::Collector(hub.clone())));
        own.register_collector(Box::new(store::Collector(db.clone())));
        own.register_collector(Box::new(process::Runtime(Handle::current())));
        Self { registry, requests, refusals, token }
    }

    /// Counts a request that was answered.
    pub(super) fn answered(&self, method: &Method, route: &'static str, status: StatusCode, took: Duration) {
        let labels = RequestLabels { method: method_label(method), route, status: status.as_u16() };
        self.requests.get_or_create(&labels).observe(took.as_secs_f64());
    }

    /// Counts a request that reached a limit, if that is what went wrong. What the hub refuses it counts itself.
    pub(super) fn failed(&self, error: &Error) {
        if let Error::Request(error) = error
            && let Some(refusal) = error.refusal()
        {
            self.refusals.count(refusal);
        }
    }

    /// All of it as Prometheus reads it. It looks at every socket and topic, so that it should not hold up a thread that
    /// serves them.
    fn render(&self) -> String {
        let mut text = String::new();
        prometheus_text::encode(&mut text, &self.registry).expect("writing to memory does not fail");
        text
    }
}

/// Methods that are made up must not make up series.
fn method_label(method: &Method) -> String {
    let known = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::HEAD, Method::OPTIONS];
    if known.contains(method) { method.to_string() } else { "other".to_owned() }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Metrics").finish_non_exhaustive()
    }
}
