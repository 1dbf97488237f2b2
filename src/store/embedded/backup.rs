//! Backups: a copy of a store at one revision in a new file.

use std::{
    fs::{self, File},
    io,
    ops::Bound,
    os::unix::fs::MetadataExt,
    path::Path,
};

use redb::{
    Database, ReadTransaction, ReadableDatabase, ReadableTable, StorageBackend,
    backends::FileBackend,
};

use super::{
    EmbeddedStore,
    check::read_only,
    file::{CACHE, PRIVATE, begin_write, create_tables, io_error, redb_error},
    history_rows,
    tables::{FORMAT, HISTORY, KNOWN_FORMAT, META, RECORDS, REVISION},
};
use crate::{
    source::{AtomicFile, Existing},
    store::StoreError,
};

/// The report on a backup that was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BackupReport {
    pub revision: u64,
    pub records: u64,
    /// The length of the new file.
    pub bytes: u64,
}

/// Copies a store that no process has open into a new file, as [`EmbeddedStore::backup_to`] does. The
/// old file is not changed.
///
/// # Errors
/// If the store can't be opened; and those of `backup_to`.
pub fn backup(from: &Path, to: &Path, existing: Existing) -> Result<BackupReport, StoreError> {
    check_destination(from, to, existing)?;
    let opened = read_only(from)?.refuse_rollback(from)?;
    let snapshot =
        opened.database.begin_read().map_err(|error| redb_error(from, "read", error.into()))?;
    save(&snapshot, to, existing)
}

impl EmbeddedStore {
    /// Copies all records of one revision into a new store, while reads and writes go on; later
    /// commits are not in it. The new file appears whole, and only its owner may read it.
    ///
    /// # Errors
    /// If there is a file that is to be kept, or one that a process has open as a store; if the store
    /// can't be read, or the file not written. Nothing is left of the new file then.
    pub fn backup_to(&self, path: &Path, existing: Existing) -> Result<BackupReport, StoreError> {
        check_destination(&self.path, path, existing)?;
        save(&self.read()?, path, existing)
    }
}

/// Refuses a place for a backup where something else would be lost.
///
/// # Errors
/// If there is a file that must not be replaced.
fn check_destination(from: &Path, to: &Path, existing: Existing) -> Result<(), StoreError> {
    let written = |error: io::Error| io_error(to, "written", &error);
    let there = match fs::metadata(to) {
        Ok(there) => there,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(written(error)),
    };
    let is_same = |open: fs::Metadata| (open.dev(), open.ino()) == (there.dev(), there.ino());
    if fs::metadata(from).is_ok_and(is_same) {
        return Err(StoreError::Itself(to.to_owned()));
    }
    if existing == Existing::Keep || !there.is_file() {
        return Err(StoreError::Exists(to.to_owned()));
    }
    let file = FileBackend::new(File::open(to).map_err(written)?);
    let file = file.map_err(|error| redb_error(to, "written", error.into()))?;
    let is_free = file.try_lock_shared_range(Bound::Unbounded, Bound::Unbounded);
    let closed = file.close();
    if matches!(is_free, Ok(false)) {
        return Err(StoreError::Locked(to.to_owned()));
    }
    closed.map_err(written)
}

fn save(
    snapshot: &ReadTransaction,
    to: &Path,
    existing: Existing,
) -> Result<BackupReport, StoreError> {
    let written = |error: io::Error| io_error(to, "written", &error);
    let (beside, file) = AtomicFile::new(to, PRIVATE).map_err(written)?;
    let copied = FileBackend::new(file)
        .map_err(redb::Error::from)
        .and_then(|file| copy(snapshot, file))
        .map_err(|error| redb_error(to, "written", error))?;
    let bytes = beside.length().map_err(written)?;
    beside.persist(existing).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => StoreError::Exists(to.to_owned()),
        _ => written(error),
    })?;
    Ok(BackupReport { bytes, ..copied })
}

/// Copies the records and the history byte for byte, so that a damaged one stays to be found.
fn copy(
    snapshot: &ReadTransaction,
    file: impl StorageBackend,
) -> Result<BackupReport, redb::Error> {
    let database = Database::builder().set_cache_size(CACHE).create_with_backend(file)?;
    let revision = snapshot.open_table(META)?.get(REVISION)?.map_or(0, |number| number.value());
    create_tables(&database, revision)?;
    let transaction = begin_write(&database)?;
    let mut count = 0;
    {
        let mut records = transaction.open_table(RECORDS)?;
        for record in snapshot.open_table(RECORDS)?.iter()? {
            let (key, value) = record?;
            records.insert(key.value(), value.value())?;
            count += 1;
        }
        if let Some(rows) = history_rows::open(snapshot)? {
            transaction.open_table(META)?.insert(FORMAT, KNOWN_FORMAT)?;
            let mut history = transaction.open_table(HISTORY)?;
            for row in rows.iter()? {
                let (key, value) = row?;
                history.insert(key.value(), value.value())?;
            }
        }
    }
    transaction.commit()?;
    database.close()?;
    Ok(BackupReport { revision, records: count, bytes: 0 })
}
