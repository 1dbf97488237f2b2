use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use crate::{
    facts::{Damaged, Key, Kind, Record, Version},
    store::{Entry, Event},
};

/// All records as of the last event that was taken in, by the texts of their keys.
///
/// Records stand as the bytes that the store keeps: a fraction of what they take up when decoded.
#[derive(Default, Debug)]
pub(super) struct Mirror(RwLock<Option<Held>>);

#[derive(Debug)]
struct Held {
    revision: u64,
    kept: Kept,
}

pub(super) type Kept = BTreeMap<String, Raw>;

/// A record as it came.
#[derive(Clone, Debug)]
pub(super) struct Raw {
    pub(super) version: Version,
    pub(super) bytes: Box<[u8]>,
}

impl Raw {
    pub(super) fn decode(&self, key: Key) -> Result<Entry, Damaged> {
        let record = Record::decode(key.kind(), &self.bytes)?;
        Ok(Entry { key, version: self.version, record })
    }

    fn encode(version: Version, record: &Record) -> Self {
        Self { version, bytes: record.encode().into() }
    }
}

impl Mirror {
    pub(super) fn fill(&self, revision: u64, kept: Kept) {
        *self.write() = Some(Held { revision, kept });
    }

    pub(super) fn is_filled(&self) -> bool {
        self.read().is_some()
    }

    pub(super) fn get(&self, key: &Key) -> Option<Raw> {
        self.read().as_ref()?.kept.get(&key.to_string()).cloned()
    }

    /// Records of a kind after a key, in the order of their texts.
    pub(super) fn list(&self, kind: Kind, after: Option<&Key>, limit: usize) -> Vec<(String, Raw)> {
        let first = kind.prefix().to_owned();
        let start = match after.map(ToString::to_string) {
            Some(after) if after >= first => Bound::Excluded(after),
            _ => Bound::Included(first),
        };
        let held = self.read();
        let Some(held) = held.as_ref() else { return Vec::new() };
        held.kept
            .range((start, Bound::Unbounded))
            .take_while(|(key, _)| key.starts_with(kind.prefix()))
            .take(limit)
            .map(|(key, raw)| (key.clone(), raw.clone()))
            .collect()
    }

    /// Makes it what it is after the event; of events from before what it is filled with, nothing.
    /// One that was never filled stays so, but for a listing.
    pub(super) fn absorb(&self, event: &Event) {
        match event {
            Event::Changed { revision, records } => {
                let mut held = self.write();
                let Some(held) = held.as_mut().filter(|held| held.revision <= *revision) else {
                    return;
                };
                held.revision = *revision;
                for (key, record) in records {
                    let text = key.to_string();
                    match record {
                        Some((version, record)) => {
                            held.kept.insert(text, Raw::encode(*version, record));
                        }
                        None => {
                            held.kept.remove(&text);
                        }
                    }
                }
            }
            Event::Relisted { revision, records } => {
                let entry = |e: &Entry| (e.key.to_string(), Raw::encode(e.version, &e.record));
                self.fill(*revision, records.iter().map(entry).collect());
            }
            Event::Current { .. } | Event::CutOff { .. } => {}
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Option<Held>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Option<Held>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}
