//! Admission control: the one place that decides which work runs now, which waits a moment for its
//! turn, and which is shed.
//!
//! Work is of a class, and each class has permits of its own, so that none can keep another out. What
//! takes long runs on threads that give way to those on which decisions are made. Decisions wait for
//! no permit; past a bound of them in flight they are refused at once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    runtime::{Builder, Runtime},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::{JoinHandle, spawn_blocking, yield_now},
    time::timeout,
};

use super::peer::Peer;

/// The classes of work that wait for a permit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum WorkClass {
    /// Many decisions in one request.
    Batch,
    Explanation,
    /// Lists and searches.
    List,
    /// Long look-ups for other systems' APIs.
    Lookup,
    Export,
    /// The status and the metrics.
    Status,
    /// What administrators read of facts.
    Facts,
    Backup,
    Reload,
}

/// How much of a class there may be at a time.
#[derive(Clone, Copy, Debug)]
struct ClassLimits {
    /// Requests that are admitted, the answers that are still being sent among them.
    admitted: usize,
    /// Of these, how many are worked on: threads that they keep busy.
    running: usize,
    /// Requests that wait to be admitted, and how long they do.
    waiting: usize,
    patience: Duration,
}

impl WorkClass {
    /// In the order of their declaration.
    const ALL: [Self; 9] = [
        Self::Batch,
        Self::Explanation,
        Self::List,
        Self::Lookup,
        Self::Export,
        Self::Status,
        Self::Facts,
        Self::Backup,
        Self::Reload,
    ];

    fn limits(self) -> ClassLimits {
        let (admitted, running, waiting, seconds) = match self {
            Self::Batch => (2, 2, 64, 2),
            Self::Explanation => (2, 2, 32, 1),
            Self::List => (64, 2, 64, 1),
            Self::Export => (2, 2, 8, 1),
            Self::Lookup | Self::Status => (2, 2, 64, 5),
            Self::Facts => (16, 3, 64, 5),
            Self::Backup => (1, 1, 4, 5),
            Self::Reload => (1, 1, 16, 60),
        };
        ClassLimits { admitted, running, waiting, patience: Duration::from_secs(seconds) }
    }

    /// Whether it gives way to decisions. What administrators ask does not, or they could not see
    /// what a daemon under load does.
    fn is_background(self) -> bool {
        matches!(self, Self::Batch | Self::Explanation | Self::List | Self::Lookup)
    }
}

/// Permits of one class.
#[derive(Debug)]
struct Queue {
    limits: ClassLimits,
    admitted: Arc<Semaphore>,
    running: Arc<Semaphore>,
    waiting: AtomicUsize,
}

impl Queue {
    fn new(class: WorkClass) -> Self {
        let limits = class.limits();
        Self {
            limits,
            admitted: Arc::new(Semaphore::new(limits.admitted)),
            running: Arc::new(Semaphore::new(limits.running)),
            waiting: AtomicUsize::new(0),
        }
    }
}

/// That a request is admitted, until this is dropped.
#[derive(Debug)]
pub(super) struct Permit {
    _admitted: OwnedSemaphorePermit,
    class: WorkClass,
}

/// Permits of all classes, and the threads for work that takes long.
#[derive(Debug)]
pub(super) struct AdmissionControl {
    queues: [Queue; WorkClass::ALL.len()],
    in_flight: AtomicUsize,
    most_in_flight: usize,
    /// Threads that give way to others; `None` if they could not be had.
    background: Option<Runtime>,
}

impl AdmissionControl {
    pub(super) fn new(most_in_flight: usize) -> Self {
        let background = WorkClass::ALL.iter().filter(|class| class.is_background());
        let threads = background.map(|class| class.limits().running).sum();
        let background = Builder::new_current_thread()
            .max_blocking_threads(threads)
            .thread_name("background")
            .on_thread_start(lower_priority)
            .build();
        Self {
            queues: WorkClass::ALL.map(Queue::new),
            in_flight: AtomicUsize::new(0),
            most_in_flight,
            background: background.ok(),
        }
    }

