//! The embedded store: one file, `--store FILE`.
//!
//! The file is a redb database: a copy-on-write tree of pages. A commit has two phases: the pages are
//! synced, then the header that points to them. What a crash cuts off was thus never acknowledged,
//! and a damaged newest commit is not one that was cut off. Every page has a checksum, and all are
//! checked when a store is opened. Behind the header, a mark holds the highest revision: a store that
//! holds a lower one is refused, until `repair` accepts it as it is.
//!
//! Before a commit is acknowledged, the file must still be at its path, and as it was written.
//!
//! After a failed commit the file is opened again at once, and the commit is undone if the file holds
//! it. An error thus means that nothing was committed, and later commits work as soon as the disk does.

mod backup;
mod check;
mod commit;
mod compact;
mod deferred_backend;
mod export;
mod file;
mod head;
mod history_rows;
mod lock;
mod presence;
mod recovery_state;
mod repair;
mod tables;

use std::{
    fmt, fs, io,
    ops::{Bound, ControlFlow},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use redb::{ReadTransaction, ReadableDatabase, ReadableTable, StorageBackend};

use super::{CommitResult, ExportItem, OpeningReport, Store, StoreError, StoredRecord};
use crate::{
    facts::{ChangeSet, HistoryPage, HistoryQuery, RecordKey, RecordKind},
    source::Existing,
};
use commit::{PreviousRecords, commit, take_back};
use file::{OpenDatabase, OpenPurpose, io_error, redb_error};
use history_rows::SnapshotError;
use lock::PathLock;
use presence::Presence;
use tables::{META, RECORDS, REVISION, decode_entry};

pub use backup::{BackupReport, backup};
pub use check::{CheckReport, check};
pub use compact::{CompactionReport, compact};
pub use export::export;
pub use repair::{RepairReport, repair};
pub use tables::DamagedRecord;

/// A store in one file. Caches at most 32 MiB of it in memory.
pub struct EmbeddedStore {
    path: PathBuf,
    file: Box<Source>,
    presence: Arc<Presence>,
    /// `None` while the file could not be opened again, and once the store is closed.
    open: RwLock<Option<OpenDatabase>>,
    /// Held while committing or opening again: the failed commit to undo, if the file holds it.
    writing: Mutex<Option<PreviousRecords>>,
    /// Whether the file must be opened again before anything is done.
    is_failed: AtomicBool,
    is_closed: AtomicBool,
    /// Whether something may not have reached the disk though the system considers it written.
    unsynced: Arc<AtomicBool>,
    /// The revision of the last commit.
    revision: AtomicU64,
    opening: OpeningReport,
    /// Released last.
    lock: Mutex<Option<PathLock>>,
}

/// Opens the file, each time it is called.
type Source = dyn Fn() -> io::Result<Box<dyn StorageBackend>> + Send + Sync;

impl EmbeddedStore {
    /// Opens a store, or creates one if there is no file; the folder must exist. Costs a pass over the
    /// file.
    ///
    /// # Errors
    /// If the file can't be read or created, is open elsewhere, or is empty, foreign, newer or damaged;
    /// a file that is refused is left as it was.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let path = path.into();
        let lock = PathLock::take(&path)?;
        let is_new = file::create(&path)?;
        let mut store = Self::open_file(path, lock)?;
        store.opening.is_new = is_new;
        Ok(store)
    }

    /// Opens an existing store.
    ///
    /// # Errors
    /// Those of [`open`](Self::open), and if there is no store.
    pub fn open_existing(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let path = path.into();
        let lock = PathLock::take(&path)?;
        if matches!(fs::metadata(&path), Err(error) if error.kind() == io::ErrorKind::NotFound) {
            return Err(StoreError::Missing(path.display().to_string()));
        }
        Self::open_file(path, lock)
    }

    fn open_file(path: PathBuf, lock: Option<PathLock>) -> Result<Self, StoreError> {
        file::refuse_empty(&path)?;
        let presence = Arc::new(Presence::new(&path));
        let source = Arc::clone(&presence);
        let file = Box::new(move || source.open());
        let mut store = Self::open_with(path, file, presence, OpenPurpose::Write)?;
        store.lock = Mutex::new(lock);
        Ok(store)
    }

    /// Opens a store on the backend that `file` opens, each time it is called; messages call it
    /// `path`. An empty backend becomes a store.
    ///
    /// # Errors
    /// Those of [`open`](Self::open).
    pub fn with_backend(
        path: impl Into<PathBuf>,
        file: impl Fn() -> io::Result<Box<dyn StorageBackend>> + Send + Sync + 'static,
    ) -> Result<Self, StoreError> {
        let path = path.into();
        let presence = Arc::new(Presence::new(&path));
        Self::open_with(path, Box::new(file), presence, OpenPurpose::Begin)
    }

    fn open_with(
        path: PathBuf,
        file: Box<Source>,
        presence: Arc<Presence>,
        purpose: OpenPurpose,
    ) -> Result<Self, StoreError> {
        let unsynced = Arc::default();
        let failed = |error| io_error(&path, "opened", &error);
        let opened = file::open(&path, file().map_err(failed)?, purpose, &unsynced)?;
        let opened = opened.refuse_rollback(&path)?;
        opened.unlock().map_err(failed)?;
        let revision = AtomicU64::new(opened.revision);
        let opening =
            OpeningReport { is_new: false, repairs: opened.state.repairs.clone(), copy: None };
        Ok(Self {
            path,
            file,
            presence,
            open: RwLock::new(Some(opened)),
            writing: Mutex::default(),
            is_failed: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
            unsynced,
            revision,
            opening,
            lock: Mutex::default(),
        })
    }

    /// The path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn writing(&self) -> MutexGuard<'_, Option<PreviousRecords>> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens the file again if that is needed.
    fn reopen_if_failed(&self, refused: &mut Option<PreviousRecords>) -> Result<(), StoreError> {
        if !self.is_failed.load(Ordering::Acquire) {
            return Ok(());
        }
        // A lost file can still be read while it is open.
        self.check_presence()?;
        let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
        // Closes the file and releases its lock.
        *open = None;
        let written = |error| io_error(&self.path, "opened again", &error);
        let file = (self.file)().map_err(written)?;
        let opened = file::open(&self.path, file, OpenPurpose::Write, &self.unsynced)?;
        let opened = opened.refuse_rollback(&self.path)?;
        let acknowledged = self.revision.load(Ordering::Acquire);
        if opened.revision < acknowledged {
            let what = format!(
                "it holds revision {}, but {acknowledged} was written to it",
                opened.revision
            );
            return Err(StoreError::Damaged { path: self.path.clone(), what });
        }
        if refused.as_ref().is_some_and(|before| before.revision == opened.revision) {
            *refused = None;
        }
        if self.unsynced.load(Ordering::Acquire) {
            opened.backend.rewrite().map_err(written)?;
            self.unsynced.store(false, Ordering::Release);
        }
        opened.unlock().map_err(written)?;
        if let Some(before) = &refused {
            take_back(&opened, before)
                .map_err(|error| redb_error(&self.path, "opened again", error))?;
            *refused = None;
        }
        *open = Some(opened);
        self.is_failed.store(false, Ordering::Release);
        Ok(())
    }

    /// A snapshot, in which later commits do not show.
    fn read(&self) -> Result<ReadTransaction, StoreError> {
        self.refuse_closed()?;
        if self.is_failed.load(Ordering::Acquire) {
            self.reopen_if_failed(&mut self.writing())?;
        }
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        let opened = open.as_ref().ok_or_else(|| self.closed())?;
        opened.database.begin_read().map_err(|error| self.read_error(error))
    }

    /// The error of a read; notes whether the file must be opened again.
    fn read_error(&self, error: impl Into<redb::Error>) -> StoreError {
        let error = error.into();
        if !matches!(error, redb::Error::Corrupted(_)) {
            self.is_failed.store(true, Ordering::Release);
        }
        redb_error(&self.path, "read", error)
    }

    fn snapshot_error(&self, error: SnapshotError) -> StoreError {
        match error {
            SnapshotError::Damaged(flaw) => flaw.into(),
            SnapshotError::Database(error) => self.read_error(error),
        }
    }

    fn closed(&self) -> StoreError {
        StoreError::Closed(self.path.clone())
    }

    fn refuse_closed(&self) -> Result<(), StoreError> {
        if self.is_closed.load(Ordering::Acquire) { Err(self.closed()) } else { Ok(()) }
    }

    /// Checks that the open file is at its path. Nothing may be written meanwhile.
    fn check_presence(&self) -> Result<(), StoreError> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        open.as_ref().map_or(Ok(()), |opened| self.presence.check(&opened.backend))
    }

    /// Undoes a commit that went into a lost file.
    fn take_back_lost(&self, before: &PreviousRecords) -> Result<(), StoreError> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        let opened = open.as_ref().ok_or_else(|| self.closed())?;
        take_back(opened, before).map_err(|error| redb_error(&self.path, "written", error))
    }

    fn attempt(
        &self,
        group: &[ChangeSet],
        before: &mut PreviousRecords,
    ) -> Result<CommitResult, StoreError> {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        let opened = open.as_ref().ok_or_else(|| self.closed())?;
        commit(opened, group, before).map_err(|error| redb_error(&self.path, "written", error))
    }
}

