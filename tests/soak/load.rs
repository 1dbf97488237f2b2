//! The load: clients that decide, list and write at a steady pace, over connections that they renew.

use std::{
    net::SocketAddr,
    path::Path,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crate::{
    place::{GUESTS, Place, USERS},
    support::{chance::Chance, client::Client},
};

/// The requests after which a client takes a new connection.
const RENEWED: usize = 500;

/// What the clients of all daemons see.
#[derive(Default)]
pub(crate) struct Traffic {
    is_over: AtomicBool,
    /// The times of the decisions since the last sample, by daemon, in microseconds.
    times: [Mutex<Vec<u64>>; 2],
    decisions: AtomicU64,
    encrypted: AtomicU64,
    lists: AtomicU64,
    writes: AtomicU64,
    /// Writes that were refused with 503, as while etcd is down.
    refused: AtomicU64,
    faults: Mutex<Vec<String>>,
}

impl Traffic {
    /// The times of a daemon's decisions since the last call.
    pub(crate) fn take_times(&self, daemon: usize) -> Vec<u64> {
        std::mem::take(&mut self.times[daemon].lock().unwrap())
    }

    fn goes_on(&self) -> bool {
        !self.is_over.load(Ordering::Relaxed)
    }

    fn fault(&self, text: String) {
        let mut faults = self.faults.lock().unwrap();
        // The first ones say enough.
        if faults.len() < 20 {
            faults.push(text);
        }
    }

    /// The answers that no client should get.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = self.faults.lock().unwrap().clone();
        for (what, counter) in [
            ("decision", &self.decisions),
            ("decision over TLS", &self.encrypted),
            ("list", &self.lists),
            ("write", &self.writes),
        ] {
            if counter.load(Ordering::Relaxed) == 0 {
                faults.push(format!("no {what} was answered"));
            }
        }
        faults
    }

    pub(crate) fn summary(&self) -> String {
        let [decisions, encrypted, lists, writes, refused] =
            [&self.decisions, &self.encrypted, &self.lists, &self.writes, &self.refused]
                .map(|counter| counter.load(Ordering::Relaxed));
        format!(
            "{decisions} decisions, {encrypted} over TLS, {lists} lists, {writes} writes, {refused} writes refused"
        )
    }
}

/// The clients, until they are stopped.
pub(crate) struct Load {
    traffic: Arc<Traffic>,
    clients: Vec<JoinHandle<()>>,
}

impl Load {
    pub(crate) fn start(place: &Place, traffic: &Arc<Traffic>) -> Self {
        let mut clients = Vec::new();
        for (at, subject) in place.subjects().iter().enumerate() {
            for client in 0..2 {
                let (socket, shared) = (place.socket(subject.name), Arc::clone(traffic));
                let seed = (at * 2 + client) as u64;
                clients.push(thread::spawn(move || decide(&socket, at, seed, &shared)));
            }
            let (socket, shared) = (place.socket(subject.name), Arc::clone(traffic));
            clients.push(thread::spawn(move || list(&socket, at as u64, &shared)));
            let (socket, shared) = (place.admin_socket(subject.name), Arc::clone(traffic));
            let name = subject.name;
            clients.push(thread::spawn(move || write(&socket, name, &shared)));
            let (address, authority) = (subject.daemon.address(), place.authority());
            let shared = Arc::clone(traffic);
            clients.push(thread::spawn(move || encrypt(address, &authority, &shared)));
        }
        Self { traffic: Arc::clone(traffic), clients }
    }

    pub(crate) fn stop(self) {
        self.traffic.is_over.store(true, Ordering::Relaxed);
        for client in self.clients {
            client.join().unwrap();
        }
    }
}

/// Calls at a steady pace: what is late is not made up for.
fn paced(traffic: &Traffic, pause: Duration, mut call: impl FnMut(usize)) {
    let mut next = Instant::now();
    let mut calls = 0;
    while traffic.goes_on() {
        call(calls);
        calls += 1;
        next += pause;
        match next.checked_duration_since(Instant::now()) {
            Some(rest) => thread::sleep(rest),
            None => next = Instant::now(),
        }
    }
}

