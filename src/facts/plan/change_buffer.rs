//! The buffer of records that the commands of a batch read and change.

use std::{collections::BTreeMap, sync::Arc};

use crate::facts::{ChangeSet, Record, RecordKey, RecordRead, RecordWrite, Version};

/// The records that the commands planned so far read and changed.
#[derive(Clone, Default, Debug)]
pub struct ChangeBuffer {
    entries: BTreeMap<RecordKey, BufferedRecord>,
}

/// A change of one record by a command.
#[derive(Clone, PartialEq, Debug)]
pub struct RecordChange {
    pub key: RecordKey,
    /// The record before; `None` if there was none.
    pub old: Option<Arc<Record>>,
    /// The record after; `None` if it was removed.
    pub new: Option<Arc<Record>>,
}

#[derive(Clone, Debug)]
struct BufferedRecord {
    version: Option<Version>,
    /// The record as it was read.
    original: Option<Arc<Record>>,
    /// The record after the commands so far.
    current: Option<Arc<Record>>,
}

impl ChangeBuffer {
    /// The record after the commands so far; reads it if it was not read before.
    pub(super) fn get<E>(
        &mut self,
        key: &RecordKey,
        read: impl FnOnce(&RecordKey) -> Result<Option<(Version, Record)>, E>,
    ) -> Result<Option<Arc<Record>>, E> {
        if let Some(entry) = self.entries.get(key) {
            return Ok(entry.current.clone());
        }
        let (version, first) = read(key)?
            .map_or((None, None), |(version, record)| (Some(version), Some(Arc::new(record))));
        let entry = BufferedRecord { version, current: first.clone(), original: first.clone() };
        self.entries.insert(key.clone(), entry);
        Ok(first)
    }

    /// Sets a record that was read before, and returns the change, if it is one.
    pub(super) fn put(&mut self, key: RecordKey, new: Option<Record>) -> Option<RecordChange> {
        let entry = self.entries.get_mut(&key)?;
        if entry.current.as_deref() == new.as_ref() {
            return None;
        }
        let new = new.map(Arc::new);
        let old = std::mem::replace(&mut entry.current, new.clone());
        Some(RecordChange { key, old, new })
    }

    /// Turns the buffer into a change set: all that was read, and the records that differ.
    pub fn into_change_set(self) -> ChangeSet {
        let mut changes = ChangeSet::default();
        for (key, BufferedRecord { version, original: first, current: now }) in self.entries {
            if now != first {
                let record = now.map(Arc::unwrap_or_clone);
                changes.writes.push(RecordWrite { key: key.clone(), record });
            }
            changes.reads.push(RecordRead { key, version });
        }
        changes
    }
}
