//! The conformance suite of stores.

use std::{collections::BTreeMap, sync::Barrier, thread};

use peerage::{
    facts::{ChangeSet, Record, RecordKey, RecordKind, Version},
    store::{CommitResult, Store},
};
use uuid::Uuid;

use crate::laws::{
    history,
    sets::{all, look, record, set, together, user},
};

/// A store to try, empty at first.
pub(crate) trait Harness: Send + Sync {
    fn store(&self) -> &dyn Store;

    /// Returns once reads show a commit. Who shares a store waits for it to come through the watch.
    fn settle(&self, _revision: u64) {}

    /// The same store, after it was closed.
    fn reopen(self: Box<Self>) -> Box<dyn Harness>;
}

type Check = fn(&dyn Harness);

/// Tries everything, each time with a store that `make` makes.
pub(crate) fn check(make: &dyn Fn() -> Box<dyn Harness>) {
    let checks: [Check; 21] = [
        an_empty_store,
        records_come_back,
        versions_are_revisions,
        stale_reads_are_refused,
        what_is_read_alone_counts,
        all_or_nothing,
        sets_build_on_one_another,
        what_changes_nothing,
        removal,
        order,
        pages,
        odd_ids,
        large_records,
        many_records,
        one_of_many_wins,
        history::history_is_read_in_pages,
        history::history_is_written_with_its_set,
        history::history_expires,
        history::long_history,
        history::history_is_exported,
        history::history_of_a_batch,
    ];
    for check in checks {
        check(make().as_ref());
    }
    nothing_is_lost_between_threads(make().as_ref());
    it_is_all_there_again(make());
}

/// Commits what must be taken; the revision of each set.
pub(crate) fn commit(harness: &dyn Harness, group: &[ChangeSet]) -> Vec<u64> {
    let CommitResult::Committed(revisions) = harness.store().commit(group).unwrap() else {
        panic!("refused: {group:?}");
    };
    assert_eq!(revisions.len(), group.len());
    assert!(revisions.is_sorted(), "{revisions:?}");
    harness.settle(*revisions.last().unwrap());
    revisions
}

fn refused(harness: &dyn Harness, group: &[ChangeSet]) {
    let before = all(harness.store());
    assert_eq!(harness.store().commit(group).unwrap(), CommitResult::Stale, "{group:?}");
    assert_eq!(all(harness.store()), before);
}

fn put(harness: &dyn Harness, key: &RecordKey, text: &str) -> Version {
    let version = harness.store().get(key).unwrap().map(|entry| entry.version);
    commit(harness, &[set(key, version, Some(text))])[0]
}

fn one_of_each() -> [RecordKey; 5] {
    [
        RecordKey::conversation("bob", "ann"),
        RecordKey::Group("g".to_owned()),
        RecordKey::Idempotency("once".to_owned()),
        RecordKey::Rule(Uuid::from_u128(7)),
        user("ann"),
    ]
}

fn an_empty_store(harness: &dyn Harness) {
    let store = harness.store();
    assert_eq!(all(store).1, []);
    assert_eq!(store.get(&user("ann")).unwrap(), None);
    for kind in RecordKind::ALL {
        assert_eq!(store.list(kind, None, 10).unwrap(), []);
    }
}

fn records_come_back(harness: &dyn Harness) {
    for key in one_of_each() {
        let version = put(harness, &key, "some text");
        let entry = harness.store().get(&key).unwrap().unwrap();
        assert_eq!((&entry.key, entry.version), (&key, version));
        assert_eq!(entry.record, record(&key, "some text"));
        assert_eq!(harness.store().list(key.kind(), None, 10).unwrap(), [entry]);
    }
    let keys: Vec<RecordKey> = all(harness.store()).1.into_iter().map(|entry| entry.key).collect();
    assert_eq!(keys, one_of_each());
}

fn versions_are_revisions(harness: &dyn Harness) {
    let mut last = 0;
    for text in ["one", "two", "three"] {
        let version = put(harness, &user("ann"), text);
        assert!(version > last, "revisions grow");
        last = version;
        let (revision, entries) = all(harness.store());
        assert!(revision >= version);
        assert_eq!(entries[0].version, version);
    }
    let bob = put(harness, &user("bob"), "one");
    assert!(bob > last);
    assert_eq!(harness.store().get(&user("ann")).unwrap().unwrap().version, last, "left alone");
}

