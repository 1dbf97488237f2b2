use std::{collections::BTreeMap, sync::Arc};

use crate::facts::{ChangeSet, Record, RecordKey, RecordRead, RecordWrite, Version};

/// What the commands of a batch that were planned so far read and wrote.
#[derive(Clone, Default, Debug)]
pub struct ChangeBuffer {
    entries: BTreeMap<RecordKey, BufferedRecord>,
}

/// A record as a command left it.
#[derive(Clone, PartialEq, Debug)]
pub struct RecordChange {
    pub key: RecordKey,
    /// As it was before; `None` if there was none.
    pub old: Option<Arc<Record>>,
    /// As it is since; `None` if it is gone.
    pub new: Option<Arc<Record>>,
}

#[derive(Clone, Debug)]
struct BufferedRecord {
    version: Option<Version>,
    /// As it was read.
    original: Option<Arc<Record>>,
    /// As the commands so far left it.
    current: Option<Arc<Record>>,
}

impl ChangeBuffer {
    /// The record as the commands so far left it; read if it wasn't read before.
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

    /// Takes a record as a command leaves it; what it changes, if anything. It was read before.
    pub(super) fn put(&mut self, key: RecordKey, new: Option<Record>) -> Option<RecordChange> {
        let entry = self.entries.get_mut(&key)?;
        if entry.current.as_deref() == new.as_ref() {
            return None;
        }
        let new = new.map(Arc::new);
        let old = std::mem::replace(&mut entry.current, new.clone());
        Some(RecordChange { key, old, new })
    }

    /// What all of it comes to: what was read, and the records that differ from what they were.
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
