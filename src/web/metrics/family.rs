//! Encoding of metrics that are stored elsewhere.

use std::{fmt::Result, time::Duration};

use prometheus_client::{
    encoding::{DescriptorEncoder, EncodeGaugeValue, MetricEncoder, NoLabelSet},
    metrics::MetricType,
};

/// The labels of one series: names and values.
type Labels<'a, const N: usize> = [(&'static str, &'a str); N];

/// Writes one metric after the other. Names come without the prefix, those of counters without `_total`.
pub(super) struct Families<'a>(pub(super) DescriptorEncoder<'a>);

impl Families<'_> {
    pub(super) fn counter(&mut self, name: &str, help: &str, value: u64) -> Result {
        write_counter(self.metric(name, help, MetricType::Counter)?, value)
    }

    /// Writes a counter of time.
    pub(super) fn seconds(&mut self, name: &str, help: &str, value: Duration) -> Result {
        let mut metric = self.metric(name, help, MetricType::Counter)?;
        metric.encode_counter::<NoLabelSet, f64, f64>(&value.as_secs_f64(), None)
    }

    /// Writes a counter with labels.
    pub(super) fn counters<'l, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        series: impl IntoIterator<Item = (Labels<'l, N>, u64)>,
    ) -> Result {
        let mut metric = self.metric(name, help, MetricType::Counter)?;
        for (labels, value) in series {
            write_counter(metric.encode_family(&labels)?, value)?;
        }
        Ok(())
    }

    pub(super) fn gauge(&mut self, name: &str, help: &str, value: impl EncodeGaugeValue) -> Result {
        self.metric(name, help, MetricType::Gauge)?.encode_gauge(&value)
    }

    /// Writes a gauge with labels.
    pub(super) fn gauges<'l, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        series: impl IntoIterator<Item = (Labels<'l, N>, usize)>,
    ) -> Result {
        let mut metric = self.metric(name, help, MetricType::Gauge)?;
        for (labels, value) in series {
            metric.encode_family(&labels)?.encode_gauge(&(value as u64))?;
        }
        Ok(())
    }

    /// Writes a histogram: the number of values in each bucket up to its bound, and the sum of all values.
    pub(super) fn histogram(&mut self, name: &str, help: &str, buckets: &[(f64, u64)], sum: f64) -> Result {
        let count = buckets.iter().map(|(_, count)| count).sum();
        self.metric(name, help, MetricType::Histogram)?.encode_histogram::<NoLabelSet>(sum, count, buckets, None)
    }

    fn metric<'s>(
        &'s mut self,
        name: &'s str,
        help: &str,
        kind: MetricType,
    ) -> std::result::Result<MetricEncoder<'s>, std::fmt::Error> {
        self.0.encode_descriptor(name, help, None, kind)
    }
}

fn write_counter(mut metric: MetricEncoder<'_>, value: u64) -> Result {
    metric.encode_counter::<NoLabelSet, u64, f64>(&value, None)
}
