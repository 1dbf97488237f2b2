//! The one who writes, at a store that others write to: what comes when, to the step.

use std::{
    collections::{BTreeMap, VecDeque},
    ops::ControlFlow,
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread::{self, JoinHandle},
    time::Instant,
};

use peerage::{
    decide,
    facts::{
        Authority, BatchMode, ChangeSet, Command, CommandSender, HistoryPage, HistoryQuery, Record,
        RecordKey, RecordKind, UserRecord, Version, WriteError, WriteOutcome,
    },
    live::{
        Live,
        facts::{IdempotencyKey, WriteBatch, WriteReply},
    },
    request::{Action, Request},
    store::{CommitResult, ExportItem, Store, StoreError, StoreEvent, StoredRecord},
};
use serde_json::{Value, json};

use crate::{durability::errors::live, support::daemon::NEVER};

type Kept = BTreeMap<RecordKey, (Version, Record)>;

/// A store that holds back, fails and reports changes as a test demands.
#[derive(Default, Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default, Debug)]
struct State {
    revision: u64,
    /// What everyone would find, and what the daemon was reported.
    kept: Kept,
    mirror: Kept,
    reported: u64,
    events: VecDeque<StoreEvent>,
    /// Whether events wait, and whether commits do; how many commits wait.
    holds_events: bool,
    holds_commits: bool,
    waiting: usize,
    /// How many events were reported, whether or not they were taken in.
    sent: usize,
    doubt: Option<Doubt>,
}

/// What becomes of the next commit, of which nobody will hear.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Doubt {
    Taken,
    Lost,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changed.notify_all();
    }

    fn wait_until(&self, is: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        self.changed.wait_while(self.state(), |state| !is(state)).unwrap()
    }

    /// Someone else makes a user, or removes one.
    fn other(&self, id: &str, is_there: bool) {
        let user = UserRecord { created: true, ..UserRecord::default() };
        let record = is_there.then(|| Record::User(Box::new(user)));
        self.change(|state| state.put(vec![(RecordKey::User(id.to_owned()), record)]));
    }
}

impl State {
    fn put(&mut self, writes: Vec<(RecordKey, Option<Record>)>) {
        self.revision += 1;
        let revision = self.revision;
        let records = writes.into_iter().map(|(key, record)| {
            match &record {
                Some(record) => drop(self.kept.insert(key.clone(), (revision, record.clone()))),
                None => drop(self.kept.remove(&key)),
            }
            (key, record.map(|record| (revision, record)))
        });
        let records = records.collect();
        self.events.push_back(StoreEvent::Changed { revision, records });
    }
}

impl Store for Shared {
    fn load(&self, each: &mut dyn FnMut(StoredRecord)) -> Result<u64, StoreError> {
        let mut state = self.state();
        state.mirror = state.kept.clone();
        state.reported = state.revision;
        for (key, (version, record)) in &state.kept {
            each(StoredRecord { key: key.clone(), version: *version, record: record.clone() });
        }
        Ok(state.revision)
    }