    /// Counts a decision as in flight until what this gives is dropped; `None` if there are as many
    /// as there may be.
    #[inline]
    pub(super) fn begin_decision(&self) -> Option<InFlightGuard<'_>> {
        let before = self.in_flight.fetch_add(1, Ordering::Relaxed);
        let counted = InFlightGuard(&self.in_flight);
        (before < self.most_in_flight).then_some(counted)
    }

    /// Waits for a permit, if fewer wait than may; `None` if it does not come in time. A caller who
    /// leaves meanwhile is no longer waited for.
    pub(super) async fn admit(&self, class: WorkClass, peer: &Peer) -> Option<Permit> {
        let queue = self.queue(class);
        let permit = |admitted| Permit { _admitted: admitted, class };
        if let Ok(admitted) = Arc::clone(&queue.admitted).try_acquire_owned() {
            return Some(permit(admitted));
        }
        let before = queue.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = InFlightGuard(&queue.waiting);
        if before >= queue.limits.waiting {
            return None;
        }
        let _watch = peer.watch();
        // Has the connection look whether the caller is still there.
        yield_now().await;
        let admitted = Arc::clone(&queue.admitted).acquire_owned();
        let admitted = timeout(queue.limits.patience, admitted).await;
        admitted.ok()?.ok().map(permit)
    }

    /// Does admitted work on a thread, when one of its class is free.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        permit: &Permit,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<JoinHandle<T>> {
        let running = Arc::clone(&self.queue(permit.class).running);
        let turn = running.acquire_owned().await.ok()?;
        // Given back by the thread: it goes on when nobody waits for it any more.
        let work = move || {
            let done = work();
            drop(turn);
            done
        };
        Some(match &self.background {
            Some(background) if permit.class.is_background() => background.spawn_blocking(work),
            _ => spawn_blocking(work),
        })
    }

    fn queue(&self, class: WorkClass) -> &Queue {
        let [batch, explanation, list, lookup, export, status, facts, backup, reload] =
            &self.queues;
        match class {
            WorkClass::Batch => batch,
            WorkClass::Explanation => explanation,
            WorkClass::List => list,
            WorkClass::Lookup => lookup,
            WorkClass::Export => export,
            WorkClass::Status => status,
            WorkClass::Facts => facts,
            WorkClass::Backup => backup,
            WorkClass::Reload => reload,
        }
    }
}

impl Drop for AdmissionControl {
    fn drop(&mut self) {
        if let Some(background) = self.background.take() {
            // Waiting for its threads could block those that serve.
            background.shutdown_background();
        }
    }
}

/// That something is counted, until this is dropped.
#[derive(Debug)]
pub(super) struct InFlightGuard<'c>(&'c AtomicUsize);

impl Drop for InFlightGuard<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Whether nobody waits for a piece of work any more. It is looked at between pages of the work.
#[derive(Clone, Debug)]
pub(super) struct Cancellation(Option<Arc<AtomicBool>>);

impl Cancellation {
    /// Of work that is done at once, so that nobody can leave meanwhile.
    pub(super) const NEVER: Self = Self(None);

    pub(super) fn new() -> Self {
        Self(Some(Arc::default()))
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.0.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed))
    }

    /// Sets it when what this gives is dropped.
    pub(super) fn cancel_on_drop(&self) -> impl Drop + use<> {
        CancelOnDrop(self.clone())
    }
}

struct CancelOnDrop(Cancellation);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        if let Cancellation(Some(flag)) = &self.0 {
            flag.store(true, Ordering::Relaxed);
        }
    }
}

/// How much less of a processor a background thread gets than others that want it too: at this
/// level a tenth.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// Has this thread give way to others.
fn lower_priority() {
    // Elsewhere it would hold for the whole process. Where it is refused, the thread runs as it did.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, NICE);
}
