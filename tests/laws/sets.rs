//! Change sets and records to try stores with.

use peerage::{
    facts::{
        ChangeSet, ConversationRecord, GroupRecord, IdempotencyRecord, Record, RecordKey,
        RecordRead, RecordWrite, RuleRecord, UserRecord, Version,
    },
    store::{Store, StoredRecord},
};

pub(crate) fn user(id: &str) -> RecordKey {
    RecordKey::User(id.to_owned())
}

/// A record of the key's kind that says `text` in some place.
pub(crate) fn record(key: &RecordKey, text: &str) -> Record {
    let attributes = || [("text".to_owned(), text.into())].into();
    match key {
        RecordKey::User(_) => {
            Record::User(Box::new(UserRecord { attributes: attributes(), ..UserRecord::default() }))
        }
        RecordKey::Group(_) => Record::Group(Box::new(GroupRecord {
            metadata: attributes(),
            ..GroupRecord::default()
        })),
        RecordKey::Conversation(..) => {
            Record::Conversation(ConversationRecord { since: text.len() as u64 })
        }
        RecordKey::Rule(_) => Record::Rule(RuleRecord {
            name: None,
            description: None,
            condition: text.to_owned(),
            outcome: Vec::new(),
        }),
        RecordKey::Idempotency(_) => Record::Idempotency(IdempotencyRecord {
            sent: text.to_owned(),
            at: 0,
            outcomes: text.into(),
        }),
    }
}

/// Reads one key as it stood and writes it.
pub(crate) fn set(key: &RecordKey, version: Option<Version>, text: Option<&str>) -> ChangeSet {
    ChangeSet {
        reads: vec![RecordRead { key: key.clone(), version }],
        writes: vec![RecordWrite { key: key.clone(), record: text.map(|text| record(key, text)) }],
        ..ChangeSet::default()
    }
}

/// Reads one key as it stood.
pub(crate) fn look(key: &RecordKey, version: Option<Version>) -> ChangeSet {
    let reads = vec![RecordRead { key: key.clone(), version }];
    ChangeSet { reads, ..ChangeSet::default() }
}

/// One that does what several do, at once.
pub(crate) fn together(sets: impl IntoIterator<Item = ChangeSet>) -> ChangeSet {
    sets.into_iter().fold(ChangeSet::default(), |mut all, set| {
        all.reads.extend(set.reads);
        all.writes.extend(set.writes);
        all.history.extend(set.history);
        all
    })
}

/// All that a store holds, and its revision.
pub(crate) fn all(store: &dyn Store) -> (u64, Vec<StoredRecord>) {
    let mut entries = Vec::new();
    let revision = store.load(&mut |entry| entries.push(entry)).unwrap();
    (revision, entries)
}
