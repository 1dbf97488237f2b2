//! The cost of the history: batches of 1000 commands with it and without, in turn, on two stores of
//! 100,000 users each; and pages of it.
//!
//! `cargo bench --bench history` prints the medians and their ratio; `TMPDIR` says on which disk.

#![allow(
    clippy::cast_possible_truncation,
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
    sync::Arc,
    time::{Duration, Instant},
};

use peerage::{
    facts::{
        Authority, BatchMode, ChangeSet, Command, CommandSender, HistoryFilter, HistoryQuery,
        Record, RecordKey, RecordWrite, UserRecord, WriteOutcome,
    },
    live::{
        Live, LiveOptions, StartOutcome,
        facts::{HistoryRetention, WriteBatch, WriteReply},
    },
    request::Moment,
    store::{EmbeddedStore, Store as _},
};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

const USERS: usize = 100_000;
const COMMANDS: usize = 1000;
const ROUNDS: usize = 40;

/// A kind of batch: the command on a user and the user after them, in even rounds and in odd ones.
type Kind = (&'static str, fn(&str, &str, bool) -> Value);

const KINDS: [Kind; 3] = [
    (
        "ban, reactivate",
        |user, _, is_even| json!({ "op": if is_even { "ban" } else { "reactivate" }, "user": user }),
    ),
    (
        "block, unblock",
        |user, other, is_even| json!({ "op": if is_even { "block" } else { "unblock" }, "from": user, "to": other }),
    ),
    ("put_user", |user, _, is_even| {
        let tags = if is_even { ["a", "b"] } else { ["c", "d"] };
        json!({ "op": "put_user", "user": user, "tags": tags, "attributes": { "name": user } })
    }),
];

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let month = Duration::from_secs(30 * 24 * 60 * 60);
    let lives = [("off", HistoryRetention::Off), ("on", HistoryRetention::For(month))]
        .map(|(name, history)| start(&folder.path().join(name), history));
    for (name, command) in KINDS {
        let mut times = [Vec::new(), Vec::new()];
        for round in 0..ROUNDS {
            let commands = commands(round, command);
            for (live, times) in lives.iter().zip(&mut times) {
                times.push(write(&runtime, live, &commands));
            }
        }
        let [off, on] = times.map(median);
        println!(
            "{COMMANDS} of {name}: {off:.2?} without a history, {on:.2?} with it: {:.2} times",
            on.as_secs_f64() / off.as_secs_f64()
        );
    }
    let facts = lives[1].facts().unwrap();
    for (name, filter) in [
        ("all", HistoryFilter::All),
        ("one user", HistoryFilter::User(user(7))),
        ("one author", HistoryFilter::By("bench".to_owned())),
    ] {
        let query = HistoryQuery { filter, since: 0, after: None, limit: 100 };
        let begun = Instant::now();
        let page = facts.history(query, Moment::from(std::time::SystemTime::now())).unwrap();
        println!("a page of {name}: {} entries in {:.2?}", page.entries.len(), begun.elapsed());
    }
    for name in ["off", "on"] {
        let bytes = fs::metadata(folder.path().join(name).join("facts")).unwrap().len();
        println!("the store, history {name}: {} MB", bytes >> 20);
    }
}

fn user(at: usize) -> String {
    format!("user-{at:06}")
}

/// A batch on users who are nowhere near each other; in two rounds, the same ones.
fn commands(round: usize, command: fn(&str, &str, bool) -> Value) -> Vec<Value> {
    let at = |number: usize| user((round / 2 * COMMANDS + number) * 7919 % USERS);
    (0..COMMANDS)
        .map(|number| command(&at(number), &at(number + 1), round.is_multiple_of(2)))
        .collect()
}

fn start(folder: &Path, history: HistoryRetention) -> Arc<Live> {
    fs::create_dir_all(folder).unwrap();
    let policy = folder.join("policy.yaml");
    fs::write(&policy, "tags: [a, b, c, d]\n").unwrap();
    let store = EmbeddedStore::open(folder.join("facts")).unwrap();
    for from in (0..USERS).step_by(10_000) {
        let write = |at: usize| {
            let record = UserRecord { created: true, ..UserRecord::default() };
            let record = Some(Record::User(Box::new(record)));
            RecordWrite { key: RecordKey::User(user(at)), record }
        };
        let writes = (from..from + 10_000).map(write).collect();
        store.commit(&[ChangeSet { writes, ..ChangeSet::default() }]).unwrap();
    }
    let options = LiveOptions { history, ..LiveOptions::new(vec![policy]) };
    match Live::start(&options, Some(Arc::new(store))).unwrap() {
        StartOutcome::Serving(live) => live,
        other => panic!("{other:?}"),
    }
}

fn write(runtime: &Runtime, live: &Live, commands: &[Value]) -> Duration {
    let begun = Instant::now();
    let batch = WriteBatch {
        commands: Command::decode(commands).unwrap(),
        sender: CommandSender::new(Authority::Administrator, "bench"),
        mode: BatchMode::Atomic,
        if_revision: None,
        idempotency_key: None,
        history: Vec::new(),
    };
    let written = runtime.block_on(live.facts().unwrap().write(batch)).unwrap();
    assert!(matches!(written, WriteReply::New(WriteOutcome::Applied { .. })), "{written:?}");
    begun.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
