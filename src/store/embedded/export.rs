//! Export of a store that no process has open.

use std::{ops::ControlFlow, path::Path};

use redb::{ReadTransaction, ReadableDatabase, ReadableTable};

use super::{
    check::read_only,
    file::redb_error,
    history_rows::{self, SnapshotError},
    tables::{META, RECORDS, REVISION, decode_entry, decode_history},
};
use crate::store::{ExportItem, StoreError, history};

/// Exports a store that no process has open, as [`Store::export`](crate::store::Store::export) does;
/// changes nothing.
///
/// # Errors
/// If the store can't be opened or read, or a record is damaged.
pub fn export(
    path: &Path,
    begin: &mut dyn FnMut(u64),
    each: &mut dyn FnMut(ExportItem) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    let opened = read_only(path)?.refuse_rollback(path)?;
    let snapshot =
        opened.database.begin_read().map_err(|error| redb_error(path, "read", error.into()))?;
    walk(&snapshot, begin, each).map_err(|error| match error {
        SnapshotError::Damaged(flaw) => flaw.into(),
        SnapshotError::Database(error) => redb_error(path, "read", error),
    })
}

pub(super) fn walk(
    snapshot: &ReadTransaction,
    begin: &mut dyn FnMut(u64),
    each: &mut dyn FnMut(ExportItem) -> ControlFlow<()>,
) -> Result<(), SnapshotError> {
    let revision = snapshot.open_table(META)?.get(REVISION)?.map_or(0, |number| number.value());
    begin(revision);
    for record in snapshot.open_table(RECORDS)?.iter()? {
        let (key, value) = record?;
        let entry = decode_entry(key.value(), value.value()).map_err(SnapshotError::Damaged)?;
        if each(ExportItem::Record(entry)).is_break() {
            return Ok(());
        }
    }
    let Some(rows) = history_rows::open(snapshot)? else { return Ok(()) };
    let all = history::all_entries();
    for row in rows.range(all.start.as_str()..all.end.as_str())? {
        let (key, value) = row?;
        let entry = decode_history(key.value(), value.value()).map_err(SnapshotError::Damaged)?;
        if each(ExportItem::History(Box::new(entry))).is_break() {
            return Ok(());
        }
    }
    Ok(())
}
