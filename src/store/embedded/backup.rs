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
    atomic_file::AtomicFile,
    check::read_only,
    file::{CACHE, begin_write, create_tables, io_error, redb_error},
    tables::{META, RECORDS, REVISION},
};
use crate::store::StoreError;

/// What was saved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BackupReport {
    pub revision: u64,
    pub records: u64,
    /// How long the new file is, in bytes.
    pub bytes: u64,
}

/// Copies a store that nobody has open into a new file, as [`EmbeddedStore::backup_to`] does.
/// Changes nothing in the old one.
///
/// # Errors
/// If it can't be opened; and as there.
pub fn backup(from: &Path, to: &Path, overwrite: bool) -> Result<BackupReport, StoreError> {
    check_destination(from, to, overwrite)?;
    let opened = read_only(from)?.refuse_rollback(from)?;
    let snapshot =
        opened.database.begin_read().map_err(|error| redb_error(from, "read", error.into()))?;
    save(&snapshot, to, overwrite)
}

impl EmbeddedStore {
    /// Copies all there is at one revision into a new store. Others read and write meanwhile; what
    /// they commit is not in it. The new file appears whole, and only its owner may read it.
    ///
    /// # Errors
    /// If there is such a file already, unless it is to be overwritten: that must not be a store
    /// that somebody has open. If the one can't be read or the other not written; nothing is left
    /// of it then.
    pub fn backup_to(&self, path: &Path, overwrite: bool) -> Result<BackupReport, StoreError> {
        check_destination(&self.path, path, overwrite)?;
        save(&self.read()?, path, overwrite)
    }
}

/// Refuses a place for a backup where something else would be lost.
fn check_destination(from: &Path, to: &Path, overwrite: bool) -> Result<(), StoreError> {
    let written = |error: io::Error| io_error(to, "written", &error);
    let there = match fs::metadata(to) {
        Ok(there) => there,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(written(error)),
    };
    let is_same = |own: fs::Metadata| (own.dev(), own.ino()) == (there.dev(), there.ino());
    if fs::metadata(from).is_ok_and(is_same) {
        return Err(StoreError::Itself(to.to_owned()));
    }
    if !overwrite || !there.is_file() {
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
    overwrite: bool,
) -> Result<BackupReport, StoreError> {
    let written = |error: io::Error| io_error(to, "written", &error);
    let (beside, file) = AtomicFile::new(to).map_err(written)?;
    let copied = FileBackend::new(file)
        .map_err(redb::Error::from)
        .and_then(|file| copy(snapshot, file))
        .map_err(|error| redb_error(to, "written", error))?;
    let bytes = beside.length().map_err(written)?;
    beside.persist(overwrite).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => StoreError::Exists(to.to_owned()),
        _ => written(error),
    })?;
    Ok(BackupReport { bytes, ..copied })
}

/// Copies what is kept byte for byte, so what is damaged in it stays to be found.
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
    }
    transaction.commit()?;
    database.close()?;
    Ok(BackupReport { revision, records: count, bytes: 0 })
}
