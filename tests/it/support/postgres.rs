//! A Postgres server for the tests: the one that `TEST_DATABASE_URL` names, or a private one.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

use tokio_postgres::{NoTls, error::SqlState};

use super::left_out::leave_out;

/// The tests that [`Server::get`] serves, as a note on their absence names them.
const TESTS: &str = "every test on Postgres";

/// A server, started once per test process.
pub(crate) struct Server {
    /// Its database to create schemas in.
    pub(crate) url: String,
    /// The script that runs a private server. It ends the server when its standard input ends: when this process does,
    /// however it does.
    _script: Option<Child>,
}

/// Runs a server in a new folder under `$2` until standard input ends, then removes all of it. `$1` holds the server's
/// programs, `$3` is more of its command line. Says the folder when the server answers.
const SCRIPT: &str = r#"
dir=$(mktemp -d "$2/pusher-lite-postgres.XXXXXX") || exit 1
trap '"$1/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null 2>&1; rm -rf "$dir"' EXIT
trap '' HUP INT TERM
umask 077
if "$1/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --no-locale --no-sync >"$dir/log" 2>&1 &&
    printf '%s' "$SERVER_KEY" >"$dir/data/server.key" && printf '%s' "$SERVER_CRT" >"$dir/data/server.crt" &&
    "$1/pg_ctl" -D "$dir/data" -l "$dir/log" -w \
        -o "-k $dir -c fsync=off -c max_connections=300 $3" start >"$dir/start" 2>&1
then echo "$dir"; cat >/dev/null
else cat "$dir/log" "$dir/start" >&2
fi
"#;

impl Server {
    /// The server; `None`, with a note by [`leave_out`], when there is none.
    ///
    /// # Panics
    ///
    /// Panics if there is none and `CI` is set: nothing is left out there.
    pub(crate) fn get() -> Option<&'static Server> {
        static SERVER: OnceLock<Result<Server, String>> = OnceLock::new();
        SERVER.get_or_init(find_or_start).as_ref().map_err(|reason| leave_out(TESTS, reason)).ok()
    }

    /// A private server that writes its messages in German, where its translations are installed. `LANGUAGE` needs no
    /// locale of the system but C.UTF-8.
    pub(crate) fn in_german() -> Option<&'static Server> {
        static SERVER: OnceLock<Result<Server, String>> = OnceLock::new();
        let start = || {
            let (script, folder) = start("-c listen_addresses='' -c lc_messages=C.UTF-8", &[("LANGUAGE", "de")])?;
            let host = folder.replace('/', "%2F");
            Ok(Server { url: format!("postgres://postgres@{host}/postgres"), _script: Some(script) })
        };
        SERVER.get_or_init(start).as_ref().map_err(|reason| leave_out("every test on a German Postgres", reason)).ok()
    }

    /// A server of its own that speaks TLS on this port of 127.0.0.1, as `localhost`. Its certificate is self-signed.
    ///
    /// # Errors
    ///
    /// The reason why there is none.
    pub(crate) fn with_tls(port: u16, certificate: &str, key: &str) -> Result<Server, String> {
        let options = format!("-c listen_addresses=127.0.0.1 -c port={port} -c ssl=on");
        let (script, _) = start(&options, &[("SERVER_CRT", certificate), ("SERVER_KEY", key)])?;
        Ok(Server { url: format!("postgres://postgres@localhost:{port}/postgres"), _script: Some(script) })
    }

    /// The URL to use one schema of the database with.
    pub(crate) fn url_of_schema(&self, schema: &str) -> String {
        let separator = if self.url.contains('?') { '&' } else { '?' };
        format!("{}{separator}options=-csearch_path%3D{schema}", self.url)
    }
}

/// Runs SQL on a connection of its own. A deadlock with what a server still does in the background is no fault of the test.
pub(crate) async fn execute(url: &str, sql: &str) {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("the Postgres server answers");
    let connection = tokio::spawn(connection);
    loop {
        match client.batch_execute(sql).await {
            Err(error) if error.code() == Some(&SqlState::T_R_DEADLOCK_DETECTED) => {}
            done => break done.expect("the test's SQL is right"),
        }
    }
    drop(client);
    connection.await.expect("the connection does not panic").expect("the connection ends well");
}

