//! Facts on an etcd cluster that a fleet of daemons shares.
//!
//! Each record has a key of etcd: the prefix of the [`EtcdConfig`] and the text of the [`RecordKey`]. Its
//! value is the record in JSON, its version the `mod_revision`. There are two more keys: `format`, the
//! marker, which holds the format and is created by the first load; and `clock`, which every commit
//! writes. Revisions are etcd's, so that other users of the cluster make them jump.
//!
//! - **load** reads everything in pages at one revision, into the [`Mirror`] too, which answers `get` and
//!   `list` from then on. It fails on a value that can't be read, and names the key.
//! - **commit** is one transaction: it requires that the records that were read have the versions in
//!   which they were read, and that the marker holds the known format. If a node can't be reached, or has
//!   no leader, another one is tried within the time of a request; a request that a node has accepted is
//!   never sent again.
//! - **watch** delivers the events of the cluster in order, and resumes where it broke off. Every second
//!   it makes a linearizable read of the clock: if everything up to the clock's last write has been
//!   delivered, there are no other events up to the revision of that read. It thus does not depend on
//!   etcd's progress notifications, which before 3.4.25 and 3.5.8 may run ahead of the events, and it
//!   detects nodes that are silent or cut off.
//! - If a value that can't be read appears later, the last good record stays in force, an error is
//!   logged, and commits that read the record fail until it is written correctly or deleted.
//!
//! Only daemons may write under the prefix while they run: writes of other programs are delivered, but
//! possibly late, since they do not write the clock.
//!
//! The history is under further keys, which begin with the prefix and `~`: it is neither mirrored nor watched,
//! and a page of it is read from the cluster.
//!
//! Requires etcd 3.4 or later; uses no leases.

mod config;
mod copy;
mod damaged_keys;
mod driver;
mod failover_client;
mod history_rows;
mod listing;
mod mirror;
mod transaction;
mod watcher;

pub use config::{EtcdConfig, EtcdConfigError, EtcdPassword, EtcdTls, EtcdUser};

use std::{
    fs,
    ops::ControlFlow,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::SystemTime,
};

use copy::{Copier, CopyTarget, LoadedCopy};
use damaged_keys::{DamagedKeys, unreadable};
use driver::Driver;
use failover_client::{EtcdCallError, FailoverClient, Repetition};
use listing::{EtcdListing, FORMAT};
use mirror::{Mirror, MirrorRevision, RawRecord};
use transaction::{MOST_RECORDS, Transaction, TransactionOutcome, most_history};
use watcher::{EtcdWatcher, WatchedStore};

use super::{
    CommitResult, CopyStatus, ExportItem, OpenedCopy, OpeningReport, Store, StoreError, StoreEvent,
    StoredRecord,
};
use crate::facts::{ChangeSet, HistoryPage, HistoryQuery, RecordKey, RecordKind};

/// A store on an etcd cluster. Calls block the calling thread, which must not be one that runs
/// futures.
#[derive(Debug)]
pub struct EtcdStore {
    spec: Arc<EtcdConfig>,
    driver: Driver,
    /// The client for everything except the watch.
    link: FailoverClient,
    mirror: Arc<Mirror>,
    damaged: DamagedKeys,
    must_exist: bool,
    /// The last known format of the store.
    format: AtomicU64,
    /// Whether this process marked the prefix, since it was empty.
    is_new: AtomicBool,
    /// The copy in local files, if one is kept.
    copy: Option<Arc<CopyTarget>>,
    /// The thread that keeps it, while events are watched.
    copier: Mutex<Option<Copier>>,
    /// The copy from which the mirror was filled at the start, if it was.
    opened_copy: OnceLock<OpenedCopy>,
}

/// Whether the mode of a file gives access to its group or to others.
fn is_open_to_others(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o077 != 0)
}

/// The number of attempts at a transaction while other daemons change the format of the store.
const FORMAT_TRIES: usize = 3;

impl EtcdStore {
    /// Opens the store at an address, whose form [`EtcdConfig`] describes.
    ///
    /// # Errors
    /// If the address is not valid, or no thread can be started.
    pub fn open(address: &str) -> Result<Self, StoreError> {
        let wrong =
            |error: EtcdConfigError| StoreError::Io { doing: "opened", why: error.to_string() };
        let spec: EtcdConfig = address.parse().map_err(wrong)?;
        for path in spec.secrets().filter(|path| is_open_to_others(path)) {
            tracing::warn!(file = %path.display(), "others than its owner have access to this secret; `chmod 600` ends that");
        }
        Self::new(spec)
    }

