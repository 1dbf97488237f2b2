//! A member: a store on etcd below a prefix, with what its watch delivered.

use std::{
    ops::ControlFlow,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
};

use peerage::store::{Store, StoreEvent, etcd::EtcdStore};

use crate::{laws::conformance::Harness, laws::sets::all, support::cluster::NEVER};

/// A store whose events are taken in as they come, as a daemon does.
pub(crate) struct Member {
    address: String,
    store: Arc<EtcdStore>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    seen: Mutex<Seen>,
    changed: Condvar,
}

/// What the watch has told.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) revision: u64,
    /// `Changed` and `Relisted` ones.
    pub(crate) events: Vec<StoreEvent>,
    pub(crate) cut_off: Option<String>,
    /// How often the store was current.
    pub(crate) current: usize,
    is_over: bool,
}

impl Member {
    /// Loads, and watches from then on.
    pub(crate) fn join(address: &str) -> Self {
        let store = Arc::new(EtcdStore::open(address).unwrap());
        let (revision, _) = all(store.as_ref());
        Self::watching(address, store, revision)
    }

    /// Watches after a revision.
    pub(crate) fn watching(address: &str, store: Arc<EtcdStore>, revision: u64) -> Self {
        let shared = Arc::new(Shared::default());
        shared.seen.lock().unwrap().revision = revision;
        let thread = thread::spawn({
            let (store, shared) = (Arc::clone(&store), Arc::clone(&shared));
            move || store.watch(revision, &mut |event| shared.take(store.as_ref(), event))
        });
        Self { address: address.to_owned(), store, shared, thread: Some(thread) }
    }

    pub(crate) fn store(&self) -> &EtcdStore {
        &self.store
    }

    /// Waits until what was seen is as asked.
    #[track_caller]
    pub(crate) fn wait_until(
        &self,
        what: &str,
        is_so: impl Fn(&Seen) -> bool,
    ) -> MutexGuard<'_, Seen> {
        let seen = self.shared.seen.lock().unwrap();
        let waiting = |seen: &mut Seen| !is_so(seen);
        let (seen, waited) = self.shared.changed.wait_timeout_while(seen, NEVER, waiting).unwrap();
        assert!(!waited.timed_out(), "waited in vain for {what}: {:?}", seen.cut_off);
        seen
    }

    #[track_caller]
    pub(crate) fn wait_for(&self, revision: u64) {
        drop(self.wait_until("a revision", |seen| seen.revision >= revision));
    }

    /// Stops watching; the store, and up to where it was watched.
    pub(crate) fn leave(mut self) -> (Arc<EtcdStore>, u64) {
        self.end();
        let revision = self.shared.seen.lock().unwrap().revision;
        (Arc::clone(&self.store), revision)
    }

    fn end(&mut self) {
        // A failure under the lock was reported already.
        self.shared.seen.lock().unwrap_or_else(PoisonError::into_inner).is_over = true;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn take(&self, store: &EtcdStore, event: StoreEvent) -> ControlFlow<()> {
        store.absorb(&event);
        let mut seen = self.seen.lock().unwrap();
        match &event {
            StoreEvent::Changed { revision, .. } => {
                assert!(*revision > seen.revision, "{event:?} after {}", seen.revision);
                seen.revision = *revision;
            }
            StoreEvent::Relisted { revision, .. } => seen.revision = *revision,
            StoreEvent::Current { revision } => {
                assert!(*revision >= seen.revision);
                seen.revision = *revision;
                seen.current += 1;
            }
            StoreEvent::Disconnected { .. } => {}
        }
        match event {
            StoreEvent::Disconnected { why, .. } => seen.cut_off = Some(why),
            StoreEvent::Current { .. } => seen.cut_off = None,
            event => {
                seen.cut_off = None;
                seen.events.push(event);
            }
        }
        self.changed.notify_all();
        if seen.is_over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl Harness for Member {
    fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }

    fn settle(&self, revision: u64) {
        self.wait_for(revision);
    }

    fn reopen(self: Box<Self>) -> Box<dyn Harness> {
        let address = self.address.clone();
        drop(self);
        Box::new(Self::join(&address))
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.end();
    }
}
