//! Stops of a server: signals, exit status and health.

use std::{
    net::TcpListener,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use super::support::{Installation, get, text};

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
    assert!(began.elapsed() >= Duration::from_secs(2), "it waits as long as it is told: {:?}", began.elapsed());
}

#[test]
fn a_second_signal_ends_the_server_at_once() {
    for second in ["TERM", "INT"] {
        let installation = Installation::new();
        let running = installation.serve(&VERY_PATIENT);
        running.signal("INT");
        installation.until_logged(NOTICING);
        running.signal(second);
        assert_eq!(running.ended().code(), Some(1));
    }
}

#[test]
fn a_server_that_waits_for_its_database_can_be_stopped() {
    // Takes connections, by the system's queue, and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://nobody@{}/none?sslmode=disable", silent.local_addr().unwrap());
    let environment = [
        ("DATABASE_URL", url.as_str()),
        ("PUSHER_LITE_DATABASE_TIMEOUT", "60"),
        ("PUSHER_LITE_JWT_SECRET", "a secret for nobody"),
        ("PUSHER_LITE_COOKIE_SECRET", "another secret for nobody, and long enough"),
    ];
    let installation = Installation::new();
    let mut command = installation.command(&["--port", "0"], &environment);
    let server = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let _waits_for_an_answer = silent.accept().unwrap();
    assert!(Command::new("kill").args(["-s", "TERM", &server.id().to_string()]).status().unwrap().success());
    let output = server.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("Stopped before the database was open"));
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
