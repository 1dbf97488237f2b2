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
    atomic_file::AtomicFile,
    deferred_backend::DeferredBackend,
    head::{FLAGS, Head, TWO_PHASE},
    recovery_state::RecoveryState,
    tables::{FORMAT, KNOWN_FORMAT, META, RECORDS, REVISION},
};
use crate::store::{Rollback, StoreError};

/// A store that redb has open behind a gate that is still shut.
#[derive(Debug)]
pub(super) struct OpenDatabase {
    pub(super) database: Database,
    pub(super) backend: DeferredBackend,
    pub(super) revision: u64,
    pub(super) state: RecoveryState,
}

/// What is to be done with a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum OpenPurpose {
    /// Others may read it too, and nothing is written to it.
    Read,
    /// Nobody else may have it open.
    Write,
    /// As `Write`; and if it is empty, it becomes a store.
    Begin,
    /// As `Write`; and if its newest commit is damaged, the one before counts.
    Repair,
}

/// How much redb may keep of the file in memory: it holds the branches of a tree of some million
/// records. What is not in it is read from the file, which the system caches as well.
pub(super) const CACHE: usize = 32 << 20;

/// Opens a file as redb reads and writes it.
///
/// # Errors
/// If it can't be opened.
pub(super) fn backend(path: &Path, purpose: OpenPurpose) -> io::Result<Box<dyn StorageBackend>> {
    let file = OpenOptions::new().read(true).write(purpose != OpenPurpose::Read).open(path)?;
    Ok(Box::new(FileBackend::new(file).map_err(io::Error::other)?))
}

/// Refuses a file that is empty: no store is, so something has emptied it.
pub(super) fn refuse_empty(path: &Path) -> Result<(), StoreError> {
    match fs::metadata(path) {
        Ok(file) if file.is_file() && file.len() == 0 => Err(StoreError::Empty(path.to_owned())),
        _ => Ok(()),
    }
}

/// Makes a store without records where there is nothing; whether it did. It appears whole; if another
/// process makes one at the same time, one of the two is there.
pub(super) fn create(path: &Path) -> Result<bool, StoreError> {
    let made = |error: io::Error| io_error(path, "made", &error);
    if !matches!(fs::symlink_metadata(path), Err(error) if error.kind() == io::ErrorKind::NotFound)
    {
        return Ok(false);
    }
    let (beside, file) = AtomicFile::new(path).map_err(made)?;
    let begun = FileBackend::new(file).map_err(redb::Error::from).and_then(|file| {
        let database = Database::builder().create_with_backend(file)?;
        create_tables(&database, 0)?;
        Ok(database.close()?)
    });
    begun.map_err(|error| redb_error(path, "made", error))?;
    match beside.persist(false) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        placed => placed.map(|()| true).map_err(made),
    }
}

/// Opens a store, all of which is read to check it: some hundred megabytes a second. Its gate is
/// shut.
///
/// # Errors
/// If it is none, or is damaged, newer, or open elsewhere; it is unchanged then.
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
        // Of commits in one phase, redb goes back to the one before where the newest is damaged.
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
    /// The same, if it holds all that was committed.
    ///
    /// # Errors
    /// [`StoreError::RolledBack`] if not.
    pub(super) fn refuse_rollback(self, path: &Path) -> Result<Self, StoreError> {
        match self.state.rollback {
            Some(Rollback { found, known }) => {
                Err(StoreError::RolledBack { path: path.to_owned(), found, known })
            }
            None => Ok(self),
        }
    }

    /// Lets through to the file what opening it did, and all that is done from now on.
    pub(super) fn unlock(&self) -> io::Result<()> {
        self.backend.mark(self.revision);
        self.backend.write_deferred()
    }
}

/// The revision of a store; `None` if it holds nothing, not even that.
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
/// points to it. So where the newest commit is damaged, that is no commit that was cut off, and redb
/// does not go back to the one before without a word.
pub(super) fn begin_write(database: &Database) -> Result<WriteTransaction, redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_two_phase_commit(true);
    Ok(transaction)
}

/// Makes an empty database a store without records.
pub(super) fn create_tables(database: &Database, revision: u64) -> Result<(), redb::Error> {
    let write = begin_write(database)?;
    {
        let mut meta = write.open_table(META)?;
        meta.insert(FORMAT, KNOWN_FORMAT)?;
        meta.insert(REVISION, revision)?;
        write.open_table(RECORDS)?;
    }
    write.commit()?;
    Ok(())
}

/// Why redb does not open a file.
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

/// What redb could not do with a store.
pub(super) fn redb_error(path: &Path, doing: &'static str, error: redb::Error) -> StoreError {
    match error {
        redb::Error::Corrupted(what) => StoreError::Damaged { path: path.to_owned(), what },
        redb::Error::Io(error) => io_error(path, doing, &error),
        error => StoreError::Io { doing, why: format!("{}: {error}", path.display()) },
    }
}

/// What the system could not do with a file.
pub(super) fn io_error(path: &Path, doing: &'static str, error: &io::Error) -> StoreError {
    StoreError::Io { doing, why: format!("{}: {error}", path.display()) }
}
