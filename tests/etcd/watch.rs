use peerage::{
    facts::Key,
    store::{Event, Store},
};

use crate::{
    cluster::{Cluster, wait_for},
    conformance::commit,
    member::Member,
    sets::{all, set, together, user},
};

fn changed(events: &[Event]) -> Vec<(u64, Vec<(String, bool)>)> {
    let record = |(key, record): &(Key, Option<_>)| (key.to_string(), record.is_some());
    let told = |event: &Event| match event {
        Event::Changed { revision, records } => {
            Some((*revision, records.iter().map(record).collect()))
        }
        _ => None,
    };
    events.iter().filter_map(told).collect()
}

#[test]
fn each_commit_is_told_whole_and_once_to_everyone() {
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
    let told: Vec<u64> = changed(&seen.events).into_iter().map(|(revision, _)| revision).collect();
    assert_eq!(told, commits);
}

#[test]
fn what_was_compacted_meanwhile_is_listed_anew() {
    let mut cluster = Cluster::start(3);
    let writer = Member::join(&cluster.store("facts"));
    let [ann, bob] = ["ann", "bob"].map(user);
    let first = commit(&writer, &[set(&ann, None, Some("1"))])[0];

    // It knows of one node only, which is gone while the others forget.
    let cut_off = Member::join(&format!("etcd://{}/facts", cluster.endpoint(2)));
    cut_off.wait_for(first);
    cluster.kill(2);
    drop(cut_off.wait_until("the cut", |seen| seen.cut_off.is_some()));
    // It is refused as stale if it was in doubt before, and was committed.
    let group = [set(&ann, Some(first), None), set(&bob, None, Some("1"))];
    wait_for("a commit", || writer.store().commit(&group).ok());
    cluster.compact();
    assert_eq!(cut_off.store().get(&ann).unwrap().unwrap().version, first, "answers as before");

    cluster.run(2);
    let relisted = |event: &Event| matches!(event, Event::Relisted { .. });
    let seen = cut_off.wait_until("a listing", |seen| seen.events.iter().any(relisted));
    let Some(Event::Relisted { records, .. }) = seen.events.last() else { panic!("no listing") };
    assert_eq!(records.iter().map(|entry| &entry.key).collect::<Vec<_>>(), [&bob]);
    drop(seen);
    assert_eq!(cut_off.store().get(&ann).unwrap(), None);
    assert!(cut_off.store().get(&bob).unwrap().is_some());
    let bob = cut_off.store().get(&bob).unwrap().unwrap().version;
    commit(&cut_off, &[set(&user("bob"), Some(bob), Some("2"))]);
}
