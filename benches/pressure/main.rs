//! The daemon under pressure: what others notice of callers who ask for long lists, read nothing, or
//! only hold connections open.
//!
//! `cargo bench --bench pressure` starts a daemon with 1,000,000 users on one processor, loads it from
//! another, and prints figures for each kind of pressure; names of kinds after `--` choose some, and
//! `SECONDS=60` says how long each lasts. The README beside this file says more.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a bench may stop at what it did not expect"
)]

mod client;
mod daemon;

use std::{
    io::Write as _,
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use client::{Client, Times};
use daemon::{Daemon, POLICIES};

/// A kind of pressure.
struct Pressure {
    name: &'static str,
    /// Which of the policies is served.
    policy: usize,
    clients: usize,
    client: fn(&str, &Load),
}

const PRESSURES: [Pressure; 5] = [
    Pressure { name: "lists", policy: 0, clients: 512, client: lists },
    Pressure { name: "unread", policy: 0, clients: 64, client: unread },
    Pressure { name: "batches", policy: 0, clients: 128, client: lists },
    Pressure { name: "explain", policy: 1, clients: 16, client: explain },
    Pressure { name: "idle", policy: 0, clients: 1024, client: idle },
];

/// The shared state of the clients of one kind.
#[derive(Default)]
struct Load {
    is_over: AtomicBool,
    answered: AtomicU64,
    refused: AtomicU64,
    bytes: AtomicU64,
}

impl Load {
    fn goes_on(&self) -> bool {
        !self.is_over.load(Ordering::Relaxed)
    }
}

fn main() {
    let seconds = std::env::var("SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(60);
    let span = Duration::from_secs(seconds);
    let chosen: Vec<String> = std::env::args().skip(1).filter(|it| !it.starts_with('-')).collect();
    let is_chosen = |name: &str| chosen.is_empty() || chosen.iter().any(|it| it == name);
    for pressure in PRESSURES.iter().filter(|pressure| is_chosen(pressure.name)) {
        run(pressure, span);
    }
}

fn run(pressure: &Pressure, span: Duration) {
    let daemon = Daemon::start(POLICIES[pressure.policy]);
    println!("{}: {} clients for {} s", pressure.name, pressure.clients, span.as_secs());
    let idle = daemon.resident();
    println!("  idle: {idle} MB resident; {}", measure(&daemon, Duration::from_secs(5)));
    let load = Arc::new(Load::default());
    let clients: Vec<JoinHandle<()>> = (0..pressure.clients)
        .map(|_| {
            let (address, load, client) =
                (daemon.address.clone(), Arc::clone(&load), pressure.client);
            let small = thread::Builder::new().stack_size(128 << 10);
            small.spawn(move || client(&address, &load)).unwrap()
        })
        .collect();
    thread::sleep(Duration::from_millis(500));
    let peak = daemon.watch_peak(span);
    println!("  under pressure: {}", measure(&daemon, span));
    let peak = peak.join().unwrap();
    println!("  {peak} MB resident at most, {} above idle", peak.saturating_sub(idle));
    println!(
        "  {} answered with {} MB, {} refused",
        load.answered.load(Ordering::Relaxed),
        load.bytes.load(Ordering::Relaxed) >> 20,
        load.refused.load(Ordering::Relaxed)
    );
    load.is_over.store(true, Ordering::Relaxed);
    for client in clients {
        client.join().unwrap();
    }
    for pause in [10, 50] {
        thread::sleep(Duration::from_secs(pause));
        println!("  {pause} s later: {} MB resident", daemon.resident());
    }
}

/// Decisions, batches of two and metrics, each requested one after the other.
fn measure(daemon: &Daemon, span: Duration) -> String {
    let batch = r#"{"action":{"name":"start_chat"},"resource":{"type":"user","id":"user-0000002"},
        "evaluations":[{"subject":{"type":"user","id":"user-0000003"}},
        {"subject":{"type":"user","id":"user-0000004"}}]}"#;
    let batch = format!(
        "POST /access/v1/evaluations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\
         \r\nContent-Length: {}\r\n\r\n{batch}",
        batch.len()
    );
    let decide = get("/v1/decide?subject=user-0000003&action=start_chat&resource=user-0000002");
    let requested = [(decide, 2), (batch, 5), (get("/metrics"), 200)];
    let asking = requested.map(|(request, pause)| {
        let address = daemon.address.clone();
        thread::spawn(move || sample(&address, &request, Duration::from_millis(pause), span))
    });
    let [decide, batch, metrics] = asking.map(|thread| thread.join().unwrap());
    format!("decide {decide}; batch {batch}; metrics {metrics}")
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")
}

fn sample(address: &str, request: &str, pause: Duration, span: Duration) -> Times {
    let mut times = Times::default();
    let mut client = Client::connect(address).expect("a connection");
    let until = Instant::now() + span;
    while Instant::now() < until {
        let begun = Instant::now();
        let status = client.ask(request).map_or(0, |answer| answer.status);
        times.note(begun.elapsed(), status);
        if status == 0 {
            client = Client::connect(address).expect("a connection");
        }
        thread::sleep(pause);
    }
    times
}

/// Requests whole lists, one after the other, and waits for `Retry-After`.
fn lists(address: &str, load: &Load) {
    ask_on(address, load, &get("/v1/reach?subject=user-0000003&action=start_chat"));
}

fn explain(address: &str, load: &Load) {
    let query = "subject=user-0000003&action=start_chat&resource=user-0000002&explain=true";
    ask_on(address, load, &get(&format!("/v1/decide?{query}")));
}

fn ask_on(address: &str, load: &Load, request: &str) {
    while load.goes_on() {
        let Ok(mut client) = Client::connect(address) else { continue };
        while load.goes_on() {
            let Ok(answer) = client.ask(request) else { break };
            let counter = if answer.status == 200 { &load.answered } else { &load.refused };
            counter.fetch_add(1, Ordering::Relaxed);
            load.bytes.fetch_add(answer.bytes as u64, Ordering::Relaxed);
            let until = Instant::now() + Duration::from_secs(answer.retry_after);
            while load.goes_on() && Instant::now() < until {
                thread::sleep(Duration::from_millis(50));
            }
        }
    }
}

/// Asks for a whole list and reads nothing; asks again when it is left.
fn unread(address: &str, load: &Load) {
    let request = get("/v1/reach?subject=user-0000003&action=start_chat");
    while load.goes_on() {
        let Ok(mut stream) = TcpStream::connect(address) else { continue };
        while load.goes_on() && stream.write_all(request.as_bytes()).is_ok() {
            thread::sleep(Duration::from_secs(5));
        }
    }
}

/// Holds a connection open.
fn idle(address: &str, load: &Load) {
    let _stream = TcpStream::connect(address);
    while load.goes_on() {
        thread::sleep(Duration::from_millis(200));
    }
}
