//! The thread that advances the served view as time passes.

use std::{
    io,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use super::Live;

/// The thread that serves what ends or holds at times as of the present moment, within a second. Dropping it
/// ends the thread.
#[derive(Debug)]
pub struct Timekeeper {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// The longest wait while anything lies ahead: the wall clock may be set meanwhile, and a process may be
/// suspended.
const LONGEST_WAIT: Duration = Duration::from_millis(500);

/// The pause after a failure, such as of the store, before the next attempt.
const RETRY: Duration = Duration::from_secs(1);

impl Timekeeper {
    /// Starts the thread for a policy. It ends with the policy too.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn start(live: &Arc<Live>) -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let (policy, stopped) = (Arc::downgrade(live), Arc::clone(&stop));
        let run = move || keep_time(&policy, &stopped);
        let thread = thread::Builder::new().name("time".to_owned()).spawn(run)?;
        live.served.set_timekeeper(thread.thread().clone());
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Timekeeper {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // The panic hook reported a panic of the thread already.
            let _ = thread.join();
        }
    }
}

fn keep_time(live: &Weak<Live>, stop: &AtomicBool) {
    loop {
        let Some(live) = live.upgrade() else { return };
        if stop.load(Ordering::Acquire) {
            return;
        }
        let is_current = live.keep_time();
        let next = live.next_change();
        drop(live);
        match next {
            _ if !is_current => thread::park_timeout(RETRY),
            Some(wait) => thread::park_timeout(wait.min(LONGEST_WAIT)),
            // Woken by each change of the view.
            None => thread::park(),
        }
    }
}
