use std::{
    fs,
    path::Path,
    sync::{Arc, atomic::AtomicBool},
};

use super::{
    file::{Purpose, backend, failure, open, refuse_empty, system},
    lock::PathLock,
};
use crate::store::StoreError;

/// How long a file was and is, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Compacted {
    pub before: u64,
    pub after: u64,
}

/// Gives back to the system what a store that nobody has open no longer needs of its file. A crash
/// meanwhile loses nothing.
///
/// # Errors
/// If it is none, or can't be opened or written.
pub fn compact(path: &Path) -> Result<Compacted, StoreError> {
    let length = || match fs::metadata(path) {
        Ok(file) => Ok(file.len()),
        Err(error) => Err(system(path, "read", &error)),
    };
    refuse_empty(path)?;
    let _lock = PathLock::take(path)?;
    let file = backend(path, Purpose::Write).map_err(|error| system(path, "opened", &error))?;
    let before = length()?;
    let opened = open(path, file, Purpose::Write, &Arc::new(AtomicBool::new(false)))?;
    let mut opened = opened.complete(path)?;
    let written = |error: redb::Error| failure(path, "written", error);
    opened.unlock().map_err(|error| system(path, "written", &error))?;
    opened.database.compact().map_err(|error| written(error.into()))?;
    opened.database.close().map_err(|error| written(error.into()))?;
    Ok(Compacted { before, after: length()? })
}
