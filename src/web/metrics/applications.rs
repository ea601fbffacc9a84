//! The busiest applications, each with series of its own.

use std::fmt::Result;

use prometheus_client::{collector, encoding::DescriptorEncoder};

use super::family::Families;
use crate::realtime::{ApplicationStats, Hub};

/// Maximum number of applications with series; those with the fewest deliveries have none. This limits both the answer
/// and the storage of Prometheus.
const MOST: usize = 100;

#[derive(Debug)]
pub(super) struct Collector(pub(super) Hub);

impl collector::Collector for Collector {
    fn encode(&self, encoder: DescriptorEncoder) -> Result {
        let (mut families, applications) = (Families(encoder), busiest(self.0.applications()));
        let gauges = |of: fn(&ApplicationStats) -> usize| {
            applications.iter().map(move |application| ([("app_key", &*application.app_key)], of(application)))
        };
        let counters = |of: fn(&ApplicationStats) -> u64| {
            applications.iter().map(move |application| ([("app_key", &*application.app_key)], of(application)))
        };
        families.gauges("application_sockets", "Sockets that are open", gauges(|of| of.sockets))?;
        families.gauges("application_topics", "Topics that somebody is in", gauges(|of| of.topics))?;
        families.counters("application_events_in", "Events in", counters(|of| of.events_in))?;
        families.counters("application_deliveries", "Events that went to members", counters(|of| of.deliveries))?;
        families.counters("application_sent_bytes", "Bytes that went to members", counters(|of| of.bytes_out))
    }
}

fn busiest(mut applications: Vec<ApplicationStats>) -> Vec<ApplicationStats> {
    applications.sort_unstable_by_key(|of| (std::cmp::Reverse((of.deliveries, of.sockets)), of.app_key.clone()));
    applications.truncate(MOST);
    applications
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_busiest_are_kept() {
        let application = |deliveries: u64| ApplicationStats {
            app_key: format!("{deliveries}").into(),
            sockets: 0,
            topics: 0,
            events_in: 0,
            deliveries,
            bytes_out: 0,
            recent_events_in: 0,
        };
        let kept = busiest((0..1000).map(application).collect());
        assert_eq!(kept.len(), MOST);
        assert_eq!((kept[0].deliveries, kept[MOST - 1].deliveries), (999, 900));
    }
}
