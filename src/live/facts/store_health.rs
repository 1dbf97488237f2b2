//! The presence of a store as the writer of facts watches over it.

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

/// How often to look whether the store is still there while nothing is written.
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
                }
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
    }

    /// Takes note of whether a store that others write to is reached.
    pub(super) fn set_disconnection(&self, cut_off: Option<Lapse>) {
        self.staleness.set_store(cut_off.clone());
        let lost = self.contact.load().lost.clone();
        self.contact.store(Arc::new(StoreHealth { cut_off, lost }));
    }

    /// Takes note of whether what was committed is still where it is kept, by what the store said
    /// last; a change is logged once.
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
