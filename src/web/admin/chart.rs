//! The last minutes as a chart and as a table.

use std::time::SystemTime;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::realtime::{SAMPLES, STEP, Sample};

/// Size of the drawing, in units of its own.
const WIDTH: f64 = 600.0;
const HEIGHT: f64 = 100.0;

/// Number of samples in one row of the table.
const STEPS_PER_ROW: usize = (60 / STEP.as_secs()) as usize;

/// Events per second in the last minutes, the newest at the right.
#[derive(Debug, Serialize)]
pub(super) struct Chart {
    /// Corners of the line, for `points` of a polyline.
    line: String,
    /// The same, closed along the bottom.
    area: String,
    /// Events per second at the top of the chart.
    most: f64,
    /// Rows of one minute each, the newest first.
    rows: Vec<Row>,
}

/// A minute.
#[derive(Debug, PartialEq, Serialize)]
struct Row {
    /// End of the minute, in UTC: `17:05:30`.
    at: String,
    /// Events per second.
    events: f64,
    /// Deliveries to members per second.
    deliveries: f64,
    /// Sockets at the end of the minute.
    sockets: usize,
}

impl Chart {
    /// Draws the samples, the oldest first.
    pub(super) fn of(samples: &[Sample]) -> Self {
        let most = samples.iter().map(|sample| sample.events_in).fold(0.0, f64::max);
        let scale = if most > 0.0 { HEIGHT / most } else { 0.0 };
        let step = WIDTH / (SAMPLES - 1) as f64;
        let first = (SAMPLES - samples.len().min(SAMPLES)) as f64 * step;
        let corner = |(at, sample): (usize, &Sample)| {
            format!("{:.1},{:.1}", first + at as f64 * step, HEIGHT - sample.events_in * scale)
        };
        let corners: Vec<String> = samples.iter().enumerate().map(corner).collect();
        let line = corners.join(" ");
        let area = if line.is_empty() {
            String::new()
        } else {
            format!("{first:.1},{HEIGHT:.1} {line} {WIDTH:.1},{HEIGHT:.1}")
        };
        Self { line, area, most: rounded(most), rows: samples.rchunks(STEPS_PER_ROW).filter_map(row).collect() }
    }
}

fn row(samples: &[Sample]) -> Option<Row> {
    let last = samples.last()?;
    let mean = |of: fn(&Sample) -> f64| rounded(samples.iter().map(of).sum::<f64>() / samples.len() as f64);
    Some(Row {
        at: time(last.at),
        events: mean(|sample| sample.events_in),
        deliveries: mean(|sample| sample.deliveries),
        sockets: last.sockets,
    })
}

fn time(at: SystemTime) -> String {
    DateTime::<Utc>::from(at).format("%H:%M:%S").to_string()
}

/// Rounds to one digit after the point.
pub(super) fn rounded(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn sample(second: u64, events_in: f64) -> Sample {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(second);
        Sample { at, sockets: 3, topics: 1, events_in, deliveries: 2.0 * events_in }
    }

    #[test]
    fn the_line_ends_at_the_right_and_reaches_the_top() {
        let chart = Chart::of(&[sample(5, 0.0), sample(10, 20.0), sample(15, 5.0)]);
        assert_eq!(chart.line, "589.9,100.0 595.0,0.0 600.0,75.0");
        assert_eq!(chart.area, "589.9,100.0 589.9,100.0 595.0,0.0 600.0,75.0 600.0,100.0");
        assert_eq!(chart.most, 20.0);
        let row = Row { at: "00:00:15".to_owned(), events: 8.3, deliveries: 16.7, sockets: 3 };
        assert_eq!(chart.rows, [row]);
    }

    #[test]
    fn nothing_is_drawn_of_nothing() {
        let chart = Chart::of(&[]);
        assert_eq!((chart.line.as_str(), chart.area.as_str(), chart.rows.len()), ("", "", 0));
        assert_eq!(Chart::of(&[sample(5, 0.0)]).line, "600.0,100.0");
    }

    #[test]
    fn a_minute_is_a_row() {
        let samples: Vec<Sample> = (1..=SAMPLES as u64).map(|step| sample(step * STEP.as_secs(), 1.0)).collect();
        let chart = Chart::of(&samples);
        assert_eq!(chart.rows.len(), 10);
        assert_eq!(chart.rows[0].at, "00:10:00");
    }
}
