//! The pool of database connections.

use std::fmt::Result;

use prometheus_client::{collector, encoding::DescriptorEncoder};

use super::family::Families;
use crate::store::Db;

#[derive(Debug)]
pub(super) struct Collector(pub(super) Db);

impl collector::Collector for Collector {
    fn encode(&self, encoder: DescriptorEncoder) -> Result {
        let (mut families, pool) = (Families(encoder), self.0.pool_stats());
        let series = [([("state", "idle")], pool.idle), ([("state", "used")], pool.open - pool.idle)];
        families.gauges("database_connections", "Connections that are open", series)?;
        families.gauge("database_connections_max", "Most connections that may be open", pool.max as u64)?;
        families.counter("database_waits", "Look-ups that waited for a connection", pool.waits)?;
        families.seconds("database_wait_seconds", "How long they waited in all", pool.waited)?;
        families.counter("database_unavailable", "Times that no connection was had", pool.unavailable)?;
        families.counter("database_connections_opened", "Connections that were opened", pool.opened)?;
        families.counter("database_connections_broken", "Connections that broke", pool.broken)
    }
}
