//! Samples of the last minutes, for operators without a monitoring system.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, SystemTime},
};

use parking_lot::Mutex;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::{applications::Applications, counters::Counters, reservations::Reservations, stats::Totals};

/// Time between two samples.
pub const STEP: Duration = Duration::from_secs(5);

/// Number of samples that are kept: ten minutes' worth.
pub const SAMPLES: usize = 120;

/// Sizes at one moment, and rates over the [`STEP`] before it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Time of the sample, by the system's clock.
    pub at: SystemTime,
    /// Open sockets.
    pub sockets: usize,
    /// Topics with members.
    pub topics: usize,
    /// Events in per second, by sockets and REST.
    pub events_in: f64,
    /// Events that went to members per second.
    pub deliveries: f64,
}

/// The figures that samples are taken of.
#[derive(Debug)]
pub(crate) struct Counted<T> {
    pub(crate) counters: Arc<Counters>,
    pub(crate) applications: Arc<Applications>,
    pub(crate) reservations: Arc<Reservations>,
    /// Returns the number of topics with members.
    pub(crate) topics: T,
}

/// The samples of the last minutes, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    samples: Mutex<VecDeque<Sample>>,
}

impl Samples {
    pub(crate) fn all(&self) -> Vec<Sample> {
        self.samples.lock().iter().copied().collect()
    }

    /// Takes the samples. Runs for ever.
    pub(crate) async fn run(self: Arc<Self>, counted: Counted<impl Fn() -> usize>) {
        let Counted { counters, applications, reservations, topics } = counted;
        let mut steps = interval(STEP);
        // A process that was stopped for an hour has no samples of that hour.
        steps.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut before, mut since) = (counters.totals(), steps.tick().await);
        loop {
            let now = steps.tick().await;
            let totals = counters.totals();
            let sockets = counters.open_sockets().count();
            self.add(sample(sockets, topics(), (&before, since), (&totals, now)));
            applications.end_step();
            reservations.sweep();
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
