use std::{ops::ControlFlow, path::Path};

use redb::{ReadTransaction, ReadableDatabase, ReadableTable};

use super::{
    check::read_only,
    file::failure,
    tables::{Flaw, META, RECORDS, REVISION, entry},
};
use crate::store::{Entry, StoreError};

/// Why records could not be walked.
pub(super) enum Failure {
    Damaged(Flaw),
    Unread(redb::Error),
}

impl<E: Into<redb::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Unread(error.into())
    }
}

/// Reads a store that nobody has open, as [`Store::export`](crate::store::Store::export) does;
/// changes nothing.
///
/// # Errors
/// If it can't be opened or read, or a record is damaged.
pub fn export(
    path: &Path,
    begin: &mut dyn FnMut(u64),
    each: &mut dyn FnMut(Entry) -> ControlFlow<()>,
) -> Result<(), StoreError> {
    let opened = read_only(path)?.complete(path)?;
    let snapshot =
        opened.database.begin_read().map_err(|error| failure(path, "read", error.into()))?;
    walk(&snapshot, begin, each).map_err(|error| match error {
        Failure::Damaged(flaw) => flaw.into(),
        Failure::Unread(error) => failure(path, "read", error),
    })
}

pub(super) fn walk(
    snapshot: &ReadTransaction,
    begin: &mut dyn FnMut(u64),
    each: &mut dyn FnMut(Entry) -> ControlFlow<()>,
) -> Result<(), Failure> {
    let revision = snapshot.open_table(META)?.get(REVISION)?.map_or(0, |number| number.value());
    begin(revision);
    for record in snapshot.open_table(RECORDS)?.iter()? {
        let (key, value) = record?;
        let entry = entry(key.value(), value.value()).map_err(Failure::Damaged)?;
        if each(entry).is_break() {
            break;
        }
    }
    Ok(())
}
