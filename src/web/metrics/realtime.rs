//! Sockets, topics, events, and refusals.

use std::fmt::Result;

use prometheus_client::{collector, encoding::DescriptorEncoder};
use pusher_lite_protocol::{Dialect, Vsn};

use super::family::Families;
use crate::{
    http::Refusals,
    realtime::{FAN_OUT_BOUNDS, Hub, Limits, Sizes, Stats},
};

#[derive(Debug)]
pub(super) struct Collector {
    pub(super) hub: Hub,
    /// Refusals before the hub.
    pub(super) refusals: Refusals,
}

impl collector::Collector for Collector {
    fn encode(&self, encoder: DescriptorEncoder) -> Result {
        let (mut families, stats) = (Families(encoder), self.hub.stats());
        sockets(&mut families, &stats)?;
        events(&mut families, &stats)?;
        refusals(&mut families, &stats, &self.refusals)?;
        let (sizes_now, limits) = (self.hub.sizes(), self.hub.limits());
        sizes(&mut families, &sizes_now)?;
        memory(&mut families, &sizes_now, limits)
    }
}

fn sockets(families: &mut Families<'_>, stats: &Stats) -> Result {
    let open = [("websocket", stats.sockets.websocket), ("longpoll", stats.sockets.longpoll)];
    let series = open.into_iter().flat_map(|(transport, open)| {
        let labels = |dialect| [("transport", transport), ("vsn", vsn(dialect))];
        Dialect::ALL.map(|dialect| (labels(dialect), open[dialect.index()]))
    });
    families.gauges("sockets", "Sockets that are open", series)?;
    families.counter("sockets_opened", "Sockets that were opened", stats.totals.opened)?;
    let series = stats.closes.iter().map(|(reason, count)| ([("reason", *reason)], *count));
    families.counters("sockets_closed", "Sockets that ended; slow readers have the reason 'too slow'", series)?;
    families.gauge("topics", "Topics that somebody is in", stats.topics as u64)?;
    families.gauge("joined", "Topics that are joined, counted per socket", stats.totals.joined())?;
    families.counter("joins", "Topics that were joined, counted per socket", stats.totals.joins)?;
    families.counter("leaves", "Topics that were left, counted per socket", stats.totals.leaves)
}

/// Returns the value of the label `vsn`.
fn vsn(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Phoenix(Vsn::V1) => "1",
        Dialect::Phoenix(Vsn::V2) => "2",
    }
}

fn events(families: &mut Families<'_>, stats: &Stats) -> Result {
    let totals = &stats.totals;
    let series = [([("source", "push")], totals.pushed), ([("source", "rest")], totals.published)];
    families.counters("events_in", "Events that sockets pushed and REST published", series)?;
    let series = [([("kind", "event")], totals.deliveries), ([("kind", "presence")], totals.presence_deliveries)];
    families.counters("deliveries", "Messages that went to members, counted per member", series)?;
    families.counter("received_bytes", "Bytes that came over sockets", totals.bytes_in)?;
    families.counter("sent_bytes", "Bytes that went to sockets, or wait for them", totals.bytes_out)?;
    families.counter(
        "socket_pauses",
        "Times that a socket was not read from because it asked for too much",
        totals.pauses,
    )?;
    let help = "Binary pushes that a receiver could not take, counted per receiver";
    families.counter("binary_skipped", help, totals.binary_skipped)?;
    let bounds = FAN_OUT_BOUNDS.iter().map(|bound| *bound as f64).chain([f64::INFINITY]);
    let buckets: Vec<_> = bounds.zip(stats.fan_out).collect();
    families.histogram("fan_out", "Events by the members of their topic", &buckets, totals.deliveries as f64)
}

fn refusals(families: &mut Families<'_>, stats: &Stats, before: &Refusals) -> Result {
    let labels = |what, reason| [("what", what), ("reason", reason)];
    let before = before.counts().map(|(refusal, count)| (labels(refusal.what(), refusal.reason()), count));
    let here = stats.refusals.iter().map(|(refusal, count)| (labels(refusal.what(), refusal.reason()), *count));
    families.counters("refusals", "What was refused, and why", before.chain(here))
}

fn sizes(families: &mut Families<'_>, sizes: &Sizes) -> Result {
    families.gauge("waiting_bytes", "Bytes that wait for slow clients and for polls", sizes.waiting_bytes as u64)?;
    families.gauge("waiting_sockets", "Sockets for which something waits", sizes.waiting_sockets as u64)?;
    families.gauge("topic_log_bytes", "Bytes that wait to be given to members", sizes.log_bytes as u64)?;
    families.gauge("presence_users", "Users who are present, counted per topic", sizes.presence_users as u64)?;
    families.gauge("addresses", "Client addresses that have sockets, or opened some lately", sizes.addresses as u64)?;
    families.gauge("topic_members_max", "Sockets in the topic that has most of them", sizes.most_members as u64)
}

fn memory(families: &mut Families<'_>, sizes: &Sizes, limits: &Limits) -> Result {
    let labels = |what| [("for", what)];
    let used = [(labels("outbox"), sizes.outbox_memory), (labels("partial"), sizes.partial_memory)];
    let help = "Memory of what is on its way to clients, and of messages that have come in part";
    families.gauges("memory_bytes", help, used)?;
    let most = [(labels("outbox"), limits.outbox_memory), (labels("partial"), limits.partial_memory)];
    families.gauges("memory_limit_bytes", "Memory beyond which sockets are closed as 'evicted'", most)
}
