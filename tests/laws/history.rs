//! What every store does with the history.

use std::ops::ControlFlow;

use peerage::{
    facts::{
        ChangeSet, HistoryEntry, HistoryFilter, HistoryId, HistoryQuery, HistoryRecord,
        StoredHistory,
    },
    store::{CommitResult, ExportItem, Store},
};

use crate::laws::{
    conformance::{Harness, commit},
    sets::{all, set, user},
};

/// What a user did at a time to another.
fn entry(at: u64, by: &str, subject: &str) -> HistoryRecord {
    let entry = HistoryEntry {
        op: "ban".to_owned(),
        by: by.to_owned(),
        user: Some(subject.to_owned()),
        reason: Some(format!("{at}")),
        ..HistoryEntry::default()
    };
    HistoryRecord { id: HistoryId::new(at, 7), entry }
}

fn with(history: Vec<HistoryRecord>) -> ChangeSet {
    ChangeSet { history, ..ChangeSet::default() }
}

fn query(filter: HistoryFilter) -> HistoryQuery {
    HistoryQuery { filter, since: 0, after: None, limit: 100 }
}

/// The times of a page, and whether there are more entries.
fn times(store: &dyn Store, query: &HistoryQuery) -> (Vec<u64>, bool) {
    let page = store.history(query).unwrap();
    let times: Vec<u64> = page.entries.iter().map(|it| it.record.id.at()).collect();
    assert_eq!(page.next.map(HistoryId::at), times.last().copied().filter(|_| page.next.is_some()));
    (times, page.next.is_some())
}

/// Some entries: by ann or an over the same three users, in no order.
fn fill(harness: &dyn Harness) -> Vec<u64> {
    let group = [
        with(vec![entry(3, "ann", "bob"), entry(1, "an", "bob")]),
        with(vec![entry(2, "ann", "bo"), entry(9, "ann", "ann")]),
        with(vec![entry(1_800_000_000_000, "ann", "bob")]),
    ];
    commit(harness, &group)
}

/// The newest come first, those of one name alone, from a time on, in pages.
pub(crate) fn history_is_read_in_pages(harness: &dyn Harness) {
    let store = harness.store();
    assert_eq!(times(store, &query(HistoryFilter::All)), (vec![], false));
    let now = 1_800_000_000_000;
    let revisions = fill(harness);
    let user = |name: &str| HistoryFilter::User(name.to_owned());
    let by = |name: &str| HistoryFilter::By(name.to_owned());
    for (filter, expected) in [
        (HistoryFilter::All, vec![now, 9, 3, 2, 1]),
        (user("bob"), vec![now, 3, 1]),
        (user("bo"), vec![2]),
        (user("ann"), vec![9]),
        (user("b"), vec![]),
        (by("ann"), vec![now, 9, 3, 2]),
        (by("an"), vec![1]),
        (HistoryFilter::Group("bob".to_owned()), vec![]),
    ] {
        let query = query(filter);
        assert_eq!(times(store, &query), (expected.clone(), false), "{query:?}");
        for since in [0, 1, 2, 3, 10, now, now + 1] {
            let query = HistoryQuery { since, ..query.clone() };
            let expected: Vec<u64> = expected.iter().copied().filter(|&at| at >= since).collect();
            assert_eq!(times(store, &query).0, expected, "{query:?}");
        }
        for limit in [1, 2, 5] {
            let mut found = Vec::new();
            let mut query = HistoryQuery { limit, ..query.clone() };
            loop {
                let page = store.history(&query).unwrap();
                assert!(page.entries.len() <= limit);
                found.extend(page.entries.iter().map(|it| it.record.id.at()));
                query.after = page.next;
                if page.next.is_none() {
                    break;
                }
            }
            assert_eq!(found, expected, "{query:?}");
        }
    }
    let page = store.history(&query(user("bo"))).unwrap();
    let [only] = &page.entries[..] else { panic!("{page:?}") };
    assert_eq!(only.record, entry(2, "ann", "bo"), "it is as it was written");
    assert_eq!((only.version, only.revision()), (revisions[1], revisions[1]));
    assert_eq!(all(store).1, [], "no record");
}

/// An entry is there if and only if what it tells of was committed.
pub(crate) fn history_is_written_with_its_set(harness: &dyn Harness) {
    let told = |id: &str, at| ChangeSet {
        history: vec![entry(at, "ann", "bob")],
        ..set(&user(id), None, Some("x"))
    };
    let revisions = commit(harness, &[told("bob", 1)]);
    let stale = [told("cyd", 2), told("bob", 3)];
    assert_eq!(harness.store().commit(&stale).unwrap(), CommitResult::Stale);
    let page = harness.store().history(&query(HistoryFilter::All)).unwrap();
    let found: Vec<(u64, u64)> =
        page.entries.iter().map(|it| (it.record.id.at(), it.version)).collect();
    assert_eq!(found, [(1, revisions[0])]);
    assert_eq!(harness.store().get(&user("bob")).unwrap().unwrap().version, revisions[0]);
}