/// The first column of what a query finds, on a connection of its own.
pub(crate) async fn texts(url: &str, sql: &str) -> Vec<String> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("the Postgres server answers");
    let connection = tokio::spawn(connection);
    let rows = client.query(sql, &[]).await.expect("the test's SQL is right");
    drop(client);
    connection.await.expect("the connection does not panic").expect("the connection ends well");
    rows.iter().map(|row| row.get(0)).collect()
}

/// Returns the reason for which the server refuses this SQL, on a connection of its own.
pub(crate) async fn refusal(url: &str, sql: &str) -> String {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("the Postgres server answers");
    let connection = tokio::spawn(connection);
    let error = client.batch_execute(sql).await.expect_err("Postgres refuses it");
    let reason = error.as_db_error().expect("it is the server that refuses").message().to_owned();
    drop(client);
    connection.await.expect("the connection does not panic").expect("the connection ends well");
    reason
}

fn find_or_start() -> Result<Server, String> {
    if let Ok(url) = std::env::var("TEST_DATABASE_URL") {
        return Ok(Server { url, _script: None });
    }
    let (script, folder) = start("-c listen_addresses=''", &[])?;
    let host = folder.replace('/', "%2F");
    Ok(Server { url: format!("postgres://postgres@{host}/postgres"), _script: Some(script) })
}

/// Starts a private server; returns the script that runs it, and its folder, where its socket is.
fn start(options: &str, environment: &[(&str, &str)]) -> Result<(Child, String), String> {
    let programs = find_programs().ok_or(
        "Set TEST_DATABASE_URL to a database of a Postgres server, or install Postgres (initdb and pg_ctl) here",
    )?;
    let is_root = output("id", &["-u"]).as_deref() == Some("0");
    let temporary = if is_root { PathBuf::from("/tmp") } else { std::env::temp_dir() };
    // Postgres refuses to run as root.
    let mut command = if is_root { as_other_user()? } else { Command::new("sh") };
    command.args(["-c", SCRIPT, "sh"]).arg(&programs).arg(&temporary).arg(options).current_dir("/");
    command.envs(environment.iter().copied()).stdin(Stdio::piped()).stdout(Stdio::piped());
    #[cfg(unix)]
    // So that Ctrl-C reaches this process alone; the script follows.
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut script = command.spawn().map_err(|error| format!("The private Postgres did not start: {error}"))?;
    let mut folder = String::new();
    let answers = script.stdout.take().expect("standard output is piped");
    BufReader::new(answers).read_line(&mut folder).map_err(|error| error.to_string())?;
    match folder.trim() {
        "" => Err("The private Postgres did not start; its log is above".to_owned()),
        folder => Ok((script, folder.to_owned())),
    }
}

/// The folder with `initdb` and `pg_ctl`: that of `pg_config`, or where distributions put the newest version.
fn find_programs() -> Option<PathBuf> {
    let has_all = |folder: &Path| folder.join("initdb").exists() && folder.join("pg_ctl").exists();
    let mut folders: Vec<PathBuf> = output("pg_config", &["--bindir"]).map(PathBuf::from).into_iter().collect();
    for pattern in ["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt"] {
        let mut versions: Vec<PathBuf> =
            std::fs::read_dir(pattern).into_iter().flatten().flatten().map(|entry| entry.path().join("bin")).collect();
        versions.sort();
        folders.extend(versions.into_iter().rev());
    }
    folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    folders.into_iter().find(|folder| has_all(folder))
}

fn as_other_user() -> Result<Command, String> {
    let user = ["postgres", "nobody"]
        .into_iter()
        .find(|user| output("id", &["-u", user]).is_some())
        .ok_or("Postgres does not run as root, and there is neither a user postgres nor nobody")?;
    let mut command = Command::new("runuser");
    command.args(["-u", user, "--", "sh"]);
    Ok(command)
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
