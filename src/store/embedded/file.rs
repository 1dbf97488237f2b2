use std::{
    fs::{self, OpenOptions},
    io,
    path::Path,
    sync::{Arc, atomic::AtomicBool},
};

use redb::{
    Database, DatabaseError, ReadableDatabase, StorageBackend, StorageError, TableError,
    backends::FileBackend,
};

use super::{
    gate::Gate,
    place::Beside,
    tables::{FORMAT, KNOWN_FORMAT, META, RECORDS, REVISION},
};
use crate::store::StoreError;

/// A store that redb has open behind a gate that is still shut.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) database: Database,
    pub(super) gate: Gate,
    pub(super) revision: u64,
}

/// What is to be done with a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Purpose {
    /// Others may read it too, and nothing is written to it.
    Read,
    /// Nobody else may have it open.
    Write,
    /// As `Write`; and if it is empty, it becomes a store.
    Begin,
}

/// How much redb may keep of the file in memory: it holds the branches of a tree of some million
/// records. What is not in it is read from the file, which the system caches as well.
pub(super) const CACHE: usize = 32 << 20;

/// Opens a file as redb reads and writes it.
///
/// # Errors
/// If it can't be opened.
pub(super) fn backend(path: &Path, purpose: Purpose) -> io::Result<Box<dyn StorageBackend>> {
    let file = OpenOptions::new().read(true).write(purpose != Purpose::Read).open(path)?;
    Ok(Box::new(FileBackend::new(file).map_err(io::Error::other)?))
}

/// Makes a store without records where there is no file. It appears whole; if another process makes
/// one at the same time, one of the two is there.
pub(super) fn make(path: &Path) -> Result<(), StoreError> {
    let made = |error: io::Error| system(path, "made", &error);
    if !matches!(fs::symlink_metadata(path), Err(error) if error.kind() == io::ErrorKind::NotFound)
    {
        return Ok(());
    }
    let (beside, file) = Beside::new(path).map_err(made)?;
    let begun = FileBackend::new(file).map_err(redb::Error::from).and_then(|file| {
        let database = Database::builder().create_with_backend(file)?;
        begin(&database, 0)?;
        Ok(database.close()?)
    });
    begun.map_err(|error| failure(path, "made", error))?;
    match beside.take_place(false) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        placed => placed.map_err(made),
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
    purpose: Purpose,
    unsynced: &Arc<AtomicBool>,
) -> Result<Opened, StoreError> {
    let gate = Gate::shut(file, purpose == Purpose::Read, Arc::clone(unsynced));
    let database = Database::builder()
        .set_cache_size(CACHE)
        .set_check_integrity_on_open(true)
        .create_with_backend(gate.clone())
        .map_err(|error| refusal(path, error))?;
    let revision = match recognise(path, &database)? {
        Some(revision) => revision,
        None if purpose == Purpose::Begin => {
            begin(&database, 0).map_err(|error| failure(path, "made", error))?;
            0
        }
        None => return Err(StoreError::Foreign(path.to_owned())),
    };
    Ok(Opened { database, gate, revision })
}

/// The revision of a store; `None` if it holds nothing, not even that.
fn recognise(path: &Path, database: &Database) -> Result<Option<u64>, StoreError> {
    let opened = |error: redb::Error| failure(path, "opened", error);
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

/// Makes an empty database a store without records.
pub(super) fn begin(database: &Database, revision: u64) -> Result<(), redb::Error> {
    let write = database.begin_write()?;
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
fn refusal(path: &Path, error: DatabaseError) -> StoreError {
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
        error => failure(path, "opened", error.into()),
    }
}

/// What redb could not do with a store.
pub(super) fn failure(path: &Path, doing: &'static str, error: redb::Error) -> StoreError {
    match error {
        redb::Error::Corrupted(what) => StoreError::Damaged { path: path.to_owned(), what },
        redb::Error::Io(error) => system(path, doing, &error),
        error => StoreError::Io { doing, why: format!("{}: {error}", path.display()) },
    }
}

/// What the system could not do with a file.
pub(super) fn system(path: &Path, doing: &'static str, error: &io::Error) -> StoreError {
    StoreError::Io { doing, why: format!("{}: {error}", path.display()) }
}
