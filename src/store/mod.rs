//! Stores of facts: one trait, and its implementations.
//!
//! A store knows records by their [`RecordKey`] and their version, and nothing of their contents. It
//! commits a group of change sets whole or not at all.
//!
//! Invariant: knows of `facts`, and of the atomic files of `source`. What it acknowledged is durable.

mod embedded;
mod error;
#[cfg(feature = "etcd")]
pub mod etcd;
mod history;
mod open;

pub use embedded::{
    BackupReport, CheckReport, CompactionReport, DamagedRecord, EmbeddedStore, RepairReport,
    backup, check, compact, export, repair,
};
pub use error::{Rollback, StoreError};
pub use open::{IfMissing, open, open_with_copy};

use std::{
    fmt,
    ops::ControlFlow,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use crate::facts::{
    ChangeSet, HistoryPage, HistoryQuery, Record, RecordKey, RecordKind, StoredHistory, Version,
    export_line,
};

/// A store of facts.
///
/// Every commit has a revision, greater than all before it; that of a store which never held anything
/// is 0. Calls block the calling thread.
pub trait Store: Send + Sync + fmt::Debug {
    /// Calls `each` with every record of one revision, in the order of keys, and returns the revision.
    /// Costs a pass over the records; holds one of them at a time.
    ///
    /// # Errors
    /// If the records can't be read, or one of them is damaged.
    fn load(&self, each: &mut dyn FnMut(StoredRecord)) -> Result<u64, StoreError>;

    /// The record of a key.
    ///
    /// # Errors
    /// If it can't be read.
    fn get(&self, key: &RecordKey) -> Result<Option<StoredRecord>, StoreError>;

    /// At most `limit` records of a kind, in the order of their keys, after the key `after`.
    ///
    /// # Errors
    /// If the records can't be read.
    fn list(
        &self,
        kind: RecordKind,
        after: Option<&RecordKey>,
        limit: usize,
    ) -> Result<Vec<StoredRecord>, StoreError>;

    /// Commits change sets in order, all of them or none, and returns when they are durable. The
    /// records that a set read must be unchanged, unless a set before it in the group writes them.
    ///
    /// # Errors
    /// If nothing was committed; or, with a remote store, if that is not known:
    /// [`StoreError::is_in_doubt`].
    fn commit(&self, group: &[ChangeSet]) -> Result<CommitResult, StoreError>;

    /// Commits if nothing was committed after a revision. With a store that is not shared, the caller
    /// knows that.
    ///
    /// # Errors
    /// Those of [`commit`](Self::commit).
    fn commit_after(
        &self,
        _revision: u64,
        group: &[ChangeSet],
    ) -> Result<CommitResult, StoreError> {
        self.commit(group)
    }

    /// Calls `begin` with a revision, and then `each` with every record of that revision, in the
    /// order of keys, and every entry of the history up to it, until it breaks. Reads and writes go on
    /// meanwhile.
    ///
    /// # Errors
    /// If the records can't be read, or one of them is damaged.
    fn export(
        &self,
        begin: &mut dyn FnMut(u64),
        each: &mut dyn FnMut(ExportItem) -> ControlFlow<()>,
    ) -> Result<(), StoreError>;

    /// A page of the history as of the last commit, read from the store itself: costs the entries that
    /// it holds, however many there are.
    ///
    /// # Errors
    /// If it can't be read, or an entry is damaged.
    fn history(&self, query: &HistoryQuery) -> Result<HistoryPage, StoreError>;

    /// The greatest number of entries of the history that a group may write and remove which reads or
    /// writes this number of records, if there is a limit.
    fn most_history(&self, _records: usize) -> Option<usize> {
        None
    }

    /// Copies all records of one revision into a new file. Reads and writes go on meanwhile.
    ///
    /// # Errors
    /// If this kind of store has no backups, the file exists already, or it can't be written.
    fn backup(&self, _to: &Path) -> Result<BackupReport, StoreError> {
        Err(StoreError::NoBackup(self.kind()))
    }

    /// Verifies that what was committed is still in its place, so that more can be committed.
    ///
    /// # Errors
    /// [`StoreError::Lost`] if it is not.
    fn verify(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// The report on opening the store.
    fn opening(&self) -> OpeningReport {
        OpeningReport::default()
    }

    /// The status of the copy of a remote store, if one is kept.
    fn copy(&self) -> Option<CopyStatus> {
        None
    }

    /// Closes the store after the commit in progress, if there is one. Nothing can be read or written
    /// after that. A store that was not closed is recovered when it is next opened.
    ///
    /// # Errors
    /// If the store was not closed cleanly. What was acknowledged is durable all the same.
    fn close(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// The kind of the store: one stable word.
    fn kind(&self) -> &'static str;

    /// The greatest number of records that a group may read and write, if there is a limit.
    fn most_records(&self) -> Option<usize> {
        None
    }

    /// Whether other processes write to the store too. All commits then come through
    /// [`watch`](Self::watch), those of this process as well.
    fn is_shared(&self) -> bool {
        false
    }

    /// Calls `each` with every event after a revision, in order, until it breaks. A store that is not
    /// shared has no events: it returns at once.
    fn watch(&self, _after: u64, _each: &mut dyn FnMut(StoreEvent) -> ControlFlow<()>) {}

    /// Acknowledges an event: from now on reads may be answered as of it.
    fn absorb(&self, _event: &StoreEvent) {}
}

/// The report on opening a store.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct OpeningReport {
    /// Whether there was no store, so that one without records was created.
    pub is_new: bool,
    /// The faults that were repaired, a sentence each.
    pub repairs: Vec<String>,
    /// The copy from which the records were read, since the store could not be reached.
    pub copy: Option<OpenedCopy>,
}

/// The copy from which records were read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenedCopy {
    pub revision: u64,
    /// How long ago the records were last known to be all there are; `None` if that is not known.
    pub age: Option<Duration>,
    /// The reason why the store could not be reached.
    pub why: String,
}

/// The status of the copy of a remote store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CopyStatus {
    pub folder: PathBuf,
    /// The copy that this process wrote last.
    pub saved: Option<SavedCopy>,
    /// The error of the last attempt to write it, if that failed.
    pub error: Option<String>,
    /// Whether records are read from the copy, since the store was not read since the start.
    pub is_served: bool,
}