    fn export(
        &self,
        begin: &mut dyn FnMut(u64),
        each: &mut dyn FnMut(ExportItem) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let state = self.state();
        begin(state.reported);
        for (key, (version, record)) in &state.mirror {
            let entry =
                StoredRecord { key: key.clone(), version: *version, record: record.clone() };
            if each(ExportItem::Record(entry)).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn history(&self, _: &HistoryQuery) -> Result<HistoryPage, StoreError> {
        Ok(HistoryPage::default())
    }

    fn kind(&self) -> &'static str {
        "shared"
    }

    fn get(&self, key: &RecordKey) -> Result<Option<StoredRecord>, StoreError> {
        let found = self.state().mirror.get(key).cloned();
        Ok(found.map(|(version, record)| StoredRecord { key: key.clone(), version, record }))
    }

    fn list(
        &self,
        kind: RecordKind,
        after: Option<&RecordKey>,
        limit: usize,
    ) -> Result<Vec<StoredRecord>, StoreError> {
        let state = self.state();
        let found = state
            .mirror
            .iter()
            .filter(|(key, _)| key.kind() == kind && after.is_none_or(|after| *key > after));
        let entry = |(key, (version, record)): (&RecordKey, &(Version, Record))| StoredRecord {
            key: key.clone(),
            version: *version,
            record: record.clone(),
        };
        Ok(found.take(limit).map(entry).collect())
    }

    fn commit(&self, group: &[ChangeSet]) -> Result<CommitResult, StoreError> {
        let mut revision = self.state().revision;
        self.change(|state| state.waiting += 1);
        let mut state = self.wait_until(|state| !state.holds_commits);
        state.waiting -= 1;
        let doubt = state.doubt.take();
        if doubt == Some(Doubt::Lost) {
            return Err(StoreError::InDoubt("gone".to_owned()));
        }
        let mut writes: Vec<(RecordKey, Option<Record>)> = Vec::new();
        for set in group {
            for read in &set.reads {
                let is_written = writes.iter().any(|(key, _)| *key == read.key);
                let version = state.kept.get(&read.key).map(|(version, _)| *version);
                if !is_written && version != read.version {
                    return Ok(CommitResult::Stale);
                }
            }
            writes.extend(set.writes.iter().map(|it| (it.key.clone(), it.record.clone())));
        }
        if !writes.is_empty() {
            state.put(writes);
            revision = state.revision;
            self.changed.notify_all();
        }
        match doubt {
            // What only reads may be as of when it was sent.
            None => Ok(CommitResult::Committed(vec![revision; group.len()])),
            Some(_) => Err(StoreError::InDoubt("gone".to_owned())),
        }
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn watch(&self, _: u64, each: &mut dyn FnMut(StoreEvent) -> ControlFlow<()>) {
        loop {
            let mut state =
                self.wait_until(|state| !state.holds_events && !state.events.is_empty());
            let event = state.events.pop_front().unwrap();
            drop(state);
            let reported = each(event);
            self.change(|state| state.sent += 1);
            if reported.is_break() {
                return;
            }
        }
    }

    fn absorb(&self, event: &StoreEvent) {
        let mut state = self.state();
        match event {
            StoreEvent::Changed { revision, records } if *revision >= state.reported => {
                state.reported = *revision;
                for (key, record) in records.clone() {
                    match record {
                        Some(record) => drop(state.mirror.insert(key, record)),
                        None => drop(state.mirror.remove(&key)),
                    }
                }
            }
            StoreEvent::Relisted { revision, records } => {
                state.reported = *revision;
                let records = records.iter();
                state.mirror =
                    records.map(|it| (it.key.clone(), (it.version, it.record.clone()))).collect();
            }
            _ => {}
        }
        drop(state);
        self.changed.notify_all();
    }
}

fn start() -> (Arc<Shared>, Arc<Live>) {
    let store = Arc::new(Shared::default());
    let live = live(Arc::clone(&store) as Arc<dyn Store>);
    (store, live)
}

fn batch(op: &Value, key: Option<&str>) -> WriteBatch {
    WriteBatch {
        commands: Command::decode(std::slice::from_ref(op)).unwrap(),
        sender: CommandSender::new(Authority::Administrator, "admin-token"),
        mode: BatchMode::Atomic,
        if_revision: None,
        history: Vec::new(),
        idempotency_key: key
            .map(|key| IdempotencyKey::new(key, op.to_string().as_bytes()).unwrap()),
    }
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn write(live: &Live, op: &Value, key: Option<&str>) -> Result<WriteReply, WriteError> {
    wait(live.facts().unwrap().write(batch(op, key)))
}

fn sent(live: &Arc<Live>, op: Value) -> JoinHandle<Result<WriteReply, WriteError>> {
    let live = Arc::clone(live);
    thread::spawn(move || write(&live, &op, None))
}

fn knows(live: &Live, id: &str) -> bool {
    decide::decide(&live.served().view, &Request::new(id, Action::ViewProfile, id)).allow
}

fn revision(written: Result<WriteReply, WriteError>) -> u64 {
    match written.unwrap() {
        WriteReply::New(WriteOutcome::Applied { revision, .. }) => revision,
        other => panic!("{other:?}"),
    }
}

fn user(id: &str) -> Value {
    json!({ "op": "put_user", "user": id })
}

/// What others wrote before is seen by who sees what was written after.
#[test]
fn what_comes_before_is_seen_before() {
    for _ in 0..50 {
        let (store, live) = start();
        revision(write(&live, &user("ann"), None));
        store.change(|state| state.holds_commits = true);
        // It changes nothing, so that nothing of it comes back.
        let idle = sent(&live, json!({ "op": "remove_tags", "user": "ann", "tags": ["t"] }));
        drop(store.wait_until(|state| state.waiting > 0));
        let writes: Vec<_> = (0..3).map(|at| sent(&live, user(&format!("bob{at}")))).collect();
        let sent_before = store.state().sent;
        store.other("cat", true);
        drop(store.wait_until(|state| state.sent > sent_before));
        let later: Vec<_> = (3..6).map(|at| sent(&live, user(&format!("bob{at}")))).collect();
        store.change(|state| state.holds_commits = false);
        revision(idle.join().unwrap());
        for written in writes.into_iter().chain(later) {
            assert!(revision(written.join().unwrap()) > 2);
            assert!(knows(&live, "cat"), "made at revision 2");
        }
        // And the record is known to whom it is to be changed by.
        revision(write(&live, &json!({ "op": "add_tags", "user": "cat", "tags": ["t"] }), None));
    }
}

/// A retry tells what became of a commit that nobody heard of.
#[test]
fn what_was_in_doubt_takes_effect_once() {
    for doubt in [Doubt::Taken, Doubt::Lost] {
        for is_late in [false, true] {
            let (store, live) = start();
            revision(write(&live, &user("ann"), None));
            store.change(|state| {
                state.doubt = Some(doubt);
                state.holds_events = is_late;
            });
            let op = json!({ "op": "add_tags", "user": "ann", "tags": ["t"] });
            let error = write(&live, &op, Some("key")).unwrap_err();
            assert!(matches!(error, WriteError::InDoubt(_)), "{error}");
            let again = thread::spawn({
                let (live, op) = (Arc::clone(&live), op.clone());
                move || write(&live, &op, Some("key"))
            });
            store.change(|state| state.holds_events = false);
            let is_replayed = matches!(again.join().unwrap().unwrap(), WriteReply::Replayed { .. });
            assert_eq!(is_replayed, doubt == Doubt::Taken, "{doubt:?} {is_late}");
            assert_eq!(store.state().revision, 2, "{doubt:?} {is_late}: once");
        }
    }
}

/// A writer that has not heard of a change never answers that nothing need be changed, or that it may not be.
#[test]
fn answers_are_as_of_the_store() {
    let (store, live) = start();
    revision(write(&live, &user("ann"), None));
    store.change(|state| state.holds_events = true);
    store.other("ann", false);
    let gone = sent(&live, json!({ "op": "remove_tags", "user": "ann", "tags": ["t"] }));
    let made = {
        store.other("bob", true);
        sent(&live, json!({ "op": "remove_tags", "user": "bob", "tags": ["t"] }))
    };
    store.change(|state| state.holds_events = false);
    assert!(matches!(gone.join().unwrap().unwrap(), WriteReply::New(WriteOutcome::Refused { .. })));
    assert!(matches!(made.join().unwrap().unwrap(), WriteReply::New(WriteOutcome::Applied { .. })));
}

/// A cluster that was restored from a backup begins at an earlier revision.
#[test]
fn a_store_that_goes_back_is_followed() {
    let (store, live) = start();
    for id in ["ann", "bob", "cat"] {
        revision(write(&live, &user(id), None));
    }
    store.change(|state| {
        let ann = RecordKey::User("ann".to_owned());
        state.kept.retain(|key, _| *key == ann);
        state.revision = 1;
        let records = state.kept.iter();
        let records = records.map(|(key, (version, record))| StoredRecord {
            key: key.clone(),
            version: *version,
            record: record.clone(),
        });
        state.events.push_back(StoreEvent::Relisted { revision: 1, records: records.collect() });
    });
    drop(store.wait_until(|state| state.reported == 1));
    assert_eq!(revision(write(&live, &user("dan"), None)), 2);
    assert_eq!(["ann", "bob", "cat", "dan"].map(|id| knows(&live, id)), [true, false, false, true]);
    assert_eq!(live.served().view.revision.facts, 2);
}

/// The threads of one who is gone let go of the store.
#[test]
fn all_ends_with_the_one_who_asks() {
    let (store, live) = start();
    revision(write(&live, &user("ann"), None));
    drop(live);
    let deadline = Instant::now() + NEVER;
    while Arc::strong_count(&store) > 1 {
        assert!(Instant::now() < deadline, "its threads go on");
        // The one who watches finds out by what it would tell.
        store.other("bob", true);
        thread::yield_now();
    }
}
