//! Repair, on an operator's command, of a store whose newest commits are damaged or lost.

use std::{
    path::Path,
    sync::{Arc, atomic::AtomicBool},
};

use super::{
    file::{OpenPurpose, backend, begin_write, io_error, open, redb_error, refuse_empty},
    lock::PathLock,
    tables::{META, REVISION},
};
use crate::store::{Rollback, StoreError};

/// The report on a repair.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RepairReport {
    pub revision: u64,
    /// The loss of acknowledged commits, if there is one.
    pub rollback: Option<Rollback>,
    /// The other faults that were repaired, a sentence each.
    pub repairs: Vec<String>,
}

/// The greatest number of revisions of one lost commit: each of its sets has one.
const MOST_LOST: u64 = 1000;

/// Accepts a store that no process has open at its last sound commit. Its revision becomes higher than
/// any that was ever acknowledged, so that none is used twice.
///
/// # Errors
/// If no commit is sound, the file is not a store, or it can't be written.
pub fn repair(path: &Path) -> Result<RepairReport, StoreError> {
    refuse_empty(path)?;
    let _lock = PathLock::take(path)?;
    let written = |error: redb::Error| redb_error(path, "written", error);
    let file =
        backend(path, OpenPurpose::Repair).map_err(|error| io_error(path, "opened", &error))?;
    let mut opened = open(path, file, OpenPurpose::Repair, &Arc::new(AtomicBool::new(false)))?;
    let state = opened.state.clone();
    opened.unlock().map_err(|error| io_error(path, "written", &error))?;
    if let Some(Rollback { found, known }) = state.rollback {
        opened.revision =
            known.unwrap_or(found.saturating_add(MOST_LOST)).max(found).saturating_add(1);
        let transaction = begin_write(&opened.database).map_err(written)?;
        let noted = transaction
            .open_table(META)
            .map_err(redb::Error::from)
            .and_then(|mut meta| Ok(meta.insert(REVISION, opened.revision).map(drop)?));
        noted.map_err(written)?;
        opened.backend.mark_next(opened.revision);
        transaction.commit().map_err(|error| written(error.into()))?;
    }
    opened.database.close().map_err(|error| written(error.into()))?;
    Ok(RepairReport { revision: opened.revision, rollback: state.rollback, repairs: state.repairs })
}