/// A copy that was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SavedCopy {
    pub revision: u64,
    /// When the records were last known to be all there are.
    pub confirmed_at: SystemTime,
}

/// What an export holds: a record, or an entry of the history.
#[derive(Clone, PartialEq, Debug)]
pub enum ExportItem {
    Record(StoredRecord),
    History(Box<StoredHistory>),
}

impl ExportItem {
    /// The line of the item in an export, without the line break; `None` for records that are not exported.
    pub fn into_line(self) -> Option<String> {
        match self {
            Self::Record(StoredRecord { key, record, .. }) => export_line::encode(&key, &record),
            Self::History(entry) => {
                let StoredHistory { version, record } = *entry;
                Some(export_line::encode_history(record, version))
            }
        }
    }
}

/// A record with its key and version.
#[derive(Clone, PartialEq, Debug)]
pub struct StoredRecord {
    pub key: RecordKey,
    pub version: Version,
    pub record: Record,
}

/// The result of committing a group of change sets.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CommitResult {
    /// The group is durable. Holds the revision of each set, in order; none is lower than the one before.
    Committed(Vec<u64>),
    /// A record that was read has changed since: nothing was committed.
    Stale,
}

/// An event of a shared store.
#[derive(Clone, PartialEq, Debug)]
pub enum StoreEvent {
    /// A commit of any process: the records after it, `None` if they were removed.
    Changed { revision: u64, records: Vec<(RecordKey, Option<(Version, Record)>)> },
    /// All records of a revision, since the events before it are no longer known.
    Relisted { revision: u64, records: Vec<StoredRecord> },
    /// All events up to a revision have been delivered.
    Current { revision: u64 },
    /// The store can't be reached: for how long, and why.
    Disconnected { since: Duration, why: String },
}
