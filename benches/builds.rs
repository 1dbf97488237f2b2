//! Requests per second of two builds of the command, measured in turns, and the memory that each holds afterwards.
//!
//! `cargo bench --bench builds -- FIRST SECOND` takes the paths of two binaries. It needs nothing but the standard
//! library: `rustc -O --edition 2024 benches/builds.rs` builds it without the crate.

#![allow(
    clippy::cast_precision_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench may stop at what it did not expect"
)]

use std::{
    env,
    fmt::Write as _,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{self, Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

const ROUND: Duration = Duration::from_millis(500);
const ROUNDS: usize = 15;
const USERS: usize = 20_000;
/// The questions of a batch.
const BATCH: usize = 50;

/// What is asked, and over how many connections at a time.
struct Exchange {
    name: &'static str,
    request: Vec<u8>,
    connections: usize,
}

struct Daemon {
    process: Child,
    address: String,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn main() {
    // Cargo adds `--bench`.
    let builds: Vec<String> = env::args().skip(1).filter(|path| !path.starts_with("--")).collect();
    let [first, second] = builds.as_slice() else {
        eprintln!("no two builds are named: cargo bench --bench builds -- FIRST SECOND");
        return;
    };
    let folder = env::temp_dir().join(format!("peerage-builds-{}", process::id()));
    write_policy(&folder);
    let daemons = [Daemon::start(first, &folder), Daemon::start(second, &folder)];
    println!("| what | first | second | second against first |\n|---|---|---|---|");
    for exchange in exchanges() {
        let mut rates = [Vec::new(), Vec::new()];
        for round in 0..ROUNDS {
            // Each build is asked first as often as second.
            for at in [round % 2, 1 - round % 2] {
                rates[at].push(daemons[at].rate(&exchange));
            }
        }
        let [first, second] = rates.map(median);
        println!("| {} | {first:.0} | {second:.0} | {:.2} |", exchange.name, second / first);
    }
    let [first, second] = [daemons[0].resident(), daemons[1].resident()];
    println!(
        "| resident memory at the end, MB | {first:.1} | {second:.1} | {:.2} |",
        second / first
    );
    let _ = fs::remove_dir_all(folder);
}

/// Writes a policy under which every user reaches half of the others.
fn write_policy(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    let rules =
        "tags: [even, odd];\nrule even: hasTag(even) -> [even];\nrule odd: hasTag(odd) -> [odd];\n";
    fs::write(folder.join("rules.peerage"), rules).unwrap();
    let mut users = String::new();
    for user in 0..USERS {
        let tag = if user % 2 == 0 { "even" } else { "odd" };
        writeln!(users, r#"{{"id":"user-{user}","tags":["{tag}"]}}"#).unwrap();
    }
    fs::write(folder.join("users.ndjson"), users).unwrap();
}

fn exchanges() -> Vec<Exchange> {
    let get =
        |target: &str| format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n").into_bytes();
    let decide = "/v1/decide?subject=user-2&action=start_chat&resource=user-4";
    let questions: Vec<String> = (0..BATCH)
        .map(|at| format!(r#"{{"resource":{{"type":"user","id":"user-{at}"}}}}"#))
        .collect();
    let batch = format!(
        r#"{{"subject":{{"type":"user","id":"user-2"}},"action":{{"name":"start_chat"}},"evaluations":[{}]}}"#,
        questions.join(",")
    );
    let batch = format!(
        "POST /access/v1/evaluations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
        Content-Length: {}\r\n\r\n{batch}",
        batch.len()
    );
    vec![
        Exchange {
            name: "decisions a second, one connection",
            request: get(decide),
            connections: 1,
        },
        Exchange {
            name: "decisions a second, 64 connections",
            request: get(decide),
            connections: 64,
        },
        Exchange {
            name: "batches of 50 a second, 16 connections",
            request: batch.into_bytes(),
            connections: 16,
        },
        Exchange {
            name: "explained decisions a second, 16 connections",
            request: get(&format!("{decide}&explain=true")),
            connections: 16,
        },
        Exchange {
            name: "lists of 10,000 users a second, 4 connections",
            request: get("/v1/reach?subject=user-2&action=start_chat"),
            connections: 4,
        },
    ]
}

impl Daemon {
    fn start(binary: &str, policy: &Path) -> Self {
        let mut process = Command::new(binary)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .arg(policy)
            .env("RUST_LOG", "error")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the daemon starts");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = lines.find(|line| line.as_ref().is_ok_and(|line| line.contains("http://")));
        let line = line.expect("the daemon says where it listens").unwrap();
        let address = line.split("http://").nth(1).unwrap();
        let address = address.split_whitespace().next().unwrap().to_owned();
        // What it prints from now on must not fill the pipe.
        thread::spawn(move || lines.for_each(drop));
        Self { process, address }
    }

    /// Answers per second, with one request at a time on each connection.
    fn rate(&self, exchange: &Exchange) -> f64 {
        let begun = Instant::now();
        let answers: usize = thread::scope(|scope| {
            let clients: Vec<_> = (0..exchange.connections)
                .map(|_| scope.spawn(|| ask(&self.address, &exchange.request, begun)))
                .collect();
            clients.into_iter().map(|client| client.join().unwrap()).sum()
        });
        answers as f64 / begun.elapsed().as_secs_f64()
    }

    /// The resident memory in MB.
    fn resident(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
    }
}

/// Sends a request again and again until the round is over. Returns the number of answers.
fn ask(address: &str, request: &[u8], begun: Instant) -> usize {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut buffer = vec![0; 256 << 10];
    let mut answers = 0;
    while begun.elapsed() < ROUND {
        stream.write_all(request).unwrap();
        let mut read = 0;
        while !is_whole(&buffer[..read]) {
            if read == buffer.len() {
                buffer.resize(2 * read, 0);
            }
            let count = stream.read(&mut buffer[read..]).unwrap();
            assert!(count > 0, "the daemon closed the connection");
            read += count;
        }
        answers += usize::from(buffer.starts_with(b"HTTP/1.1 2"));
    }
    answers
}

/// Whether the bytes are a whole answer.
fn is_whole(read: &[u8]) -> bool {
    let Some(end) = read.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&read[..end]).to_ascii_lowercase();
    // A daemon that has no room refuses at once, which is no answer.
    let is_known = head.starts_with("http/1.1 2") || head.starts_with("http/1.1 503");
    assert!(is_known, "{head}\n{}", String::from_utf8_lossy(&read[end..]));
    match head.lines().find_map(|line| line.strip_prefix("content-length: ")) {
        Some(length) => read.len() >= end + 4 + length.parse::<usize>().unwrap(),
        None => read.ends_with(b"\r\n0\r\n\r\n"),
    }
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}
