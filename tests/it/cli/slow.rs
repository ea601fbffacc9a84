//! Clients that stop reading, beside others that read: their cost for the server, and for the others.

use std::{
    fs,
    time::{Duration, Instant},
};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

use super::{requests::Api, support::Installation};
use crate::support::measured::assert_below;

const SLOW: usize = 100;
const EVENTS: usize = 600;
/// Of one event. All events together are more than the kernel keeps for a slow reader and the server for all of them.
const BYTES: usize = 16 << 10;
const OUTBOX: usize = 256 << 10;

const SETTINGS: [(&str, &str); 4] = [
    ("PUSHER_LITE_DEMO", "true"),
    ("PUSHER_LITE_OUTBOX_BYTES", "262144"),
    ("PUSHER_LITE_EVENTS_PER_SOCKET", "0"),
    ("PUSHER_LITE_LOG_FORMAT", "json"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_that_stop_are_closed_and_cost_nobody_anything() {
    let installation = Installation::new();
    let mut running = installation.serve(&SETTINGS);
    let place = Place { port: running.port(), app_key: running.word("app_key"), jwt: Api::new(&mut running).jwt };
    let topic = place.topic();
    let mut healthy = place.join("healthy").await;
    let alone = publish(&mut healthy, &topic).await;

    let mut slow = Vec::new();
    for number in 0..SLOW {
        slow.push(place.join(&format!("slow {number}")).await);
    }
    let before = resident(&running.id());
    let beside = publish(&mut healthy, &topic).await;
    let after_one = resident(&running.id());
    publish(&mut healthy, &topic).await;
    let after_two = resident(&running.id());

    assert_below(beside, alone * 3 + Duration::from_millis(20), "an event beside slow readers");
    let most = (SLOW * OUTBOX * 2 + (16 << 20)) as u64;
    assert_below(after_one, before + most, "bytes in use after slow readers came");
    assert_below(after_two, after_one + (16 << 20), "bytes in use later");
    drop((slow, healthy));
    assert!(running.stop());
    let log = installation.log();
    let closed = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let too_slow = closed.filter(|line| line["reason"] == "too slow" && line["code"] == 1013).count();
    assert_eq!(too_slow, SLOW);
}

struct Place {
    port: u16,
    app_key: String,
    jwt: String,
}

impl Place {
    fn topic(&self) -> String {
        format!("lobby:{}:general", self.app_key)
    }

    async fn join(&self, user: &str) -> WebSocketStream<TcpStream> {
        let Self { port, app_key, jwt } = self;
        let user = user.replace(' ', "+");
        let query = format!("app_key={app_key}&guardian_token={jwt}&unique_identifier={user}&vsn=2.0.0");
        let stream = TcpStream::connect(("127.0.0.1", *port)).await.unwrap();
        let url = format!("ws://127.0.0.1/socket/websocket?{query}");
        let (mut socket, _) = client_async(url, stream).await.unwrap();
        let topic = self.topic();
        socket.send(Message::text(json!(["1", "1", topic, "phx_join", {}]).to_string())).await.unwrap();
        while next(&mut socket).await[3] != "presence_diff" {}
        socket
    }
}

/// Publishes events one after the other, each when the one before has come back. Returns the median of how long that
/// took.
async fn publish(socket: &mut WebSocketStream<TcpStream>, topic: &str) -> Duration {
    let mut took = Vec::new();
    for number in 0..EVENTS {
        let began = Instant::now();
        let payload = json!({"n": number, "s": "x".repeat(BYTES)});
        socket.send(Message::text(json!(["1", "2", topic, "e", payload]).to_string())).await.unwrap();
        loop {
            let message = next(socket).await;
            if message[3] == "e" {
                break assert_eq!(message[4]["n"], number);
            }
        }
        took.push(began.elapsed());
    }
    took.sort_unstable();
    took[took.len() / 2]
}

async fn next(socket: &mut WebSocketStream<TcpStream>) -> Value {
    let message = socket.next().await.unwrap().unwrap();
    serde_json::from_str(message.to_text().unwrap()).unwrap()
}

/// The memory that a process has in use, in bytes.
fn resident(process: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}
