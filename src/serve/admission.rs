//! Admission control: the choice which work runs now, which waits for a permit, and which is shed.
//!
//! Each class of work has its own permits, so that no class can keep another out. Long work runs on
//! threads of lower priority than those of decisions. Decisions need no permit; beyond a limit of
//! decisions in flight, they are refused at once. A decision takes microseconds, so those in flight are
//! hardly ever being made: nearly all of them wait in sockets until their connection is read. So a decision is in flight
//! from the arrival of its request on.

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

use super::{decision_count::DecisionCount, peer::Peer};

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
    /// Reads of facts by administrators.
    Facts,
    Backup,
    Reload,
    /// Standing questions: admitted for as long as their caller watches.
    Watch,
}

/// The limits of a class.
#[derive(Clone, Copy, Debug)]
struct ClassLimits {
    /// The most requests that are admitted at a time, including those whose responses are being sent.
    admitted: usize,
    /// The most of these that run at a time, each on a thread.
    running: usize,
    /// The most requests that wait to be admitted.
    waiting: usize,
    /// The longest wait of one.
    patience: Duration,
}

impl WorkClass {
    /// All classes in the order of declaration.
    const ALL: [Self; 10] = [
        Self::Batch,
        Self::Explanation,
        Self::List,
        Self::Lookup,
        Self::Export,
        Self::Status,
        Self::Facts,
        Self::Backup,
        Self::Reload,
        Self::Watch,
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
            Self::Watch => (64, 2, 16, 1),
        };
        ClassLimits { admitted, running, waiting, patience: Duration::from_secs(seconds) }
    }

    /// Whether the class runs at a lower priority than decisions. Requests of administrators do not, so that
    /// they can observe a daemon under load.
    fn is_background(self) -> bool {
        matches!(self, Self::Batch | Self::Explanation | Self::List | Self::Lookup | Self::Watch)
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

/// The admission of a request, until it is dropped.
#[derive(Debug)]
pub(super) struct Permit {
    _admitted: OwnedSemaphorePermit,
    class: WorkClass,
}

/// The permits of all classes, and the threads for long work.
#[derive(Debug)]
pub(super) struct AdmissionControl {
    queues: [Queue; WorkClass::ALL.len()],
    in_flight: AtomicUsize,
    max_in_flight: usize,
    decided: DecisionCount,
    /// Threads of lower priority; `None` if they could not be started.
    background: Option<Runtime>,
}

impl AdmissionControl {
    pub(super) fn new(max_in_flight: usize) -> Self {
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
            max_in_flight,
            decided: DecisionCount::default(),
            background: background.ok(),
        }
    }

    /// The number of decisions that were made.
    pub(super) fn decided(&self) -> DecisionCount {
        self.decided.clone()
    }

    /// Counts a decision as in flight until the guard is dropped; `None` if there are too many others.
    /// `arrival` is the number of decisions that were made when its request arrived: those made since then
    /// were in flight before it.
    #[inline]
    pub(super) fn begin_decision(&self, arrival: u64) -> Option<DecisionGuard<'_>> {
        let before = self.in_flight.fetch_add(1, Ordering::Relaxed);
        let in_flight = InFlightGuard(&self.in_flight);
        let since = usize::try_from(self.decided.now().wrapping_sub(arrival)).unwrap_or(0);
        let is_admitted = before.saturating_add(since) < self.max_in_flight;
        is_admitted.then(|| DecisionGuard { decided: &self.decided, _in_flight: in_flight })
    }

    /// Whether a decision whose request arrived then would find no room.
    pub(super) fn is_full(&self, arrival: u64) -> bool {
        let since = usize::try_from(self.decided.now().wrapping_sub(arrival)).unwrap_or(0);
        self.in_flight.load(Ordering::Relaxed).saturating_add(since) >= self.max_in_flight
    }

    /// Waits for a permit; `None` if too many requests wait, or if none is free in time. The wait ends when
    /// the caller disconnects.
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
        // Lets the connection check whether the caller is still connected.
        yield_now().await;
        let admitted = Arc::clone(&queue.admitted).acquire_owned();
        let admitted = timeout(queue.limits.patience, admitted).await;
        admitted.ok()?.ok().map(permit)
    }

    /// Runs admitted work on a thread, once one of its class is free.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        permit: &Permit,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<JoinHandle<T>> {
        let running = Arc::clone(&self.queue(permit.class).running);
        let turn = running.acquire_owned().await.ok()?;
        // Released by the thread, which finishes even if the caller is gone.
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
        let [batch, explanation, list, lookup, export, status, facts, backup, reload, watch] =
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
            WorkClass::Watch => watch,
        }
    }
}

impl Drop for AdmissionControl {
    fn drop(&mut self) {
        if let Some(background) = self.background.take() {
            // Waiting for its threads could block serving threads.
            background.shutdown_background();
        }
    }
}

/// A decision in flight, which is made when this is dropped.
#[derive(Debug)]
pub(super) struct DecisionGuard<'c> {
    decided: &'c DecisionCount,
    _in_flight: InFlightGuard<'c>,
}

impl Drop for DecisionGuard<'_> {
    fn drop(&mut self) {
        self.decided.add_one();
    }
}

/// A count in a counter, until it is dropped.
#[derive(Debug)]
pub(super) struct InFlightGuard<'c>(&'c AtomicUsize);

impl Drop for InFlightGuard<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A flag that is set when a piece of work is no longer needed, and checked between pages of the work.
#[derive(Clone, Debug)]
pub(super) struct Cancellation(Option<Arc<AtomicBool>>);

impl Cancellation {
    /// The flag of short work, which is never cancelled.
    pub(super) const NEVER: Self = Self(None);

    pub(super) fn new() -> Self {
        Self(Some(Arc::default()))
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.0.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed))
    }

    /// Sets the flag when the returned guard is dropped.
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

/// The nice level of a background thread: at this level, it gets a tenth of a contended processor.
#[cfg(target_os = "linux")]
const NICE: i32 = 10;

/// Lowers the priority of the current thread.
fn lower_priority() {
    // On other systems this would apply to the whole process. If it is refused, the priority stays.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, NICE);
}
