//! Thousands of connections without a request, and other clients beside them.

use std::{
    io::Write,
    net::TcpStream,
    time::{Duration, Instant},
};

use super::{requests::Api, support::Installation};
use crate::support::measured::assert_below;

/// Half-open requests, if the test process may have so many descriptors.
const MANY: u64 = 10_000;

/// Maximum time that others wait for one answer, on a machine that has other work too.
const AT_MOST: Duration = Duration::from_secs(5);

#[test]
fn half_open_requests_leave_others_unharmed() {
    let installation = Installation::new();
    let mut running = installation.serve(&[("PUSHER_LITE_DEMO", "true")]);
    let (port, api) = (running.port(), Api::new(&mut running));
    let held = half_open(port, how_many());
    for number in 0..20 {
        assert_created(&api, number);
    }
    drop(held);
    assert!(running.stop());
}

#[test]
fn half_open_requests_beyond_the_descriptors_leave_others_unharmed() {
    let installation = Installation::new();
    let mut running = installation.serve_by("ulimit -n 500; exec \"$0\" \"$@\"", &[("PUSHER_LITE_DEMO", "true")]);
    let (port, api) = (running.port(), Api::new(&mut running));
    let held = half_open(port, how_many().min(1000));
    for number in 0..20 {
        assert_created(&api, number);
    }
    drop(held);
    assert!(running.stop());
}

fn assert_created(api: &Api, number: usize) {
    let began = Instant::now();
    assert_eq!(api.create_organization(&format!("Number {number}")), Some(201));
    assert_below(began.elapsed(), AT_MOST, "an answer beside half-open requests");
}

fn how_many() -> u64 {
    let descriptors = rlimit::increase_nofile_limit(2 * MANY).unwrap();
    MANY.min(descriptors / 2)
}

/// Connections with a head whose body never comes, with some of a head, or with nothing.
fn half_open(port: u16, count: u64) -> Vec<TcpStream> {
    let open = |number| {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        // It fails when the server has made room for others already.
        let _ = stream.write_all(match number % 3 {
            0 => b"POST /api/sessions HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n",
            1 => b"POST /api/sessions HTTP/1.1\r\nhost: x\r\n",
            _ => b"",
        });
        stream
    };
    (0..count).map(open).collect()
}