fn stale_reads_are_refused(harness: &dyn Harness) {
    let ann = user("ann");
    refused(harness, &[set(&ann, Some(1), Some("was never there"))]);
    let first = put(harness, &ann, "first");
    refused(harness, &[set(&ann, None, Some("is there"))]);
    let second = put(harness, &ann, "second");
    refused(harness, &[set(&ann, Some(first), Some("is newer"))]);
    refused(harness, &[set(&ann, Some(second + 1), Some("is older"))]);
    refused(harness, &[set(&ann, Some(first), None)]);
    commit(harness, &[set(&ann, Some(second), Some("third"))]);
}

fn what_is_read_alone_counts(harness: &dyn Harness) {
    let [ann, bob] = ["ann", "bob"].map(user);
    let version = put(harness, &ann, "first");
    let with = |version, text| together([look(&ann, version), set(&bob, None, text)]);
    refused(harness, &[with(None, Some("they were there"))]);
    refused(harness, &[look(&bob, Some(version))]);
    refused(harness, &[set(&bob, None, Some("one")), look(&ann, None)]);
    commit(harness, &[with(Some(version), Some("as it stands"))]);
}

fn all_or_nothing(harness: &dyn Harness) {
    let [ann, bob, cat] = ["ann", "bob", "cat"].map(user);
    let version = put(harness, &ann, "first");
    let good = || set(&bob, None, Some("new"));
    let bad = || set(&ann, Some(version + 1), Some("changed"));
    refused(harness, &[good(), bad()]);
    refused(harness, &[bad(), good()]);
    refused(harness, &[together([good(), bad()])]);
    refused(harness, &[good(), set(&cat, None, Some("new")), bad()]);
    let both = together([good(), set(&cat, None, Some("new"))]);
    let version = commit(harness, &[both])[0];
    for key in [bob, cat] {
        assert_eq!(harness.store().get(&key).unwrap().unwrap().version, version);
    }
}

fn sets_build_on_one_another(harness: &dyn Harness) {
    let [ann, bob, cat] = ["ann", "bob", "cat"].map(user);
    let version = put(harness, &cat, "there");
    let group = [
        set(&ann, None, Some("one")),
        set(&bob, None, Some("one")),
        set(&cat, Some(version), None),
        // The planner of a group can't know the versions that it will give.
        set(&ann, None, Some("two")),
        set(&ann, Some(1_000_000), Some("three")),
        set(&bob, None, None),
        set(&cat, None, Some("back")),
    ];
    let revisions = commit(harness, &group);
    let text = |key: &RecordKey| harness.store().get(key).unwrap();
    let found = text(&ann).unwrap();
    assert_eq!((found.record, found.version), (record(&ann, "three"), revisions[4]));
    assert_eq!(text(&bob), None);
    let found = text(&cat).unwrap();
    assert_eq!((found.record, found.version), (record(&cat, "back"), revisions[6]));
}

fn what_changes_nothing(harness: &dyn Harness) {
    let ann = user("ann");
    commit(harness, &[look(&ann, None)]);
    let version = put(harness, &ann, "first");
    let before = all(harness.store());
    let revisions = commit(harness, &[look(&ann, Some(version)), ChangeSet::default()]);
    assert!(revisions.iter().all(|revision| *revision >= version), "{revisions:?}");
    assert_eq!(all(harness.store()).1, before.1);
    assert!(harness.store().commit(&[]).unwrap() == CommitResult::Committed(Vec::new()));
}

fn removal(harness: &dyn Harness) {
    let ann = user("ann");
    commit(harness, &[set(&ann, None, None)]);
    let first = put(harness, &ann, "first");
    let gone = commit(harness, &[set(&ann, Some(first), None)])[0];
    assert_eq!(harness.store().get(&ann).unwrap(), None);
    assert_eq!(harness.store().list(RecordKind::User, None, 1).unwrap(), []);
    refused(harness, &[set(&ann, Some(first), Some("gone"))]);
    assert!(put(harness, &ann, "second") > gone);
    refused(harness, &[set(&ann, Some(first), Some("another since"))]);
}

