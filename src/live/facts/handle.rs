//! The handle to write facts and to read the state of their store.

use std::{
    ops::ControlFlow,
    path::Path,
    sync::{Arc, mpsc},
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::sync::{oneshot, watch};

use super::{
    batch::{WriteBatch, WriteReply},
    history::HistoryRetention,
    write_metrics::WriteMetrics,
};
use crate::{
    compile::Declarations,
    facts::{HistoryPage, HistoryQuery, WriteError},
    live::{Lapse, ServedPolicy},
    request::Moment,
    snapshot::{Concerned, View},
    store::{BackupReport, CopyStatus, OpeningReport, Store, StoreError},
};

/// The handle of the writer and its store.
#[derive(Debug)]
pub struct FactsHandle {
    pub store: Arc<dyn Store>,
    pub(super) inbox: mpsc::Sender<WriterMessage>,
    /// The revision of the facts that are served.
    pub(super) served_revision: watch::Receiver<u64>,
    pub(super) contact: Arc<ArcSwap<StoreHealth>>,
    pub(super) meter: Arc<WriteMetrics>,
    pub(super) history: HistoryRetention,
}

/// Whether the store can be reached.
#[derive(Clone, Debug, Default)]
pub struct StoreHealth {
    /// The lapse while the store can't be reached; `None` while it can.
    pub cut_off: Option<Lapse>,
    /// The reason why committed data may be lost, if it may.
    pub lost: Option<String>,
}

/// The longest wait for a write of another daemon to arrive.
pub(super) const NEWS_TIMEOUT: Duration = Duration::from_secs(3);

/// What a reload puts in the place of the served policy.
pub(in crate::live) struct ReloadedView {
    pub(in crate::live) view: View,
    pub(in crate::live) declarations: Arc<Declarations>,
    /// Those whose answers may differ from those of the policy that was served when the reload began.
    pub(in crate::live) concerned: Concerned,
}

/// A message to the writer.
pub(super) enum WriterMessage {
    Write {
        batch: WriteBatch,
        reply: oneshot::Sender<Result<WriteReply, WriteError>>,
    },
    Event(crate::store::StoreEvent),
    /// A reload begins: changes are journaled from now on. The reply is the served policy.
    BeginReload {
        reply: mpsc::Sender<Arc<ServedPolicy>>,
    },
    /// A reload ends, with the new policy if it differs from the served one. The reply is the replaced
    /// policy.
    EndReload {
        swap: Option<Box<ReloadedView>>,
        reply: mpsc::Sender<Option<Arc<ServedPolicy>>>,
    },
    /// The view is to advance to this moment. The reply comes once it has.
    Advance {
        now: Moment,
        reply: mpsc::Sender<()>,
    },
    /// The handle is gone.
    Stop,
}

impl Drop for FactsHandle {
    fn drop(&mut self) {
        // The writer may have stopped already. Without the message it would not stop: the store's watcher
        // holds a sender too.
        let _ = self.inbox.send(WriterMessage::Stop);
    }
}

impl FactsHandle {
    /// Carries a batch out. It is durable, and seen by every decision from then on, when this
    /// returns.
    ///
    /// # Errors
    /// If the store did not take it.
    pub async fn write(&self, batch: WriteBatch) -> Result<WriteReply, WriteError> {
        if let Some(wanted) = batch.if_revision.filter(|_| self.store.is_shared()) {
            // Another daemon may have written that revision: it may not have arrived here yet.
            self.wait_for_revision(wanted, NEWS_TIMEOUT).await;
        }
        let (reply, answer) = oneshot::channel();
        let sent = self.inbox.send(WriterMessage::Write { batch, reply });
        sent.map_err(|_| WriteError::Gone)?;
        let lost = "their writer failed; whether the batch took effect is not known";
        answer.await.map_err(|_| WriteError::InDoubt(lost.to_owned()))?
    }

    /// Whether facts can be written, as far as the daemon itself is concerned.
    pub fn is_writable(&self) -> bool {
        !self.meter.is_writer_gone()
    }

    /// The kind of the store: one stable word.
    pub fn kind(&self) -> &'static str {
        self.store.kind()
    }

    /// Copies the store into a new file, while it stays in use.
    ///
    /// # Errors
    /// If the store makes no backups, there is such a file, or it can't be written.
    pub fn backup(&self, to: &Path) -> Result<BackupReport, StoreError> {
        self.store.backup(to)
    }

    /// Calls `begin` with a revision, and then `each` with the line of every record of it and of every
    /// entry of the history, until it breaks off.
    ///
    /// # Errors
    /// If they can't be read.
    pub fn export(
        &self,
        begin: &mut dyn FnMut(u64),
        each: &mut dyn FnMut(&str) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.store.export(begin, &mut |item| match item.into_line() {
            Some(line) => each(&line),
            None => ControlFlow::Continue(()),
        })
    }

    /// A page of the history, without what is older than it is kept for.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn history(&self, query: HistoryQuery, now: Moment) -> Result<HistoryPage, StoreError> {
        match self.history.oldest(now) {
            Some(oldest) => {
                self.store.history(&HistoryQuery { since: query.since.max(oldest), ..query })
            }
            None => Ok(HistoryPage::default()),
        }
    }

    /// The metrics of writes.
    pub fn metrics(&self) -> &WriteMetrics {
        &self.meter
    }

    /// Waits until facts of this revision or a later one are served, `patience` at most; returns whether
    /// they are.
    pub async fn wait_for_revision(&self, revision: u64, patience: Duration) -> bool {
        let mut seen = self.served_revision.clone();
        let reached = seen.wait_for(|&seen| seen >= revision);
        tokio::time::timeout(patience, reached).await.is_ok_and(|reached| reached.is_ok())
    }

    /// The reason why facts can't be written until an operator acts; `None` if they can be.
    pub fn write_obstacle(&self) -> Option<String> {
        let gone = (!self.is_writable()).then(|| WriteError::Gone.to_string());
        gone.or_else(|| self.data_loss())
    }

    /// The reason why committed data may be lost; `None` if it is not.
    pub fn data_loss(&self) -> Option<String> {
        self.contact.load().lost.clone()
    }

    /// The report on opening the store: the faults that were repaired.
    pub fn opening(&self) -> OpeningReport {
        self.store.opening()
    }

    /// The status of the copy of a remote store, if one is kept.
    pub fn copy(&self) -> Option<CopyStatus> {
        self.store.copy()
    }

    /// The lapse while the store can't be reached; `None` while it can.
    pub fn disconnection(&self) -> Option<Lapse> {
        self.contact.load().cut_off.clone()
    }

    /// Starts to journal changes, and returns the served policy. `None` if the writer is gone.
    pub(in crate::live) fn begin_reload(&self) -> Option<Arc<ServedPolicy>> {
        let (reply, answer) = mpsc::channel();
        self.inbox.send(WriterMessage::BeginReload { reply }).ok()?;
        answer.recv().ok()
    }

    /// Advances the served view to this moment; returns whether the writer could.
    pub(in crate::live) fn advance(&self, now: Moment) -> bool {
        let (reply, answer) = mpsc::channel();
        let sent = self.inbox.send(WriterMessage::Advance { now, reply });
        sent.is_ok() && answer.recv().is_ok()
    }

    /// Serves the new policy, if there is one, with all changes since [`begin`](Self::begin_reload).
    /// Returns the replaced policy then.
    pub(in crate::live) fn end_reload(
        &self,
        swap: Option<ReloadedView>,
    ) -> Option<Arc<ServedPolicy>> {
        let (reply, answer) = mpsc::channel();
        let swap = swap.map(Box::new);
        self.inbox.send(WriterMessage::EndReload { swap, reply }).ok()?;
        answer.recv().ok()?
    }
}
