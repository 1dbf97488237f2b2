//! A mirror of the records in memory, for reads.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use crate::{
    facts::{Record, RecordDecodeError, RecordKey, RecordKind, Version},
    store::{StoreEvent, StoredRecord},
};

/// A copy of all records as of the last absorbed event, by the texts of their keys.
///
/// Records are kept encoded: that takes a fraction of their memory when decoded.
#[derive(Default, Debug)]
pub(super) struct Mirror(RwLock<Option<MirrorState>>);

#[derive(Debug)]
struct MirrorState {
    revision: u64,
    kept: RawRecords,
}

pub(super) type RawRecords = BTreeMap<String, RawRecord>;

/// An encoded record and its version.
#[derive(Clone, Debug)]
pub(super) struct RawRecord {
    pub(super) version: Version,
    pub(super) bytes: Box<[u8]>,
}

impl RawRecord {
    pub(super) fn decode(&self, key: RecordKey) -> Result<StoredRecord, RecordDecodeError> {
        let record = Record::decode(key.kind(), &self.bytes)?;
        Ok(StoredRecord { key, version: self.version, record })
    }

    fn encode(version: Version, record: &Record) -> Self {
        Self { version, bytes: record.encode().into() }
    }
}

impl Mirror {
    pub(super) fn fill(&self, revision: u64, kept: RawRecords) {
        *self.write() = Some(MirrorState { revision, kept });
    }

    pub(super) fn is_filled(&self) -> bool {
        self.read().is_some()
    }

    pub(super) fn get(&self, key: &RecordKey) -> Option<RawRecord> {
        self.read().as_ref()?.kept.get(&key.to_string()).cloned()
    }

    /// Records of a kind after a key, in the order of their keys.
    pub(super) fn list(
        &self,
        kind: RecordKind,
        after: Option<&RecordKey>,
        limit: usize,
    ) -> Vec<(String, RawRecord)> {
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

    /// Applies an event, unless it is older than the mirror. A mirror that was never filled is filled
    /// by a listing only.
    pub(super) fn absorb(&self, event: &StoreEvent) {
        match event {
            StoreEvent::Changed { revision, records } => {
                let mut held = self.write();
                let Some(held) = held.as_mut().filter(|held| held.revision <= *revision) else {
                    return;
                };
                held.revision = *revision;
                for (key, record) in records {
                    let text = key.to_string();
                    match record {
                        Some((version, record)) => {
                            held.kept.insert(text, RawRecord::encode(*version, record));
                        }
                        None => {
                            held.kept.remove(&text);
                        }
                    }
                }
            }
            StoreEvent::Relisted { revision, records } => {
                let entry =
                    |e: &StoredRecord| (e.key.to_string(), RawRecord::encode(e.version, &e.record));
                self.fill(*revision, records.iter().map(entry).collect());
            }
            StoreEvent::Current { .. } | StoreEvent::Disconnected { .. } => {}
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Option<MirrorState>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Option<MirrorState>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}
