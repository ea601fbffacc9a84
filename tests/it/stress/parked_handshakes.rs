//! Handshakes whose 101 is never read. The kernel's buffers are filled by answers to pipelined requests first, so that
//! nothing of the 101 leaves the server.

use std::time::Duration;

use pusher_lite::{
    http::Timeouts,
    realtime::{ApplicationSettings, Limits, Quotas},
};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpSocket, TcpStream},
    time::timeout,
};
use tokio_tungstenite::client_async;

use super::{
    rounds,
    server::{PATIENCE, Server, until},
};
use crate::support::database::TestDatabase;

const PLACES: u32 = 3;

/// Time after which an event that has not happened will not happen by itself.
const MOMENT: Duration = Duration::from_millis(300);

fn limits() -> Limits {
    let application = ApplicationSettings { sockets: PLACES, ..ApplicationSettings::default() };
    Limits { quotas: Quotas { application, ..Quotas::default() }, ..Limits::default() }
}

fn timeouts(head: Duration) -> Timeouts {
    Timeouts { head, keep_alive: PATIENCE * 9, send: PATIENCE * 9 }
}

/// A connection that takes next to nothing, with so many requests on it.
async fn connect(server: &Server) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let stream = socket.connect(server.address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// A request of a large answer, or of a small one.
fn request(number: usize, large: usize) -> &'static [u8] {
    if number <= large {
        b"GET /js/pusher.js HTTP/1.1\r\nhost: x\r\n\r\n"
    } else {
        b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n"
    }
}

/// Sends requests one after the other without reading, the first so many of large answers, until the answer to one does
/// not leave the server. Returns how many were begun to be answered.
async fn fill(server: &Server, large: usize) -> usize {
    let (mut stream, before) = (connect(server).await, server.begun());
    for sent in 1.. {
        stream.write_all(request(sent, large)).await.unwrap();
        let begun = until("begun", || server.begun() >= before + sent);
        if timeout(MOMENT, begun).await.is_err() {
            return server.begun() - before;
        }
    }
    unreachable!("the loop ends when the buffers are full")
}

/// Parks a handshake behind so many other requests. `None` when its 101 left the server all the same.
async fn park(server: &Server, behind: usize, large: usize) -> Option<TcpStream> {
    let (mut stream, before, open) = (connect(server).await, server.begun(), server.app.hub.socket_count());
    for sent in 1..=behind {
        stream.write_all(request(sent, large)).await.unwrap();
        if timeout(MOMENT, until("begun", || server.begun() >= before + sent)).await.is_err() {
            return None;
        }
    }
    let handshake = format!(
        "GET /socket/websocket?{} HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        server.query()
    );
    stream.write_all(handshake.as_bytes()).await.unwrap();
    let taken = timeout(MOMENT, until("begun", || server.begun() > before + behind)).await;
    let sent = timeout(MOMENT, until("sent", || server.app.hub.socket_count() > open)).await;
    (taken.is_ok() && sent.is_err()).then_some(stream)
}

/// Parks as many as there are places.
async fn park_all(server: &Server) -> Vec<TcpStream> {
    // The last answers are small, so that the buffers are filled to the brim.
    let large = fill(server, usize::MAX).await.saturating_sub(2);
    let full = fill(server, large).await;
    let (mut parked, mut behind) = (Vec::new(), full - 1);
    while parked.len() < PLACES as usize {
        match park(server, behind, large).await {
            Some(stream) => parked.push(stream),
            None => {
                // The buffers are not always equally large.
                until("it is closed", || server.app.hub.socket_count() == 0).await;
                behind = if behind < full + 4 { behind + 1 } else { full - 4 };
            }
        }
    }
    parked
}

async fn open(server: &Server) -> bool {
    let stream = TcpStream::connect(server.address).await.unwrap();
    let url = format!("ws://localhost/socket/websocket?{}", server.query());
    client_async(url, stream).await.is_ok()
}

web_test!(handshakes_that_are_not_read_give_their_places_back);
async fn handshakes_that_are_not_read_give_their_places_back(database: TestDatabase) {
    let server = Server::start(database.with_original_rows().await, limits(), timeouts(Duration::from_secs(10)), None);
    for _ in 0..rounds() {
        let parked = park_all(&server).await;
        let others = async { while !open(&server).await {} };
        timeout(PATIENCE, others).await.expect("others get in once the time for the 101 is over");
        drop(parked);
        until("all are closed", || server.app.hub.socket_count() == 0).await;
    }
}

web_test!(a_stop_does_not_wait_for_handshakes_that_are_not_read);
async fn a_stop_does_not_wait_for_handshakes_that_are_not_read(database: TestDatabase) {
    let server = Server::start(database.with_original_rows().await, limits(), timeouts(PATIENCE * 9), None);
    let parked = park_all(&server).await;
    timeout(PATIENCE, server.stop()).await.expect("it stops");
    drop(parked);
}
