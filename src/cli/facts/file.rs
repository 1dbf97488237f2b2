use std::{collections::BTreeMap, path::Path};

use anyhow::{Result, bail};

use super::lines::{self, Line};
use crate::{
    facts::{ChangeSet, Key, Read, Record, User, Version, Write},
    store::{Commit, EmbeddedStore, Store as _},
};

/// Takes records into a store that nobody else has open, many with one commit.
pub(super) struct Sink {
    store: EmbeddedStore,
    /// What is not committed yet: which version is there, and what is to be there.
    waiting: BTreeMap<Key, (Option<Version>, Record)>,
    /// How many records were committed.
    pub(super) committed: u64,
}

/// How many records are committed together.
const TOGETHER: usize = 5000;

impl Sink {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let store = EmbeddedStore::open(path)?;
        Ok(Self { store, waiting: BTreeMap::new(), committed: 0 })
    }

    pub(super) fn take(&mut self, line: Line) -> Result<()> {
        match line {
            Line::Header => return Ok(()),
            Line::Record(record) => {
                let (key, record) = *record;
                let (version, _) = self.there(&key)?;
                self.waiting.insert(key, (version, record));
            }
            Line::User(id, fields) => {
                let key = Key::User(id.to_string());
                let (version, record) = self.there(&key)?;
                let mut user = match record {
                    Some(Record::User(user)) => user,
                    _ => Box::<User>::default(),
                };
                lines::put(&mut user, &fields);
                self.waiting.insert(key, (version, Record::User(user)));
            }
        }
        if self.waiting.len() >= TOGETHER { self.commit() } else { Ok(()) }
    }

    fn there(&self, key: &Key) -> Result<(Option<Version>, Option<Record>)> {
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
        if waiting.is_empty() {
            return Ok(());
        }
        let count = waiting.len() as u64;
        let mut set = ChangeSet::default();
        for (key, (version, record)) in waiting {
            set.reads.push(Read { key: key.clone(), version });
            set.writes.push(Write { key, record: Some(record) });
        }
        match self.store.commit(&[set])? {
            Commit::Done(_) => self.committed += count,
            Commit::Stale => bail!("somebody else writes to the store"),
        }
        Ok(())
    }
}
