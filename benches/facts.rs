//! The daemon as a process with facts in one file: 1,000,000 users with 10 relations each, 1000 rules
//! in files. How long it takes to start, in how much memory; how many writes a second 64 writers get
//! acknowledged, and how long one waits until the next decision sees it; decisions meanwhile and
//! undisturbed; and a reload of a changed rule.
//!
//! `cargo bench --bench facts` prints the figures; `TMPDIR` says on which disk. `-- keep FOLDER` makes
//! the world in a folder, or takes the one that is there.

#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a bench may stop at what it did not expect"
)]

mod world;

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use peerage::{
    facts::{ChangeSet, Friend, Record, RecordKey, RecordRead as Version, RecordWrite, UserRecord},
    store::{CommitResult, EmbeddedStore, Store},
};
use world::{LARGE, Random, dsl_rules, user};

const TOKEN: &str = "a-token-for-the-bench";

/// How many writes a second are to be borne.
const RATE: u64 = 2000;

/// How long each thing is watched.
const SPAN: Duration = Duration::from_secs(10);

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let kept =
        arguments.iter().position(|it| it == "keep").map(|at| PathBuf::from(&arguments[at + 1]));
    let temporary = tempfile::tempdir().unwrap();
    let folder = kept.unwrap_or_else(|| temporary.path().to_owned());
    let store = folder.join("facts");
    if !store.exists() {
        fs::create_dir_all(folder.join("policies")).unwrap();
        fill(&store);
    }
    fs::write(folder.join("token"), TOKEN).unwrap();
    let rules = folder.join("policies/rules.peerage");
    fs::write(&rules, dsl_rules(LARGE, 1)).unwrap();
    println!("the store: {} MB", fs::metadata(&store).unwrap().len() >> 20);

    let begun = Instant::now();
    let daemon = Daemon::start(&folder);
    println!("start: {:.1} s; {}", begun.elapsed().as_secs_f64(), daemon.memory());
    println!("{}", daemon.status_of("memory"));

    println!("decisions alone: {}", daemon.decisions(SPAN));
    let one = daemon.clone_address();
    println!("one writer alone: {}", summary(&write(&one, 1, None, SPAN)));

    for rate in [Some(RATE), None] {
        let stop = Arc::new(AtomicBool::new(false));
        let writers = {
            let (address, stop) = (one.clone(), Arc::clone(&stop));
            thread::spawn(move || write_until(&address, 64, rate, &stop))
        };
        let pace =
            rate.map_or_else(|| "as fast as they can".to_owned(), |it| format!("{it} a second"));
        println!("decisions beside 64 writers, {pace}: {}", daemon.decisions(SPAN));
        stop.store(true, Ordering::Relaxed);
        println!("these writers: {}", summary(&writers.join().unwrap()));
        println!("the same writers alone: {}", summary(&write(&one, 64, rate, SPAN)));
    }
    println!("decisions alone again: {}", daemon.decisions(SPAN));

    fs::write(&rules, dsl_rules(LARGE, 1) + "\nrule: hasTag(tag-1) -> [tag-2];\n").unwrap();
    let begun = Instant::now();
    while daemon.swapped() == 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "no reload came");
        thread::sleep(Duration::from_millis(5));
    }
    println!("a reload of one changed rule: {} ms; {}", daemon.took(), daemon.memory());
}

/// A store of as many users as the large world has, each with tags and ten relations.
fn fill(path: &Path) {
    let store = EmbeddedStore::open(path).unwrap();
    let mut random = Random::new(7);
    for from in (0..LARGE.users).step_by(20_000) {
        let sets: Vec<ChangeSet> = (from..from + 20_000)
            .map(|number| {
                let key = RecordKey::User(user(number));
                let mut record = UserRecord { created: true, ..UserRecord::default() };
                let count = 1 + random.below(5);
                let tags = (0..count).map(|_| format!("tag-{}", random.tag(LARGE)));
                record.tags = Some(tags.collect());
                let mut other = || user(random.below(LARGE.users));
                record.contacts.extend((0..5).map(|_| other()));
                record.blocked.extend((0..2).map(|_| (other(), 0)));
                record.friends.extend((0..3).map(|_| (other(), Friend::default())));
                ChangeSet {
                    reads: vec![Version { key: key.clone(), version: None }],
                    writes: vec![RecordWrite { key, record: Some(Record::User(Box::new(record))) }],
                    ..ChangeSet::default()
                }
            })
            .collect();
        assert!(matches!(store.commit(&sets).unwrap(), CommitResult::Committed(_)));
    }
}

struct Daemon {
    process: Child,
    address: String,
}

impl Daemon {
    fn start(folder: &Path) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_peerage"))
            .args(["serve", "--listen", "127.0.0.1:0", "--store"])
            .arg(folder.join("facts"))
            .arg("--admin-token-file")
            .arg(folder.join("token"))
            .arg(folder.join("policies"))
            .env("RUST_LOG", "error")
            .stdout(Stdio::piped())
            .spawn()
            .expect("the daemon starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().rsplit("http://").next().unwrap().to_owned();
        Self { process, address }
    }

