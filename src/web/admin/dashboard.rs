//! The dashboard: the current state of the server.

use std::{cmp::Reverse, time::Duration};

use minijinja::{Value, context, value::Serde};

use super::{Error, PageRequest, chart, chart::Chart, memory};
use crate::{
    http::{Request, Response, StatusCode},
    realtime::ApplicationStats,
    store::{Reference, admin::applications, mails},
    web::App,
};

/// Number of busiest applications in the list.
const BUSIEST: usize = 10;

/// Shows the dashboard.
pub(in crate::web) async fn show(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of(&app, &request).await?;
    page.require_root()?;
    let context = context! { title => "Dashboard · Admin · pusher-lite", ..live_context(&app).await? };
    page.render(StatusCode::OK, "admin/dashboard", "dashboard", context)
}

/// Answers with the part that changes, for the script that keeps the dashboard up to date.
pub(in crate::web) async fn live(app: App, request: Request) -> Result<Response, Error> {
    let page = PageRequest::of(&app, &request).await?;
    page.require_root()?;
    page.render(StatusCode::OK, "admin/live", "dashboard", live_context(&app).await?)
}

async fn live_context(app: &App) -> Result<Value, Error> {
    let stats = app.hub.stats();
    let samples = app.hub.samples();
    let database = app.db.status().await?;
    let mails = mails::counts(&mut app.db.conn().await?).await?;
    let [websockets, longpolls] =
        [stats.sockets.websocket, stats.sockets.longpoll].map(|open| open.iter().sum::<usize>());
    let now = samples.last();
    Ok(context! {
        sockets => stats.sockets.count(), websockets, longpolls,
        topics => stats.topics,
        joined => stats.totals.joined(),
        events_per_second => now.map(|sample| chart::rounded(sample.events_in)).unwrap_or_default(),
        deliveries_per_second => now.map(|sample| chart::rounded(sample.deliveries)).unwrap_or_default(),
        events => stats.totals.events_in(),
        memory => memory::resident_bytes().map(bytes),
        uptime => duration(app.pages.started.elapsed()),
        database => context! {
            kind => database.kind,
            version => database.version,
            size => bytes(database.bytes.unsigned_abs()),
            used => database.pool.open - database.pool.idle.min(database.pool.open),
            open => database.pool.open,
            most => database.pool.max,
        },
        mails => context! { waiting => mails.waiting, failed => mails.failed },
        chart => Value::from(Serde(Chart::of(&samples))),
        busiest => busiest(app).await?,
    })
}

/// Returns the applications with the most events in the last minute; among equals, those with the most sockets.
async fn busiest(app: &App) -> Result<Value, Error> {
    let mut all = app.hub.applications();
    all.retain(|application| application.sockets > 0 || application.recent_events_in > 0);
    all.sort_by_key(|application| Reverse((application.recent_events_in, application.sockets)));
    let mut conn = app.db.conn().await?;
    let mut rows = Vec::new();
    for ApplicationStats { app_key, sockets, topics, recent_events_in, deliveries, .. } in all.into_iter().take(BUSIEST)
    {
        let found = applications::find(&mut conn, Reference::parse(&app_key)).await?;
        let (id, name) = found.map(|(row, _)| (row.id, row.name)).unzip();
        rows.push(context! { id, name => name.flatten(), sockets, topics, recent_events_in, deliveries });
    }
    Ok(rows.into())
}

/// Formats bytes, in steps of 1,000: `1.5 MB`.
fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];

    let (mut number, mut unit) = (bytes as f64, 0);
    while number >= 999.5 && unit + 1 < UNITS.len() {
        (number, unit) = (number / 1000.0, unit + 1);
    }
    let digits = usize::from(unit > 0 && number < 99.5);
    format!("{number:.digits$} {}", UNITS[unit])
}

/// Formats the two greatest units: `3 d 4 h`, `2 min 5 s`.
fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let [days, hours, minutes] = [seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60];
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min {} s", seconds % 60),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_are_short() {
        for (number, text) in
            [(0, "0 B"), (999, "999 B"), (1_540, "1.5 kB"), (999_960, "1.0 MB"), (123_456_789, "123 MB")]
        {
            assert_eq!(bytes(number), text);
        }
        for (seconds, text) in [(59, "59 s"), (125, "2 min 5 s"), (7_260, "2 h 1 min"), (273_600, "3 d 4 h")] {
            assert_eq!(duration(Duration::from_secs(seconds)), text);
        }
    }
}
