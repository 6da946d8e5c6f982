//! Runs the binary as a user would, away from the user's own data and never for ever.

use std::ffi::OsStr;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use hansel_report::Report;
use serde::de::DeserializeOwned;
use tempfile::TempDir;

/// How long a command may take; loaded machines are slow.
const PATIENCE: Duration = Duration::from_secs(120);

/// A command line of `hansel` with a home of its own.
pub(crate) struct Hansel {
    command: Command,
    home: TempDir,
}

/// A command that was started.
pub(crate) struct Running {
    child: Child,
    stdout: JoinHandle<Vec<u8>>,
    stderr: JoinHandle<Vec<u8>>,
    _home: TempDir,
}

/// What became of a command.
#[derive(Clone, Debug)]
pub(crate) struct Finished {
    /// `None` where a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A directory for a test's files, gone with it.
pub(crate) fn directory() -> TempDir {
    tempfile::Builder::new()
        .prefix("hansel-end-to-end-")
        .tempdir()
        .unwrap()
}

impl Hansel {
    /// The words behind `hansel`, separated by blanks. Data goes to a directory of its own unless said otherwise.
    pub(crate) fn new(words: &str) -> Self {
        let home = directory();
        let mut command = Command::new(env!("CARGO_BIN_EXE_hansel"));
        command.args(words.split_whitespace());
        Self {
            command: prepared(command, &home),
            home,
        }
    }

    pub(crate) fn args<T: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = T>) -> Self {
        self.command.args(args);
        self
    }

    /// Adds an option with its value.
    pub(crate) fn option(self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.args([OsStr::new(name), value.as_ref()])
    }

    /// Keeps cases in this directory instead of the command's own.
    pub(crate) fn data(self, directory: &Path) -> Self {
        self.option("--data", directory)
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs the command where not even loopback is up, if the system lets an unprivileged user do that.
    pub(crate) fn without_network(mut self) -> Self {
        let alone = ["--map-root-user", "--net", "--"];
        let allowed = Command::new("unshare").args(alone).arg("true").status();
        if allowed.is_ok_and(|status| status.success()) {
            let mut command = Command::new("unshare");
            command.args(alone).arg(self.command.get_program());
            command.args(self.command.get_args());
            self.command = prepared(command, &self.home);
        } else {
            eprintln!("SKIPPED: `unshare --net` is not allowed here, so the network stays up");
        }
        self
    }

    /// Runs the command to its end.
    pub(crate) fn run(self) -> Finished {
        self.start().wait()
    }

    /// Starts the command.
    pub(crate) fn start(mut self) -> Running {
        let mut child = self.command.spawn().unwrap();
        let stdout = drain(child.stdout.take().unwrap());
        let stderr = drain(child.stderr.take().unwrap());
        Running {
            child,
            stdout,
            stderr,
            _home: self.home,
        }
    }
}

impl Running {
    /// Waits for the end.
    pub(crate) fn wait(mut self) -> Finished {
        let status = self.status();
        let text = |bytes: JoinHandle<Vec<u8>>| String::from_utf8(bytes.join().unwrap()).unwrap();
        Finished {
            code: status.code(),
            stdout: text(self.stdout),
            stderr: text(self.stderr),
        }
    }

    /// Ends the process at once, as a power cut would.
    pub(crate) fn kill(mut self) -> Finished {
        // It fails only where the process has ended already.
        let _killed = self.child.kill();
        self.wait()
    }

    /// The memory that it has now, in KiB; `None` where the system does not say.
    pub(crate) fn resident(&self) -> Option<u64> {
        let status = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(status).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))?;
        line.split_whitespace().next()?.parse().ok()
    }

    /// Sends a signal by name, as `INT`.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status();
        assert!(sent.unwrap().success());
    }

    fn status(&mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            if started.elapsed() > PATIENCE {
                self.child.kill().unwrap();
                panic!("the command did not end in {} s", PATIENCE.as_secs());
            }
            thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Finished {
    /// Asserts the exit code, showing what was said where it is another.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        let start: String = self.stdout.chars().take(2_000).collect();
        assert_eq!(self.code, Some(code), "{start}\n{}", self.stderr);
        self
    }

    /// Asserts that the command failed with this code, an empty standard output and these words.
    #[track_caller]
    pub(crate) fn fails(self, code: i32, words: &[&str]) -> Self {
        let failed = self.exits(code);
        assert_eq!(failed.stdout, "");
        for word in words {
            assert!(failed.stderr.contains(word), "{word}: {}", failed.stderr);
        }
        failed
    }

    /// Reads standard output as JSON.
    #[track_caller]
    pub(crate) fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}{}", self.stdout, self.stderr))
    }

    /// Reads standard output as a report.
    #[track_caller]
    pub(crate) fn report(&self) -> Report {
        self.json()
    }
}

/// Takes away what a test must not depend on.
fn prepared(mut command: Command, home: &TempDir) -> Command {
    command
        .env_clear()
        .env("HOME", home.path())
        .env("TMPDIR", std::env::temp_dir())
        .current_dir(home.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn drain(mut pipe: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        bytes
    })
}
