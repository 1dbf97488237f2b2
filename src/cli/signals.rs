//! The signals that the daemon takes: to stop, and to reload.

use std::{
    io,
    process::exit,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::Result;
use tokio::{
    runtime::Runtime,
    signal::unix::{Signal, SignalKind, signal},
    sync::oneshot,
    task::JoinHandle,
    time::sleep,
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
pub(super) enum Signalled {
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
    pub(super) async fn next(&mut self) -> Signalled {
        tokio::select! {
            name = stop(&mut self.terminate, &mut self.interrupt) => Signalled::Stop(name),
            _ = self.hangup.recv() => Signalled::Reload,
        }
    }

    /// Waits until the process is told to stop; by which signal. Others wait meanwhile. May be cancelled.
    pub(super) async fn stop(&mut self) -> &'static str {
        stop(&mut self.terminate, &mut self.interrupt).await
    }

    /// Has the process end if it is told to stop before [`Starting::started`]: by itself if it comes to
    /// that within a moment, else wherever it is, since nothing is at work for anybody yet.
    pub(super) fn while_starting(mut self, runtime: &Runtime) -> Starting {
        let (started, is_started) = oneshot::channel();
        let is_stopped = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&is_stopped);
        let watching = runtime.spawn(async move {
            tokio::select! {
                biased;
                _ = is_started => self,
                name = self.stop() => {
                    info!("told to stop by {name}, while starting");
                    told.store(true, Ordering::Release);
                    sleep(GRACE).await;
                    exit(Exit::Fine as i32)
                }
            }
        });
        Starting { started, is_stopped, watching }
    }
}

async fn stop(terminate: &mut Signal, interrupt: &mut Signal) -> &'static str {
    // They end only with the runtime.
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}

/// A start that can be told to stop.
#[derive(Debug)]
pub(super) struct Starting {
    started: oneshot::Sender<()>,
    is_stopped: Arc<AtomicBool>,
    watching: JoinHandle<Signals>,
}

impl Starting {
    /// Whether it was told to stop.
    pub(super) fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::Acquire)
    }

    /// The signals, for what comes after the start.
    pub(super) fn started(self, runtime: &Runtime) -> Result<Signals> {
        let _ = self.started.send(());
        Ok(runtime.block_on(self.watching)?)
    }
}
