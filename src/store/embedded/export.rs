//! Export of a store that no process has open.

use std::{ops::ControlFlow, path::Path};

use redb::{ReadTransaction, ReadableDatabase, ReadableTable};

use super::{
    check::read_only,
    file::redb_error,
    tables::{DamagedRecord, META, RECORDS, REVISION, decode_entry},
};
use crate::store::{StoreError, StoredRecord};

/// The error of an export.
pub(super) enum ExportError {
    Damaged(DamagedRecord),
    Database(redb::Error),
}

impl<E: Into<redb::Error>> From<E> for ExportError {
    fn from(error: E) -> Self {
        Self::Database(error.into())
    }
}

/// Exports a store that no process has open, as [`Store::export`](crate::store::Store::export) does;
/// changes nothing.
///
/// # Errors
/// If the store can't be opened or read, or a record is damaged.
pub fn export(
    path: &Path,
    begin: &mut dyn FnMut(u64),
    each: &mut dyn FnMut(StoredRecord) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    let opened = read_only(path)?.refuse_rollback(path)?;
    let snapshot =
        opened.database.begin_read().map_err(|error| redb_error(path, "read", error.into()))?;
    walk(&snapshot, begin, each).map_err(|error| match error {
        ExportError::Damaged(flaw) => flaw.into(),
        ExportError::Database(error) => redb_error(path, "read", error),
    })
}

pub(super) fn walk(
    snapshot: &ReadTransaction,
    begin: &mut dyn FnMut(u64),
    each: &mut dyn FnMut(StoredRecord) -> ControlFlow<()>,
) -> Result<(), ExportError> {
    let revision = snapshot.open_table(META)?.get(REVISION)?.map_or(0, |number| number.value());
    begin(revision);
    for record in snapshot.open_table(RECORDS)?.iter()? {
        let (key, value) = record?;
        let entry = decode_entry(key.value(), value.value()).map_err(ExportError::Damaged)?;
        if each(entry).is_break() {
            break;
        }
    }
    Ok(())
}
