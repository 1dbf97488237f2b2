//! Change sets and records to try stores with.

use peerage::{
    facts::{ChangeSet, Conversation, Group, Key, Once, Read, Record, Rule, User, Version, Write},
    store::{Entry, Store},
};

pub(crate) fn user(id: &str) -> Key {
    Key::User(id.to_owned())
}

/// A record of the key's kind that says `text` in some place.
pub(crate) fn record(key: &Key, text: &str) -> Record {
    let attributes = || [("text".to_owned(), text.into())].into();
    match key {
        Key::User(_) => {
            Record::User(Box::new(User { attributes: attributes(), ..User::default() }))
        }
        Key::Group(_) => {
            Record::Group(Box::new(Group { metadata: attributes(), ..Group::default() }))
        }
        Key::Conversation(..) => Record::Conversation(Conversation { since: text.len() as u64 }),
        Key::Rule(_) => Record::Rule(Rule {
            name: None,
            description: None,
            condition: text.to_owned(),
            outcome: Vec::new(),
        }),
        Key::Once(_) => Record::Once(Once { sent: text.to_owned(), at: 0, outcomes: text.into() }),
    }
}

/// Reads one key as it stood and writes it.
pub(crate) fn set(key: &Key, version: Option<Version>, text: Option<&str>) -> ChangeSet {
    ChangeSet {
        reads: vec![Read { key: key.clone(), version }],
        writes: vec![Write { key: key.clone(), record: text.map(|text| record(key, text)) }],
    }
}

/// Reads one key as it stood.
pub(crate) fn look(key: &Key, version: Option<Version>) -> ChangeSet {
    ChangeSet { reads: vec![Read { key: key.clone(), version }], writes: Vec::new() }
}

/// One that does what several do, at once.
pub(crate) fn together(sets: impl IntoIterator<Item = ChangeSet>) -> ChangeSet {
    sets.into_iter().fold(ChangeSet::default(), |mut all, set| {
        all.reads.extend(set.reads);
        all.writes.extend(set.writes);
        all
    })
}

/// All that a store holds, and its revision.
pub(crate) fn all(store: &dyn Store) -> (u64, Vec<Entry>) {
    let mut entries = Vec::new();
    let revision = store.load(&mut |entry| entries.push(entry)).unwrap();
    (revision, entries)
}
