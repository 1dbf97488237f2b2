//! Any sequence of change sets leaves what it would leave in a map.

use std::collections::BTreeMap;

use peerage::{
    facts::{ChangeSet, Record, RecordKey, RecordRead, RecordWrite, Version},
    store::{CommitResult, StoredRecord},
};
use proptest::{
    collection::vec,
    prelude::{Just, ProptestConfig, Strategy, any, prop_oneof},
    test_runner::TestRunner,
};

use crate::{
    laws::conformance::Harness,
    laws::sets::{all, record, user},
};

/// What is planned of one key.
#[derive(Clone, Debug)]
struct Step {
    key: usize,
    read: ReadAs,
    write: WriteAs,
}

#[derive(Clone, Debug)]
enum WriteAs {
    Nothing,
    Gone,
    Text(String),
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum ReadAs {
    Stands,
    Missing,
    Older,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let read = prop_oneof![
        12 => Just(ReadAs::Stands),
        1 => Just(ReadAs::Missing),
        1 => Just(ReadAs::Older),
    ];
    let write = prop_oneof![
        1 => Just(WriteAs::Nothing),
        1 => Just(WriteAs::Gone),
        3 => any::<u8>().prop_map(|n| WriteAs::Text("x".repeat(usize::from(n) * 30))),
    ];
    let step = (0..KEYS, read, write).prop_map(|(key, read, write)| Step { key, read, write });
    vec(step, 0..4)
}

const KEYS: usize = 6;

fn key(at: usize) -> RecordKey {
    match at {
        0 => RecordKey::Group("g".to_owned()),
        1 => RecordKey::conversation("a", "b"),
        at => user(&format!("{at}")),
    }
}

type Model = BTreeMap<String, (Version, Record)>;

/// The change set that was planned while the store stood as the model does.
fn plan(model: &Model, steps: &[Step]) -> ChangeSet {
    let mut set = ChangeSet::default();
    for step in steps {
        let key = key(step.key);
        if set.reads.iter().any(|read| read.key == key) {
            continue;
        }
        let stands = model.get(&key.to_string()).map(|(version, _)| *version);
        let version = match step.read {
            ReadAs::Stands => stands,
            ReadAs::Missing => None,
            ReadAs::Older => Some(stands.map_or(1, |version| version - 1)),
        };
        let written = match &step.write {
            WriteAs::Nothing => None,
            WriteAs::Gone => Some(None),
            WriteAs::Text(text) => Some(Some(record(&key, text))),
        };
        set.writes.extend(written.map(|record| RecordWrite { key: key.clone(), record }));
        set.reads.push(RecordRead { key, version });
    }
    set
}

/// What is to become of a group: the keys that it writes, each with the set that writes it last;
/// `None` if it is to be refused.
fn outcome(
    model: &Model,
    group: &[ChangeSet],
) -> Option<BTreeMap<RecordKey, (usize, Option<Record>)>> {
    let mut written: BTreeMap<RecordKey, (usize, Option<Record>)> = BTreeMap::new();
    for (at, set) in group.iter().enumerate() {
        for read in &set.reads {
            let stands = model.get(&read.key.to_string()).map(|(version, _)| *version);
            if !written.contains_key(&read.key) && read.version != stands {
                return None;
            }
        }
        for write in &set.writes {
            written.insert(write.key.clone(), (at, write.record.clone()));
        }
    }
    Some(written)
}

/// Tries so many sequences, each with a store that `make` makes.
pub(crate) fn check(make: &dyn Fn() -> Box<dyn Harness>, cases: u32) {
    TestRunner::new(ProptestConfig::with_cases(cases))
        .run(&vec(vec(steps(), 1..4), 1..12), |groups| {
            let harness = make();
            let mut model = Model::new();
            let mut last = 0;
            for group in groups {
                let group: Vec<ChangeSet> = group.iter().map(|steps| plan(&model, steps)).collect();
                let expected = outcome(&model, &group);
                match (harness.store().commit(&group).unwrap(), expected) {
                    (CommitResult::Stale, None) => {}
                    (CommitResult::Committed(revisions), Some(written)) => {
                        assert!(revisions[0] >= last && revisions.is_sorted());
                        last = *revisions.last().unwrap();
                        harness.settle(last);
                        for (key, (at, record)) in written {
                            match record {
                                Some(record) => {
                                    model.insert(key.to_string(), (revisions[at], record))
                                }
                                None => model.remove(&key.to_string()),
                            };
                        }
                    }
                    (commit, expected) => panic!("{commit:?}, not {expected:?}: {group:?}"),
                }
                let (revision, entries) = all(harness.store());
                assert!(revision >= last);
                assert!(entries.into_iter().map(parts).eq(model.clone()));
            }
            Ok(())
        })
        .unwrap();
}

fn parts(entry: StoredRecord) -> (String, (Version, Record)) {
    (entry.key.to_string(), (entry.version, entry.record))
}
