//! The store in one file: what commits in two phases cost against one, how many commits a second with
//! 64 change sets in each, how long it takes to load 1,000,000 records, and in how much memory; how
//! large the file is.
//!
//! `cargo bench --bench store` prints the figures, `cargo bench --bench store -- phases` those of the
//! phases alone; the files are made in the folder for temporary files, so `TMPDIR` says on which disk.

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
    path::Path,
    time::{Duration, Instant},
};

use peerage::{
    facts::{ChangeSet, Record, RecordKey, RecordRead, RecordWrite, UserRecord},
    source::Existing,
    store::{self, CommitResult, EmbeddedStore, Store},
};
use redb::{Database, TableDefinition};

const RECORDS: u64 = 1_000_000;

/// Commits of each kind in a comparison.
const ROUNDS: u64 = 3000;

const TABLE: TableDefinition<&str, &[u8]> = TableDefinition::new("records");

/// Change sets in a group of concurrent requests.
const GROUP: u64 = 64;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    for sets in [1, GROUP] {
        phases(folder.path(), sets);
    }
    if std::env::args().any(|argument| argument == "phases") {
        return;
    }
    let path = folder.path().join("facts");
    let begun = Instant::now();
    let store = EmbeddedStore::open(&path).unwrap();
    println!("an empty store: {:.1} ms", begun.elapsed().as_secs_f64() * 1e3);
    commits("an empty store", &store, 0);

    let begun = Instant::now();
    for from in (0..RECORDS).step_by(10_000) {
        let group: Vec<ChangeSet> = (from..from + 10_000).map(|at| set(at, "u")).collect();
        assert!(matches!(store.commit(&group).unwrap(), CommitResult::Committed(_)));
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
    let backup = store::backup(&path, &to, Existing::Keep).unwrap();
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
        assert!(matches!(store.commit(&group).unwrap(), CommitResult::Committed(_)));
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

/// Commits the same groups to a store, which commits in two phases and looks at its file, and with
/// redb alone in one phase and in two: in turns, so that what else the machine does meets all three.
fn phases(folder: &Path, sets: u64) {
    let store = EmbeddedStore::open(folder.join(format!("phases-{sets}"))).unwrap();
    let bare =
        ["one", "two"].map(|name| Database::create(folder.join(format!("{name}-{sets}"))).unwrap());
    let mut times = [const { Vec::new() }; 3];
    for at in (0..ROUNDS * sets).step_by(usize::try_from(sets).unwrap()) {
        let group: Vec<ChangeSet> = (at..at + sets).map(|at| set(at, "u")).collect();
        let begun = Instant::now();
        assert!(matches!(store.commit(&group).unwrap(), CommitResult::Committed(_)));
        times[0].push(begun.elapsed());
        for (database, is_two_phase) in bare.iter().zip([false, true]) {
            let begun = Instant::now();
            commit_bare(database, &group, is_two_phase);
            times[1 + usize::from(is_two_phase)].push(begun.elapsed());
        }
    }
    let names = ["the store", "redb in one phase", "redb in two phases"];
    for (name, mut times) in names.into_iter().zip(times) {
        let seconds: f64 = times.iter().map(Duration::as_secs_f64).sum();
        times.sort_unstable();
        let at = |share: usize| times[(times.len() - 1) * share / 1000].as_secs_f64() * 1e3;
        println!(
            "groups of {sets}: {name}: {:.0} sets a second; median {:.2} ms, p99 {:.2} ms",
            (ROUNDS * sets) as f64 / seconds,
            at(500),
            at(990)
        );
    }
}

/// Commits a group as a store does, without versions, the mark and the checks of the file.
fn commit_bare(database: &Database, group: &[ChangeSet], is_two_phase: bool) {
    let mut transaction = database.begin_write().unwrap();
    transaction.set_two_phase_commit(is_two_phase);
    {
        let mut records = transaction.open_table(TABLE).unwrap();
        for write in group.iter().flat_map(|set| &set.writes) {
            let value = write.record.as_ref().unwrap().encode();
            records.insert(write.key.to_string().as_str(), value.as_slice()).unwrap();
        }
    }
    transaction.commit().unwrap();
}

/// A user that is nowhere near the one before it.
fn set(at: u64, prefix: &str) -> ChangeSet {
    let key = RecordKey::User(format!("{prefix}{:016x}", at.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    ChangeSet {
        reads: vec![RecordRead { key: key.clone(), version: None }],
        writes: vec![RecordWrite { key, record: Some(record(at)) }],
        ..ChangeSet::default()
    }
}

/// A user with ten friends or so.
fn record(at: u64) -> Record {
    let tags = ["Stuttgart", "premium", "moderator"].map(str::to_owned);
    let contacts = (0..14).map(|next| format!("user-{}", (at + next * 97) % RECORDS));
    Record::User(Box::new(UserRecord {
        created: true,
        tags: Some(tags.into()),
        contacts: contacts.collect(),
        ..UserRecord::default()
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
