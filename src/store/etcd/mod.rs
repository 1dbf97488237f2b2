//! Facts on an etcd cluster that a fleet of daemons shares.
//!
//! Each record is a key: the prefix of the [`Spec`] and the text of the record's [`Key`]; its value is
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

mod driver;
mod follow;
mod link;
mod listing;
mod mirror;
mod spec;
mod transaction;

pub use spec::{Password, Spec, SpecError, Tls, User};

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
use follow::Follower;
use link::{Failure, Link};
use listing::Listing;
use mirror::{Mirror, Raw};
use transaction::{MOST_RECORDS, Transaction};

use super::{Commit, Entry, Event, Opening, Store, StoreError};
use crate::facts::{ChangeSet, Key, Kind};

/// A store on etcd. Its calls wait on the thread that makes them, which must not be one that runs
/// futures.
#[derive(Debug)]
pub struct EtcdStore {
    spec: Arc<Spec>,
    driver: Driver,
    /// For all but watching.
    link: Link,
    mirror: Mirror,
    damaged: Damages,
    must_exist: bool,
    /// Whether the prefix was marked here, since nothing was below it.
    is_new: AtomicBool,
}

/// Records whose value can't be read, and why.
#[derive(Default, Debug)]
struct Damages(Mutex<BTreeMap<Key, String>>);

impl Damages {
    fn note(&self, key: Key, why: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, why);
    }

    fn forget(&self, key: &Key) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// # Errors
    /// If one of the keys is among them.
    fn check<'k>(&self, keys: impl IntoIterator<Item = &'k Key>) -> Result<(), StoreError> {
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
    /// The store at an address, as [`Spec`] tells them.
    ///
    /// # Errors
    /// If it is no such address, or the system gives no thread.
    pub fn open(address: &str) -> Result<Self, StoreError> {
        let wrong = |error: SpecError| StoreError::Io { doing: "opened", why: error.to_string() };
        let spec: Spec = address.parse().map_err(wrong)?;
        for path in spec.secrets().filter(|path| is_open_to_others(path)) {
            tracing::warn!(file = %path.display(), "others than its owner have access to this secret; `chmod 600` ends that");
        }
        Self::new(spec)
    }

    /// A store that connects when it is first asked for something.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn new(spec: Spec) -> Result<Self, StoreError> {
        let failed = |why: std::io::Error| StoreError::Io { doing: "opened", why: why.to_string() };
        let spec = Arc::new(spec);
        let link = Link::new(&spec);
        Ok(Self {
            driver: Driver::start().map_err(failed)?,
            spec,
            link,
            mirror: Mirror::default(),
            damaged: Damages::default(),
            must_exist: false,
            is_new: AtomicBool::new(false),
        })
    }

    /// The same, which refuses a prefix below which there is nothing instead of beginning there.
    #[must_use]
    pub fn existing(self) -> Self {
        Self { must_exist: true, ..self }
    }

    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// All there is; marks the prefix as ours if there is nothing and may be.
    async fn listing(&self) -> Result<Listing, StoreError> {
        loop {
            let listing = Listing::read(&self.link, &self.spec).await?;
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

    fn send(&self, group: &[ChangeSet], after: Option<u64>) -> Result<Commit, StoreError> {
        if group.is_empty() {
            return Ok(Commit::Done(Vec::new()));
        }
        self.ready()?;
        self.damaged.check(transaction::keys(group))?;
        let Some(transaction) = Transaction::of(group, after, &self.spec)? else {
            return Ok(Commit::Stale);
        };
        let committing = self.link.call(false, |mut client| {
            let txn = transaction.txn.clone();
            async move { client.txn(txn).await }
        });
        let answer = self.driver.wait(committing).map_err(Failure::of_writing)?;
        transaction.outcome(&answer, &self.spec)
    }

    fn entry(key: Key, raw: &Raw) -> Result<Entry, StoreError> {
        let text = key.to_string();
        raw.decode(key).map_err(|damaged| unreadable(&text, &damaged.to_string()))
    }
}

impl Store for EtcdStore {
    /// Besides what the trait says, it fills the mirror: it is called once, before all else.
    fn load(&self, each: &mut dyn FnMut(Entry)) -> Result<u64, StoreError> {
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

    fn get(&self, key: &Key) -> Result<Option<Entry>, StoreError> {
        self.ready()?;
        self.mirror.get(key).map(|raw| Self::entry(key.clone(), &raw)).transpose()
    }

    fn list(
        &self,
        kind: Kind,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        self.ready()?;
        let entry = |(text, raw): (String, Raw)| {
            let key = text.parse().map_err(|_| unreadable(&text, "no key of a record"))?;
            Self::entry(key, &raw)
        };
        self.mirror.list(kind, after, limit).into_iter().map(entry).collect()
    }

    /// What is committed is not in the mirror before its event was [absorbed](Store::absorb).
    fn commit(&self, group: &[ChangeSet]) -> Result<Commit, StoreError> {
        self.send(group, None)
    }

    fn commit_after(&self, revision: u64, group: &[ChangeSet]) -> Result<Commit, StoreError> {
        self.send(group, Some(revision))
    }

    /// Holds all records in memory meanwhile.
    fn export(
        &self,
        begin: &mut dyn FnMut(u64),
        each: &mut dyn FnMut(Entry) -> ControlFlow<()>,
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

    fn opening(&self) -> Opening {
        Opening { is_new: self.is_new.load(Ordering::Acquire), repairs: Vec::new() }
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

    fn watch(&self, after: u64, each: &mut dyn FnMut(Event) -> ControlFlow<()>) {
        // What waits here keeps nobody else from the thread of the driver.
        self.driver.wait(Follower::new(self, after, each).run());
    }

    fn absorb(&self, event: &Event) {
        self.mirror.absorb(event);
    }
}
