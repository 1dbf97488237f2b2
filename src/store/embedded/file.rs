//! The file of a store: creating, opening and checking it.

use std::{
    fs::{self, OpenOptions},
    io,
    path::Path,
    sync::{Arc, atomic::AtomicBool},
};

use redb::{
    Database, DatabaseError, ReadableDatabase, StorageBackend, StorageError, TableError,
    WriteTransaction, backends::FileBackend,
};

use super::{
    deferred_backend::DeferredBackend,
    head::{FLAGS, Head, TWO_PHASE},
    recovery_state::RecoveryState,
    tables::{FIRST_FORMAT, FORMAT, KNOWN_FORMAT, META, RECORDS, REVISION},
};
use crate::source::{AtomicFile, Existing};
use crate::store::{Rollback, StoreError};

/// An open store, whose backend is deferred at first.
#[derive(Debug)]
pub(super) struct OpenDatabase {
    pub(super) database: Database,
    pub(super) backend: DeferredBackend,
    pub(super) revision: u64,
    pub(super) state: RecoveryState,
}

/// The purpose for which a file is opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum OpenPurpose {
    /// To read only: others may read it too.
    Read,
    /// To write: no other process may have it open.
    Write,
    /// To write; an empty file becomes a store.
    Begin,
    /// To write; if the newest commit is damaged, the one before is used.
    Repair,
}

/// The size of redb's cache in bytes: enough for the branches of a tree of some million records. The
/// rest is read from the file, which the system caches as well.
pub(super) const CACHE: usize = 32 << 20;

/// The permissions of a store: only its owner may read it.
pub(super) const PRIVATE: u32 = 0o600;

/// Opens a file as redb reads and writes it.
///
/// # Errors
/// If the file can't be opened.
pub(super) fn backend(path: &Path, purpose: OpenPurpose) -> io::Result<Box<dyn StorageBackend>> {
    let file = OpenOptions::new().read(true).write(purpose != OpenPurpose::Read).open(path)?;
    Ok(Box::new(FileBackend::new(file).map_err(io::Error::other)?))
}

/// Refuses an empty file: no store is empty, so something has emptied it.
pub(super) fn refuse_empty(path: &Path) -> Result<(), StoreError> {
    match fs::metadata(path) {
        Ok(file) if file.is_file() && file.len() == 0 => Err(StoreError::Empty(path.to_owned())),
        _ => Ok(()),
    }
}

/// Creates a store without records if there is no file; returns whether it did. The file appears whole;
/// if another process creates one at the same time, one of the two is kept.
pub(super) fn create(path: &Path) -> Result<bool, StoreError> {
    let made = |error: io::Error| io_error(path, "made", &error);
    if !matches!(fs::symlink_metadata(path), Err(error) if error.kind() == io::ErrorKind::NotFound)
    {
        return Ok(false);
    }
    let (beside, file) = AtomicFile::new(path, PRIVATE).map_err(made)?;
    let begun = FileBackend::new(file).map_err(redb::Error::from).and_then(|file| {
        let database = Database::builder().create_with_backend(file)?;
        create_tables(&database, 0)?;
        Ok(database.close()?)
    });
    begun.map_err(|error| redb_error(path, "made", error))?;
    match beside.persist(Existing::Keep) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        placed => placed.map(|()| true).map_err(made),
    }
}

/// Opens a store and reads all of it as a check, at some hundred megabytes a second. Its backend is
/// deferred.
///
/// # Errors
/// If the file is not a store, or is damaged, newer, or open elsewhere; it is unchanged then.
pub(super) fn open(
    path: &Path,
    file: Box<dyn StorageBackend>,
    purpose: OpenPurpose,
    unsynced: &Arc<AtomicBool>,
) -> Result<OpenDatabase, StoreError> {
    let failed = |error: io::Error| io_error(path, "opened", &error);
    let before = Head::read(&*file).map_err(failed)?;
    let gate = DeferredBackend::new(file, purpose == OpenPurpose::Read, Arc::clone(unsynced));
    if let Some(before) = before.as_ref().filter(|_| purpose == OpenPurpose::Repair) {
        // redb goes back to the commit before a damaged one only if that is a one-phase commit.
        gate.defer_write(FLAGS as u64, vec![before.flags() & !TWO_PHASE]);
    }
    let database = Database::builder()
        .set_cache_size(CACHE)
        .set_check_integrity_on_open(true)
        .create_with_backend(gate.clone())
        .map_err(|error| database_error(path, error))?;
    let revision = match read_revision(path, &database)? {
        Some(revision) => revision,
        None if purpose == OpenPurpose::Begin => {
            create_tables(&database, 0).map_err(|error| redb_error(path, "made", error))?;
            0
        }
        None => return Err(StoreError::Foreign(path.to_owned())),
    };
    let after = Head::read(&gate).map_err(failed)?;
    let state =
        before.zip(after).map(|(before, after)| RecoveryState::new(&before, &after, revision));
    Ok(OpenDatabase { database, backend: gate, revision, state: state.unwrap_or_default() })
}

