//! The streams of an HTTP/2 connection: how many are abandoned, and which stall.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::sync::Notify;

use super::stall::READ_PATIENCE;
use crate::serve::response_body::ResponseBody;

/// The most requests that a client may reset beyond the number of those that it lets end.
const MAX_ABANDONED: usize = 200;

/// The time without a request after which a connection is closed.
const IDLE: Duration = Duration::from_secs(60);

/// The state of a body whose next part the daemon has not made yet.
const NOT_STALLED: u64 = u64::MAX;

/// The streams of one connection.
#[derive(Debug)]
pub(super) struct StreamLedger {
    opened: Instant,
    /// The milliseconds since then to the last request.
    last: AtomicU64,
    active: AtomicUsize,
    completed: AtomicUsize,
    abandoned: AtomicUsize,
    /// For each body that is being sent, the time at which a part of it was taken last.
    bodies: Mutex<Vec<Weak<AtomicU64>>>,
    /// Notified when too many requests are abandoned.
    excess: Notify,
}

/// What becomes of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ConnectionFate {
    Open,
    /// It ends when its streams have.
    Idle,
    /// It ends at once.
    Stalled,
}

/// A request at work; dropping it before [`complete`](Self::complete) counts it as abandoned.
pub(super) struct StreamGuard(Option<Arc<StreamLedger>>);

impl StreamLedger {
    pub(super) fn new() -> Self {
        let (last, active) = (AtomicU64::new(0), AtomicUsize::new(0));
        let (completed, abandoned) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let bodies = Mutex::default();
        let (opened, excess) = (Instant::now(), Notify::new());
        Self { opened, last, active, completed, abandoned, bodies, excess }
    }

    /// Begins a request.
    pub(super) fn begin(self: &Arc<Self>) -> StreamGuard {
        self.last.store(self.now(), Ordering::Relaxed);
        self.active.fetch_add(1, Ordering::Relaxed);
        StreamGuard(Some(Arc::clone(self)))
    }

    /// The body of a response, which is watched while it is sent.
    pub(super) fn body(self: &Arc<Self>, body: ResponseBody) -> StreamBody {
        if body.is_end_stream() {
            return StreamBody { body, watched: None };
        }
        let taken = Arc::new(AtomicU64::new(self.now()));
        self.bodies().push(Arc::downgrade(&taken));
        StreamBody { body, watched: Some((Arc::clone(self), taken)) }
    }

    /// Waits until the client resets many more requests than it lets end.
    pub(super) async fn wait_for_excess(&self) {
        self.excess.notified().await;
    }

    /// Looks at the connection, from time to time.
    pub(super) fn fate(&self) -> ConnectionFate {
        let now = self.now();
        let is_late = |since: u64, patience: Duration| {
            u128::from(now.saturating_sub(since)) >= patience.as_millis()
        };
        let mut bodies = self.bodies();
        bodies.retain(|taken| taken.strong_count() > 0);
        let is_stalled = bodies.iter().filter_map(Weak::upgrade).any(|taken| {
            let taken = taken.load(Ordering::Relaxed);
            taken != NOT_STALLED && is_late(taken, READ_PATIENCE)
        });
        if is_stalled {
            return ConnectionFate::Stalled;
        }
        let is_idle = self.active.load(Ordering::Relaxed) == 0
            && bodies.is_empty()
            && is_late(self.last.load(Ordering::Relaxed), IDLE);
        if is_idle { ConnectionFate::Idle } else { ConnectionFate::Open }
    }

    /// Whether the client resets many more requests than it lets end.
    fn abandons_too_much(&self) -> bool {
        let completed = self.completed.load(Ordering::Relaxed);
        self.abandoned.load(Ordering::Relaxed) > completed.saturating_add(MAX_ABANDONED)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(NOT_STALLED - 1)
    }

    fn bodies(&self) -> std::sync::MutexGuard<'_, Vec<Weak<AtomicU64>>> {
        self.bodies.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StreamGuard {
    /// Ends the request with a response.
    pub(super) fn complete(mut self) {
        if let Some(ledger) = self.0.take() {
            ledger.active.fetch_sub(1, Ordering::Relaxed);
            ledger.completed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Drop for StreamGuard {
    fn drop(&mut self) {
        if let Some(ledger) = &self.0 {
            ledger.active.fetch_sub(1, Ordering::Relaxed);
            ledger.abandoned.fetch_add(1, Ordering::Relaxed);
            if ledger.abandons_too_much() {
                ledger.excess.notify_one();
            }
        }
    }
}

/// The body of a response on a stream.
#[derive(Debug)]
pub(super) struct StreamBody {
    body: ResponseBody,
    watched: Option<(Arc<StreamLedger>, Arc<AtomicU64>)>,
}

impl Body for StreamBody {
    type Data = Bytes;
    type Error = std::io::Error;

    /// Polled when the client has room for more.
    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<std::io::Result<Frame<Bytes>>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if let Some((ledger, taken)) = &self.watched {
            let since = if polled.is_pending() { NOT_STALLED } else { ledger.now() };
            taken.store(since, Ordering::Relaxed);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
