//! The watch over a policy's files, for changes by any program.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, RecvTimeoutError, SyncSender},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use tokio::sync::mpsc as tokio_mpsc;

use super::{
    file_writers::FileWriters, files::PolicyFiles, fs_events::FsEvents, watch_options::WatchOptions,
};
use crate::source::{Fingerprint, Scope};

/// The watch for changes below some paths, made by any program: editors, git, the kubelet.
///
/// Start it before the files are first loaded: a change after [`Watch::start`] has returned is not
/// missed. Dropping it ends its thread.
#[derive(Debug)]
pub struct Watch {
    changes: tokio_mpsc::Receiver<()>,
    scope: Scope,
    writers: Arc<FileWriters>,
    pace: WatchOptions,
    ended: Arc<AtomicBool>,
    wake: SyncSender<()>,
    thread: Option<JoinHandle<()>>,
}

// === impl Watch ===

impl Watch {
    /// Starts to watch. What the system can't watch is polled, and a warning says so.
    ///
    /// # Errors
    ///
    /// If no thread can be started.
    pub fn start(scope: impl Into<Scope>, pace: WatchOptions) -> io::Result<Self> {
        let scope = scope.into();
        let writers = Arc::new(FileWriters::default());
        // One pending wake-up is enough: wake-ups carry no data.
        let (wake, wakes) = mpsc::sync_channel(1);
        let (sender, changes) = tokio_mpsc::channel(1);
        let ended = Arc::new(AtomicBool::new(false));
        let mut watcher = WatchThread {
            events: pace
                .events
                .then(|| FsEvents::new(wake.clone(), Arc::clone(&writers)))
                .flatten(),
            last: scope.survey().fingerprint(),
            scope: scope.clone(),
            writers: Arc::clone(&writers),
            pace,
            wakes,
            ended: Arc::clone(&ended),
        };
        watcher.arm();
        let thread =
            thread::Builder::new().name("watch".to_owned()).spawn(move || watcher.run(&sender))?;
        Ok(Self { changes, scope, writers, pace, ended, wake, thread: Some(thread) })
    }

    /// The watched files, to be read while no program writes them.
    pub fn files(&self) -> PolicyFiles {
        PolicyFiles::watched(self.scope.clone(), Arc::clone(&self.writers), self.pace)
    }

    /// Waits until something has changed since the last call. Changes in quick succession are reported
    /// once; a change may be reported though the files say the same as before. May be cancelled.
    pub async fn changed(&mut self) {
        if self.changes.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
        let _ = self.wake.try_send(());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The watching thread.
struct WatchThread {
    scope: Scope,
    writers: Arc<FileWriters>,
    pace: WatchOptions,
    events: Option<FsEvents>,
    wakes: mpsc::Receiver<()>,
    ended: Arc<AtomicBool>,
    /// The fingerprint of the files when a change was reported last.
    last: Fingerprint,
}

/// The result of a wait.
#[derive(Clone, Copy, PartialEq, Eq)]
enum WaitResult {
    Something,
    Nothing,
    End,
}

impl WatchThread {
    fn run(mut self, sender: &tokio_mpsc::Sender<()>) {
        loop {
            match self.wait_for_event(self.pace.poll) {
                WaitResult::End => return,
                WaitResult::Something => {}
                WaitResult::Nothing if self.is_known(self.observe()) => continue,
                WaitResult::Nothing => tracing::debug!("a change without an event"),
            }
            if self.settle() == WaitResult::End {
                return;
            }
            // New folders are watched before they are read, so that no change is missed in between.
            let before = self.last;
            self.arm();
            // Closing a file does not change its fingerprint.
            if !self.writers.take_closed() && self.last == before && self.is_known(before) {
                continue;
            }
            // If the last change has not been taken up yet, taking it up covers this one too.
            let _ = sender.try_send(());
        }
    }

    fn wait_for_event(&self, time: Duration) -> WaitResult {
        let heard = match self.wakes.recv_timeout(time) {
            Ok(()) => WaitResult::Something,
            Err(RecvTimeoutError::Timeout) => WaitResult::Nothing,
            Err(RecvTimeoutError::Disconnected) => WaitResult::End,
        };
        if self.ended.load(Ordering::Acquire) { WaitResult::End } else { heard }
    }

    /// Waits until neither an event nor the fingerprint shows another change.
    fn settle(&self) -> WaitResult {
        let deadline = Instant::now() + self.pace.settle_at_most;
        let mut before = self.observe();
        loop {
            let heard = self.wait_for_event(self.pace.settle);
            let now = self.observe();
            let quiet = heard == WaitResult::Nothing && now == before;
            if heard == WaitResult::End || quiet || Instant::now() >= deadline {
                return heard;
            }
            before = now;
        }
    }

    /// Whether this fingerprint was reported and is that of the last read. A reload may have read a
    /// short-lived state in between; then the same files must be reported again.
    fn is_known(&self, fingerprint: Fingerprint) -> bool {
        fingerprint == self.last && !self.writers.differs_from_last_read(fingerprint)
    }

    fn arm(&mut self) {
        self.last = match &mut self.events {
            Some(events) => events.arm(&self.scope),
            None => self.scope.survey().fingerprint(),
        };
        self.writers.observe(self.last);
    }

    fn observe(&self) -> Fingerprint {
        let fingerprint = self.scope.survey().fingerprint();
        self.writers.observe(fingerprint);
        fingerprint
    }
}
