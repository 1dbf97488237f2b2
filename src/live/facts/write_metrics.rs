//! The metrics of writes: the durations of commits, and whether the writer runs.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

/// The counters of writes.
#[derive(Default, Debug)]
pub struct WriteMetrics {
    is_writer_gone: AtomicBool,
    /// The number of commits in each bucket; last, those above all bounds.
    commits: [AtomicU64; COMMIT_TIME_BOUNDS.len() + 1],
    nanoseconds: AtomicU64,
}

/// The upper bounds of the buckets of commit durations, in seconds.
pub const COMMIT_TIME_BOUNDS: [f64; 11] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0];

/// A histogram of commit durations.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct CommitTimes {
    /// The number of commits in each bucket; last, those above all bounds.
    pub counts: [u64; COMMIT_TIME_BOUNDS.len() + 1],
    /// The sum of all durations, in seconds.
    pub sum: f64,
}

impl WriteMetrics {
    /// The durations of commits so far, including failed ones.
    pub fn commit_times(&self) -> CommitTimes {
        let mut counts = [0; COMMIT_TIME_BOUNDS.len() + 1];
        for (count, commits) in counts.iter_mut().zip(&self.commits) {
            *count = commits.load(Ordering::Relaxed);
        }
        let sum = Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed)).as_secs_f64();
        CommitTimes { counts, sum }
    }

    pub(super) fn record_commit(&self, took: Duration) {
        let seconds = took.as_secs_f64();
        let at = COMMIT_TIME_BOUNDS
            .iter()
            .position(|&bound| seconds <= bound)
            .unwrap_or(COMMIT_TIME_BOUNDS.len());
        if let Some(commits) = self.commits.get(at) {
            commits.fetch_add(1, Ordering::Relaxed);
        }
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    pub(super) fn set_writer_gone(&self) {
        self.is_writer_gone.store(true, Ordering::Release);
    }

    pub(super) fn is_writer_gone(&self) -> bool {
        self.is_writer_gone.load(Ordering::Acquire)
    }
}
