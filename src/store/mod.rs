//! Where facts are kept: one trait, and what keeps them.
//!
//! A store knows records by their [`RecordKey`] and the version of each, and nothing of what they say. It
//! commits a group of change sets whole or not at all.
//!
//! Invariant: knows of `facts` only. What it acknowledged is durable.

mod embedded;
mod error;
#[cfg(feature = "etcd")]
pub mod etcd;
mod open;

pub use embedded::{
    BackupReport, CheckReport, CompactionReport, DamagedRecord, EmbeddedStore, RepairReport,
    backup, check, compact, export, repair,
};
pub use error::{Rollback, StoreError};
pub use open::{IfMissing, open};

use std::{fmt, ops::ControlFlow, path::Path, time::Duration};

use crate::facts::{ChangeSet, Record, RecordKey, RecordKind, Version};

/// Keeps facts.
///
/// Every commit has a revision: greater than all before it, 0 being that of a store that never held
/// anything. Calls block the thread that makes them.
pub trait Store: Send + Sync + fmt::Debug {
    /// Calls `each` with every record there is, in the order of keys, as of one revision; that
    /// revision. Costs a pass over them; holds one of them at a time.
    ///
    /// # Errors
    /// If they can't be read, or one of them is damaged.
    fn load(&self, each: &mut dyn FnMut(StoredRecord)) -> Result<u64, StoreError>;

    /// A record as it stands.
    ///
    /// # Errors
    /// If it can't be read.
    fn get(&self, key: &RecordKey) -> Result<Option<StoredRecord>, StoreError>;

    /// Records of a kind in the order of their keys, after the key `after`, `limit` at most.
    ///
    /// # Errors
    /// If they can't be read.
    fn list(
        &self,
        kind: RecordKind,
        after: Option<&RecordKey>,
        limit: usize,
    ) -> Result<Vec<StoredRecord>, StoreError>;

    /// Commits change sets in order, all of them or none, and returns when they are durable. What a
    /// set read must stand as it was read, unless a set before it in the group writes it.
    ///
    /// # Errors
    /// If nothing was committed, or, of a store elsewhere, if that can't be told:
    /// [`StoreError::is_in_doubt`].
    fn commit(&self, group: &[ChangeSet]) -> Result<CommitResult, StoreError>;

    /// The same, if nothing at all was committed after a revision. Of a store that is not shared, the
    /// caller knows.
    ///
    /// # Errors
    /// As of [`commit`](Self::commit).
    fn commit_after(
        &self,
        _revision: u64,
        group: &[ChangeSet],
    ) -> Result<CommitResult, StoreError> {
        self.commit(group)
    }

    /// Calls `begin` with the revision, and then `each` with every record of that revision, in the
    /// order of keys, until it breaks off. Others read and write meanwhile.
    ///
    /// # Errors
    /// If they can't be read, or one of them is damaged.
    fn export(
        &self,
        begin: &mut dyn FnMut(u64),
        each: &mut dyn FnMut(StoredRecord) -> ControlFlow<()>,
    ) -> Result<(), StoreError>;

    /// Copies all there is at one revision into a new file. Others read and write meanwhile.
    ///
    /// # Errors
    /// If this kind of store makes none, there is such a file already, or it can't be written.
    fn backup(&self, _to: &Path) -> Result<BackupReport, StoreError> {
        Err(StoreError::NoBackup(self.kind()))
    }

    /// Finds out whether what was committed is still where it is kept, so that more can be.
    ///
    /// # Errors
    /// [`StoreError::Lost`] if it is not.
    fn verify(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// What opening it found out and put right.
    fn opening(&self) -> OpeningReport {
        OpeningReport::default()
    }

    /// Closes it after the commit that is under way, if there is one. Nothing is read or written any
    /// more after; where this is not called, the next opening puts right what it left.
    ///
    /// # Errors
    /// If it was not closed in order. What was acknowledged is durable all the same.
    fn close(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// What kind of store it is: one stable word.
    fn kind(&self) -> &'static str;

    /// How many records a group may read and write at most, if there is a limit.
    fn most_records(&self) -> Option<usize> {
        None
    }

    /// Whether others write here too, so that what they write, and what is committed here, comes
    /// through [`watch`](Self::watch).
    fn is_shared(&self) -> bool {
        false
    }

    /// Calls `each` with everything that happens after a revision, in order, until it breaks off.
    /// Of a store that is not shared, nothing ever happens: it returns at once.
    fn watch(&self, _after: u64, _each: &mut dyn FnMut(StoreEvent) -> ControlFlow<()>) {}

    /// Takes note that an event has been taken in: from now on reads may be answered as of it.
    fn absorb(&self, _event: &StoreEvent) {}
}

/// What opening a store found out, besides its records.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct OpeningReport {
    /// Whether there was none, so that one without records was made.
    pub is_new: bool,
    /// What was not in order and was put right, a sentence each.
    pub repairs: Vec<String>,
}

/// A record, where it is kept, and when it was last written.
#[derive(Clone, PartialEq, Debug)]
pub struct StoredRecord {
    pub key: RecordKey,
    pub version: Version,
    pub record: Record,
}

/// What became of a group of change sets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CommitResult {
    /// Durable. The revision of each set, in order; none lower than the one before.
    Committed(Vec<u64>),
    /// Something that was read has changed since: nothing was committed.
    Stale,
}

/// What happens in a store that others write to as well.
#[derive(Clone, PartialEq, Debug)]
pub enum StoreEvent {
    /// A commit, of whomever: the records as they are since, `None` where they are gone.
    Changed { revision: u64, records: Vec<(RecordKey, Option<(Version, Record)>)> },
    /// All records as of a revision, since what happened in between is lost to us.
    Relisted { revision: u64, records: Vec<StoredRecord> },
    /// Nothing has happened up to a revision but what was told.
    Current { revision: u64 },
    /// The store can't be reached, since when, and why.
    Disconnected { since: Duration, why: String },
}
