//! The signal of changes to those who follow them.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch},
    time::timeout,
};

use crate::{live::Live, serve::response_body::BodyPart};

/// The signal of changes to all streams that follow them. A change of the view wakes the feed alone, which wakes the
/// others: a write costs the same however many follow.
#[derive(Debug)]
pub(in crate::serve) struct ChangeFeed {
    changed: watch::Sender<()>,
    stopping: watch::Sender<bool>,
    room: Arc<Semaphore>,
    /// Held by each stream of changes, and by each of answers, for as long as it is open.
    open: [Arc<()>; 2],
}

/// The kinds of streams.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::serve) enum StreamKind {
    Changes,
    Answers,
}

impl StreamKind {
    pub(in crate::serve) const ALL: [Self; 2] = [Self::Changes, Self::Answers];

    /// The path of the streams.
    pub(in crate::serve) const fn route(self) -> &'static str {
        match self {
            Self::Changes => "/v1/changes",
            Self::Answers => "/v1/watch",
        }
    }
}

/// The most streams of changes at a time.
const MAX_STREAMS: usize = 1000;

/// The parts that may wait for a slow reader.
const WAITING: usize = 2;

/// One who follows the changes, and the stream to send them on.
pub(super) struct ChangeFollower {
    changed: watch::Receiver<()>,
    stopping: watch::Receiver<bool>,
    parts: mpsc::Sender<BodyPart>,
    _open: Arc<()>,
}

/// What a follower waited for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum FeedEvent {
    /// The view may have changed.
    Changed,
    /// Nothing happened for a while.
    Idle,
    /// The daemon stops, or the reader is gone.
    Ended,
}

impl Default for ChangeFeed {
    fn default() -> Self {
        Self {
            changed: watch::Sender::new(()),
            stopping: watch::Sender::new(false),
            room: Arc::new(Semaphore::new(MAX_STREAMS)),
            open: Default::default(),
        }
    }
}

impl ChangeFeed {
    /// Passes the changes of the view on, for as long as it is served.
    pub(in crate::serve) async fn follow(&self, live: &Live) {
        let mut changes = live.changes();
        loop {
            self.changed.send_replace(());
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// Ends all streams.
    pub(in crate::serve) fn begin_stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Room for one more stream of changes; `None` if there are too many.
    pub(super) fn room(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.room).try_acquire_owned().ok()
    }

    /// The number of open streams of a kind.
    pub(in crate::serve) fn open_count(&self, kind: StreamKind) -> usize {
        Arc::strong_count(self.open_mark(kind)).saturating_sub(1)
    }

    fn open_mark(&self, kind: StreamKind) -> &Arc<()> {
        let [changes, answers] = &self.open;
        match kind {
            StreamKind::Changes => changes,
            StreamKind::Answers => answers,
        }
    }

    /// A follower of the changes from now on, and the stream of what it sends.
    pub(super) fn follower(&self, kind: StreamKind) -> (ChangeFollower, mpsc::Receiver<BodyPart>) {
        let (parts, body) = mpsc::channel(WAITING);
        let (changed, stopping) = (self.changed.subscribe(), self.stopping.subscribe());
        let open = Arc::clone(self.open_mark(kind));
        (ChangeFollower { changed, stopping, parts, _open: open }, body)
    }
}

impl ChangeFollower {
    /// Waits for a change, `patience` at most.
    pub(super) async fn next(&mut self, patience: Duration) -> FeedEvent {
        let Self { changed, stopping, parts, .. } = self;
        tokio::select! {
            biased;
            _ = stopping.wait_for(|&stops| stops) => FeedEvent::Ended,
            () = parts.closed() => FeedEvent::Ended,
            changed = timeout(patience, changed.changed()) => match changed {
                Ok(Ok(())) => FeedEvent::Changed,
                Ok(Err(_)) => FeedEvent::Ended,
                Err(_) => FeedEvent::Idle,
            },
        }
    }

    /// Sends a part, once there is room for it; `false` if the reader is gone or the daemon stops.
    pub(super) async fn send(&mut self, part: Vec<u8>) -> bool {
        if part.is_empty() {
            return !*self.stopping.borrow() && !self.parts.is_closed();
        }
        let Self { stopping, parts, .. } = self;
        tokio::select! {
            biased;
            _ = stopping.wait_for(|&stops| stops) => false,
            sent = parts.send(BodyPart::Bytes(part.into())) => sent.is_ok(),
        }
    }

    /// Ends the stream as a complete one.
    pub(super) async fn end(self) {
        // A reader who takes nothing must not keep a stopping daemon.
        let _ = timeout(Duration::from_secs(1), self.parts.send(BodyPart::End)).await;
    }
}
