//! Progress of long work, shown on a terminal.

use std::{
    cell::Cell,
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};

/// The time after which progress is shown.
const PATIENCE: Duration = Duration::from_millis(500);

/// Does the work, and shows a spinner with `what` on a terminal if it takes long.
pub(super) fn during<T>(what: &'static str, work: impl FnOnce() -> T) -> T {
    let (done, ended) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            if ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                let progress = ProgressBar::new_spinner().with_message(what);
                progress.enable_steady_tick(Duration::from_millis(120));
                // Ends when the sender is gone, even if the work panics.
                let _ = ended.recv();
                progress.finish_and_clear();
            }
        });
        let result = work();
        drop(done);
        result
    })
}

/// A counter of processed records or lines, shown on a terminal.
pub(super) struct RecordCounter {
    bar: ProgressBar,
    since_shown: Cell<u64>,
}

/// The number of items between two updates.
const SHOWN_EVERY: u64 = 1000;

impl RecordCounter {
    pub(super) fn new(what: &'static str) -> Self {
        let bar = ProgressBar::new_spinner();
        let style = ProgressStyle::with_template("{spinner} {pos} {msg} {per_sec} {elapsed}");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar.set_message(what);
        Self { bar, since_shown: Cell::new(0) }
    }

    pub(super) fn increment(&self) {
        let since = self.since_shown.get() + 1;
        if since < SHOWN_EVERY {
            self.since_shown.set(since);
        } else {
            self.bar.inc(since);
            self.since_shown.set(0);
        }
    }
}

impl Drop for RecordCounter {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
