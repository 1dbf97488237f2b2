use std::{collections::BTreeMap, sync::Arc};

use crate::facts::{ChangeSet, Key, Read, Record, Version, Write};

/// What the commands of a batch that were planned so far read and wrote.
#[derive(Clone, Default, Debug)]
pub struct Batch {
    entries: BTreeMap<Key, Entry>,
}

/// A record as a command left it.
#[derive(Clone, PartialEq, Debug)]
pub struct Change {
    pub key: Key,
    /// As it was before; `None` if there was none.
    pub old: Option<Arc<Record>>,
    /// As it is since; `None` if it is gone.
    pub new: Option<Arc<Record>>,
}

#[derive(Clone, Debug)]
struct Entry {
    version: Option<Version>,
    /// As it was read.
    first: Option<Arc<Record>>,
    /// As the commands so far left it.
    now: Option<Arc<Record>>,
}

impl Batch {
    /// The record as the commands so far left it; read if it wasn't read before.
    pub(super) fn get<E>(
        &mut self,
        key: &Key,
        read: impl FnOnce(&Key) -> Result<Option<(Version, Record)>, E>,
    ) -> Result<Option<Arc<Record>>, E> {
        if let Some(entry) = self.entries.get(key) {
            return Ok(entry.now.clone());
        }
        let (version, first) = read(key)?
            .map_or((None, None), |(version, record)| (Some(version), Some(Arc::new(record))));
        let entry = Entry { version, now: first.clone(), first: first.clone() };
        self.entries.insert(key.clone(), entry);
        Ok(first)
    }

    /// Takes a record as a command leaves it; what it changes, if anything. It was read before.
    pub(super) fn put(&mut self, key: Key, new: Option<Record>) -> Option<Change> {
        let entry = self.entries.get_mut(&key)?;
        if entry.now.as_deref() == new.as_ref() {
            return None;
        }
        let new = new.map(Arc::new);
        let old = std::mem::replace(&mut entry.now, new.clone());
        Some(Change { key, old, new })
    }

    /// What all of it comes to: what was read, and the records that differ from what they were.
    pub fn into_changes(self) -> ChangeSet {
        let mut changes = ChangeSet::default();
        for (key, Entry { version, first, now }) in self.entries {
            if now != first {
                let record = now.map(Arc::unwrap_or_clone);
                changes.writes.push(Write { key: key.clone(), record });
            }
            changes.reads.push(Read { key, version });
        }
        changes
    }
}
