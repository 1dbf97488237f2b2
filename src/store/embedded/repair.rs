//! The repair of a store whose newest commits are damaged or lost, at an operator's word.

use std::{
    path::Path,
    sync::{Arc, atomic::AtomicBool},
};

use super::{
    file::{Purpose, backend, begin_write, failure, open, refuse_empty, system},
    lock::PathLock,
    tables::{META, REVISION},
};
use crate::store::{SteppedBack, StoreError};

/// What a store is after it was repaired.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Repaired {
    pub revision: u64,
    /// What is lost, if anything is.
    pub stepped_back: Option<SteppedBack>,
    /// What else was not in order, a sentence each.
    pub repairs: Vec<String>,
}

/// How many revisions a commit that is lost may have had at most: each of its sets has one.
const MOST_LOST: u64 = 1000;

/// Takes a store that nobody has open as it is, at its last sound commit. Its revision becomes higher
/// than any that was ever told, so that none is given twice.
///
/// # Errors
/// If no commit in it is sound, it is none, or it can't be written.
pub fn repair(path: &Path) -> Result<Repaired, StoreError> {
    refuse_empty(path)?;
    let _lock = PathLock::take(path)?;
    let written = |error: redb::Error| failure(path, "written", error);
    let file = backend(path, Purpose::Repair).map_err(|error| system(path, "opened", &error))?;
    let mut opened = open(path, file, Purpose::Repair, &Arc::new(AtomicBool::new(false)))?;
    let state = opened.state.clone();
    opened.unlock().map_err(|error| system(path, "written", &error))?;
    if let Some(SteppedBack { found, known }) = state.stepped_back {
        opened.revision =
            known.unwrap_or(found.saturating_add(MOST_LOST)).max(found).saturating_add(1);
        let transaction = begin_write(&opened.database).map_err(written)?;
        let noted = transaction
            .open_table(META)
            .map_err(redb::Error::from)
            .and_then(|mut meta| Ok(meta.insert(REVISION, opened.revision).map(drop)?));
        noted.map_err(written)?;
        opened.gate.mark_next(opened.revision);
        transaction.commit().map_err(|error| written(error.into()))?;
    }
    opened.database.close().map_err(|error| written(error.into()))?;
    Ok(Repaired {
        revision: opened.revision,
        stepped_back: state.stepped_back,
        repairs: state.repairs,
    })
}
