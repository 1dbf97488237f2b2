//! Compaction of a store's file.

use std::{
    fs,
    path::Path,
    sync::{Arc, atomic::AtomicBool},
};

use super::{
    file::{OpenPurpose, backend, io_error, open, redb_error, refuse_empty},
    lock::PathLock,
};
use crate::store::StoreError;

/// The report on a compaction: the length of the file before and after, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CompactionReport {
    pub before: u64,
    pub after: u64,
}

/// Compacts the file of a store that no process has open. A crash meanwhile loses nothing.
///
/// # Errors
/// If the file is not a store, or can't be opened or written.
pub fn compact(path: &Path) -> Result<CompactionReport, StoreError> {
    let length = || match fs::metadata(path) {
        Ok(file) => Ok(file.len()),
        Err(error) => Err(io_error(path, "read", &error)),
    };
    refuse_empty(path)?;
    let _lock = PathLock::take(path)?;
    let file =
        backend(path, OpenPurpose::Write).map_err(|error| io_error(path, "opened", &error))?;
    let before = length()?;
    let opened = open(path, file, OpenPurpose::Write, &Arc::new(AtomicBool::new(false)))?;
    let mut opened = opened.refuse_rollback(path)?;
    let written = |error: redb::Error| redb_error(path, "written", error);
    opened.unlock().map_err(|error| io_error(path, "written", &error))?;
    opened.database.compact().map_err(|error| written(error.into()))?;
    opened.database.close().map_err(|error| written(error.into()))?;
    Ok(CompactionReport { before, after: length()? })
}
