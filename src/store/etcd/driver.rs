//! The thread that drives connections to etcd.

use std::{io, thread};

use tokio::{
    runtime::{Builder, Handle},
    sync::oneshot,
};

/// A thread that drives connections until this is dropped.
#[derive(Debug)]
pub(super) struct Driver {
    handle: Handle,
    /// Dropping it ends the thread.
    _stop: oneshot::Sender<()>,
}

impl Driver {
    /// # Errors
    /// If the system gives no thread.
    pub(super) fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel::<()>();
        thread::Builder::new().name("etcd".to_owned()).spawn(move || {
            // A message and the sender's end mean the same.
            let _ = runtime.block_on(stopped);
        })?;
        Ok(Self { handle, _stop: stop })
    }

    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Waits for a future on the calling thread, which must not be running one already.
    pub(super) fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.handle.block_on(future)
    }
}
