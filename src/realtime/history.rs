//! The last minutes in figures, for those who look at them without a monitoring system.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::applications::Applications;
use super::counters::Counters;
use super::places::Places;
use super::registry::Registry;
use super::stats::Totals;

/// The time between two samples.
pub const STEP: Duration = Duration::from_secs(5);

/// How many samples are kept: ten minutes' worth.
pub const SAMPLES: usize = 120;

/// What was at one moment, and how much happened per second in the [`STEP`] before it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// When, by the system's clock.
    pub at: SystemTime,
    /// The sockets that were open.
    pub sockets: usize,
    /// The topics that somebody was in.
    pub topics: usize,
    /// Events in per second, however they came.
    pub events_in: f64,
    /// Events that went to members per second.
    pub deliveries: f64,
}

/// What the samples are taken of.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) counters: Arc<Counters>,
    pub(super) registry: Arc<Registry>,
    pub(super) applications: Arc<Applications>,
    pub(super) places: Arc<Places>,
}

/// The samples of the last minutes, oldest first.
#[derive(Debug, Default)]
pub(super) struct History {
    samples: Mutex<VecDeque<Sample>>,
}

impl History {
    pub(super) fn samples(&self) -> Vec<Sample> {
        self.samples.lock().iter().copied().collect()
    }

    /// Takes the samples. Runs for ever.
    pub(super) async fn run(self: Arc<Self>, counted: Counted) {
        let Counted { counters, registry, applications, places } = counted;
        let mut steps = interval(STEP);
        // A process that was stopped for an hour has nothing to say about it.
        steps.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut before, mut since) = (counters.totals(), steps.tick().await);
        loop {
            let now = steps.tick().await;
            let totals = counters.totals();
            let sockets = counters.open_sockets().count();
            self.add(sample(sockets, registry.len(), (&before, since), (&totals, now)));
            applications.end_step();
            places.sweep();
            (before, since) = (totals, now);
        }
    }

    fn add(&self, sample: Sample) {
        let mut samples = self.samples.lock();
        if samples.len() == SAMPLES {
            samples.pop_front();
        }
        samples.push_back(sample);
    }
}

fn sample(sockets: usize, topics: usize, from: (&Totals, Instant), to: (&Totals, Instant)) -> Sample {
    let seconds = (to.1 - from.1).as_secs_f64().max(f64::EPSILON);
    let rate = |of: fn(&Totals) -> u64| of(to.0).saturating_sub(of(from.0)) as f64 / seconds;
    Sample {
        at: SystemTime::now(),
        sockets,
        topics,
        events_in: rate(Totals::events_in),
        deliveries: rate(|totals| totals.deliveries),
    }
}
