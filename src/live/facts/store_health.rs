//! Health checks of the store by the writer of facts.

use std::{
    sync::{Arc, mpsc::RecvTimeoutError},
    time::Duration,
};

use tracing::{error, info};

use super::{
    handle::{StoreHealth, WriterMessage},
    writer::Writer,
};
use crate::{live::Lapse, store::StoreError};

/// The interval between checks of the store while nothing is written.
const LOOK_EVERY: Duration = Duration::from_secs(1);

impl Writer {
    /// Waits for the next message; `None` if all senders are gone.
    pub(super) fn next_message(&mut self) -> Option<WriterMessage> {
        loop {
            if let Some(message) = self.waiting.pop_front() {
                return Some(message);
            }
            match self.inbox.recv_timeout(LOOK_EVERY) {
                Ok(message) => return Some(message),
                Err(RecvTimeoutError::Timeout) => {
                    let found = self.store.verify();
                    self.update_health(found.err().as_ref());
                    if self.contact.load().cut_off.is_none() {
                        self.history_sweeper.sweep(&*self.store, self.clock.now());
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
    }

    /// Updates whether a shared store can be reached.
    pub(super) fn set_disconnection(&self, cut_off: Option<Lapse>) {
        self.staleness.set_store(cut_off.clone());
        let lost = self.contact.load().lost.clone();
        self.contact.store(Arc::new(StoreHealth { cut_off, lost }));
    }

    /// Updates the health by the last error of the store, `None` if the last operation succeeded; a
    /// change is logged once.
    pub(super) fn update_health(&self, error: Option<&StoreError>) {
        let lost = error.filter(|error| matches!(error, StoreError::Lost { .. }));
        let lost = lost.map(StoreError::to_string);
        let contact = self.contact.load();
        if contact.lost == lost {
            return;
        }
        if let Some(why) = &lost {
            error!(why, "the store is lost: facts can't be written");
        } else {
            info!("the store is in its place again");
        }
        let cut_off = contact.cut_off.clone();
        self.contact.store(Arc::new(StoreHealth { cut_off, lost }));
    }
}
