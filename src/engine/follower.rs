//! The threads that follow a policy's files for an engine.

use std::{
    io,
    sync::{
        Arc,
        mpsc::{self, Receiver, Sender},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use tokio::sync::oneshot;

use crate::live::{LatestReload, Live, Timekeeper, Trigger, Watch};

/// The threads that follow the files, one that waits for changes and one that compiles, and the thread that
/// follows the time. Dropping it ends all.
pub(super) struct Follower {
    stop: Option<oneshot::Sender<()>>,
    threads: Vec<JoinHandle<()>>,
    _timekeeper: Timekeeper,
}

/// The pause before files that can't be read are tried again.
const RETRY: Duration = Duration::from_secs(1);

// === impl Follower ===

impl Follower {
    /// Starts the threads.
    ///
    /// # Errors
    /// If one of them can't be started.
    pub(super) fn start(
        watch: Watch,
        live: Arc<Live>,
        on_reload: impl Fn(&LatestReload) + Send + 'static,
    ) -> io::Result<Self> {
        let (stop, stopped) = oneshot::channel();
        let (trigger, triggers) = mpsc::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let timekeeper = Timekeeper::start(&live)?;
        let mut follower = Self { stop: Some(stop), threads: Vec::new(), _timekeeper: timekeeper };
        let waiting = move || runtime.block_on(forward_changes(watch, stopped, trigger));
        follower.spawn("policy-watch", waiting)?;
        follower.spawn("policy-reload", move || run_reloads(&live, &triggers, on_reload))?;
        Ok(follower)
    }

    fn spawn(&mut self, name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
        self.threads.push(thread::Builder::new().name(name.to_owned()).spawn(run)?);
        Ok(())
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        drop(self.stop.take());
        for thread in self.threads.drain(..) {
            // The panic hook reported a panic of the thread already.
            let _ = thread.join();
        }
    }
}

async fn forward_changes(
    mut watch: Watch,
    mut stopped: oneshot::Receiver<()>,
    trigger: Sender<Trigger>,
) {
    loop {
        tokio::select! {
            () = watch.changed() => {}
            _ = &mut stopped => return,
        }
        if trigger.send(Trigger::Changed).is_err() {
            return;
        }
    }
}

fn run_reloads(live: &Live, triggers: &Receiver<Trigger>, on_reload: impl Fn(&LatestReload)) {
    live.run_reloads(triggers, RETRY, |_, _| on_reload(&live.reloads().latest));
}
