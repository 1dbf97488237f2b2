//! Commits, and undoing one that was not acknowledged.

use std::collections::HashSet;

use redb::{ReadableTable, Table};

use super::{
    file::{OpenDatabase, begin_write},
    tables::{META, RECORDS, REVISION, encode_value, split_value},
};
use crate::{
    facts::{ChangeSet, RecordKey, RecordRead},
    store::CommitResult,
};

/// The records that a commit changes, as they were before it.
#[derive(Default, Debug)]
pub(super) struct PreviousRecords {
    pub(super) revision: u64,
    /// The previous value of each written key, in order; `None` if there was none.
    values: Vec<(String, Option<Vec<u8>>)>,
}

impl PreviousRecords {
    /// Whether the commit changed nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

/// Commits a group in one two-phase transaction, with a sync for each phase if anything is written.
/// Previous records are added to `before`.
pub(super) fn commit(
    opened: &OpenDatabase,
    group: &[ChangeSet],
    before: &mut PreviousRecords,
) -> Result<CommitResult, redb::Error> {
    let transaction = begin_write(&opened.database)?;
    let mut revisions = Vec::with_capacity(group.len());
    {
        let mut meta = transaction.open_table(META)?;
        let mut records = transaction.open_table(RECORDS)?;
        let mut revision = meta.get(REVISION)?.map_or(0, |revision| revision.value());
        before.revision = revision;
        let mut written: HashSet<&RecordKey> = HashSet::new();
        for set in group {
            for read in set.reads.iter().filter(|read| !written.contains(&read.key)) {
                if !is_current(&records, read)? {
                    return Ok(CommitResult::Stale);
                }
            }
            revision += u64::from(!set.is_empty());
            for write in &set.writes {
                let key = write.key.to_string();
                let old = match &write.record {
                    Some(record) => {
                        records.insert(key.as_str(), encode_value(revision, record).as_slice())?
                    }
                    None => records.remove(key.as_str())?,
                };
                let old = old.map(|old| old.value().to_vec());
                before.values.push((key, old));
                written.insert(&write.key);
            }
            revisions.push(revision);
        }
        if revision == before.revision {
            return Ok(CommitResult::Committed(revisions));
        }
        meta.insert(REVISION, revision)?;
        opened.backend.mark_next(revision);
    }
    transaction.commit()?;
    Ok(CommitResult::Committed(revisions))
}

fn is_current(records: &Table<'_, &str, &[u8]>, read: &RecordRead) -> Result<bool, redb::Error> {
    let found = records.get(read.key.to_string().as_str())?;
    Ok(match found {
        Some(found) => {
            read.version.is_some()
                && split_value(found.value()).map(|(version, _)| version) == read.version
        }
        None => read.version.is_none(),
    })
}

/// Undoes a commit that was not acknowledged.
pub(super) fn take_back(
    opened: &OpenDatabase,
    before: &PreviousRecords,
) -> Result<(), redb::Error> {
    let transaction = begin_write(&opened.database)?;
    {
        let mut records = transaction.open_table(RECORDS)?;
        for (key, old) in before.values.iter().rev() {
            match old {
                Some(old) => records.insert(key.as_str(), old.as_slice())?,
                None => records.remove(key.as_str())?,
            };
        }
        transaction.open_table(META)?.insert(REVISION, before.revision)?;
        opened.backend.mark_next(before.revision);
    }
    transaction.commit()?;
    Ok(())
}
