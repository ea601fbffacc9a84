//! One socket joins a large topic again and again, as fast as it can, while others join, push and are answered.

use futures_util::{SinkExt, StreamExt};
use pusher_lite::{
    auth::Permissions,
    realtime::{Limits, Totals},
};
use serde_json::json;
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::Message;

use crate::{
    stress::rounds,
    support::{database::TestDatabase, server::TestServer, socket::Socket},
};

/// Of the original's database: the key of Test App, and one who administers it.
const APP_KEY: &str = "88911bb8-e6c9-11f1-bf84-f2fc4c7451a7";
const ADMIN: i32 = 1;

/// The budget of a socket in bytes a second, and the members of the topic: one join of it costs some 600 kB.
const BUDGET: u32 = 200_000;
const MEMBERS: usize = 200;

/// The joins that the flooder asks for in each round: some 36 MB if nothing held it up.
const JOINS: usize = 200;

/// The seconds for which a message may leave its socket in debt, and that a budget may be used up at once, together.
const SECONDS_AT_ONCE: u64 = 20;

fn topic(name: &str) -> String {
    format!("lobby:{APP_KEY}:{name}")
}

async fn open(server: &TestServer, name: &str) -> Socket {
    Socket::open(server, &server.jwt(ADMIN, Permissions::ADMIN), APP_KEY, name).await.unwrap()
}

fn long_name(number: usize) -> String {
    format!("{number}{}", "m".repeat(900))
}

web_test!(a_flood_of_joins_harms_nobody_else);
async fn a_flood_of_joins_harms_nobody_else(database: TestDatabase) {
    let limits = Limits { reply_bytes_per_second: BUDGET, ..Limits::default() };
    let server = TestServer::with_limits(database.with_original_rows().await, limits);
    let mut crowd = JoinSet::new();
    for number in 0..MEMBERS {
        let mut member = open(&server, &long_name(number)).await;
        member.join(&topic("crowd")).await;
        crowd.spawn(async move { while member.next().await.is_some() {} });
    }
    for _ in 0..rounds() {
        flood(&server).await;
    }
}

/// Runs one flood. Others must get their answers, and wait for nothing else; the bytes are counted meanwhile.
async fn flood(server: &TestServer) {
    let before = server.app.hub.stats().totals;
    let flooder = open(server, &long_name(MEMBERS)).await;
    let (mut asks, mut answers) = flooder.split();
    let mut flood = JoinSet::new();
    flood.spawn(async move { while answers.next().await.is_some() {} });
    flood.spawn(async move {
        let join = json!(["1", "1", topic("crowd"), "phx_join", {}]).to_string();
        for _ in 0..JOINS {
            if asks.send(Message::text(join.clone())).await.is_err() {
                return;
            }
        }
        std::future::pending().await
    });
    let start = tokio::time::Instant::now();
    for number in 0..50 {
        let mut other = open(server, &format!("other{number}")).await;
        other.join(&topic("small")).await;
        other.send(json!(["1", "2", topic("small"), "e", {"number": number}])).await;
        while other.message().await[4]["number"] != number {}
    }
    let Totals { bytes_out, .. } = loop {
        let totals = server.app.hub.stats().totals;
        if totals.pauses > before.pauses || totals.joins - before.joins > JOINS as u64 {
            break totals;
        }
        tokio::task::yield_now().await;
    };
    let allowed = u64::from(BUDGET) * (SECONDS_AT_ONCE + start.elapsed().as_secs() + 1);
    // Beside the flood: the first join, which is free, and what the others and the crowd are told of one another.
    let sent = bytes_out - before.bytes_out;
    assert!(sent < allowed + 4_000_000, "{sent} bytes where {allowed} are allowed");
}