impl Store for EmbeddedStore {
    fn load(&self, each: &mut dyn FnMut(StoredRecord)) -> Result<u64, StoreError> {
        let snapshot = self.read()?;
        let meta = snapshot.open_table(META).map_err(|error| self.read_error(error))?;
        let revision = meta.get(REVISION).map_err(|error| self.read_error(error))?;
        let records = snapshot.open_table(RECORDS).map_err(|error| self.read_error(error))?;
        for record in records.iter().map_err(|error| self.read_error(error))? {
            let (key, value) = record.map_err(|error| self.read_error(error))?;
            each(decode_entry(key.value(), value.value())?);
        }
        Ok(revision.map_or(0, |revision| revision.value()))
    }

    fn get(&self, key: &RecordKey) -> Result<Option<StoredRecord>, StoreError> {
        let records = self.read()?.open_table(RECORDS).map_err(|error| self.read_error(error))?;
        let text = key.to_string();
        let found = records.get(text.as_str()).map_err(|error| self.read_error(error))?;
        Ok(found.map(|found| decode_entry(&text, found.value())).transpose()?)
    }

    fn list(
        &self,
        kind: RecordKind,
        after: Option<&RecordKey>,
        limit: usize,
    ) -> Result<Vec<StoredRecord>, StoreError> {
        let prefix = kind.prefix();
        let after = after.map(RecordKey::to_string).filter(|after| after.as_str() >= prefix);
        let start = after.as_deref().map_or(Bound::Included(prefix), Bound::Excluded);
        let records = self.read()?.open_table(RECORDS).map_err(|error| self.read_error(error))?;
        let found = records
            .range::<&str>((start, Bound::Unbounded))
            .map_err(|error| self.read_error(error))?;
        let mut entries = Vec::new();
        for record in found.take(limit) {
            let (key, value) = record.map_err(|error| self.read_error(error))?;
            if !key.value().starts_with(prefix) {
                break;
            }
            entries.push(decode_entry(key.value(), value.value())?);
        }
        Ok(entries)
    }

