//! The signals that the daemon takes: to stop, and to reload.

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

use super::Exit;

/// Signals from the time on when they were asked for, also those that nobody waited for yet.
///
/// They are asked for before anything else is done: a process with the number 1 never gets those that
/// it did not ask for, and others die of them in the middle of what they are at.
#[derive(Debug)]
pub(super) struct Signals {
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
}

/// What a signal means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum SignalRequest {
    /// The name of the signal.
    Stop(&'static str),
    Reload,
}

/// How long a start that is told to stop may go on until it comes to an end by itself.
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

    /// The next signal. May be cancelled.
    pub(super) async fn next(&mut self) -> SignalRequest {
        tokio::select! {
            name = stop(&mut self.terminate, &mut self.interrupt) => SignalRequest::Stop(name),
            _ = self.hangup.recv() => SignalRequest::Reload,
        }
    }

    /// Waits until the process is told to stop; by which signal. Others wait meanwhile. May be cancelled.
    pub(super) async fn stop(&mut self) -> &'static str {
        stop(&mut self.terminate, &mut self.interrupt).await
    }

    /// Has the process end if it is told to stop before [`StartupSignals::started`]: by itself if it comes to
    /// that within a moment, else wherever it is, since nothing is at work for anybody yet.
    pub(super) fn while_starting(mut self, runtime: &Runtime) -> StartupSignals {
        let (started, is_started) = oneshot::channel();
        let is_stopped = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&is_stopped);
        let at_exit = AtExit::default();
        let work = Arc::clone(&at_exit);
        let watching = runtime.spawn(async move {
            tokio::select! {
                biased;
                _ = is_started => self,
                name = self.stop() => {
                    info!("told to stop by {name}, while starting");
                    told.store(true, Ordering::Release);
                    sleep(GRACE).await;
                    let work = work.lock().unwrap_or_else(PoisonError::into_inner).take();
                    if let Some(work) = work {
                        // However that ends, nobody is served yet.
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
    // They end only with the runtime.
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}

/// What is to be done before a start is ended wherever it is.
type AtExit = Arc<Mutex<Option<Box<dyn FnOnce() + Send>>>>;

/// A start that can be told to stop.
pub(super) struct StartupSignals {
    started: oneshot::Sender<()>,
    is_stopped: Arc<AtomicBool>,
    at_exit: AtExit,
    watching: JoinHandle<Signals>,
}

impl StartupSignals {
    /// Whether it was told to stop.
    pub(super) fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::Acquire)
    }

    /// Has this done before the start is ended wherever it is.
    pub(super) fn at_exit(&self, work: impl FnOnce() + Send + 'static) {
        *self.at_exit.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(work));
    }

    /// The signals, for what comes after the start.
    pub(super) fn started(self, runtime: &Runtime) -> Result<Signals> {
        let _ = self.started.send(());
        Ok(runtime.block_on(self.watching)?)
    }
}