fn texts(entries: &[peerage::store::StoredRecord]) -> Vec<String> {
    entries.iter().map(|entry| entry.key.to_string()).collect()
}

fn order(harness: &dyn Harness) {
    let ids = ["b", "a", "B", "aa", "é", "10", "9", "a b", "z/z", "u/a", "\u{10ffff}"];
    let keys: Vec<RecordKey> =
        ids.iter().flat_map(|id| [user(id), RecordKey::Group((*id).to_owned())]).collect();
    commit(harness, &[together(keys.iter().map(|key| set(key, None, Some("x"))))]);
    let mut expected: Vec<String> = keys.iter().map(RecordKey::to_string).collect();
    expected.sort_unstable();
    assert_eq!(texts(&all(harness.store()).1), expected);
    for kind in [RecordKind::User, RecordKind::Group] {
        let of = expected.iter().filter(|text| text.starts_with(kind.prefix())).cloned();
        let listed = harness.store().list(kind, None, 100).unwrap();
        assert_eq!(texts(&listed), of.collect::<Vec<_>>());
    }
}

fn pages(harness: &dyn Harness) {
    let keys: Vec<RecordKey> = (0..25).map(|at| user(&format!("{at:02}"))).collect();
    let group = RecordKey::Group("g".to_owned());
    let others = [group.clone(), RecordKey::conversation("a", "b")];
    let sets = keys.iter().chain(&others).map(|key| set(key, None, Some("x")));
    commit(harness, &[together(sets)]);
    for limit in [1, 4, 5, 24, 25, 26] {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = harness.store().list(RecordKind::User, after.as_ref(), limit).unwrap();
            assert!(page.len() <= limit);
            let Some(last) = page.last() else { break };
            after = Some(last.key.clone());
            found.extend(page.into_iter().map(|entry| entry.key));
        }
        assert_eq!(found, keys, "{limit} at a time");
    }
    let list =
        |kind, after: &RecordKey| texts(&harness.store().list(kind, Some(after), 2).unwrap());
    assert_eq!(list(RecordKind::User, &user("023")), ["u/03", "u/04"], "of whom there is none");
    assert_eq!(list(RecordKind::User, &user("24")), [""; 0]);
    assert_eq!(list(RecordKind::Group, &group), [""; 0], "what comes after is of another kind");
    assert_eq!(harness.store().list(RecordKind::User, None, 0).unwrap(), []);
}

fn odd_ids(harness: &dyn Harness) {
    let long = "x".repeat(255);
    let wide = "\u{1F980}".repeat(63);
    for (at, id) in
        ["ä ö", " ", "/", "u/", "..", "\"'\\", "%00", "*", &long, &wide].iter().enumerate()
    {
        let keys = [
            user(id),
            RecordKey::Group((*id).to_owned()),
            RecordKey::Idempotency((*id).to_owned()),
            RecordKey::conversation(id, &long),
        ];
        for key in &keys {
            put(harness, key, id);
        }
        for key in &keys {
            let entry = harness.store().get(key).unwrap().unwrap();
            assert_eq!((&entry.key, &entry.record), (key, &record(key, id)));
        }
        assert_eq!(harness.store().list(RecordKind::User, None, 100).unwrap().len(), at + 1);
    }
}

fn large_records(harness: &dyn Harness) {
    let [ann, bob] = ["ann", "bob"].map(user);
    for size in [1, 1000, 1_000_000, 10] {
        put(harness, &ann, &"x".repeat(size));
        let found = harness.store().get(&ann).unwrap().unwrap().record;
        assert!(found == record(&ann, &"x".repeat(size)), "{size} bytes");
    }
    put(harness, &bob, &"y".repeat(1_000_000));
    assert_eq!(all(harness.store()).1.len(), 2);
}