impl OpenDatabase {
    /// Refuses a store that does not hold all that was committed.
    ///
    /// # Errors
    /// [`StoreError::RolledBack`] if it does not.
    pub(super) fn refuse_rollback(self, path: &Path) -> Result<Self, StoreError> {
        match self.state.rollback {
            Some(Rollback { found, known }) => {
                Err(StoreError::RolledBack { path: path.to_owned(), found, known })
            }
            None => Ok(self),
        }
    }

    /// Writes to the file what opening it changed, and passes every later write through.
    pub(super) fn unlock(&self) -> io::Result<()> {
        self.backend.mark(self.revision);
        self.backend.write_deferred()
    }
}

/// The revision of a store; `None` if the database is empty.
fn read_revision(path: &Path, database: &Database) -> Result<Option<u64>, StoreError> {
    let opened = |error: redb::Error| redb_error(path, "opened", error);
    let foreign = || StoreError::Foreign(path.to_owned());
    let read = database.begin_read().map_err(|error| opened(error.into()))?;
    let meta = match read.open_table(META) {
        Ok(meta) => meta,
        Err(TableError::Storage(error)) => return Err(opened(error.into())),
        Err(TableError::TableDoesNotExist(_)) => {
            let tables = read.list_tables().map_err(|error| opened(error.into()))?.count();
            let more = read.list_multimap_tables().map_err(|error| opened(error.into()))?.count();
            return if tables + more == 0 { Ok(None) } else { Err(foreign()) };
        }
        Err(_) => return Err(foreign()),
    };
    let number = |name| match meta.get(name) {
        Ok(Some(number)) => Ok(number.value()),
        Ok(None) => Err(foreign()),
        Err(error) => Err(opened(error.into())),
    };
    let found = number(FORMAT)?;
    if found > KNOWN_FORMAT {
        return Err(StoreError::Newer { path: path.to_owned(), found, known: KNOWN_FORMAT });
    }
    let revision = number(REVISION)?;
    read.open_table(RECORDS).map_err(|error| opened(error.into()))?;
    Ok(Some(revision))
}

/// Begins a transaction that is committed in two phases: what it writes is synced before the header
/// points to it. A damaged newest commit is thus not one that a crash cut off, and redb does not
/// silently go back to the one before.
pub(super) fn begin_write(database: &Database) -> Result<WriteTransaction, redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_two_phase_commit(true);
    Ok(transaction)
}

/// Turns an empty database into a store without records.
pub(super) fn create_tables(database: &Database, revision: u64) -> Result<(), redb::Error> {
    let write = begin_write(database)?;
    {
        let mut meta = write.open_table(META)?;
        meta.insert(FORMAT, FIRST_FORMAT)?;
        meta.insert(REVISION, revision)?;
        write.open_table(RECORDS)?;
    }
    write.commit()?;
    Ok(())
}

/// The error for a file that redb does not open.
fn database_error(path: &Path, error: DatabaseError) -> StoreError {
    let path_owned = || path.to_owned();
    match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
            StoreError::Locked(path_owned())
        }
        DatabaseError::UpgradeRequired(_) => StoreError::Foreign(path_owned()),
        DatabaseError::Storage(StorageError::Io(error))
            if error.kind() == io::ErrorKind::InvalidData =>
        {
            StoreError::Foreign(path_owned())
        }
        DatabaseError::Storage(StorageError::Io(error))
            if error.kind() == io::ErrorKind::UnexpectedEof =>
        {
            StoreError::Damaged { path: path_owned(), what: "it ends too early".to_owned() }
        }
        error => redb_error(path, "opened", error.into()),
    }
}

/// The error of an operation that redb could not do.
pub(super) fn redb_error(path: &Path, doing: &'static str, error: redb::Error) -> StoreError {
    match error {
        redb::Error::Corrupted(what) => StoreError::Damaged { path: path.to_owned(), what },
        redb::Error::Io(error) => io_error(path, doing, &error),
        error => StoreError::Io { doing, why: format!("{}: {error}", path.display()) },
    }
}

/// The error of an operation that the system could not do.
pub(super) fn io_error(path: &Path, doing: &'static str, error: &io::Error) -> StoreError {
    StoreError::Io { doing, why: format!("{}: {error}", path.display()) }
}