    fn clone_address(&self) -> String {
        self.address.clone()
    }

    fn memory(&self) -> String {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap() >> 10
        };
        format!("{} MB now, {} MB at the peak", field("VmRSS:"), field("VmHWM:"))
    }

    fn status(&self) -> serde_json::Value {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let request = "GET /v1/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap()
    }

    fn status_of(&self, name: &str) -> String {
        self.status()[name].to_string()
    }

    fn swapped(&self) -> u64 {
        self.status()["reloads"]["swapped"].as_u64().unwrap()
    }

    fn took(&self) -> u64 {
        self.status()["last_reload"]["milliseconds"].as_u64().unwrap()
    }

    /// Decisions over four connections.
    fn decisions(&self, span: Duration) -> String {
        let until = Instant::now() + span;
        let one = |seed: u64| {
            let address = self.address.clone();
            thread::spawn(move || {
                let mut random = Random::new(seed);
                let mut stream = connect(&address);
                let mut times = Vec::new();
                while Instant::now() < until {
                    let (from, to) = (random.below(LARGE.users), random.below(LARGE.users));
                    let begun = Instant::now();
                    decide(&mut stream, &user(from), &user(to));
                    times.push(begun.elapsed().as_micros() as u64);
                }
                times
            })
        };
        let clients: Vec<_> = (1..=4).map(one).collect();
        let times: Vec<u64> = clients.into_iter().flat_map(|it| it.join().unwrap()).collect();
        summary(&times)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Asks for a decision on a connection that is kept; the body of the answer.
fn decide(stream: &mut TcpStream, from: &str, to: &str) -> String {
    let request = format!(
        "GET /v1/decide?subject={from}&action=send_message&resource={to} HTTP/1.1\r\nHost: localhost\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut buffer = [0; 2048];
    let read = stream.read(&mut buffer).unwrap();
    let text = String::from_utf8_lossy(&buffer[..read]).into_owned();
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    text
}

fn write(address: &str, writers: u64, rate: Option<u64>, span: Duration) -> Vec<u64> {
    let stop = Arc::new(AtomicBool::new(false));
    let running = {
        let (address, stop) = (address.to_owned(), Arc::clone(&stop));
        thread::spawn(move || write_until(&address, writers, rate, &stop))
    };
    thread::sleep(span);
    stop.store(true, Ordering::Relaxed);
    running.join().unwrap()
}

/// Writers that block someone, and see that the next decision on the daemon refuses them; and unblock
/// them again, or tag or befriend someone. The times in microseconds from the sending of a write to the
/// end of the decision that sees it. All together write at a rate, if there is one, and else as fast as
/// they can.
fn write_until(address: &str, writers: u64, rate: Option<u64>, stop: &Arc<AtomicBool>) -> Vec<u64> {
    let pause = rate.map(|rate| Duration::from_micros(1_000_000 * writers / rate));
    let one = |writer: u64| {
        let (address, stop) = (address.to_owned(), Arc::clone(stop));
        thread::spawn(move || {
            let mut random = Random::new(1000 + writer);
            let mut stream = connect(&address);
            let mut times = Vec::new();
            let mut turn =
                Instant::now() + pause.unwrap_or_default().mul_f64(writer as f64 / writers as f64);
            while !stop.load(Ordering::Relaxed) {
                if let Some(pause) = pause {
                    thread::sleep(turn.saturating_duration_since(Instant::now()));
                    turn += pause;
                }
                let (from, to) = (user(random.below(LARGE.users)), user(random.below(LARGE.users)));
                if from == to {
                    continue;
                }
                let command = match random.below(4) {
                    0 | 1 => format!(r#"{{"op":"block","from":"{from}","to":"{to}"}}"#),
                    2 => format!(
                        r#"{{"op":"add_tags","user":"{from}","tags":["tag-{}"]}}"#,
                        random.tag(LARGE)
                    ),
                    _ => {
                        format!(r#"{{"op":"add_friend","from":"{from}","to":"{to}","force":true}}"#)
                    }
                };
                let begun = Instant::now();
                post(&mut stream, &command);
                let seen = decide(&mut stream, &to, &from);
                times.push(begun.elapsed().as_micros() as u64);
                if command.contains("\"block\"") {
                    assert!(seen.contains("blocked_by_resource"), "{command}: {seen}");
                }
            }
            times
        })
    };
    let all: Vec<_> = (0..writers).map(one).collect();
    all.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
}

fn post(stream: &mut TcpStream, command: &str) {
    let body = format!(r#"{{"commands":[{command}]}}"#);
    let request = format!(
        "POST /v1/facts HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut buffer = [0; 2048];
    let read = stream.read(&mut buffer).unwrap();
    let text = String::from_utf8_lossy(&buffer[..read]);
    assert!(text.starts_with("HTTP/1.1 200") || text.contains("already_friends"), "{text}");
}

fn summary(times: &[u64]) -> String {
    let mut times = times.to_vec();
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    format!(
        "{:.0} a second, median {} µs, p99 {} µs, slowest {} µs",
        times.len() as f64 / SPAN.as_secs_f64(),
        at(0.5),
        at(0.99),
        at(1.0)
    )
}
