//! The store in one file: how many commits a second with 64 change sets in each, how long it takes
//! to load 1,000,000 records, and in how much memory; how large the file is.
//!
//! `cargo bench --bench store` prints the figures; the file is made in the folder for temporary
//! files, so `TMPDIR` says on which disk.

#![allow(
    clippy::cast_precision_loss,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a bench may stop at what it did not expect"
)]

use std::{
    fs,
    time::{Duration, Instant},
};

use peerage::{
    facts::{ChangeSet, Key, Read, Record, User, Write},
    store::{self, Commit, EmbeddedStore, Store},
};

const RECORDS: u64 = 1_000_000;

/// Change sets in a group of concurrent requests.
const GROUP: u64 = 64;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("facts");
    let begun = Instant::now();
    let store = EmbeddedStore::open(&path).unwrap();
    println!("an empty store: {:.1} ms", begun.elapsed().as_secs_f64() * 1e3);
    commits("an empty store", &store, 0);

    let begun = Instant::now();
    for from in (0..RECORDS).step_by(10_000) {
        let group: Vec<ChangeSet> = (from..from + 10_000).map(|at| set(at, "u")).collect();
        assert!(matches!(store.commit(&group).unwrap(), Commit::Done(_)));
    }
    let size = record(0).encode().len();
    println!(
        "{RECORDS} records of {size} bytes: {:.1} s to commit, 10,000 at a time; {}",
        begun.elapsed().as_secs_f64(),
        memory()
    );
    commits("them", &store, RECORDS);
    println!("the file: {} MB", fs::metadata(&path).unwrap().len() >> 20);
    drop(store);

    for _ in 0..3 {
        let begun = Instant::now();
        let store = EmbeddedStore::open(&path).unwrap();
        let opened = begun.elapsed();
        let mut bytes = 0;
        store.load(&mut |entry| bytes += entry.key.to_string().len()).unwrap();
        assert!(bytes > 0);
        println!(
            "opened in {:.2} s, all records loaded {:.2} s later; {}",
            opened.as_secs_f64(),
            begun.elapsed().saturating_sub(opened).as_secs_f64(),
            memory()
        );
    }
    let to = folder.path().join("backup");
    let begun = Instant::now();
    let backup = store::backup(&path, &to, false).unwrap();
    println!("backup: {:.1} s, {} MB", begun.elapsed().as_secs_f64(), backup.bytes >> 20);
    let begun = Instant::now();
    let compacted = store::compact(&path).unwrap();
    println!(
        "compacted in {:.1} s: {} MB, then {} MB",
        begun.elapsed().as_secs_f64(),
        compacted.before >> 20,
        compacted.after >> 20
    );
    println!("{}", memory());
}

/// Commits groups for some seconds, and says how that went.
fn commits(to: &str, store: &EmbeddedStore, among: u64) {
    let begun = Instant::now();
    let mut times = Vec::new();
    let mut at = among * 7919;
    while begun.elapsed() < Duration::from_secs(5) {
        let group: Vec<ChangeSet> = (0..GROUP).map(|next| set(at + next, "new ")).collect();
        at += GROUP;
        let one = Instant::now();
        assert!(matches!(store.commit(&group).unwrap(), Commit::Done(_)));
        times.push(one.elapsed());
    }
    let seconds = begun.elapsed().as_secs_f64();
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 1000].as_secs_f64() * 1e3;
    println!(
        "commits to {to}: {:.0} a second of {GROUP} sets each: {:.0} sets a second; \
         median {:.2} ms, p99 {:.2} ms, slowest {:.2} ms",
        times.len() as f64 / seconds,
        times.len() as f64 * GROUP as f64 / seconds,
        at(500),
        at(990),
        at(1000)
    );
}

/// A user that is nowhere near the one before it.
fn set(at: u64, prefix: &str) -> ChangeSet {
    let key = Key::User(format!("{prefix}{:016x}", at.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    ChangeSet {
        reads: vec![Read { key: key.clone(), version: None }],
        writes: vec![Write { key, record: Some(record(at)) }],
    }
}

/// A user with ten friends or so.
fn record(at: u64) -> Record {
    let tags = ["Stuttgart", "premium", "moderator"].map(str::to_owned);
    let contacts = (0..14).map(|next| format!("user-{}", (at + next * 97) % RECORDS));
    Record::User(Box::new(User {
        created: true,
        tags: Some(tags.into()),
        contacts: contacts.collect(),
        ..User::default()
    }))
}

/// Resident memory now and at its peak.
fn memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches("kB").trim().parse::<u64>().unwrap() >> 10
    };
    format!("{} MB resident, {} MB at the peak", field("VmRSS:"), field("VmHWM:"))
}
