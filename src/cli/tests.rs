//! The end of the process when one of its tasks panics, tried in processes of their own.

#![allow(clippy::print_stderr, reason = "the output of a test")]

use std::{
    fs::{self, File},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tokio::{runtime::Runtime, task::spawn_blocking};

use super::{serve, start_log};
use crate::{
    config::{Config, Log, Settings},
    tasks::injected,
};

/// Set in the processes that tests start.
const IS_CHILD: &str = "IS_STARTED_BY_A_TEST";

/// Every task that the server cannot be without.
const TASKS: [&str; 15] = [
    "closing idle sockets",
    "closing sockets whose JWT has expired",
    "flushing topics",
    "looking at the certificate",
    "reading quotas",
    "redirecting to https",
    "relieving incoming memory",
    "relieving outgoing memory",
    "sending mail",
    "serving metrics",
    "serving requests",
    "sweeping sockets",
    "taking samples",
    "waiting for SIGHUP",
    "watching the clock",
];

/// Begins when the server is asked to stop.
const WHILE_STOPPING: &str = "waiting for a second signal";

/// A process that a test has started, and that ends with the test.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Serves as the command line does, with settings from the environment, when a test has started this process.
#[test]
fn serves_in_a_process_of_its_own() {
    if std::env::var_os(IS_CHILD).is_none() {
        return;
    }
    let mut settings = Settings::default();
    settings.read_environment(std::env::vars()).unwrap();
    start_log(&Log::from_settings(&settings).unwrap());
    let config = Config::from_settings(&settings).unwrap();
    let secrets = config.secrets(&settings).unwrap();
    let runtime = Runtime::new().unwrap();
    let outcome = runtime.block_on(async {
        spawn_blocking(|| {
            loop {
                thread::park();
            }
        });
        serve::run(config, &secrets).await
    });
    eprintln!("{}", outcome.unwrap_err());
    // The thread that is parked would keep the process.
    drop(runtime);
}

#[test]
fn the_process_ends_with_1_when_a_task_panics() {
    let folder = tempfile::tempdir().unwrap();
    let issued = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(folder.path().join("certificate.pem"), issued.cert.pem()).unwrap();
    fs::write(folder.path().join("key.pem"), issued.signing_key.serialize_pem()).unwrap();
    for names in TASKS.chunks(3) {
        let started: Vec<_> = names.iter().map(|name| (*name, start(folder.path(), name))).collect();
        for (name, mut child) in started {
            let status = child.0.wait().unwrap();
            let log = log(folder.path(), name);
            assert_eq!(status.code(), Some(1), "{name}: {log}");
            assert!(log.contains(&format!("panicked: the process exits. task=\"{name}\"")), "{name}: {log}");
            assert!(log.contains(&format!("cannot go on without what has failed: {name}")), "{name}: {log}");
        }
    }
}

#[test]
fn it_does_so_while_it_stops_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = start(folder.path(), WHILE_STOPPING);
    until_logged(folder.path(), WHILE_STOPPING, "Listening");
    let id = child.0.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert_eq!(child.0.wait().unwrap().code(), Some(1), "{}", log(folder.path(), WHILE_STOPPING));
}

/// Each is tried, so that none can be added that ends without a word.
#[test]
fn every_task_is_tried() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = vec![source.clone()];
    let mut found = Vec::new();
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if !path.ends_with("tasks.rs") && !path.ends_with("cli/tests.rs") {
            let text = fs::read_to_string(&path).unwrap();
            for call in ["tasks.watch(\"", "tasks.guard(\"", "supervision.spawn(\""] {
                found.extend(text.split(call).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()));
            }
        }
    }
    found.sort_unstable();
    let mut tried = [&TASKS[..], &[WHILE_STOPPING]].concat();
    tried.sort_unstable();
    assert_eq!(found, tried);
}

/// A panic in one request is answered with 500 and counted, and everything else goes on.
#[test]
fn a_panic_in_a_request_ends_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let _child = start(folder.path(), "");
    until_logged(folder.path(), "", "Listening for metrics.");
    let log = log(folder.path(), "");
    let address = |line: &str| {
        let line = log.lines().find(|found| found.contains(line)).unwrap();
        line.split("address=").nth(1).unwrap().split_whitespace().next().unwrap().to_owned()
    };
    let (requests, metrics) = (address("Listening address="), address("Listening for metrics."));
    for _ in 0..11 {
        assert!(get(&requests, "/a/panic/on/purpose").starts_with("HTTP/1.1 500 "));
    }
    assert!(get(&requests, "/health/ready").starts_with("HTTP/1.1 200 "));
    assert!(get(&metrics, "/metrics").contains("\npusher_lite_panics_total 11\n"));
}

/// Starts a server in which this task panics.
fn start(folder: &Path, task: &str) -> Started {
    let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "cli::tests::serves_in_a_process_of_its_own", "--nocapture"]).env_clear();
    command.envs([(IS_CHILD, "1"), (injected::VARIABLE, task), ("PORT", "0"), ("NO_COLOR", "1")]);
    command.env("DATABASE_URL", format!("sqlite://{}", path(&format!("{task}.db"))));
    command.envs([("PUSHER_LITE_METRICS_LISTEN", "127.0.0.1:0"), ("PUSHER_LITE_SHUTDOWN_DELAY", "3600")]);
    if TASKS.contains(&task) {
        command.envs([("PUSHER_LITE_REDIRECT_PORT", "0"), ("PUSHER_LITE_SMTP_URL", "smtp://127.0.0.1:1")]);
        command
            .envs([("PUSHER_LITE_MAIL_FROM", "noreply@example.com"), ("PUSHER_LITE_PUBLIC_URL", "https://a.example")]);
        command.env("PUSHER_LITE_TLS_CERTIFICATE", path("certificate.pem"));
        command.env("PUSHER_LITE_TLS_KEY", path("key.pem"));
    }
    let log = File::create(folder.join(format!("{task}.log"))).unwrap();
    Started(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap())
}

fn log(folder: &Path, task: &str) -> String {
    fs::read_to_string(folder.join(format!("{task}.log"))).unwrap()
}

fn until_logged(folder: &Path, task: &str, text: &str) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !log(folder, task).lines().any(|line| line.contains(&format!(" {text} "))) {
        assert!(Instant::now() < deadline, "it is not in the log: {}", log(folder, task));
        thread::sleep(Duration::from_millis(5));
    }
}

/// The whole answer to a request.
fn get(address: &str, path: &str) -> String {
    use std::io::{Read, Write};

    let mut stream = std::net::TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: a.example\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}