fn many_records(harness: &dyn Harness) {
    const MANY: usize = 10_000;
    let keys: Vec<RecordKey> = (0..MANY).map(|at| user(&format!("{at:05}"))).collect();
    // Each key is read and written.
    let most = harness.store().most_records().map_or(MANY, |most| most / 2);
    for keys in keys.chunks(most) {
        commit(harness, &[together(keys.iter().map(|key| set(key, None, Some("x"))))]);
    }
    let (_, entries) = all(harness.store());
    assert!(entries.iter().map(|entry| &entry.key).eq(&keys));
    let page = harness.store().list(RecordKind::User, Some(&keys[5000]), 3).unwrap();
    assert_eq!(texts(&page), ["u/05001", "u/05002", "u/05003"]);
    let versions: BTreeMap<&RecordKey, Version> =
        entries.iter().map(|entry| (&entry.key, entry.version)).collect();
    for keys in keys[1..].chunks(most) {
        let removed = keys.iter().map(|key| set(key, versions.get(key).copied(), None));
        commit(harness, &[together(removed)]);
    }
    assert_eq!(texts(&all(harness.store()).1), ["u/00000"]);
}

const THREADS: u32 = 8;

fn one_of_many_wins(harness: &dyn Harness) {
    let ann = user("ann");
    for round in 0..20 {
        let version = put(harness, &ann, &format!("{round}"));
        let start = Barrier::new(THREADS as usize);
        let own = |thread| user(&format!("{round}-{thread}"));
        let won: Vec<u64> = thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|thread| {
                    let (ann, start) = (&ann, &start);
                    scope.spawn(move || {
                        let text = format!("{round}, {thread}");
                        let change = together([
                            set(ann, Some(version), Some(&text)),
                            set(&own(thread), None, Some(&text)),
                        ]);
                        start.wait();
                        match harness.store().commit(&[change]).unwrap() {
                            CommitResult::Committed(revisions) => revisions.last().copied(),
                            CommitResult::Stale => None,
                        }
                    })
                })
                .collect();
            threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(won.len(), 1, "exactly one");
        harness.settle(won[0]);
        let written: Vec<u32> = (0..THREADS)
            .filter(|thread| harness.store().get(&own(*thread)).unwrap().is_some())
            .collect();
        let text = format!("{round}, {}", written[0]);
        assert_eq!(written.len(), 1, "nothing of those who lost");
        assert_eq!(harness.store().get(&ann).unwrap().unwrap().record, record(&ann, &text));
    }
}

/// Threads that each add one to a number again and again, and try again when another came first.
fn nothing_is_lost_between_threads(harness: &dyn Harness) {
    const TIMES: u32 = 25;
    let sum = user("sum");
    let number = |record: &Record| match record {
        Record::User(user) => user.attributes["text"].as_str().unwrap().parse::<u32>().unwrap(),
        other => panic!("{other:?}"),
    };
    put(harness, &sum, "0");
    let add = || {
        loop {
            let entry = harness.store().get(&sum).unwrap().unwrap();
            let next = (number(&entry.record) + 1).to_string();
            let change = set(&sum, Some(entry.version), Some(&next));
            if let CommitResult::Committed(revisions) = harness.store().commit(&[change]).unwrap() {
                return harness.settle(revisions[0]);
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| (0..TIMES).for_each(|_| add()));
        }
    });
    let entry = harness.store().get(&sum).unwrap().unwrap();
    assert_eq!(number(&entry.record), THREADS * TIMES);
}

fn it_is_all_there_again(harness: Box<dyn Harness>) {
    for key in one_of_each() {
        put(harness.as_ref(), &key, "before");
    }
    put(harness.as_ref(), &user("ann"), "again");
    let gone = RecordKey::Group("g".to_owned());
    let version = harness.store().get(&gone).unwrap().unwrap().version;
    commit(harness.as_ref(), &[set(&gone, Some(version), None)]);
    let before = all(harness.store());
    let harness = harness.reopen();
    let after = all(harness.store());
    assert_eq!(after.1, before.1);
    assert!(after.0 >= before.0);
    assert!(put(harness.as_ref(), &user("bob"), "after") > before.0, "revisions go on");
}
