//! The import of facts into a store that no daemon has open.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Result, bail};

use super::lines::{self, ImportLine};
use crate::{
    facts::{
        ChangeSet, HistoryRecord, Record, RecordKey, RecordRead, RecordWrite, UserRecord, Version,
    },
    store::{CommitResult, EmbeddedStore, Store as _},
};

/// Writes records into a store that no daemon has open, many with one commit.
pub(super) struct StoreSink {
    store: EmbeddedStore,
    /// The records to commit, each with the version that it replaces.
    waiting: BTreeMap<RecordKey, (Option<Version>, Record)>,
    /// The entries of the history to commit.
    history: Vec<HistoryRecord>,
    /// The number of committed records.
    pub(super) committed: u64,
}

/// The number of records in a commit.
const TOGETHER: usize = 5000;

impl StoreSink {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let store = EmbeddedStore::open(path)?;
        Ok(Self { store, waiting: BTreeMap::new(), history: Vec::new(), committed: 0 })
    }

    pub(super) fn take(&mut self, line: ImportLine) -> Result<()> {
        match line {
            ImportLine::Header => return Ok(()),
            ImportLine::Record(record) => {
                let (key, record) = *record;
                let (version, _) = self.existing(&key)?;
                self.waiting.insert(key, (version, record));
            }
            ImportLine::History(entry) => {
                self.history.push(*entry);
            }
            ImportLine::User(id, fields) => {
                let key = RecordKey::User(id.to_string());
                let (version, record) = self.existing(&key)?;
                let mut user = match record {
                    Some(Record::User(user)) => user,
                    _ => Box::<UserRecord>::default(),
                };
                lines::apply_fields(&mut user, &fields);
                self.waiting.insert(key, (version, Record::User(user)));
            }
        }
        if self.waiting.len() + self.history.len() >= TOGETHER { self.commit() } else { Ok(()) }
    }

    fn existing(&self, key: &RecordKey) -> Result<(Option<Version>, Option<Record>)> {
        if let Some((version, record)) = self.waiting.get(key) {
            return Ok((*version, Some(record.clone())));
        }
        let found = self.store.get(key)?;
        Ok(found.map_or((None, None), |entry| (Some(entry.version), Some(entry.record))))
    }

    pub(super) fn close(&self) -> Result<()> {
        Ok(self.store.close()?)
    }

    pub(super) fn commit(&mut self) -> Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        let mut history = std::mem::take(&mut self.history);
        history.sort_by_key(|record| record.id);
        let count = (waiting.len() + history.len()) as u64;
        let mut set = ChangeSet { history, ..ChangeSet::default() };
        if waiting.is_empty() && set.history.is_empty() {
            return Ok(());
        }
        for (key, (version, record)) in waiting {
            set.reads.push(RecordRead { key: key.clone(), version });
            set.writes.push(RecordWrite { key, record: Some(record) });
        }
        match self.store.commit(&[set])? {
            CommitResult::Committed(_) => self.committed += count,
            CommitResult::Stale => bail!("another process writes to the store"),
        }
        Ok(())
    }
}
