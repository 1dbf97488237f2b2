//! A mirror of the records in memory, for reads.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::SystemTime,
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
    cluster: u64,
    kept: RawRecords,
    /// When these were last known to be all records that there are; `None` while they are those of a
    /// copy.
    confirmed_at: Option<SystemTime>,
    /// The cluster of a listing that is about to come.
    next_cluster: Option<u64>,
    /// The records that changed since a snapshot began, as they were then; `None` without a snapshot.
    originals: Option<BTreeMap<String, Option<RawRecord>>>,
}

/// The revision of the records, and when they were last known to be all there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct MirrorRevision {
    pub(super) revision: u64,
    /// The cluster of which it is a revision.
    pub(super) cluster: u64,
    pub(super) confirmed_at: SystemTime,
}

/// All records of one revision, read in pages while the mirror goes on. Until it is dropped, the mirror
/// keeps what changes as it was.
#[derive(Debug)]
pub(super) struct MirrorSnapshot<'m> {
    mirror: &'m Mirror,
    pub(super) of: MirrorRevision,
}

/// A part of a snapshot, and its last key if there is more.
#[derive(Debug)]
pub(super) struct SnapshotPage {
    pub(super) records: Vec<(String, RawRecord)>,
    pub(super) last: Option<String>,
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
    /// Fills it with a listing of a cluster.
    pub(super) fn fill(&self, of: MirrorRevision, kept: RawRecords) {
        let MirrorRevision { revision, cluster, confirmed_at } = of;
        let confirmed_at = Some(confirmed_at);
        *self.write() = Some(MirrorState {
            revision,
            cluster,
            kept,
            confirmed_at,
            next_cluster: None,
            originals: None,
        });
    }

    /// Fills it with the records of a copy, which a listing must replace before any can be written.
    pub(super) fn fill_from_copy(&self, revision: u64, cluster: u64, kept: RawRecords) {
        *self.write() = Some(MirrorState {
            revision,
            cluster,
            kept,
            confirmed_at: None,
            next_cluster: None,
            originals: None,
        });
    }

    /// Whether the records are those of a copy.
    pub(super) fn is_from_copy(&self) -> bool {
        self.read().as_ref().is_some_and(|held| held.confirmed_at.is_none())
    }

    /// Announces the cluster of the listing that comes next. Until then there are no snapshots, since
    /// the records may be of another. Returns the cluster of the records.
    pub(super) fn expect_listing(&self, cluster: u64) -> Option<u64> {
        let mut held = self.write();
        let held = held.as_mut()?;
        held.next_cluster = Some(cluster);
        Some(held.cluster)
    }

    /// The revision of the records, if they are those of a store and no listing is to come.
    pub(super) fn revision(&self) -> Option<MirrorRevision> {
        self.read().as_ref()?.listed_revision()
    }

    /// Begins a snapshot; there is one at a time.
    pub(super) fn snapshot(&self) -> Option<MirrorSnapshot<'_>> {
        let mut held = self.write();
        let held = held.as_mut()?;
        let of = held.listed_revision()?;
        held.originals = Some(BTreeMap::new());
        Some(MirrorSnapshot { mirror: self, of })
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
                    if let Some(originals) = &mut held.originals
                        && !originals.contains_key(&text)
                    {
                        originals.insert(text.clone(), held.kept.get(&text).cloned());
                    }
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
                let records = records.iter().map(entry).collect();
                let cluster =
                    self.read().as_ref().map(|held| held.next_cluster.unwrap_or(held.cluster));
                let (cluster, confirmed_at) = (cluster.unwrap_or_default(), SystemTime::now());
                self.fill(MirrorRevision { revision: *revision, cluster, confirmed_at }, records);
            }
            StoreEvent::Current { .. } => {
                if let Some(held) = self.write().as_mut().filter(|held| held.confirmed_at.is_some())
                {
                    held.confirmed_at = Some(SystemTime::now());
                }
            }
            StoreEvent::Disconnected { .. } => {}
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Option<MirrorState>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Option<MirrorState>> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MirrorState {
    fn listed_revision(&self) -> Option<MirrorRevision> {
        let confirmed_at = self.confirmed_at.filter(|_| self.next_cluster.is_none())?;
        Some(MirrorRevision { revision: self.revision, cluster: self.cluster, confirmed_at })
    }
}

impl MirrorSnapshot<'_> {
    /// At most `limit` records that are in the mirror after a key, with those among them that were
    /// removed since; `None` if the mirror was filled again, which ends the snapshot.
    pub(super) fn page(&self, after: Option<&str>, limit: usize) -> Option<SnapshotPage> {
        let held = self.mirror.read();
        let held = held.as_ref()?;
        let originals = held.originals.as_ref()?;
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut records: BTreeMap<&str, &RawRecord> = BTreeMap::new();
        let now = held.kept.range::<str, _>((start, Bound::Unbounded)).take(limit);
        records.extend(now.map(|(key, raw)| (key.as_str(), raw)));
        let is_full = records.len() >= limit;
        let last = records.last_key_value().map(|(key, _)| *key).filter(|_| is_full);
        let end = last.map_or(Bound::Unbounded, Bound::Included);
        for (key, original) in originals.range::<str, _>((start, end)) {
            match original {
                Some(raw) => records.insert(key, raw),
                None => records.remove(key.as_str()),
            };
        }
        let records = records.into_iter().map(|(key, raw)| (key.to_owned(), raw.clone()));
        Some(SnapshotPage { records: records.collect(), last: last.map(str::to_owned) })
    }
}

impl Drop for MirrorSnapshot<'_> {
    fn drop(&mut self) {
        if let Some(held) = self.mirror.write().as_mut() {
            held.originals = None;
        }
    }
}
