//! The store in one file on a disk that fails: what was acknowledged is there, what was refused is
//! not, and nothing is half there.

use std::{collections::BTreeMap, io::ErrorKind};

use peerage::{
    facts::{ChangeSet, Record, RecordKey},
    store::{CommitResult, EmbeddedStore, Store, StoreError},
};

use crate::{
    laws::sets::{all, record, set, together, user},
    support::disk::{Disk, Failing},
};

/// What a store is to hold: keys with the text in each.
type Model = BTreeMap<RecordKey, Record>;

fn open(disk: &Disk) -> Result<EmbeddedStore, StoreError> {
    let disk = disk.clone();
    EmbeddedStore::with_backend("facts", move || Ok(disk.file()))
}

fn held(store: &EmbeddedStore) -> (u64, Model) {
    let (revision, entries) = all(store);
    (revision, entries.into_iter().map(|entry| (entry.key, entry.record)).collect())
}

/// A sequence of numbers that look like chance, the same for the same seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// A change of several records at once, some of them gone after it; and what is held then.
fn change(store: &EmbeddedStore, model: &Model, chance: &mut Chance) -> (Vec<ChangeSet>, Model) {
    let mut after = model.clone();
    let sets = (0..=chance.below(3)).map(|_| {
        let from = chance.below(20);
        let steps = (from..=from + chance.below(4)).map(|at| {
            let key = user(&format!("{at}"));
            let version = store.get(&key).unwrap().map(|entry| entry.version);
            let size = usize::try_from(1 + chance.below(6000)).unwrap();
            let text = (chance.below(5) > 0).then(|| format!("{at} ").repeat(size / 3));
            match &text {
                Some(text) => after.insert(key.clone(), record(&key, text)),
                None => after.remove(&key),
            };
            set(&key, version, text.as_deref())
        });
        together(steps)
    });
    let sets = sets.collect();
    (sets, after)
}

/// Each operation of some commits fails in turn, once or for a while, with each kind of error.
#[test]
fn an_error_means_that_nothing_was_committed() {
    let (mut refused, mut in_doubt) = (0, 0);
    for (times, how) in [
        (1, ErrorKind::Other),
        (3, ErrorKind::StorageFull),
        (40, ErrorKind::Other),
        (u64::MAX, ErrorKind::StorageFull),
    ] {
        // Up to the first that none of the commits comes to.
        for from in (0..).step_by(if times == 1 { 2 } else { 5 }) {
            let disk = Disk::default();
            let mut chance = Chance(from + 1);
            let store = open(&disk).unwrap();
            let mut model = Model::new();
            let mut last = 0;
            let begun = disk.operations();
            disk.fail(Failing { from, times, how });
            let mut tried = 0;
            let mut has_failed = false;
            while tried < 9 {
                tried += 1;
                if tried == 6 {
                    disk.heal();
                }
                let Ok(_) = store.get(&user("0")) else {
                    assert!(tried < 6, "it works again as soon as the disk does");
                    has_failed = true;
                    continue;
                };
                let (group, after) = change(&store, &model, &mut chance);
                match store.commit(&group) {
                    Ok(CommitResult::Committed(revisions)) => {
                        (model, last) = (after, *revisions.last().unwrap());
                    }
                    Ok(CommitResult::Stale) => panic!("nobody else writes"),
                    Err(error) => {
                        assert!(tried < 6, "{error}");
                        refused += 1;
                        in_doubt += u32::from(error.is_in_doubt());
                        has_failed = true;
                        assert!(!error.to_string().is_empty());
                    }
                }
                if let Ok(revision) = store.load(&mut |_| {}) {
                    assert_eq!(revision, last, "times {times}, from {from}");
                    assert_eq!(held(&store), (last, model.clone()), "times {times}, from {from}");
                }
            }
            assert_eq!(held(&store), (last, model.clone()));
            // Nothing of it is in memory alone: the disk holds it all.
            let bytes = disk.after_power_loss(|| false);
            assert_eq!(held(&open(&Disk::with(bytes)).unwrap()), (last, model), "{times}, {from}");
            drop(store);
            if !has_failed && disk.operations() - begun < from {
                break;
            }
        }
    }
    assert!(refused > 50 && in_doubt > 0, "{refused} refused, {in_doubt} in doubt");
}

/// The power goes at any moment; of what was not synced, any part may have reached the disk.
#[test]
fn what_was_acknowledged_survives_a_loss_of_power() {
    for seed in 0..150 {
        let mut chance = Chance(seed);
        let disk = Disk::default();
        let store = open(&disk).unwrap();
        let mut states = vec![held(&store)];
        let from = chance.below(60);
        disk.fail(Failing { from, times: u64::MAX, how: ErrorKind::Other });
        loop {
            let model = states.last().unwrap().1.clone();
            let (group, after) = change(&store, &model, &mut chance);
            let sets = group.iter().filter(|set| !set.is_empty()).count() as u64;
            let revision = states.last().unwrap().0 + sets;
            // One may be there that was not acknowledged: the power went before the answer.
            let next = (revision, after);
            match store.commit(&group) {
                Ok(CommitResult::Committed(_)) => states.push(next),
                Ok(CommitResult::Stale) => panic!("nobody else writes"),
                Err(_) => {
                    let lost = disk.after_power_loss(|| chance.below(2) == 0);
                    let disk = Disk::with(lost);
                    let store = open(&disk).unwrap_or_else(|error| panic!("{seed}: {error}"));
                    let found = held(&store);
                    let is_next = found == next;
                    assert!(is_next || found == *states.last().unwrap(), "{seed}: {}", found.0);
                    let (group, after) = change(&store, &found.1, &mut chance);
                    assert!(matches!(store.commit(&group), Ok(CommitResult::Committed(_))));
                    assert_eq!(held(&store).1, after);
                    break;
                }
            }
        }
    }
}

#[test]
fn one_at_a_time_has_it_open() {
    let disk = Disk::default();
    let store = open(&disk).unwrap();
    assert!(matches!(open(&disk), Err(StoreError::Locked(_))));
    drop(store);
    assert!(open(&disk).is_ok());
}