    /// Creates a store that connects at its first use.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn new(spec: EtcdConfig) -> Result<Self, StoreError> {
        let failed = |why: std::io::Error| StoreError::Io { doing: "opened", why: why.to_string() };
        let spec = Arc::new(spec);
        let link = FailoverClient::new(&spec);
        Ok(Self {
            driver: Driver::start().map_err(failed)?,
            spec,
            link,
            mirror: Arc::default(),
            damaged: DamagedKeys::default(),
            must_exist: false,
            format: AtomicU64::new(FORMAT),
            is_new: AtomicBool::new(false),
            copy: None,
            copier: Mutex::default(),
            opened_copy: OnceLock::new(),
        })
    }

    /// Requires that the store exists: an empty prefix is refused instead of marked.
    #[must_use]
    pub fn must_exist(self) -> Self {
        Self { must_exist: true, ..self }
    }

    /// Keeps a copy of the records in a folder, and reads them from it at the start if the cluster can't
    /// be reached then.
    #[must_use]
    pub fn with_copy(self, folder: PathBuf) -> Self {
        Self { copy: Some(Arc::new(CopyTarget::new(folder))), ..self }
    }

    pub fn spec(&self) -> &EtcdConfig {
        &self.spec
    }

    /// Lists all keys; marks an empty prefix if that is allowed.
    async fn listing(&self) -> Result<EtcdListing, StoreError> {
        loop {
            let listing = EtcdListing::read(&self.link, &self.spec).await?;
            if listing.is_marked(&self.spec)? {
                return Ok(listing);
            }
            if self.must_exist {
                return Err(StoreError::Missing(self.spec.to_string()));
            }
            listing::mark(&self.link, &self.spec).await?;
            self.is_new.store(true, Ordering::Release);
        }
    }

    /// Fills the mirror if it is not filled yet.
    fn ready(&self) -> Result<(), StoreError> {
        if self.mirror.is_filled() { Ok(()) } else { self.load(&mut |_| ()).map(drop) }
    }

    /// Loads the records of the copy, if there is one that can be used.
    fn load_copy(&self) -> Option<LoadedCopy> {
        let folder = &self.copy.as_ref()?.folder;
        copy::load(folder, &self.spec).unwrap_or_else(|error| {
            let folder = folder.display();
            tracing::warn!(%folder, %error, "the copy of the facts can't be used");
            None
        })
    }

    /// Reads the records of the copy instead of those of the cluster, which could not be reached.
    ///
    /// # Errors
    /// If there is no copy that can be used.
    fn read_copy(
        &self,
        why: String,
        each: &mut dyn FnMut(StoredRecord),
    ) -> Result<u64, StoreError> {
        let Some(loaded) = self.load_copy() else { return Err(StoreError::Unreachable(why)) };
        for (text, raw) in &loaded.records {
            let key = text.parse().map_err(|_| unreadable(text, "no key of a record"))?;
            each(Self::entry(key, raw)?);
        }
        let LoadedCopy { revision, cluster, records, age } = loaded;
        self.mirror.fill_from_copy(revision, cluster, records);
        // It is opened once.
        let _ = self.opened_copy.set(OpenedCopy { revision, age, why });
        Ok(revision)
    }

    fn send(&self, group: &[ChangeSet], after: Option<u64>) -> Result<CommitResult, StoreError> {
        if group.is_empty() {
            return Ok(CommitResult::Committed(Vec::new()));
        }
        self.ready()?;
        if self.mirror.is_from_copy() {
            let why = "the facts are those of a copy, and the store was not read since the start";
            return Err(StoreError::Unreachable(why.to_owned()));
        }
        self.damaged.check(transaction::keys(group))?;
        for _ in 0..FORMAT_TRIES {
            let format = self.format.load(Ordering::Acquire);
            let Some(transaction) = Transaction::new(group, after, format, &self.spec)? else {
                return Ok(CommitResult::Stale);
            };
            let committing = self.link.call(Repetition::Forbidden, |mut client| {
                let txn = transaction.txn.clone();
                async move { client.txn(txn).await }
            });
            let answer = self.driver.wait(committing).map_err(EtcdCallError::into_write_error)?;
            match transaction.outcome(&answer, &self.spec)? {
                TransactionOutcome::Done(done) => {
                    if matches!(done, CommitResult::Committed(_)) {
                        self.format.store(transaction.next_format, Ordering::Release);
                    }
                    return Ok(done);
                }
                TransactionOutcome::OtherFormat(found) => {
                    self.format.store(found, Ordering::Release);
                }
            }
        }
        Ok(CommitResult::Stale)
    }

    fn entry(key: RecordKey, raw: &RawRecord) -> Result<StoredRecord, StoreError> {
        let text = key.to_string();
        raw.decode(key).map_err(|damaged| unreadable(&text, &damaged.to_string()))
    }
}

