//! The watch over a policy's files: that something changed, by whatever program.

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

use super::{Files, events::Events, writers::Writers};
use crate::source::{Fingerprint, Scope};

/// Notices changes of what is below some paths, whatever changes it: editors, git, the kubelet.
///
/// Start it before the files are first loaded: a change after [`Watch::start`] has returned is not
/// missed. Dropping it ends its thread.
#[derive(Debug)]
pub struct Watch {
    changes: tokio_mpsc::Receiver<()>,
    scope: Scope,
    writers: Arc<Writers>,
    pace: Pace,
    ended: Arc<AtomicBool>,
    wake: SyncSender<()>,
    thread: Option<JoinHandle<()>>,
}

/// How eager a [`Watch`] is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
    /// How long nothing may happen before a change counts as complete.
    pub settle: Duration,
    /// How long to wait for that at most before a change is told, if something happens all the time.
    pub settle_at_most: Duration,
    /// How long reading waits for files that are being written.
    pub patience: Duration,
    /// How often to look for what the system did not tell, as on network file systems.
    pub poll: Duration,
    /// Whether to ask the system at all; without it, only polling is left.
    pub events: bool,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            settle: Duration::from_millis(100),
            settle_at_most: Duration::from_secs(1),
            patience: Duration::from_secs(30),
            poll: Duration::from_secs(5),
            events: true,
        }
    }
}

// === impl Watch ===

impl Watch {
    /// Starts to watch. What the system can't watch is polled, and a warning says so.
    ///
    /// # Errors
    ///
    /// If no thread can be started.
    pub fn start(scope: impl Into<Scope>, pace: Pace) -> io::Result<Self> {
        let scope = scope.into();
        let writers = Arc::new(Writers::default());
        // One wake is enough to know that there is something to look at.
        let (wake, wakes) = mpsc::sync_channel(1);
        let (tell, changes) = tokio_mpsc::channel(1);
        let ended = Arc::new(AtomicBool::new(false));
        let mut lookout = Lookout {
            events: pace.events.then(|| Events::new(wake.clone(), Arc::clone(&writers))).flatten(),
            last: scope.survey().fingerprint(),
            scope: scope.clone(),
            writers: Arc::clone(&writers),
            pace,
            wakes,
            ended: Arc::clone(&ended),
        };
        lookout.arm();
        let thread =
            thread::Builder::new().name("watch".to_owned()).spawn(move || lookout.run(&tell))?;
        Ok(Self { changes, scope, writers, pace, ended, wake, thread: Some(thread) })
    }

    /// The files that are watched, to be read when nobody writes them.
    pub fn files(&self) -> Files {
        Files::watched(self.scope.clone(), Arc::clone(&self.writers), self.pace)
    }

    /// Waits until something has changed since the last call. Changes in quick succession are told
    /// once; a change may be told though the files say the same as before. May be cancelled.
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
struct Lookout {
    scope: Scope,
    writers: Arc<Writers>,
    pace: Pace,
    events: Option<Events>,
    wakes: mpsc::Receiver<()>,
    ended: Arc<AtomicBool>,
    /// What was there when a change was told last.
    last: Fingerprint,
}

/// What came of waiting.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Heard {
    Something,
    Nothing,
    End,
}

impl Lookout {
    fn run(mut self, tell: &tokio_mpsc::Sender<()>) {
        loop {
            match self.listen(self.pace.poll) {
                Heard::End => return,
                Heard::Something => {}
                Heard::Nothing if self.is_known(self.look()) => continue,
                Heard::Nothing => tracing::debug!("a change that no event told"),
            }
            if self.settle() == Heard::End {
                return;
            }
            // What was made meanwhile is watched before it is read, so nothing falls in between.
            let before = self.last;
            self.arm();
            // That a file was closed leaves no trace on it.
            if !self.writers.take_closed() && self.last == before && self.is_known(before) {
                continue;
            }
            // If the last change has not been taken up yet, taking it up covers this one too.
            let _ = tell.try_send(());
        }
    }

    fn listen(&self, time: Duration) -> Heard {
        let heard = match self.wakes.recv_timeout(time) {
            Ok(()) => Heard::Something,
            Err(RecvTimeoutError::Timeout) => Heard::Nothing,
            Err(RecvTimeoutError::Disconnected) => Heard::End,
        };
        if self.ended.load(Ordering::Acquire) { Heard::End } else { heard }
    }

    /// Waits until neither events nor a look at the files tell of more.
    fn settle(&self) -> Heard {
        let deadline = Instant::now() + self.pace.settle_at_most;
        let mut before = self.look();
        loop {
            let heard = self.listen(self.pace.settle);
            let now = self.look();
            let quiet = heard == Heard::Nothing && now == before;
            if heard == Heard::End || quiet || Instant::now() >= deadline {
                return heard;
            }
            before = now;
        }
    }

    /// Whether this was told and is what was read last. A reload may have read what was there for a
    /// moment in between, so that what is there now again must be told once more.
    fn is_known(&self, fingerprint: Fingerprint) -> bool {
        fingerprint == self.last && !self.writers.read_otherwise(fingerprint)
    }

    fn arm(&mut self) {
        self.last = match &mut self.events {
            Some(events) => events.arm(&self.scope),
            None => self.scope.survey().fingerprint(),
        };
        self.writers.look(self.last);
    }

    fn look(&self) -> Fingerprint {
        let fingerprint = self.scope.survey().fingerprint();
        self.writers.look(fingerprint);
        fingerprint
    }
}
