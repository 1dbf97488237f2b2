use super::{Record, RecordKey};

/// When a record was last written: the revision of that commit.
pub type Version = u64;

/// A record that was read, and how it stood: `None` if there was none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecordRead {
    pub key: RecordKey,
    pub version: Option<Version>,
}

/// A record to write; `None` removes it.
#[derive(Clone, PartialEq, Debug)]
pub struct RecordWrite {
    pub key: RecordKey,
    pub record: Option<Record>,
}

/// What a batch of commands comes to: committed whole, if nothing that was read has changed since,
/// or not at all.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct ChangeSet {
    /// Each key once; all that is written was read.
    pub reads: Vec<RecordRead>,
    /// Each key once.
    pub writes: Vec<RecordWrite>,
}

impl ChangeSet {
    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }
}