/// Decisions about users of the file, all of which are allowed whatever else changes.
fn decide(socket: &Path, daemon: usize, seed: u64, traffic: &Traffic) {
    let mut chance = Chance(seed + 1);
    let mut client = Client::unix(socket);
    paced(traffic, Duration::from_millis(5), |call| {
        if call % RENEWED == 0 {
            client = Client::unix(socket);
        }
        let (from, to) = (chance.place(USERS), chance.place(USERS - 1));
        let to = if to < from { to } else { to + 1 };
        let path = format!("/v1/decide?subject=user-{from}&action=start_chat&resource=user-{to}");
        let begun = Instant::now();
        let answer = client.try_ask("GET", &path, "", b"");
        let took = begun.elapsed();
        match answer {
            Ok(answer) if answer.status == 200 && answer.text().contains("\"decision\":true") => {
                traffic.decisions.fetch_add(1, Ordering::Relaxed);
                let took = u64::try_from(took.as_micros()).unwrap();
                traffic.times[daemon].lock().unwrap().push(took);
            }
            Ok(answer) => traffic.fault(format!("{path}: {} {}", answer.status, answer.text())),
            Err(error) => {
                traffic.fault(format!("{path}: {error}"));
                client = Client::unix(socket);
            }
        }
    });
}

/// Lists of all whom a user reaches, one connection each.
fn list(socket: &Path, seed: u64, traffic: &Traffic) {
    let mut chance = Chance(seed + 100);
    paced(traffic, Duration::from_millis(200), |_| {
        let path = format!("/v1/reach?subject=user-{}&action=start_chat", chance.place(USERS));
        match Client::unix(socket).try_ask("GET", &path, "", b"") {
            Ok(answer) if answer.status == 200 && answer.body.len() > USERS => {
                traffic.lists.fetch_add(1, Ordering::Relaxed);
            }
            Ok(answer) => traffic.fault(format!("{path}: {} {}", answer.status, answer.text())),
            Err(error) => traffic.fault(format!("{path}: {error}")),
        }
    });
}

/// Decisions over TLS, some on one connection by HTTP/2 and some by HTTP/1.1.
fn encrypt(address: SocketAddr, authority: &Path, traffic: &Traffic) {
    let port = address.port();
    let path = "v1/decide?subject=user-[1-40]&action=start_chat&resource=user-0";
    paced(traffic, Duration::from_millis(700), |call| {
        let version = if call % 2 == 0 { "--http1.1" } else { "--http2" };
        let output = Command::new("curl")
            .args(["--silent", "--show-error", "--fail", "--max-time", "30", version, "--cacert"])
            .arg(authority)
            .arg(format!("https://localhost:{port}/{path}"))
            .args(["--resolve", &format!("localhost:{port}:{}", address.ip())])
            .output()
            .unwrap();
        let answers = String::from_utf8_lossy(&output.stdout);
        if output.status.success() && answers.matches("\"decision\":true").count() == 40 {
            traffic.encrypted.fetch_add(40, Ordering::Relaxed);
        } else {
            traffic.fault(format!("over TLS: {output:?}"));
        }
    });
}

/// Writes about a fixed number of users: what is known of them changes, and does not grow.
fn write(socket: &Path, name: &str, traffic: &Traffic) {
    let mut chance = Chance(7);
    let mut client = Client::unix(socket);
    paced(traffic, Duration::from_millis(50), |call| {
        let guest = |chance: &mut Chance| format!("{name}-{}", chance.place(GUESTS));
        let (one, other) = (guest(&mut chance), guest(&mut chance));
        let command = match call % 5 {
            0 => format!(r#"{{"op":"delete_user","user":"{one}"}}"#),
            1 => format!(r#"{{"op":"ban","user":"{one}"}}"#),
            2 => format!(r#"{{"op":"block","from":"{one}","to":"{other}x"}}"#),
            _ => format!(r#"{{"op":"put_user","user":"{one}","tags":["member"],"blocked":[]}}"#),
        };
        let body = format!(r#"{{"commands":[{command}]}}"#);
        match client.try_ask("POST", "/v1/facts", JSON, body.as_bytes()) {
            // A user who was deleted can't be banned: 409.
            Ok(answer) if matches!(answer.status, 200 | 409) => {
                traffic.writes.fetch_add(1, Ordering::Relaxed);
            }
            Ok(answer) if answer.status == 503 && name == "etcd" => {
                traffic.refused.fetch_add(1, Ordering::Relaxed);
            }
            Ok(answer) => traffic.fault(format!("{command}: {} {}", answer.status, answer.text())),
            Err(error) => {
                traffic.fault(format!("{command}: {error}"));
                client = Client::unix(socket);
            }
        }
    });
}

const JSON: &str = "Content-Type: application/json\r\n";
