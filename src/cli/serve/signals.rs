//! The signals that stop and reload the daemon.

use std::{
    io,
    process::exit,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::Result;
use tokio::{
    runtime::Runtime,
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
    task::{JoinHandle, spawn_blocking},
    time::{sleep, timeout},
};
use tracing::info;

use crate::cli::Exit;

/// The registered signals, including those that arrived before anything waited for them.
///
/// They are registered before all other work: process 1 never gets signals without a handler, and other
/// processes are killed by them.
#[derive(Debug)]
pub(super) struct Signals {
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
}

/// The request of a signal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum SignalRequest {
    /// The name of the signal.
    Stop(&'static str),
    Reload,
}

/// The time in which a start that is stopped may end by itself.
const GRACE: Duration = Duration::from_secs(1);

impl Signals {
    pub(super) fn listen(runtime: &Runtime) -> io::Result<Self> {
        let _runtime = runtime.enter();
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// The next signal. Cancel safe.
    pub(super) async fn next(&mut self) -> SignalRequest {
        tokio::select! {
            name = stop(&mut self.terminate, &mut self.interrupt) => SignalRequest::Stop(name),
            _ = self.hangup.recv() => SignalRequest::Reload,
        }
    }

    /// The name of the next signal to stop; other signals stay pending. Cancel safe.
    pub(super) async fn stop(&mut self) -> &'static str {
        stop(&mut self.terminate, &mut self.interrupt).await
    }

    /// Ends the process if it gets a signal to stop before [`StartupSignals::started`]: the start may end by
    /// itself within [`GRACE`], else it is aborted, since no client is served yet.
    pub(super) fn while_starting(mut self, runtime: &Runtime) -> StartupSignals {
        let (started, is_started) = oneshot::channel();
        let is_stopped = Arc::new(AtomicBool::new(false));
        let stop_flag = Arc::clone(&is_stopped);
        let at_exit = AtExit::default();
        let work = Arc::clone(&at_exit);
        let watching = runtime.spawn(async move {
            tokio::select! {
                biased;
                _ = is_started => self,
                name = self.stop() => {
                    info!("stopping on {name} during the start");
                    stop_flag.store(true, Ordering::Release);
                    sleep(GRACE).await;
                    let work = work.lock().unwrap_or_else(PoisonError::into_inner).take();
                    if let Some(work) = work {
                        // Its result does not matter: no client is served yet.
                        let _ = timeout(GRACE, spawn_blocking(work)).await;
                    }
                    exit(Exit::Success as i32)
                }
            }
        });
        StartupSignals { started, is_stopped, at_exit, watching }
    }
}

async fn stop(terminate: &mut Signal, interrupt: &mut Signal) -> &'static str {
    // The streams of signals end only with the runtime.
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}

/// The work to do before a start is aborted.
type AtExit = Arc<Mutex<Option<Box<dyn FnOnce() + Send>>>>;

/// A start that signals can stop.
pub(super) struct StartupSignals {
    started: oneshot::Sender<()>,
    is_stopped: Arc<AtomicBool>,
    at_exit: AtExit,
    watching: JoinHandle<Signals>,
}

impl StartupSignals {
    /// Whether a signal stopped the start.
    pub(super) fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::Acquire)
    }

    /// Registers work to do before the start is aborted.
    pub(super) fn at_exit(&self, work: impl FnOnce() + Send + 'static) {
        *self.at_exit.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(work));
    }

    /// Ends the start, and returns the signals for the running daemon.
    pub(super) fn started(self, runtime: &Runtime) -> Result<Signals> {
        let _ = self.started.send(());
        Ok(runtime.block_on(self.watching)?)
    }
}
