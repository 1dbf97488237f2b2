//! The thread that keeps the copy of a store's records, at a bounded cost.

use std::{
    io,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{self, RecvTimeoutError},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant, SystemTime},
};

use tracing::{info, warn};

use super::file;
use crate::store::{
    SavedCopy,
    etcd::{config::EtcdConfig, mirror::Mirror},
};

/// The folder of a copy, and what is known of what it holds.
#[derive(Debug)]
pub(in crate::store::etcd) struct CopyTarget {
    pub(in crate::store::etcd) folder: PathBuf,
    state: Mutex<CopyState>,
}

#[derive(Default, Debug)]
struct CopyState {
    /// The copy that this process wrote last, with its checksum and cluster.
    saved: Option<(SavedCopy, String, u64)>,
    /// The error of the last attempt, if it failed.
    error: Option<String>,
}

/// The running thread. It writes once more when it is stopped.
#[derive(Debug)]
pub(in crate::store::etcd) struct Copier {
    stop: mpsc::Sender<()>,
    thread: JoinHandle<()>,
}

/// The shortest time between two copies.
const INTERVAL: Duration = Duration::from_secs(10);

/// How many times as long as a copy took is waited before the next: copying takes a twentieth of the time
/// at most.
const REST: u32 = 19;

// === impl CopyTarget ===

impl CopyTarget {
    pub(in crate::store::etcd) fn new(folder: PathBuf) -> Self {
        Self { folder, state: Mutex::default() }
    }

    /// The copy that this process wrote last.
    pub(in crate::store::etcd) fn saved(&self) -> Option<SavedCopy> {
        self.lock().saved.as_ref().map(|(saved, ..)| *saved)
    }

    /// The error of the last attempt to write, if it failed.
    pub(in crate::store::etcd) fn error(&self) -> Option<String> {
        self.lock().error.clone()
    }

    /// Takes note of what became of an attempt; a change is logged once.
    fn note(&self, result: &io::Result<()>) {
        let mut state = self.lock();
        let error = result.as_ref().err().map(ToString::to_string);
        if error == state.error {
            return;
        }
        let folder = self.folder.display();
        if let Some(error) = &error {
            warn!(%folder, error, "the copy of the facts can't be written");
        } else {
            info!(%folder, "the copy of the facts is written again");
        }
        state.error = error;
    }

    fn lock(&self) -> MutexGuard<'_, CopyState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what changed since the last copy, or that nothing did.
    fn update(&self, config: &EtcdConfig, mirror: &Mirror) -> io::Result<()> {
        let Some(current) = mirror.revision() else { return Ok(()) };
        let (place, confirmation) = file::paths(&self.folder);
        let saved = self.lock().saved.clone();
        if let Some((saved, sum, cluster)) = saved
            && (saved.revision, cluster) == (current.revision, current.cluster)
        {
            if saved.confirmed_at < current.confirmed_at {
                file::confirm(&confirmation, &sum, current.confirmed_at)?;
                self.remember(current.revision, current.confirmed_at, sum, cluster);
            }
            return Ok(());
        }
        let Some(snapshot) = mirror.snapshot() else { return Ok(()) };
        if let Some(sum) = file::save(&place, config, &snapshot)? {
            let of = snapshot.of;
            self.remember(of.revision, of.confirmed_at, sum, of.cluster);
        }
        Ok(())
    }

    fn remember(&self, revision: u64, confirmed_at: SystemTime, sum: String, cluster: u64) {
        self.lock().saved = Some((SavedCopy { revision, confirmed_at }, sum, cluster));
    }
}

// === impl Copier ===

impl Copier {
    /// Starts the thread, which copies at once and then again and again.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub(in crate::store::etcd) fn start(
        target: Arc<CopyTarget>,
        config: Arc<EtcdConfig>,
        mirror: Arc<Mirror>,
    ) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let run = move || {
            loop {
                let begun = Instant::now();
                target.note(&target.update(&config, &mirror));
                let pause = INTERVAL.max(begun.elapsed().saturating_mul(REST));
                if stopped.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
                    target.note(&target.update(&config, &mirror));
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name("facts-copy".to_owned()).spawn(run)?;
        Ok(Self { stop, thread })
    }

    /// Copies once more, and ends the thread.
    pub(in crate::store::etcd) fn stop(self) {
        // It has ended if nobody listens.
        let _ = self.stop.send(());
        let _ = self.thread.join();
    }
}