    fn export(
        &self,
        begin: &mut dyn FnMut(u64),
        each: &mut dyn FnMut(ExportItem) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        export::walk(&self.read()?, begin, each).map_err(|error| self.snapshot_error(error))
    }

    fn history(&self, query: &HistoryQuery) -> Result<HistoryPage, StoreError> {
        history_rows::page(&self.read()?, query).map_err(|error| self.snapshot_error(error))
    }

    fn backup(&self, to: &Path) -> Result<BackupReport, StoreError> {
        self.backup_to(to, Existing::Keep)
    }

    fn verify(&self) -> Result<(), StoreError> {
        let _nothing_is_written = self.writing();
        self.check_presence()
    }

    fn opening(&self) -> OpeningReport {
        self.opening.clone()
    }

    fn close(&self) -> Result<(), StoreError> {
        // Waiting commits are refused.
        self.is_closed.store(true, Ordering::Release);
        let _nothing_is_written = self.writing();
        let open = self.open.write().unwrap_or_else(PoisonError::into_inner).take();
        let closed = open.map_or(Ok(()), |opened| {
            opened.database.close().map_err(|error| redb_error(&self.path, "closed", error.into()))
        });
        drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner).take());
        closed
    }

    fn kind(&self) -> &'static str {
        "embedded"
    }

    fn commit(&self, group: &[ChangeSet]) -> Result<CommitResult, StoreError> {
        let mut refused = self.writing();
        self.refuse_closed()?;
        self.check_presence()?;
        self.reopen_if_failed(&mut refused)?;
        let mut before = PreviousRecords::default();
        let error = match self.attempt(group, &mut before) {
            Ok(done) => {
                if !before.is_empty()
                    && let Err(lost) = self.check_presence()
                {
                    return Err(match self.take_back_lost(&before) {
                        Ok(()) => lost,
                        Err(again) => StoreError::InDoubt(format!("{lost}; then: {again}")),
                    });
                }
                if let CommitResult::Committed(revisions) = &done {
                    let last = revisions.last().copied().unwrap_or_default();
                    self.revision.fetch_max(last, Ordering::AcqRel);
                }
                return Ok(done);
            }
            Err(error) => error,
        };
        *refused = (!before.is_empty()).then_some(before);
        self.is_failed.store(true, Ordering::Release);
        match self.reopen_if_failed(&mut refused) {
            Err(again) if refused.is_some() => {
                Err(StoreError::InDoubt(format!("{error}; then: {again}")))
            }
            // The file holds nothing of the group, whether or not it can be written again.
            _ => Err(error),
        }
    }
}

impl fmt::Debug for EmbeddedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedStore").field("path", &self.path).finish_non_exhaustive()
    }
}
