//! Running the binary in a folder of its own, with nothing of this machine's environment.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, ChildStdout, Command, ExitStatus, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// A folder to run the binary in; `data/` comes to lie in it.
pub(super) struct Installation {
    pub(super) folder: TempDir,
}

/// A server that was started, and what it has printed. It is stopped with its value.
pub(super) struct Running {
    process: Child,
    stdout: BufReader<ChildStdout>,
    pub(super) welcome: String,
}

impl Installation {
    pub(super) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(super) fn command(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pusher-lite"));
        command.args(arguments).current_dir(&self.folder).env_clear().envs(environment.iter().copied());
        command
    }

    pub(super) fn run(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
        self.command(arguments, environment).stdin(Stdio::null()).output().unwrap()
    }

    /// Returns the output of the command, which must succeed.
    pub(super) fn stdout(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments, &[]);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// Returns the error message of the command, which must fail.
    pub(super) fn failure(&self, arguments: &[&str], environment: &[(&str, &str)]) -> String {
        let output = self.run(arguments, environment);
        assert!(!output.status.success(), "{arguments:?}: {}", text(&output.stdout));
        text(&output.stderr)
    }

    pub(super) fn run_with_input(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = self.command(arguments, &[]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }

    /// Returns the log so far of the server that was started last.
    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// Waits until the server that was started last has logged this.
    pub(super) fn until_logged(&self, text: &str) {
        self.until_log(|log| log.contains(text));
    }

    /// Waits until the log of the server that was started last is as wanted.
    pub(super) fn until_log(&self, is_wanted: impl Fn(&str) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !is_wanted(&self.log()) {
            assert!(Instant::now() < deadline, "it is not in the log: {}", self.log());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Starts a server on a free port, and reads what it prints until requests are served.
    pub(super) fn serve(&self, environment: &[(&str, &str)]) -> Running {
        self.serve_with_log(self.new_log(), environment)
    }

    /// As [`Installation::serve`], with another place for the log.
    pub(super) fn serve_with_log(&self, log: File, environment: &[(&str, &str)]) -> Running {
        Self::start(self.command(&["--port", "0"], environment), log)
    }

    /// As [`Installation::serve`], by a line of shell that becomes the program in `$0`.
    pub(super) fn serve_by(&self, shell: &str, environment: &[(&str, &str)]) -> Running {
        let mut command = Command::new("sh");
        command.args(["-c", shell, env!("CARGO_BIN_EXE_pusher-lite"), "--port", "0"]).current_dir(&self.folder);
        command.env_clear().envs(environment.iter().copied());
        if let Some(path) = std::env::var_os("PATH") {
            command.env("PATH", path);
        }
        Self::start(command, self.new_log())
    }

    fn new_log(&self) -> File {
        File::create(self.folder.path().join("log")).unwrap()
    }

    fn start(mut command: Command, log: File) -> Running {
        let mut process = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        let mut welcome = String::new();
        while !welcome.contains("Open ") {
            assert!(stdout.read_line(&mut welcome).unwrap() > 0, "the server ended: {welcome}");
        }
        Running { process, stdout, welcome }
    }
}

impl Running {
    /// The word behind a label of the welcome; reads on until it comes.
    pub(super) fn word(&mut self, label: &str) -> String {
        loop {
            let mut words = self.welcome.lines().filter_map(|line| line.trim().strip_prefix(label));
            if let Some(rest) = words.next() {
                return rest.split_whitespace().next().unwrap().to_owned();
            }
            assert!(self.stdout.read_line(&mut self.welcome).unwrap() > 0, "no {label}: {}", self.welcome);
        }
    }

    /// `localhost:PORT`.
    pub(super) fn port(&mut self) -> u16 {
        self.word("Open").rsplit_once(':').unwrap().1.parse().unwrap()
    }

    /// The id of its process.
    pub(super) fn id(&self) -> String {
        self.process.id().to_string()
    }

    /// Ends the process without its knowing, as the machine does when it runs out of memory.
    pub(super) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// The processor time that it has taken so far.
    pub(super) fn cpu_time(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id())).unwrap();
        let (_, fields) = stat.rsplit_once(") ").unwrap();
        let ticks = fields.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap());
        // Linux counts hundredths of a second here, whatever the kernel's own clock.
        Duration::from_millis(ticks.sum::<u64>() * 10)
    }

    /// Asks the server to stop, and waits until it has; returns whether it ended well.
    pub(super) fn stop(self) -> bool {
        self.signal("TERM");
        self.ended().success()
    }

    /// Sends a signal by its name.
    pub(super) fn signal(&self, name: &str) {
        let killed = Command::new("kill").args(["-s", name, &self.process.id().to_string()]).status().unwrap();
        assert!(killed.success());
    }

    /// Waits until the server has ended.
    pub(super) fn ended(mut self) -> ExitStatus {
        self.process.wait().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It fails when the process has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// All that is answered to a request, up to where the server closes the connection.
pub(super) fn exchange(port: u16, request: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// The answer to a GET.
pub(super) fn get(port: u16, path: &str) -> String {
    exchange(port, &format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"))
}
