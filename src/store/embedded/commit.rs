//! Commits, and undoing one that was not acknowledged.

use std::collections::HashSet;

use redb::{ReadableTable, Table};

use super::{
    file::{OpenDatabase, begin_write},
    tables::{
        FORMAT, HISTORY, KNOWN_FORMAT, META, RECORDS, REVISION, encode_history, encode_value,
        split_value,
    },
};
use crate::{
    facts::{ChangeSet, HistoryRecord, RecordKey, RecordRead},
    store::{CommitResult, history, history::KeyRange},
};

/// The records that a commit changes, as they were before it.
#[derive(Default, Debug)]
pub(super) struct PreviousRecords {
    pub(super) revision: u64,
    /// The previous value of each written key, in order; `None` if there was none.
    values: Vec<PreviousValue>,
    /// The same of the rows of the history.
    history: Vec<PreviousValue>,
}

/// The previous value of a key; `None` if there was none.
type PreviousValue = (String, Option<Vec<u8>>);

impl PreviousRecords {
    /// Whether the commit changed nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty() && self.history.is_empty()
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
            if !set.history.is_empty() || !set.expired.is_empty() {
                meta.insert(FORMAT, KNOWN_FORMAT)?;
                let mut rows = transaction.open_table(HISTORY)?;
                for record in &set.expired {
                    remove_history(&mut rows, record, &mut before.history)?;
                }
                add_history(&mut rows, &set.history, revision, &mut before.history)?;
            }
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
        if before.is_empty() && revision == before.revision {
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

type Rows<'t> = Table<'t, &'static str, &'static [u8]>;

fn add_history(
    rows: &mut Rows<'_>,
    history: &[HistoryRecord],
    revision: u64,
    before: &mut Vec<PreviousValue>,
) -> Result<(), redb::Error> {
    let mut insert = |key: String, value: &[u8]| {
        let old = rows.insert(key.as_str(), value)?.map(|old| old.value().to_vec());
        before.push((key, old));
        Ok::<_, redb::Error>(())
    };
    for record in history {
        insert(history::entry_key(record.id), &encode_history(revision, &record.entry))?;
    }
    history::pointer_keys(history).into_iter().try_for_each(|key| insert(key, &[]))
}

fn remove_history(
    rows: &mut Rows<'_>,
    record: &HistoryRecord,
    before: &mut Vec<PreviousValue>,
) -> Result<(), redb::Error> {
    let mut keys = vec![history::entry_key(record.id)];
    for KeyRange { start, end } in history::pointer_ranges(record) {
        for row in rows.range(start.as_str()..end.as_str())? {
            keys.push(row?.0.value().to_owned());
        }
    }
    for key in keys {
        let old = rows.remove(key.as_str())?.map(|old| old.value().to_vec());
        before.push((key, old));
    }
    Ok(())
}

/// Undoes a commit that was not acknowledged.
pub(super) fn take_back(
    opened: &OpenDatabase,
    before: &PreviousRecords,
) -> Result<(), redb::Error> {
    let transaction = begin_write(&opened.database)?;
    {
        for (table, values) in [(RECORDS, &before.values), (HISTORY, &before.history)] {
            if values.is_empty() {
                continue;
            }
            let mut rows = transaction.open_table(table)?;
            for (key, old) in values.iter().rev() {
                match old {
                    Some(old) => rows.insert(key.as_str(), old.as_slice())?,
                    None => rows.remove(key.as_str())?,
                };
            }
        }
        transaction.open_table(META)?.insert(REVISION, before.revision)?;
        opened.backend.mark_next(before.revision);
    }
    transaction.commit()?;
    Ok(())
}