/// What has expired is gone from every list; what is written again is there once.
pub(crate) fn history_expires(harness: &dyn Harness) {
    let store = harness.store();
    fill(harness);
    let revision = all(store).0;
    commit(harness, &[with(vec![entry(3, "ann", "bob")])]);
    assert_eq!(times(store, &query(HistoryFilter::All)).0.len(), 5);
    assert!(all(store).0 > revision);
    let old = |limit| -> Vec<HistoryRecord> {
        let page = store.history(&HistoryQuery::before(3, limit)).unwrap();
        page.entries.into_iter().map(|StoredHistory { record, .. }| record).collect()
    };
    assert_eq!(old(1).len(), 1);
    let expired = old(10);
    assert_eq!(expired.len(), 2);
    let gone = ChangeSet { expired, ..ChangeSet::default() };
    assert!(matches!(store.commit(&[gone]).unwrap(), CommitResult::Committed(_)));
    assert_eq!(old(10), []);
    let now = 1_800_000_000_000;
    assert_eq!(times(store, &query(HistoryFilter::All)).0, [now, 9, 3]);
    assert_eq!(times(store, &query(HistoryFilter::By("an".to_owned()))).0, [0; 0]);
    assert_eq!(times(store, &query(HistoryFilter::User("bo".to_owned()))).0, [0; 0]);
    assert_eq!(times(store, &query(HistoryFilter::User("bob".to_owned()))).0, [now, 3]);
}

/// The entries of a batch are read one by one, whether one row points to them or many do.
pub(crate) fn history_of_a_batch(harness: &dyn Harness) {
    let store = harness.store();
    // Turns of three, of two and of one for each user, in blocks of one author.
    let by = |at: u64| if (at / 90).is_multiple_of(2) { "ann" } else { "bob" };
    let subject =
        |at: u64| ["cyd", "cyd", "cyd", "dan", "dan", "eve"][usize::try_from(at % 6).unwrap()];
    let record =
        |at: u64| HistoryRecord { id: HistoryId::new(5, at), ..entry(5, by(at), subject(at)) };
    let all: Vec<HistoryRecord> = (1000..1200).map(record).collect();
    commit(harness, &[with(all.clone())]);
    // As an import writes some of them again.
    commit(harness, &[with(all[17..20].to_vec()), with(all[40..90].to_vec())]);
    let ids = |query: &HistoryQuery| -> (Vec<HistoryId>, Option<HistoryId>) {
        let page = store.history(query).unwrap();
        (page.entries.iter().map(|it| it.record.id).collect(), page.next)
    };
    for filter in [
        HistoryFilter::All,
        HistoryFilter::By("ann".to_owned()),
        HistoryFilter::By("bob".to_owned()),
        HistoryFilter::User("cyd".to_owned()),
        HistoryFilter::User("eve".to_owned()),
    ] {
        let holds = |it: &&HistoryRecord| match &filter {
            HistoryFilter::By(name) => it.entry.by == *name,
            HistoryFilter::User(name) => it.entry.user.as_ref() == Some(name),
            _ => true,
        };
        let expected: Vec<HistoryId> = all.iter().filter(holds).map(|it| it.id).rev().collect();
        for limit in [1, 7, 64, 100, 500] {
            let mut found = Vec::new();
            let mut query = HistoryQuery { limit, ..query(filter.clone()) };
            loop {
                let (page, next) = ids(&query);
                assert!(page.len() <= limit && !page.is_empty(), "{query:?}");
                found.extend(page);
                query.after = next;
                if next.is_none() {
                    break;
                }
            }
            assert_eq!(found, expected, "{query:?}");
        }
        let late = HistoryQuery { since: 6, ..query(filter) };
        assert_eq!(ids(&late), (vec![], None));
    }
}

/// As many entries as a group may have are taken, with as many records.
pub(crate) fn long_history(harness: &dyn Harness) {
    const MANY: usize = 1000;
    let store = harness.store();
    let records = store.most_records().unwrap_or(MANY);
    let writes = (0..records).map(|at| set(&user(&format!("{at:04}")), None, Some("x")));
    let mut group: Vec<ChangeSet> = writes.collect();
    let entries = store.most_history(records).unwrap_or(MANY).min(MANY);
    let entry = |at: usize| {
        let mut record = entry(at as u64, &format!("by-{at}"), &format!("one-{at}"));
        record.entry.to = Some(format!("other-{at}"));
        record.entry.group = Some(format!("group-{at}"));
        record
    };
    group.push(with((0..entries).map(entry).collect()));
    commit(harness, &group);
    assert_eq!(all(store).1.len(), records);
    let last = entries - 1;
    for filter in [
        HistoryFilter::Group(format!("group-{last}")),
        HistoryFilter::User(format!("one-{last}")),
        HistoryFilter::User(format!("other-{last}")),
        HistoryFilter::By(format!("by-{last}")),
    ] {
        assert_eq!(times(store, &query(filter)).0, [last as u64]);
    }
    let everything = HistoryQuery { limit: 2 * MANY, ..query(HistoryFilter::All) };
    assert_eq!(times(store, &everything).0.len(), entries);

    let more = store.most_history(0).unwrap_or(MANY).min(MANY);
    commit(harness, &[with((MANY..MANY + more).map(entry).collect())]);
    assert_eq!(times(store, &everything).0.len(), entries + more);
}

/// An export has the records, and then all entries.
pub(crate) fn history_is_exported(harness: &dyn Harness) {
    commit(harness, &[set(&user("bob"), None, Some("x"))]);
    fill(harness);
    let (mut kinds, mut times) = (Vec::new(), Vec::new());
    let store = harness.store();
    let mut each = |item: ExportItem| {
        kinds.push(matches!(item, ExportItem::History(_)));
        if let ExportItem::History(entry) = item {
            times.push(entry.record.id.at());
        }
        ControlFlow::Continue(())
    };
    store.export(&mut |_| {}, &mut each).unwrap();
    assert_eq!(kinds, [false, true, true, true, true, true]);
    times.sort_unstable();
    assert_eq!(times, [1, 2, 3, 9, 1_800_000_000_000]);
}
