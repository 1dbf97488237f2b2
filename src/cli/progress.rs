use std::{
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use indicatif::ProgressBar;

/// How long work may take before anything is shown of it.
const PATIENCE: Duration = Duration::from_millis(500);

/// Does the work; on a terminal, shows what it is at if that takes long. What is piped gets nothing.
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
