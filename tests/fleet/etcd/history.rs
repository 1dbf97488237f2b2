//! The history on etcd: the format of a store that has one, and what it costs those who don't read it.

use peerage::{
    facts::{ChangeSet, HistoryEntry, HistoryFilter, HistoryId, HistoryQuery, HistoryRecord},
    store::{CommitResult, Store, StoreEvent, etcd::EtcdStore},
};

use crate::{
    etcd::member::Member,
    laws::{
        conformance::commit,
        sets::{all, set, user},
    },
    support::cluster::Cluster,
};

fn told(at: u64, text: &str) -> ChangeSet {
    let entry = HistoryEntry {
        op: "ban".to_owned(),
        by: "ann".to_owned(),
        user: Some(text.to_owned()),
        ..HistoryEntry::default()
    };
    let history = vec![HistoryRecord { id: HistoryId::new(at, 0), entry }];
    ChangeSet { history, ..set(&user(text), None, Some(text)) }
}

fn times(store: &dyn Store) -> Vec<u64> {
    let filter = HistoryFilter::By("ann".to_owned());
    let query = HistoryQuery { filter, since: 0, after: None, limit: 100 };
    let page = store.history(&query).unwrap();
    page.entries.iter().map(|it| it.record.id.at()).collect()
}

/// The first entry makes the store one that earlier versions refuse; who opened it before goes on.
#[test]
fn the_first_entry_changes_the_format() {
    let cluster = Cluster::start(1);
    let [one, other] = [0, 1].map(|_| Member::join(&cluster.store("facts")));
    let format = || cluster.done(&["get", "--print-value-only", "facts/format"]).trim().to_owned();
    commit(&one, &[set(&user("bob"), None, Some("x"))]);
    assert_eq!(format(), "1");
    commit(&one, &[told(1, "cyd")]);
    assert_eq!(format(), "2");
    other.wait_for(cluster.revision());
    commit(&other, &[told(2, "dan")]);
    commit(&one, &[told(3, "eve")]);
    assert_eq!(format(), "2");
    for member in [&one, &other] {
        member.wait_for(cluster.revision());
        assert_eq!(times(member.store()), [3, 2, 1]);
    }
    let later = EtcdStore::open(&cluster.store("facts")).unwrap();
    assert_eq!(all(&later).1.len(), 4, "the history is not loaded");
    commit(&one, &[told(4, "fay")]);
    assert_eq!(times(&later), [4, 3, 2, 1], "but read from the cluster");
}

/// No daemon is sent the history.
#[test]
fn the_history_is_not_watched() {
    let cluster = Cluster::start(1);
    let member = Member::join(&cluster.store("facts"));
    let store = EtcdStore::open(&cluster.store("facts")).unwrap();
    let (revision, _) = all(&store);
    let told_and_gone = told(1, "bob");
    commit(&member, std::slice::from_ref(&told_and_gone));
    let expired = ChangeSet { expired: told_and_gone.history, ..ChangeSet::default() };
    assert!(matches!(member.store().commit(&[expired]).unwrap(), CommitResult::Committed(_)));
    commit(&member, &[set(&user("end"), None, Some("x"))]);
    let mut keys = Vec::new();
    store.watch(revision, &mut |event| {
        if let StoreEvent::Changed { records, .. } = event {
            keys.extend(records.into_iter().map(|(key, _)| key));
        }
        if keys.contains(&user("end")) {
            std::ops::ControlFlow::Break(())
        } else {
            std::ops::ControlFlow::Continue(())
        }
    });
    assert_eq!(keys, [user("bob"), user("end")]);
    assert_eq!(times(member.store()), [0; 0]);
}
