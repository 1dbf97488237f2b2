//! The policy being served: one view with its revision.

use std::{
    convert::Infallible,
    sync::{Arc, OnceLock, mpsc},
    time::SystemTime,
};

use crate::{compile::Declarations, snapshot::View};

/// A view as it is being served.
#[derive(Debug)]
pub struct ServedPolicy {
    pub view: View,
    /// The declarations of the files, which facts can't change; present if there are facts.
    pub declarations: Option<Arc<Declarations>>,
    /// The revision as text, since every response carries it.
    pub revision: String,
    /// The number of the view, which grows with each that is served; 0 before it is.
    pub number: u64,
    /// When serving it began.
    pub since: SystemTime,
    /// Dropped with the policy. The last field, so that the others are dropped before.
    release: OnceLock<mpsc::Sender<Infallible>>,
}

impl ServedPolicy {
    pub(super) fn new(view: View, declarations: Option<Arc<Declarations>>) -> Self {
        let (revision, since) = (view.revision.to_string(), SystemTime::now());
        Self { view, declarations, revision, number: 0, since, release: OnceLock::new() }
    }

    /// A channel without messages, which disconnects when the policy is dropped: once its last reader is
    /// done. Only the first call gets one; for later ones it is disconnected already.
    pub(super) fn release_signal(&self) -> mpsc::Receiver<Infallible> {
        let (sender, receiver) = mpsc::channel();
        // A sender that is not taken is dropped here.
        let _ = self.release.set(sender);
        receiver
    }
}
