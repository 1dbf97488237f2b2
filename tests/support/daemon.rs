//! The real daemon as a process, and a client that sends it whatever bytes it is given.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    reason = "each test takes a part of it, and may fail by it"
)]

use std::{
    ffi::OsStr,
    fmt::Debug,
    io::{BufRead, BufReader, Read},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::client::{Answer, Client};

/// Longer than anything here takes, so that only what never comes fails.
pub const NEVER: Duration = Duration::from_secs(60);

/// A daemon that runs until this is dropped.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    addresses: Vec<SocketAddr>,
    errors: Option<JoinHandle<String>>,
}

/// How a daemon ended, and all that it said on standard error.
#[derive(Debug)]
pub struct Ended {
    pub status: ExitStatus,
    pub errors: String,
}

impl Daemon {
    /// Serves the policy at the path on a free port of the loopback.
    pub fn serve(policy: impl AsRef<OsStr>) -> Self {
        Self::start(serve().arg(policy).args(["--listen", "127.0.0.1:0"]))
    }

    /// Starts a daemon and waits until it listens.
    #[track_caller]
    pub fn start(command: &mut Command) -> Self {
        let is_socket = |arg: &&OsStr| {
            ["--listen", "--uds", "--admin-listen", "--admin-uds"]
                .iter()
                .any(|known| *arg == OsStr::new(known))
        };
        let sockets = command.get_args().filter(is_socket).count().max(1);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).stdin(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut stderr = child.stderr.take().unwrap();
        let errors = thread::spawn(move || {
            let mut text = Vec::new();
            let _ = stderr.read_to_end(&mut text);
            String::from_utf8_lossy(&text).into_owned()
        });
        Self::listening(child, Some(errors), sockets)
    }

    /// The daemon of a process, once it listens on so many sockets. Its standard output is piped.
    #[track_caller]
    pub fn listening(mut child: Child, errors: Option<JoinHandle<String>>, sockets: usize) -> Self {
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut daemon = Self { child, addresses: Vec::new(), errors };
        for _ in 0..sockets {
            let Some(Ok(line)) = lines.next() else {
                panic!("the daemon did not start: {:?}", daemon.ended());
            };
            let place = line.strip_prefix("listening on ").unwrap();
            let is_address = |scheme| place.strip_prefix(scheme);
            if let Some(address) = is_address("http://").or_else(|| is_address("https://")) {
                let address = address.split(' ').next().unwrap();
                daemon.addresses.push(address.parse().unwrap());
            }
        }
        daemon
    }

    pub fn address(&self) -> SocketAddr {
        *self.addresses.first().unwrap()
    }

    /// Each TCP address that was announced when it started.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    pub fn connect(&self) -> Client<TcpStream> {
        Client::tcp(self.address())
    }

    /// Asks over a connection of its own.
    #[track_caller]
    pub fn get(&self, path: &str) -> Answer {
        self.connect().get(path)
    }

    /// An evaluation over a connection of its own.
    #[track_caller]
    pub fn evaluate(&self, body: impl AsRef<[u8]>) -> Answer {
        self.connect().post("/access/v1/evaluation", body.as_ref())
    }

    /// Whether 3 may start a chat with 2, and from which revision the answer is.
    #[track_caller]
    pub fn answers(&self) -> bool {
        let answer = self.get("/v1/decide?subject=3&action=start_chat&resource=2");
        assert_eq!(answer.status, 200);
        answer.json()["decision"].as_bool().unwrap()
    }

    /// Of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, name: &str) {
        let signal = format!("-{name}");
        let sent = Command::new("kill").args([&signal, &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success(), "can't send {name}");
    }

    /// What `look` finds, as soon as it finds anything.
    #[track_caller]
    pub fn wait_for<T>(&self, what: impl Debug, mut look: impl FnMut(&Self) -> Option<T>) -> T {
        let deadline = Instant::now() + NEVER;
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            assert!(Instant::now() < deadline, "waited in vain for {what:?}");
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Waits until the daemon has ended by itself.
    #[track_caller]
    pub fn ended(mut self) -> Ended {
        let deadline = Instant::now() + NEVER;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                let errors =
                    self.errors.take().map(|errors| errors.join().unwrap()).unwrap_or_default();
                return Ended { status, errors };
            }
            assert!(Instant::now() < deadline, "the daemon does not end");
            thread::sleep(Duration::from_millis(2));
        }
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Ends it as the system does that has no time to ask: `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `peerage serve`, to be given its arguments.
pub fn serve() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_peerage"));
    command.arg("serve").env("RUST_LOG", "info");
    command
}

/// Runs a command that is expected to end by itself.
#[track_caller]
pub fn run(command: &mut Command) -> Output {
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.unwrap();
    let deadline = Instant::now() + NEVER;
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            child.kill().unwrap();
            panic!("{command:?} does not end: {:?}", child.wait_with_output());
        }
        thread::sleep(Duration::from_millis(2));
    }
    child.wait_with_output().unwrap()
}

/// The stores' policy in the DSL.
pub fn stores() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/stores-dsl")
}

/// A policy that holds something for every gate.
pub fn club() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/service/http/club.yaml")
}
