//! Facts on an etcd cluster that a fleet of daemons shares.
//!
//! Each record is a key: the prefix of the [`EtcdConfig`] and the text of the record's [`RecordKey`]; its value is
//! the record in JSON, its version the `mod_revision`. Two more keys stand beside them: `format`, the
//! marker, which tells the format and is created with the first load; and `clock`, which every commit
//! writes. Revisions are etcd's, so other users of the cluster make them jump.
//!
//! - **load** reads everything in pages as of one revision, into the [`Mirror`] too, which answers
//!   `get` and `list` from then on. It refuses what it can't read, and names the key.
//! - **commit** is one transaction: the records that were read have the versions they were read in, and
//!   the marker tells the format that this program knows. If a node can't be reached, or has no leader,
//!   another one is asked for as long as a request may take; what a node has taken is never sent again.
//! - **watch** tells what the cluster tells, in order, from wherever it broke off. Every second it asks
//!   the node that it watches, with a read that the whole cluster agrees on, when the clock was last
//!   written: if everything up to then has been told, nothing else has happened up to the revision of
//!   that answer. This needs none of etcd's progress notifications, which in versions before 3.4.25
//!   and 3.5.8 may run ahead of the events, and finds out nodes that are silent or cut off.
//! - A value that can't be read is kept out by the load; of one that appears later the last good record
//!   stays, it is logged, and commits that read that record fail until it is written right or deleted.
//!
//! Nobody but daemons may write under the prefix while they run: what others write is told, but may be
//! told late, since it does not write the clock.
//!
//! Versions of etcd from 3.4 on will do. No leases.

mod config;
mod driver;
mod failover_client;
mod listing;
mod mirror;
mod transaction;
mod watcher;

pub use config::{EtcdConfig, EtcdConfigError, EtcdPassword, EtcdTls, EtcdUser};

use std::{
    collections::BTreeMap,
    fs,
    ops::ControlFlow,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use driver::Driver;
use failover_client::{EtcdCallError, FailoverClient};
use listing::EtcdListing;
use mirror::{Mirror, RawRecord};
use transaction::{MOST_RECORDS, Transaction};
use watcher::EtcdWatcher;

use super::{CommitResult, OpeningReport, Store, StoreError, StoreEvent, StoredRecord};
use crate::facts::{ChangeSet, RecordKey, RecordKind};

/// A store on etcd. Its calls wait on the thread that makes them, which must not be one that runs
/// futures.
#[derive(Debug)]
pub struct EtcdStore {
    spec: Arc<EtcdConfig>,
    driver: Driver,
    /// For all but watching.
    link: FailoverClient,
    mirror: Mirror,
    damaged: DamagedKeys,
    must_exist: bool,
    /// Whether the prefix was marked here, since nothing was below it.
    is_new: AtomicBool,
}

/// Records whose value can't be read, and why.
#[derive(Default, Debug)]
struct DamagedKeys(Mutex<BTreeMap<RecordKey, String>>);

impl DamagedKeys {
    fn note(&self, key: RecordKey, why: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, why);
    }

    fn forget(&self, key: &RecordKey) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// # Errors
    /// If one of the keys is among them.
    fn check<'k>(&self, keys: impl IntoIterator<Item = &'k RecordKey>) -> Result<(), StoreError> {
        let damaged = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = keys.into_iter().find_map(|key| damaged.get_key_value(key));
        found.map_or(Ok(()), |(key, what)| Err(unreadable(&key.to_string(), what)))
    }
}

/// Whether the mode of a file gives a group or all others access to it.
fn is_open_to_others(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o077 != 0)
}

fn unreadable(key: &str, what: &str) -> StoreError {
    StoreError::Record { key: key.escape_debug().to_string(), what: what.to_owned() }
}

impl EtcdStore {
    /// The store at an address, as [`EtcdConfig`] tells them.
    ///
    /// # Errors
    /// If it is no such address, or the system gives no thread.
    pub fn open(address: &str) -> Result<Self, StoreError> {
        let wrong =
            |error: EtcdConfigError| StoreError::Io { doing: "opened", why: error.to_string() };
        let spec: EtcdConfig = address.parse().map_err(wrong)?;
        for path in spec.secrets().filter(|path| is_open_to_others(path)) {
            tracing::warn!(file = %path.display(), "others than its owner have access to this secret; `chmod 600` ends that");
        }
        Self::new(spec)
    }

