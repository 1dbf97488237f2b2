//! The command as a process: how long `check` takes on a repository of 200 files and 10,000 rules.
//!
//! The daemon as a process with 1,000,000 users and 1000 rules: how long it takes to start, how much
//! memory it takes, how long a reload of one changed rule takes, and what requests notice of it.
//!
//! `cargo bench --bench process` prints the figures; with `-- check`, that of `check` alone.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench may stop at what it did not expect"
)]

mod world;

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use world::{LARGE, REPOSITORY};

fn main() {
    check();
    if std::env::args().any(|argument| argument == "check") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rules.peerage"), world::dsl_rules(LARGE, 11)).unwrap();
    let users = world::ndjson(LARGE);
    fs::write(folder.path().join("users.ndjson"), &users).unwrap();
    println!("1,000,000 users in {} MB of NDJSON, 1000 rules", users.len() >> 20);
    drop(users);

    let begun = Instant::now();
    let daemon = Daemon::start(folder.path());
    println!("start: {:.2} s until it listens", begun.elapsed().as_secs_f64());
    let (resident, peak) = daemon.memory();
    println!("memory: {resident} MB resident, {peak} MB at the peak");

    println!("requests while nothing happens: {}", daemon.latencies(Duration::from_secs(3)));
    let (mut times, mut seen) = (Vec::new(), Vec::new());
    for change in 0..8 {
        let outcome = format!("rule new: hasTag(tag-1) -> [tag-{change}];");
        let next = folder.path().join(".next");
        fs::write(&next, outcome).unwrap();
        fs::rename(&next, folder.path().join("new.peerage")).unwrap();
        let before = times.len();
        while times.len() == before {
            seen.extend(daemon.sample(Duration::from_millis(200)));
            let (swapped, milliseconds) = daemon.reloads();
            if swapped > before {
                times.push(milliseconds);
            }
        }
    }
    times.sort_unstable();
    println!(
        "reload of one changed rule: {} ms (median of {})",
        times[times.len() / 2],
        times.len()
    );
    println!("requests meanwhile: {}", summary(seen));
    let (resident, peak) = daemon.memory();
    println!("memory after reloads: {resident} MB resident, {peak} MB at the peak");
}

fn check() {
    const FILES: usize = 200;
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in world::files(REPOSITORY, FILES) {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let mut times: Vec<u128> = (0..11)
        .map(|_| {
            let begun = Instant::now();
            let mut check = Command::new(env!("CARGO_BIN_EXE_peerage"));
            let output = check.arg("check").arg(folder.path()).output().expect("it runs");
            assert!(output.status.success(), "{output:?}");
            begun.elapsed().as_millis()
        })
        .collect();
    times.sort_unstable();
    println!(
        "check of {FILES} files, {} rules, {} users: {} ms (median of {}; {} to {})",
        REPOSITORY.rules,
        REPOSITORY.users,
        times[times.len() / 2],
        times.len(),
        times[0],
        times[times.len() - 1]
    );
}

struct Daemon {
    process: Child,
    address: String,
}

impl Daemon {
    fn start(folder: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_peerage"))
            .args(["serve", "--listen", "127.0.0.1:0"])
            .arg(folder)
            .env("RUST_LOG", "error")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the daemon starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().rsplit("http://").next().unwrap().to_owned();
        Self { process, address }
    }

    /// Resident memory now and at its peak, in MB.
    fn memory(&self) -> (u64, u64) {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap() >> 10
        };
        (field("VmRSS:"), field("VmHWM:"))
    }

    /// How many reloads took effect, and how many milliseconds the last one took.
    fn reloads(&self) -> (usize, u64) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let request = "GET /v1/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let body = answer.split("\r\n\r\n").nth(1).unwrap();
        let status: serde_json::Value = serde_json::from_str(body).unwrap();
        let swapped = usize::try_from(status["reloads"]["swapped"].as_u64().unwrap()).unwrap();
        (swapped, status["last_reload"]["milliseconds"].as_u64().unwrap())
    }

    fn latencies(&self, span: Duration) -> String {
        summary(self.sample(span))
    }

    /// The times of requests over four connections, in microseconds.
    fn sample(&self, span: Duration) -> Vec<u64> {
        let until = Instant::now() + span;
        let one = |seed: u64| {
            let address = self.address.clone();
            thread::spawn(move || {
                let mut random = world::Random::new(seed);
                let mut stream = TcpStream::connect(address).unwrap();
                stream.set_nodelay(true).unwrap();
                let (mut times, mut buffer) = (Vec::new(), [0; 1024]);
                while Instant::now() < until {
                    let mut user = || world::user(random.below(LARGE.users));
                    let request = format!(
                        "GET /v1/decide?subject={}&action=start_chat&resource={} HTTP/1.1\r\n\
                         Host: localhost\r\n\r\n",
                        user(),
                        user()
                    );
                    let begun = Instant::now();
                    stream.write_all(request.as_bytes()).unwrap();
                    let read = stream.read(&mut buffer).unwrap();
                    assert!(buffer[..read].starts_with(b"HTTP/1.1 200"), "a request failed");
                    times.push(u64::try_from(begun.elapsed().as_micros()).unwrap());
                }
                times
            })
        };
        let clients: Vec<_> = (1..=4).map(one).collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn summary(mut times: Vec<u64>) -> String {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    format!(
        "{} answered, median {} µs, p99 {} µs, slowest {} µs",
        times.len(),
        at(0.5),
        at(0.99),
        at(1.0)
    )
}
