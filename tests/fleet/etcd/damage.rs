//! Damaged and foreign keys in etcd.

use peerage::store::{CommitResult, IfMissing, Store, StoreError, etcd::EtcdStore};

use crate::{
    etcd::member::Member,
    laws::conformance::commit,
    laws::sets::{all, look, record, set, user},
    support::cluster::Cluster,
};

fn refusal(address: &str) -> StoreError {
    EtcdStore::open(address).unwrap().load(&mut |_| ()).unwrap_err()
}

#[test]
fn a_prefix_that_must_hold_something_is_not_begun() {
    let cluster = Cluster::start(1);
    let address = cluster.store("none");
    let open = |if_missing| peerage::store::open(&address, if_missing).unwrap();
    let existing = open(IfMissing::Refuse);
    let error = existing.load(&mut |_| {}).unwrap_err();
    assert!(matches!(error, StoreError::Missing(_)), "{error}");
    assert!(error.to_string().contains("--store-must-exist"), "{error}");
    let made = open(IfMissing::Create);
    all(&*made);
    assert!(made.opening().is_new);
    // Nothing was marked by the one that was refused; by now there is a store.
    all(&*existing);
    assert!(!existing.opening().is_new);
}

#[test]
fn what_is_not_ours_is_not_read() {
    let cluster = Cluster::start(1);
    let refused = |prefix: &str, key: &str, value: &str| {
        cluster.done(&["put", &format!("{prefix}/{key}"), value]);
        refusal(&cluster.store(prefix))
    };
    assert!(matches!(refused("foreign", "some/thing", "x"), StoreError::Foreign(_)));
    assert!(matches!(refused("other", "format", "x"), StoreError::Foreign(_)));
    let StoreError::Newer { found: 3, known: 2, .. } = refused("newer", "format", "3") else {
        panic!("a newer format");
    };

    for (prefix, key, value) in [
        ("stray", "readme", "x"),
        ("nested", "b/u/ann", "{}"),
        ("swapped", "c/bob", "{}"),
        ("damaged", "u/ann", "{\"created\":"),
        ("unknown", "u/ann", "{\"height\":7}"),
    ] {
        let address = cluster.store(prefix);
        all(&EtcdStore::open(&address).unwrap());
        let error = refused(prefix, key, value);
        let StoreError::Record { key: named, .. } = &error else { panic!("{error}") };
        assert_eq!(named, key);
    }
}

#[test]
fn damage_while_it_runs_leaves_the_last_good_record() {
    let cluster = Cluster::start(1);
    let member = Member::join(&cluster.store("facts"));
    let ann = user("ann");
    let version = commit(&member, &[set(&ann, None, Some("good"))])[0];
    commit(&member, &[set(&user("bob"), None, Some("good"))]);

    cluster.done(&["put", "facts/u/ann", "no record"]);
    cluster.done(&["put", "facts/stray", "no record"]);
    member.wait_for(cluster.revision());
    let stands = member.store().get(&ann).unwrap().unwrap();
    assert_eq!((stands.version, stands.record), (version, record(&ann, "good")));
    for set in [set(&ann, Some(version), Some("new")), look(&ann, Some(version))] {
        let error = member.store().commit(&[set]).unwrap_err();
        assert!(error.to_string().contains("u/ann"), "{error}");
    }
    let bob = member.store().get(&user("bob")).unwrap().unwrap().version;
    commit(&member, &[set(&user("bob"), Some(bob), Some("is not concerned"))]);

    let good = String::from_utf8(record(&ann, "mended").encode()).unwrap();
    cluster.done(&["put", "facts/u/ann", &good]);
    let mended = cluster.revision();
    member.wait_for(mended);
    assert_eq!(member.store().get(&ann).unwrap().unwrap().record, record(&ann, "mended"));
    commit(&member, &[set(&ann, Some(mended), Some("new"))]);

    cluster.done(&["put", "facts/u/ann", "no record"]);
    cluster.done(&["del", "facts/u/ann"]);
    member.wait_for(cluster.revision());
    assert_eq!(member.store().get(&ann).unwrap(), None);
    commit(&member, &[set(&ann, None, Some("back"))]);
}

#[test]
fn a_newer_format_stops_those_who_do_not_know_it() {
    let cluster = Cluster::start(1);
    let member = Member::join(&cluster.store("facts"));
    let ann = user("ann");
    let version = commit(&member, &[set(&ann, None, Some("good"))])[0];
    cluster.done(&["put", "facts/format", "3"]);
    let error = member.store().commit(&[set(&ann, Some(version), Some("new"))]).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 3, .. }), "{error}");
    let reported = member.wait_until("the newer format", |seen| seen.cut_off.is_some());
    assert!(reported.cut_off.as_ref().unwrap().contains("newer"), "{:?}", reported.cut_off);
    drop(reported);

    cluster.done(&["del", "facts/format"]);
    let error = member.store().commit(&[set(&ann, Some(version), Some("new"))]).unwrap_err();
    assert!(matches!(error, StoreError::Foreign(_)), "{error}");
    cluster.done(&["put", "facts/format", "1"]);
    let committed = member.store().commit(&[set(&ann, Some(version), Some("new"))]).unwrap();
    assert!(matches!(committed, CommitResult::Committed(_)), "{committed:?}");
}

#[test]
fn groups_that_are_too_large_are_refused() {
    let cluster = Cluster::start(1);
    let member = Member::join(&cluster.store("facts"));
    let most = member.store().most_records().unwrap();
    let sets = |count: usize| -> Vec<_> {
        (0..count).map(|at| set(&user(&format!("{count}-{at}")), None, Some("x"))).collect()
    };
    commit(&member, &sets(most));
    let error = member.store().commit(&sets(most + 1)).unwrap_err();
    assert!(matches!(error, StoreError::TooLarge { .. }), "{error}");
    let large = "x".repeat(2_000_000);
    let error = member.store().commit(&[set(&user("ann"), None, Some(&large))]).unwrap_err();
    assert!(matches!(error, StoreError::Io { doing: "written", .. }), "{error}");
    assert!(error.to_string().contains("too large"), "{error}");
    commit(&member, &[set(&user("ann"), None, Some("small"))]);
}