    /// A store that connects when it is first asked for something.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn new(spec: EtcdConfig) -> Result<Self, StoreError> {
        let failed = |why: std::io::Error| StoreError::Io { doing: "opened", why: why.to_string() };
        let spec = Arc::new(spec);
        let link = FailoverClient::new(&spec);
        Ok(Self {
            driver: Driver::start().map_err(failed)?,
            spec,
            link,
            mirror: Mirror::default(),
            damaged: DamagedKeys::default(),
            must_exist: false,
            is_new: AtomicBool::new(false),
        })
    }

    /// The same, which refuses a prefix below which there is nothing instead of beginning there.
    #[must_use]
    pub fn must_exist(self) -> Self {
        Self { must_exist: true, ..self }
    }

    pub fn spec(&self) -> &EtcdConfig {
        &self.spec
    }

    /// All there is; marks the prefix as ours if there is nothing and may be.
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

    /// Fills the mirror if nothing has yet.
    fn ready(&self) -> Result<(), StoreError> {
        if self.mirror.is_filled() { Ok(()) } else { self.load(&mut |_| ()).map(drop) }
    }

    fn send(&self, group: &[ChangeSet], after: Option<u64>) -> Result<CommitResult, StoreError> {
        if group.is_empty() {
            return Ok(CommitResult::Committed(Vec::new()));
        }
        self.ready()?;
        self.damaged.check(transaction::keys(group))?;
        let Some(transaction) = Transaction::new(group, after, &self.spec)? else {
            return Ok(CommitResult::Stale);
        };
        let committing = self.link.call(false, |mut client| {
            let txn = transaction.txn.clone();
            async move { client.txn(txn).await }
        });
        let answer = self.driver.wait(committing).map_err(EtcdCallError::into_write_error)?;
        transaction.result(&answer, &self.spec)
    }

    fn entry(key: RecordKey, raw: &RawRecord) -> Result<StoredRecord, StoreError> {
        let text = key.to_string();
        raw.decode(key).map_err(|damaged| unreadable(&text, &damaged.to_string()))
    }
}

impl Store for EtcdStore {
    /// Besides what the trait says, it fills the mirror: it is called once, before all else.
    fn load(&self, each: &mut dyn FnMut(StoredRecord)) -> Result<u64, StoreError> {
        let listing = self.driver.wait(self.listing())?;
        if let Some(stray) = listing.strays.first() {
            let what = "no key of a record: remove it, or take a prefix of your own";
            return Err(unreadable(stray, what));
        }
        for entry in listing.decode() {
            each(entry.map_err(|(key, what)| unreadable(&key, &what))?);
        }
        self.mirror.fill(listing.revision, listing.kept);
        Ok(listing.revision)
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
            let key = text.parse().map_err(|_| unreadable(&text, "no key of a record"))?;
            Self::entry(key, &raw)
        };
        self.mirror.list(kind, after, limit).into_iter().map(entry).collect()
    }

    /// What is committed is not in the mirror before its event was [absorbed](Store::absorb).
    fn commit(&self, group: &[ChangeSet]) -> Result<CommitResult, StoreError> {
        self.send(group, None)
    }

    fn commit_after(&self, revision: u64, group: &[ChangeSet]) -> Result<CommitResult, StoreError> {
        self.send(group, Some(revision))
    }

    /// Holds all records in memory meanwhile.
    fn export(
        &self,
        begin: &mut dyn FnMut(u64),
        each: &mut dyn FnMut(StoredRecord) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let listing = self.driver.wait(self.listing())?;
        begin(listing.revision);
        for entry in listing.decode() {
            if each(entry.map_err(|(key, what)| unreadable(&key, &what))?).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn opening(&self) -> OpeningReport {
        OpeningReport { is_new: self.is_new.load(Ordering::Acquire), repairs: Vec::new() }
    }

    fn kind(&self) -> &'static str {
        "etcd"
    }

    fn most_records(&self) -> Option<usize> {
        Some(MOST_RECORDS)
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn watch(&self, after: u64, each: &mut dyn FnMut(StoreEvent) -> ControlFlow<()>) {
        // What waits here keeps nobody else from the thread of the driver.
        self.driver.wait(EtcdWatcher::new(self, after, each).run());
    }

    fn absorb(&self, event: &StoreEvent) {
        self.mirror.absorb(event);
    }
}
