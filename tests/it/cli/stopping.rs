//! How a server stops, as its signals, its exit status and its health say.

use std::time::{Duration, Instant};

use super::support::{Installation, get};

const PATIENT: [(&str, &str); 1] = [("PUSHER_LITE_SHUTDOWN_DELAY", "2")];
const VERY_PATIENT: [(&str, &str); 1] = [("PUSHER_LITE_SHUTDOWN_DELAY", "3600")];
const NOTICING: &str = "serving on until balancers have noticed";

#[test]
fn a_stopping_server_says_so_and_serves_on_until_balancers_have_noticed() {
    let installation = Installation::new();
    let mut running = installation.serve(&PATIENT);
    let port = running.port();
    assert!(get(port, "/health/ready").starts_with("HTTP/1.1 200"));
    let began = Instant::now();
    running.signal("TERM");
    installation.until_logged(NOTICING);
    assert!(get(port, "/health/ready").starts_with("HTTP/1.1 503"));
    assert!(get(port, "/health/live").starts_with("HTTP/1.1 200"));
    assert!(get(port, "/").starts_with("HTTP/1.1 200"));
    assert!(running.ended().success());
    assert!((2..12).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
}

#[test]
fn a_second_signal_ends_the_server_at_once() {
    for second in ["TERM", "INT"] {
        let installation = Installation::new();
        let running = installation.serve(&VERY_PATIENT);
        running.signal("INT");
        installation.until_logged(NOTICING);
        let began = Instant::now();
        running.signal(second);
        assert_eq!(running.ended().code(), Some(1));
        assert!(began.elapsed() < Duration::from_secs(5));
    }
}

#[test]
fn a_hangup_without_a_certificate_ends_nothing() {
    let installation = Installation::new();
    let mut running = installation.serve(&[]);
    running.signal("HUP");
    installation.until_logged("there is no certificate to read again");
    assert!(get(running.port(), "/health/live").starts_with("HTTP/1.1 200"));
    assert!(running.stop());
}
