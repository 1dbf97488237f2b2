//! Change sets: the records that a batch of commands read and writes.

use super::{HistoryRecord, Record, RecordKey};

/// The version of a record: the revision of the commit that last wrote it.
pub type Version = u64;

/// A record that was read, and its version then: `None` if there was none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecordRead {
    pub key: RecordKey,
    pub version: Option<Version>,
}

/// A record to write, or to remove if it is `None`.
#[derive(Clone, PartialEq, Debug)]
pub struct RecordWrite {
    pub key: RecordKey,
    pub record: Option<Record>,
}

/// The records that a batch of commands read and writes. A store commits it whole if no record that
/// was read has changed since, or not at all.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct ChangeSet {
    /// Each key once; every record that is written was read.
    pub reads: Vec<RecordRead>,
    /// Each key once.
    pub writes: Vec<RecordWrite>,
    /// The entries to add to the history; one that is there already is replaced.
    pub history: Vec<HistoryRecord>,
    /// The entries to remove from the history, as they are there.
    pub expired: Vec<HistoryRecord>,
}

impl ChangeSet {
    /// Whether nothing is written; entries of the history that are only removed don't count.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.history.is_empty()
    }
}
