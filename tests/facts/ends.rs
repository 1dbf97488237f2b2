//! What commands state for a while ends by the clock, over steps of it and restarts, and the store is swept later.

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use peerage::{
    decide::decide,
    facts::{Authority, BatchMode, Command, CommandSender, Record, RecordKey, WriteOutcome},
    live::{
        Clock, Live, LiveOptions, ReloadOutcome, StartOutcome, Timekeeper, Trigger, Watch,
        WatchOptions,
        facts::{WriteBatch, WriteReply},
    },
    request::{Action, Moment, Reason, Request},
    store::{EmbeddedStore, Store},
};
use serde_json::{Value, json};

const HOUR: u64 = 3_600_000;

/// A clock that the test sets, in milliseconds since 1970.
#[derive(Debug)]
struct TestClock(AtomicU64);

impl Clock for TestClock {
    fn now(&self) -> Moment {
        Moment::from_millis(self.0.load(Ordering::SeqCst))
    }
}

struct Served {
    live: Arc<Live>,
    store: Arc<EmbeddedStore>,
    clock: Arc<TestClock>,
    _time: Timekeeper,
}

impl Served {
    fn start(folder: &Path, now: u64) -> Self {
        let clock = Arc::new(TestClock(AtomicU64::new(now)));
        let store = Arc::new(opened(&folder.join("facts.redb")));
        let files = vec![folder.join("policy.yaml")];
        let options = LiveOptions { clock: clock.clone(), ..LiveOptions::new(files) };
        let facts: Arc<dyn Store> = store.clone();
        let start = Live::start(&options, Some(facts)).unwrap();
        let StartOutcome::Serving(live) = start else { panic!("{start:?}") };
        let time = Timekeeper::start(&live).unwrap();
        Self { live, store, clock, _time: time }
    }

    fn set(&self, now: u64) {
        self.clock.0.store(now, Ordering::SeqCst);
    }

    async fn run(&self, commands: &[Value]) {
        let batch = WriteBatch {
            commands: Command::decode(commands).unwrap(),
            sender: CommandSender::new(Authority::Administrator, "admin-token"),
            mode: BatchMode::Atomic,
            if_revision: None,
            idempotency_key: None,
            history: Vec::new(),
        };
        let written = self.live.facts().unwrap().write(batch).await.unwrap();
        assert!(matches!(written, WriteReply::New(WriteOutcome::Applied { .. })), "{written:?}");
    }

    /// Waits until a message of a user to `bob` is decided for this reason, a second and a bit at most.
    #[track_caller]
    fn expect(&self, user: &str, reason: Reason) {
        let begun = Instant::now();
        loop {
            let served = self.live.served();
            let found = decide(&served.view, &Request::new(user, Action::SendMessage, "bob"));
            if found.reason == reason {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(5), "{user}: {}", found.reason);
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// The store of a file, once those who had it open are done with it.
fn opened(file: &Path) -> EmbeddedStore {
    let begun = Instant::now();
    loop {
        match EmbeddedStore::open(file) {
            Ok(store) => return store,
            Err(error) => assert!(begun.elapsed() < Duration::from_secs(60), "{error}"),
        }
        thread::sleep(Duration::from_millis(5));
    }
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let users = "users: { ann: {}, bob: {}, cat: {} }\n";
    fs::write(folder.path().join("policy.yaml"), users).unwrap();
    folder
}

#[tokio::test]
async fn what_has_ended_counts_no_more() {
    let folder = folder();
    let served = Served::start(folder.path(), HOUR);
    served
        .run(&[
            json!({ "op": "silence", "user": "ann", "for": 5400 }),
            json!({ "op": "ban", "user": "ann", "for": 3600 }),
            json!({ "op": "block", "from": "bob", "to": "cat", "until": "1970-01-01T02:00:00Z" }),
        ])
        .await;
    served.expect("ann", Reason::Banned);
    served.expect("cat", Reason::BlockedByResource);
    let number = served.live.served().number;
    served.set(2 * HOUR);
    served.expect("ann", Reason::Silenced);
    served.expect("cat", Reason::Allowed);
    assert_eq!(served.live.served().number, number + 1, "all that is due is one change");
    // Before an hour is over, nothing is swept.
    served.set(5 * HOUR / 2);
    served.expect("ann", Reason::Allowed);

    // The clock steps back, and a restart comes to the same.
    served.set(2 * HOUR - 1);
    served.expect("ann", Reason::Banned);
    served.expect("cat", Reason::BlockedByResource);
    assert_eq!(served.live.reload(Trigger::Requested), ReloadOutcome::Unchanged);
    served.set(2 * HOUR);
    served.expect("cat", Reason::Allowed);
    drop(served);
    let served = Served::start(folder.path(), 2 * HOUR);
    served.expect("ann", Reason::Silenced);
    served.expect("cat", Reason::Allowed);
}

#[tokio::test]
async fn the_store_is_swept_later() {
    let folder = folder();
    let served = Served::start(folder.path(), HOUR);
    served
        .run(&[
            json!({ "op": "ban", "user": "ann", "for": 60 }),
            json!({ "op": "block", "from": "bob", "to": "cat" }),
        ])
        .await;
    let key = RecordKey::User("ann".to_owned());
    let is_kept = || served.store.get(&key).unwrap().is_some();
    served.set(2 * HOUR);
    served.expect("ann", Reason::Allowed);
    assert!(is_kept(), "it has ended less than an hour ago");
    served.set(3 * HOUR);
    let begun = Instant::now();
    while is_kept() {
        assert!(begun.elapsed() < Duration::from_secs(60));
        thread::sleep(Duration::from_millis(50));
    }
    let rest = served.store.get(&RecordKey::User("bob".to_owned())).unwrap().unwrap().record;
    let Record::User(rest) = rest else { panic!("{rest:?}") };
    assert!(rest.blocked.contains_key("cat"), "what does not end stays");
}

/// A ban of a file that was past when the daemon started counts again once the clock is set right.
#[test]
fn what_a_file_states_counts_again_when_the_clock_steps_back() {
    let folder = tempfile::tempdir().unwrap();
    let users =
        "users: { ann: { moderation: { state: banned, until: 1970-01-01T02:00:00Z } }, bob: {} }\n";
    fs::write(folder.path().join("policy.yaml"), users).unwrap();
    let clock = Arc::new(TestClock(AtomicU64::new(3 * HOUR)));
    let watch = Watch::start(vec![folder.path().to_owned()], WatchOptions::default()).unwrap();
    let options = LiveOptions { clock: clock.clone(), ..LiveOptions::new(watch.files()) };
    let start = Live::start(&options, None).unwrap();
    let StartOutcome::Serving(live) = start else { panic!("{start:?}") };
    let _time = Timekeeper::start(&live).unwrap();
    let reason =
        || decide(&live.served().view, &Request::new("ann", Action::SendMessage, "bob")).reason;
    assert_eq!(reason(), Reason::Allowed);
    clock.0.store(HOUR, Ordering::SeqCst);
    let begun = Instant::now();
    while reason() != Reason::Banned {
        assert!(begun.elapsed() < Duration::from_secs(60));
        thread::sleep(Duration::from_millis(5));
    }
}
