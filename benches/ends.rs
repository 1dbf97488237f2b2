//! What ends cost: a start from a store of 1,000,000 users who are banned until a moment, beside one of users who are
//! banned for good, their memory in the served view, and ten thousand bans that end at once.
//!
//! `cargo bench --bench ends` prints both starts, in turn, and their ratio; `TMPDIR` says on which disk.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench may stop at what it did not expect"
)]

use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use peerage::{
    compile,
    facts::{ChangeSet, Record, RecordKey, RecordWrite, Terms, UserRecord},
    live::{Live, LiveOptions, StartOutcome, facts::StoreRecords},
    request::{Moderation, Moment},
    store::{EmbeddedStore, Store},
};

const USERS: usize = 1_000_000;
const AT_ONCE: usize = 10_000;
const ROUNDS: usize = 5;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let now = Moment::from(SystemTime::now()).millis();
    let day = 24 * 60 * 60 * 1000;
    fs::write(folder.path().join("policy.yaml"), "tags: [a]\n").unwrap();
    let stores = [
        ("for good", fill(&folder.path().join("bans"), |_| None)),
        ("with ends", fill(&folder.path().join("ends"), |user| Some(end(user, now + day)))),
    ];
    let mut times = [Vec::new(), Vec::new()];
    let mut views = [0, 0];
    for _ in 0..ROUNDS {
        for (at, (_, store)) in stores.iter().enumerate() {
            let begun = Instant::now();
            let live = start(folder.path(), store);
            times[at].push(begun.elapsed());
            views[at] = live.served().view.footprint().view;
        }
    }
    let [good, ends] = times.map(median);
    println!(
        "{USERS} bans for good: ready in {good:.2?}; with ends: {ends:.2?}, {:.2} times",
        ratio(ends, good)
    );
    let more = views[1].saturating_sub(views[0]) as f64 / USERS as f64;
    println!("an end takes {more:.1} bytes in the view");

    let live = start(folder.path(), &stores[1].1);
    let served = live.served();
    let declarations = served.declarations.clone().unwrap();
    let later = Moment::from_millis(now + day);
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let mut view = served.view.clone();
        let begun = Instant::now();
        let records = StoreRecords(&*stores[1].1);
        compile::advance_with_records(&mut view, later, &declarations, &records).unwrap();
        times.push(begun.elapsed());
    }
    println!("{AT_ONCE} of them end at once: {:.2?}, one change of the view", median(times));
}

/// When the ban of a user ends: that of the first ten thousand at one moment, of the others later, spread over a year.
fn end(user: usize, first: u64) -> u64 {
    if user < AT_ONCE { first } else { first + 1000 + user as u64 * 31_000 }
}

fn fill(path: &Path, end: impl Fn(usize) -> Option<u64>) -> Arc<dyn Store> {
    let store = EmbeddedStore::open(path).unwrap();
    for from in (0..USERS).step_by(10_000) {
        let write = |at: usize| {
            let terms =
                end(at).map(|until| Box::new(Terms { until: Some(until), ..Terms::default() }));
            let record = UserRecord {
                created: true,
                moderation: Some(Moderation::Banned),
                moderation_terms: terms,
                ..UserRecord::default()
            };
            let key = RecordKey::User(format!("user-{at:07}"));
            RecordWrite { key, record: Some(Record::User(Box::new(record))) }
        };
        let writes = (from..from + 10_000).map(write).collect();
        store.commit(&[ChangeSet { writes, ..ChangeSet::default() }]).unwrap();
    }
    Arc::new(store)
}

fn start(folder: &Path, store: &Arc<dyn Store>) -> Arc<Live> {
    let options = LiveOptions::new(vec![folder.join("policy.yaml")]);
    match Live::start(&options, Some(Arc::clone(store))).unwrap() {
        StartOutcome::Serving(live) => live,
        other => panic!("{other:?}"),
    }
}

fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
