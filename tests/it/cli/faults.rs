//! Faults of the machine: a killed server, no disk space, no descriptors, and no reader of the log.

use std::{
    fs::File,
    process::Command,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use super::{
    requests::{Api, exchange},
    support::Installation,
};
use crate::support::{measured::assert_below, postgres::Server};

const DEMO: (&str, &str) = ("PUSHER_LITE_DEMO", "true");
const SECRETS: [(&str, &str); 2] = [
    ("PUSHER_LITE_JWT_SECRET", "a secret that lives through all of it"),
    ("PUSHER_LITE_COOKIE_SECRET", "another secret that lives through it"),
];

/// Of a machine that has other work, no write shall be refused for its slowness.
const PATIENCE: (&str, &str) = ("PUSHER_LITE_DATABASE_TIMEOUT", "60");

/// Number of times that a server is killed: `KILLS`, or a few.
fn kills() -> usize {
    std::env::var("KILLS").map_or(5, |kills| kills.parse().expect("KILLS is a number"))
}

#[test]
fn what_was_answered_with_201_outlives_a_kill_on_sqlite() {
    kill_while_writing(&[DEMO, PATIENCE, SECRETS[0], SECRETS[1]]);
}

#[test]
fn what_was_answered_with_201_outlives_a_kill_on_postgres() {
    let Some(server) = Server::get() else { return };
    let schema = format!("kill_{}", uuid::Uuid::new_v4().simple());
    let run = |sql: String| {
        tokio::runtime::Runtime::new().unwrap().block_on(crate::support::postgres::execute(&server.url, &sql));
    };
    run(format!("CREATE SCHEMA {schema}"));
    kill_while_writing(&[DEMO, PATIENCE, SECRETS[0], SECRETS[1], ("DATABASE_URL", &server.url_of_schema(&schema))]);
    run(format!("DROP SCHEMA {schema} CASCADE"));
}

/// Kills a server again and again while organizations are created, and looks for all that were.
fn kill_while_writing(environment: &[(&str, &str)]) {
    let installation = Installation::new();
    let mut created: Vec<String> = Vec::new();
    for round in 0..kills() {
        let mut running = installation.serve(environment);
        let api = Api::new(&mut running);
        let (names, killed) = (Mutex::new(Vec::new()), AtomicBool::new(false));
        thread::scope(|scope| {
            for writer in 0..3 {
                let (api, names, killed) = (&api, &names, &killed);
                scope.spawn(move || {
                    for number in 0.. {
                        let name = format!("Round {round} writer {writer} number {number}");
                        match api.create_organization(&name) {
                            Some(201) => names.lock().unwrap().push(name),
                            Some(status) => panic!("{status}"),
                            None => break,
                        }
                    }
                    assert!(killed.load(Ordering::SeqCst), "no answer before the kill");
                });
            }
            // Not always at the same moment of a write.
            while names.lock().unwrap().len() < 5 + round % 7 {
                thread::yield_now();
            }
            killed.store(true, Ordering::SeqCst);
            running.kill();
        });
        created.extend(names.into_inner().unwrap());
    }
    let mut running = installation.serve(environment);
    let kept = Api::new(&mut running).organizations();
    let lost: Vec<_> = created.iter().filter(|name| !kept.contains(&format!("\"{name}\""))).collect();
    assert!(lost.is_empty(), "{} of {} are lost: {lost:?}", lost.len(), created.len());
}

#[test]
fn a_full_disk_is_told_and_survived() {
    let installation = Installation::new();
    // Files may not grow beyond so many blocks: as if the disk were full, but for this process alone.
    let mut running = installation.serve_by("trap '' XFSZ; ulimit -S -f 1024; exec \"$0\" \"$@\"", &[DEMO]);
    let api = Api::new(&mut running);
    let name = "x".repeat(250);
    let refused = (0..100_000).find_map(|number| match api.create_organization(&format!("{number} {name}")) {
        Some(201) => None,
        status => Some(status),
    });
    assert_eq!(refused, Some(Some(503)));
    assert_eq!(api.get("/health/live"), 200);
    assert_eq!(api.get("/api/organizations"), 200, "what is there can be read");
    let log = installation.log();
    assert!(log.contains("the disk is full") || log.contains("the disk does not take"), "{}", tail(&log));
    assert!(!log.contains("panicked"), "{}", tail(&log));

    let lifted = Command::new("prlimit").args(["--fsize=unlimited:unlimited", "--pid"]).arg(running.id()).status();
    assert!(lifted.unwrap().success());
    assert_eq!(api.create_organization("There is room again"), Some(201));
    assert!(running.stop());
}

#[test]
fn a_log_that_cannot_be_written_stops_nothing() {
    let installation = Installation::new();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut running = installation.serve_with_log(full, &[DEMO]);
    let api = Api::new(&mut running);
    for number in 0..10 {
        assert_eq!(api.create_organization(&format!("Number {number}")), Some(201));
    }
    assert!(running.stop());
}

#[test]
fn without_descriptors_connections_wait_and_the_log_says_so_once() {
    let installation = Installation::new();
    let mut running = installation.serve_by("ulimit -n 100; exec \"$0\" \"$@\"", &[DEMO]);
    let (port, api) = (running.port(), Api::new(&mut running));
    let before = running.cpu_time();
    let idle: Vec<_> = (0..300).map(|_| std::net::TcpStream::connect(("127.0.0.1", port)).unwrap()).collect();
    // A client that sends its request immediately is served, however many others send none.
    for number in 0..10 {
        assert_eq!(api.create_organization(&format!("Number {number}")), Some(201));
    }
    assert_below(running.cpu_time() - before, Duration::from_secs(5), "processor time without descriptors");
    drop(idle);
    assert!(
        exchange(port, "GET /health/ready HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap().contains(" 200 ")
    );
    let log = installation.log();
    assert!(log.contains("descriptors"), "{}", tail(&log));
    assert!(log.lines().filter(|line| line.contains("Cannot accept")).count() < 20, "{}", tail(&log));
    assert!(running.stop());
}

fn tail(log: &str) -> &str {
    &log[log.len().saturating_sub(2000)..]
}
