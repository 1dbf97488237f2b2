//! The watch over other members' writes.

use peerage::{
    facts::RecordKey,
    store::{Store, StoreError, StoreEvent},
};

use crate::{
    etcd::member::Member,
    laws::conformance::commit,
    laws::sets::{all, set, together, user},
    support::cluster::Cluster,
    support::road::Road,
};

fn changed(events: &[StoreEvent]) -> Vec<(u64, Vec<(String, bool)>)> {
    let record = |(key, record): &(RecordKey, Option<_>)| (key.to_string(), record.is_some());
    let reported = |event: &StoreEvent| match event {
        StoreEvent::Changed { revision, records } => {
            Some((*revision, records.iter().map(record).collect()))
        }
        _ => None,
    };
    events.iter().filter_map(reported).collect()
}

#[test]
fn each_commit_is_reported_whole_and_once_to_everyone() {
    let cluster = Cluster::start(1);
    let address = cluster.store("facts");
    let [one, other] = [(); 2].map(|()| Member::join(&address));
    let [ann, bob] = ["ann", "bob"].map(user);
    let both = together([set(&ann, None, Some("1")), set(&bob, None, Some("1"))]);
    let first = commit(&one, &[both])[0];
    other.wait_for(first);
    let second = commit(&other, &[set(&ann, Some(first), None)])[0];
    one.wait_for(second);
    let expected = [
        (first, vec![("u/ann".to_owned(), true), ("u/bob".to_owned(), true)]),
        (second, vec![("u/ann".to_owned(), false)]),
    ];
    for member in [&one, &other] {
        let seen = member.wait_until("both", |seen| seen.revision >= second);
        assert_eq!(changed(&seen.events), expected);
    }
    assert_eq!(all(one.store()).1, all(other.store()).1);
}

#[test]
fn a_quiet_prefix_follows_the_revision_of_the_cluster() {
    let cluster = Cluster::start(1);
    let quiet = Member::join(&cluster.store("quiet"));
    for at in 0..5 {
        cluster.done(&["put", "elsewhere", &at.to_string()]);
    }
    quiet.wait_for(cluster.revision());
    let seen = quiet.wait_until("the first", |seen| seen.current > 0);
    assert_eq!(seen.events, []);
}

#[test]
fn it_goes_on_where_it_broke_off() {
    let cluster = Cluster::start(1);
    let address = cluster.store("facts");
    let (store, revision) = Member::join(&address).leave();
    let writer = Member::join(&address);
    let commits: Vec<u64> = (0..50)
        .map(|at| commit(&writer, &[set(&user(&format!("{at}")), None, Some("x"))])[0])
        .collect();
    let member = Member::watching(&address, store, revision);
    member.wait_for(*commits.last().unwrap());
    let seen = member.wait_until("all", |_| true);
    let reported: Vec<u64> =
        changed(&seen.events).into_iter().map(|(revision, _)| revision).collect();
    assert_eq!(reported, commits);
}

#[test]
fn what_was_compacted_meanwhile_is_listed_anew() {
    let cluster = Cluster::start(1);
    let writer = Member::join(&cluster.store("facts"));
    let [ann, bob] = ["ann", "bob"].map(user);
    let first = commit(&writer, &[set(&ann, None, Some("1"))])[0];

    let road = Road::to(&cluster.endpoint(0));
    let cut_off = Member::join(&format!("etcd://{}/facts", road.endpoint()));
    drop(cut_off.wait_until("the watch", |seen| seen.current > 0));
    road.close();
    drop(cut_off.wait_until("the cut", |seen| seen.cut_off.is_some()));
    let group = [set(&ann, Some(first), None), set(&bob, None, Some("1"))];
    let version = commit(&writer, &group)[1];
    // The last revision itself is not forgotten.
    commit(&writer, &[set(&user("cat"), None, Some("1"))]);
    cluster.compact();
    let error = cut_off.store().commit(&[set(&bob, None, Some("2"))]).unwrap_err();
    assert!(error.is_in_doubt() || matches!(error, StoreError::Unreachable(_)), "{error}");
    assert_eq!(cut_off.store().get(&ann).unwrap().unwrap().version, first, "answers as before");

    road.open();
    let relisted = |event: &StoreEvent| matches!(event, StoreEvent::Relisted { .. });
    let seen = cut_off.wait_until("a listing", |seen| seen.events.iter().any(relisted));
    let [StoreEvent::Relisted { revision, records }] = seen.events.as_slice() else {
        panic!("not listed once: {:?}", seen.events)
    };
    assert!(*revision >= version);
    assert_eq!(records.iter().map(|entry| &entry.key).collect::<Vec<_>>(), [&bob, &user("cat")]);
    drop(seen);
    assert_eq!(cut_off.store().get(&ann).unwrap(), None);
    commit(&cut_off, &[set(&bob, Some(version), Some("2"))]);
}

#[test]
fn those_who_are_cut_off_catch_up() {
    let cluster = Cluster::start(1);
    let writer = Member::join(&cluster.store("facts"));
    let road = Road::to(&cluster.endpoint(0));
    let cut_off = Member::join(&format!("etcd://{}/facts", road.endpoint()));
    let mut commits = Vec::new();
    for round in 0..3 {
        drop(cut_off.wait_until("the watch", |seen| seen.current > round));
        road.close();
        drop(cut_off.wait_until("the cut", |seen| seen.cut_off.is_some()));
        for at in 0..10 {
            let key = user(&format!("{round}-{at}"));
            commits.extend(commit(&writer, &[set(&key, None, Some("x"))]));
        }
        road.open();
        cut_off.wait_for(*commits.last().unwrap());
    }
    let seen = cut_off.wait_until("all", |_| true);
    let reported: Vec<u64> =
        changed(&seen.events).into_iter().map(|(revision, _)| revision).collect();
    assert_eq!(reported, commits, "each once, in order");
    drop(seen);
    assert_eq!(all(cut_off.store()).1, all(writer.store()).1);
}
