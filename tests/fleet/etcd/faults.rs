//! Three nodes, three members that write at once, and what nodes do when they fail.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use peerage::{
    facts::{ChangeSet, Record, RecordKey, RecordKind, RecordRead, RecordWrite, UserRecord},
    store::{CommitResult, Store, StoredRecord},
};

use crate::{
    etcd::member::Member,
    laws::sets::{all, user},
    support::cluster::{Cluster, wait_for},
};

/// Two logs that every commit adds to, so that a commit that is only half there shows.
fn logs() -> [RecordKey; 2] {
    ["log", "copy"].map(user)
}

fn lines(entry: Option<&StoredRecord>) -> Vec<String> {
    let Some(StoredRecord { record: Record::User(user), .. }) = entry else { return Vec::new() };
    user.friend_lists.clone()
}

/// Adds a line to both logs as they are known to a member.
fn add(member: &Member, line: &str) -> ChangeSet {
    let mut set = ChangeSet::default();
    for key in logs() {
        let entry = member.store().get(&key).unwrap();
        let mut lines = lines(entry.as_ref());
        lines.push(line.to_owned());
        let record =
            Record::User(Box::new(UserRecord { friend_lists: lines, ..UserRecord::default() }));
        set.reads.push(RecordRead { key: key.clone(), version: entry.map(|entry| entry.version) });
        set.writes.push(RecordWrite { key, record: Some(record) });
    }
    set
}

/// What became of the lines that were written.
#[derive(Default)]
struct Written {
    acknowledged: Mutex<BTreeMap<String, u64>>,
    in_doubt: Mutex<Vec<String>>,
    count: AtomicUsize,
    is_over: AtomicBool,
}

impl Written {
    /// Adds lines until it is over; each again until it is known whether it was taken, or can't be
    /// known.
    fn write(&self, member: &Member, name: usize) {
        for at in 0.. {
            let line = format!("{name}-{at}");
            loop {
                if self.is_over.load(Ordering::Relaxed) {
                    return;
                }
                match member.store().commit(&[add(member, &line)]) {
                    Ok(CommitResult::Committed(revisions)) => {
                        member.wait_for(revisions[0]);
                        self.acknowledged.lock().unwrap().insert(line, revisions[0]);
                        self.count.fetch_add(1, Ordering::Relaxed);
                        break;
                    }
                    // What made it stale comes through the watch.
                    Ok(CommitResult::Stale) => thread::yield_now(),
                    Err(error) if error.is_in_doubt() => {
                        self.in_doubt.lock().unwrap().push(line);
                        break;
                    }
                    Err(peerage::store::StoreError::Unreachable(_)) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        }
    }

    /// Waits until so many more have been acknowledged.
    #[track_caller]
    fn wait_for_more(&self, more: usize) {
        let goal = self.count.load(Ordering::Relaxed) + more;
        wait_for("commits", || (self.count.load(Ordering::Relaxed) >= goal).then_some(()));
    }
}

/// Lets three members write while `fail` is done to the nodes, and holds what is there after to
/// what was acknowledged.
fn survives(fail: impl FnOnce(&mut Cluster, &Written)) {
    let mut cluster = Cluster::start(3);
    let address = cluster.store("facts");
    let members = [(); 3].map(|()| Member::join(&address));
    let written = Written::default();
    thread::scope(|scope| {
        for (name, member) in members.iter().enumerate() {
            let written = &written;
            scope.spawn(move || written.write(member, name));
        }
        written.wait_for_more(20);
        fail(&mut cluster, &written);
        written.wait_for_more(20);
        written.is_over.store(true, Ordering::Relaxed);
    });
    cluster.wait_until_healthy();

    let (revision, entries) = all(Member::join(&address).store());
    let acknowledged = written.acknowledged.into_inner().unwrap();
    let in_doubt = written.in_doubt.into_inner().unwrap();
    let found = lines(entries.iter().find(|entry| entry.key == logs()[0]));
    assert_eq!(found, lines(entries.iter().find(|entry| entry.key == logs()[1])), "half a commit");
    let mut counts: BTreeMap<&String, usize> = BTreeMap::new();
    for line in &found {
        *counts.entry(line).or_default() += 1;
        assert_eq!(counts[line], 1, "{line} was taken twice");
        let is_known = acknowledged.contains_key(line) || in_doubt.contains(line);
        assert!(is_known, "{line} was refused, and is there");
    }
    for line in acknowledged.keys() {
        assert!(counts.contains_key(line), "{line} was acknowledged, and is not there");
    }
    let by_revision: BTreeMap<u64, &String> =
        acknowledged.iter().map(|(line, revision)| (*revision, line)).collect();
    assert_eq!(by_revision.len(), acknowledged.len(), "each commit has a revision of its own");
    let in_order = found.iter().filter(|line| acknowledged.contains_key(*line));
    assert!(in_order.eq(by_revision.into_values()), "lines stand in the order of revisions");
    for member in &members {
        member.wait_for(revision);
        assert_eq!(member.store().list(RecordKind::User, None, 100).unwrap(), entries);
    }
}

#[test]
fn nothing_is_lost_between_members() {
    survives(|_, written| written.wait_for_more(100));
}

#[test]
fn the_leader_is_killed() {
    survives(|cluster, written| {
        for _ in 0..2 {
            let leader = cluster.leader();
            cluster.kill(leader);
            written.wait_for_more(20);
            cluster.run(leader);
        }
    });
}

#[test]
fn all_nodes_are_killed() {
    survives(|cluster, written| {
        for _ in 0..2 {
            (0..cluster.len()).for_each(|at| cluster.kill(at));
            (0..cluster.len()).for_each(|at| cluster.run(at));
            written.wait_for_more(20);
        }
    });
}

#[test]
fn the_leader_falls_silent() {
    survives(|cluster, written| {
        let leader = cluster.leader();
        cluster.pause(leader);
        written.wait_for_more(20);
        cluster.resume(leader);
    });
}

/// Without a majority nothing is taken, what is known stays, and all goes on after.
#[test]
fn the_majority_falls_silent() {
    survives(|cluster, written| {
        let member = Member::join(&cluster.store("facts"));
        cluster.pause(0);
        cluster.pause(1);
        drop(member.wait_until("the cut", |seen| seen.cut_off.is_some()));
        let known = member.store().get(&logs()[0]).unwrap();
        let error = member.store().commit(&[add(&member, "never")]).unwrap_err();
        let is_reported =
            error.is_in_doubt() || matches!(error, peerage::store::StoreError::Unreachable(_));
        assert!(is_reported, "{error}");
        assert_eq!(member.store().get(&logs()[0]).unwrap(), known);
        // Whether it was taken after all is not known: so it counts as in doubt.
        written.in_doubt.lock().unwrap().push("never".to_owned());
        cluster.resume(0);
        cluster.resume(1);
        drop(member.wait_until("the return", |seen| seen.cut_off.is_none()));
        written.wait_for_more(20);
    });
}