impl Store for EtcdStore {
    /// Fills the mirror as well; called once, before everything else.
    fn load(&self, each: &mut dyn FnMut(StoredRecord)) -> Result<u64, StoreError> {
        let confirmed_at = SystemTime::now();
        let listing = match self.driver.wait(self.listing()) {
            Err(StoreError::Unreachable(why)) if self.copy.is_some() => {
                return self.read_copy(why, each);
            }
            listing => listing?,
        };
        if let Some(stray) = listing.strays.first() {
            let what = "not the key of a record; remove it, or use another prefix";
            return Err(unreadable(stray, what));
        }
        for entry in listing.decode() {
            each(entry.map_err(|(key, what)| unreadable(&key, &what))?);
        }
        let EtcdListing { revision, cluster, .. } = listing;
        self.mirror.fill(MirrorRevision { revision, cluster, confirmed_at }, listing.kept);
        Ok(revision)
    }

    fn get(&self, key: &RecordKey) -> Result<Option<StoredRecord>, StoreError> {
        self.ready()?;
        self.mirror.get(key).map(|raw| Self::entry(key.clone(), &raw)).transpose()
    }

    fn list(
        &self,
        kind: RecordKind,
        after: Option<&RecordKey>,
        limit: usize,
    ) -> Result<Vec<StoredRecord>, StoreError> {
        self.ready()?;
        let entry = |(text, raw): (String, RawRecord)| {
            let key = text.parse().map_err(|_| unreadable(&text, "not the key of a record"))?;
            Self::entry(key, &raw)
        };
        self.mirror.list(kind, after, limit).into_iter().map(entry).collect()
    }

    /// A commit is not in the mirror before its event was [absorbed](Store::absorb).
    fn commit(&self, group: &[ChangeSet]) -> Result<CommitResult, StoreError> {
        self.send(group, None)
    }

    fn commit_after(&self, revision: u64, group: &[ChangeSet]) -> Result<CommitResult, StoreError> {
        self.send(group, Some(revision))
    }

    /// Holds all records in memory meanwhile, and pages of the history.
    fn export(
        &self,
        begin: &mut dyn FnMut(u64),
        each: &mut dyn FnMut(ExportItem) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let listing = self.driver.wait(self.listing())?;
        begin(listing.revision);
        for entry in listing.decode() {
            let entry = entry.map_err(|(key, what)| unreadable(&key, &what))?;
            if each(ExportItem::Record(entry)).is_break() {
                return Ok(());
            }
        }
        let revision = listing.revision;
        drop(listing);
        let mut each = |entry| each(ExportItem::History(Box::new(entry)));
        self.driver.wait(history_rows::export(&self.link, &self.spec, revision, &mut each))
    }

    fn history(&self, query: &HistoryQuery) -> Result<HistoryPage, StoreError> {
        self.driver.wait(history_rows::page(&self.link, &self.spec, query))
    }

    fn opening(&self) -> OpeningReport {
        OpeningReport {
            is_new: self.is_new.load(Ordering::Acquire),
            repairs: Vec::new(),
            copy: self.opened_copy.get().cloned(),
        }
    }

    fn copy(&self) -> Option<CopyStatus> {
        let target = self.copy.as_ref()?;
        Some(CopyStatus {
            folder: target.folder.clone(),
            saved: target.saved(),
            error: target.error(),
            is_served: self.mirror.is_from_copy(),
        })
    }

    /// Copies the records once more, if a copy is kept.
    fn close(&self) -> Result<(), StoreError> {
        let copier = self.copier.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(copier) = copier {
            copier.stop();
        }
        Ok(())
    }

    fn kind(&self) -> &'static str {
        "etcd"
    }

    fn most_records(&self) -> Option<usize> {
        Some(MOST_RECORDS)
    }

    fn most_history(&self, records: usize) -> Option<usize> {
        Some(most_history(records))
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn watch(&self, after: u64, each: &mut dyn FnMut(StoreEvent) -> ControlFlow<()>) {
        if let Some(target) = &self.copy {
            let started =
                Copier::start(Arc::clone(target), Arc::clone(&self.spec), Arc::clone(&self.mirror));
            match started {
                Ok(copier) => {
                    *self.copier.lock().unwrap_or_else(PoisonError::into_inner) = Some(copier);
                }
                Err(error) => tracing::error!(%error, "no copy of the facts is kept"),
            }
        }
        // Waiting here does not block the driver's thread.
        let store = WatchedStore {
            config: &self.spec,
            driver: &self.driver,
            mirror: &self.mirror,
            damaged: &self.damaged,
        };
        self.driver.wait(EtcdWatcher::new(store, after, each).run());
    }

    fn absorb(&self, event: &StoreEvent) {
        self.mirror.absorb(event);
    }
}
