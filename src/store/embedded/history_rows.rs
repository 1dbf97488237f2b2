//! Reads of the history from a snapshot of a store's file.

use redb::{ReadOnlyTable, ReadTransaction, TableError};

use super::tables::{DamagedRecord, HISTORY, decode_history};
use crate::{
    facts::{HistoryPage, HistoryQuery},
    store::{history, history::Pointer},
};

/// The error of a read of a snapshot.
pub(super) enum SnapshotError {
    Damaged(DamagedRecord),
    Database(redb::Error),
}

impl<E: Into<redb::Error>> From<E> for SnapshotError {
    fn from(error: E) -> Self {
        Self::Database(error.into())
    }
}

/// The table of the history; `None` if nothing was ever written to it.
pub(super) fn open(
    snapshot: &ReadTransaction,
) -> Result<Option<ReadOnlyTable<&'static str, &'static [u8]>>, redb::Error> {
    match snapshot.open_table(HISTORY) {
        Ok(rows) => Ok(Some(rows)),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// A page of the history.
pub(super) fn page(
    snapshot: &ReadTransaction,
    query: &HistoryQuery,
) -> Result<HistoryPage, SnapshotError> {
    let range = history::range(query);
    let Some(rows) = open(snapshot)?.filter(|_| range.start < range.end) else {
        return Ok(HistoryPage::default());
    };
    let found = rows.range(range.start.as_str()..range.end.as_str())?;
    let mut pointers = Vec::new();
    for row in found.take(history::row_limit(query)) {
        let (key, _) = row?;
        pointers.push(Pointer::of_row(query, key.value()).ok_or_else(|| {
            let what = "not the key of an entry".to_owned();
            SnapshotError::Damaged(DamagedRecord::new(key.value(), what))
        })?);
    }
    let (ids, next) = history::page_ids(query, &pointers);
    let mut entries = Vec::with_capacity(ids.len());
    for id in ids {
        let key = history::entry_key(id);
        let Some(value) = rows.get(key.as_str())? else { continue };
        entries.push(decode_history(&key, value.value()).map_err(SnapshotError::Damaged)?);
    }
    Ok(HistoryPage { entries, next })
}
