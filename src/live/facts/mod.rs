//! Facts as they change: one writer thread, which plans, commits, and has the view follow.

mod batch_plan;
mod idempotency;
mod pending_requests;
mod planning_view;
mod read;
mod records;
mod shadowed;
mod store_events;
mod store_health;
mod write_metrics;
mod writer;

pub use idempotency::IdempotencyKey;
pub use read::ReadError;
pub(super) use records::InitialLoad;
pub use records::StoreRecords;
pub use shadowed::ShadowedEntry;
pub use write_metrics::{COMMIT_TIME_BOUNDS, CommitTimes, WriteMetrics};
pub use writer::Journal;
pub(super) use writer::Writer;

use std::{
    ops::ControlFlow,
    path::Path,
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use tokio::sync::{oneshot, watch};

use super::ServedPolicy;
use crate::{
    compile::Declarations,
    facts::{Authority, Command, CommandError, CommandOutcome, Record, RecordKey},
    snapshot::View,
    store::{BackupReport, OpeningReport, Store, StoreError},
};

/// A batch of commands to be carried out.
#[derive(Clone, Debug)]
pub struct WriteBatch {
    pub commands: Vec<Command>,
    /// Whose word those are that are on nobody's behalf.
    pub authority: Authority,
    /// Whether each is for itself: what is refused is left out, and the rest is committed together.
    /// Otherwise the batch takes effect whole or not at all.
    pub each: bool,
    /// What the revision of the facts must be.
    pub if_revision: Option<u64>,
    /// Sent again under the same key, it takes effect once.
    pub idempotency_key: Option<IdempotencyKey>,
}

/// What came of a batch.
#[derive(Clone, PartialEq, Debug)]
pub enum WriteOutcome {
    /// It took effect: the revision since which it does, and the outcome of each command.
    Done { revision: u64, outcomes: Vec<CommandOutcome> },
    /// Of a batch in which each is for itself: what came of each command.
    Each { revision: u64, outcomes: Vec<Result<CommandOutcome, CommandError>> },
    /// It took effect before, under the same idempotency key: the outcomes that were answered then.
    Replayed { revision: u64, outcomes: serde_json::Value },
    /// A command was refused, so that none took effect.
    Refused { revision: u64, at: usize, refusal: CommandError },
    /// The facts are not of the revision that was asked for.
    OtherRevision { revision: u64 },
    /// The idempotency key was sent with another batch before.
    KeyReused { revision: u64 },
}

/// Why a batch was not carried out.
#[derive(Debug, Clone, thiserror::Error)]
pub enum WriteError {
    #[error("facts are not kept: start the daemon with --store")]
    NoStore,
    #[error("{0}")]
    Store(String),
    /// No store of this kind takes so much at once.
    #[error("{0}")]
    TooLarge(String),
    /// It may have taken effect all the same.
    #[error("{0}")]
    InDoubt(String),
    /// It took effect at a revision, and is not seen by decisions yet.
    #[error(
        "the batch took effect at revision {0}, but it has not come back from the store yet, so that \
         decisions here don't see it; send Peerage-At-Least"
    )]
    NotServed(u64),
    #[error("others write the same all the time; try again")]
    Contended,
    /// Others changed what it is about, and the store has not told what.
    #[error("the store has not told yet what others wrote; try again")]
    Behind,
    /// It was not carried out.
    #[error(
        "the batch could not be planned, by a mistake in peerage itself; nothing of it took effect"
    )]
    Panicked,
    #[error("facts can't be written any more since their writer failed; restart the daemon")]
    Gone,
}

impl From<StoreError> for WriteError {
    fn from(error: StoreError) -> Self {
        let text = error.to_string();
        match error {
            StoreError::TooLarge { .. } => Self::TooLarge(text),
            error if error.is_in_doubt() => Self::InDoubt(text),
            _ => Self::Store(text),
        }
    }
}

/// Where to send what is to be written, and what is known of the store.
#[derive(Debug)]
pub struct FactsHandle {
    pub store: Arc<dyn Store>,
    inbox: mpsc::Sender<WriterMessage>,
    /// The revision of the facts that are served.
    served_revision: watch::Receiver<u64>,
    contact: Arc<ArcSwap<StoreHealth>>,
    meter: Arc<WriteMetrics>,
}

/// Whether the store can be reached.
#[derive(Clone, Debug, Default)]
pub struct StoreHealth {
    /// Since when not, and why.
    pub cut_off: Option<(Instant, String)>,
    /// Why what was committed may be gone, if it may.
    pub lost: Option<String>,
}

/// How long to wait for what another daemon is said to have written.
const NEWS_TIMEOUT: Duration = Duration::from_secs(3);

/// What the writer is told.
enum WriterMessage {
    Write {
        batch: WriteBatch,
        reply: oneshot::Sender<Result<WriteOutcome, WriteError>>,
    },
    Event(crate::store::StoreEvent),
    /// A reload begins: what changes from now on is noted. What is served is told.
    BeginReload {
        reply: mpsc::Sender<Arc<ServedPolicy>>,
    },
    /// A reload ends, with what is to be served if that is another policy.
    EndReload {
        swap: Option<Box<(View, Arc<Declarations>)>>,
        reply: mpsc::Sender<Option<Arc<ServedPolicy>>>,
    },
    /// Nobody is there any longer who could ask for anything.
    Stop,
}

impl Drop for FactsHandle {
    fn drop(&mut self) {
        // It may be gone already. The one who watches the store holds a sender too.
        let _ = self.inbox.send(WriterMessage::Stop);
    }
}

impl FactsHandle {
    /// Carries a batch out. It is durable, and seen by every decision from then on, when this
    /// returns.
    ///
    /// # Errors
    /// If the store did not take it.
    pub async fn write(&self, batch: WriteBatch) -> Result<WriteOutcome, WriteError> {
        if let Some(wanted) = batch.if_revision.filter(|_| self.store.is_shared()) {
            // Of a revision that another daemon told, this one may not have heard yet.
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

    /// Copies all that is kept into a new file, while it goes on.
    ///
    /// # Errors
    /// If the store makes no backups, there is such a file, or it can't be written.
    pub fn backup(&self, to: &Path) -> Result<BackupReport, StoreError> {
        self.store.backup(to)
    }

    /// Calls `begin` with a revision, and then `each` with every record of it, until it breaks off.
    ///
    /// # Errors
    /// If they can't be read.
    pub fn export(
        &self,
        begin: &mut dyn FnMut(u64),
        each: &mut dyn FnMut(&RecordKey, &Record) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.store.export(begin, &mut |entry| each(&entry.key, &entry.record))
    }

    /// What was counted of the writing.
    pub fn metrics(&self) -> &WriteMetrics {
        &self.meter
    }

    /// Waits until facts of this revision or a later one are served, for as long as told; whether
    /// they are.
    pub async fn wait_for_revision(&self, revision: u64, patience: Duration) -> bool {
        let mut seen = self.served_revision.clone();
        let reached = seen.wait_for(|&seen| seen >= revision);
        tokio::time::timeout(patience, reached).await.is_ok_and(|reached| reached.is_ok())
    }

    /// Why facts can't be written until somebody mends that; `None` if they can be.
    pub fn write_obstacle(&self) -> Option<String> {
        let gone = (!self.is_writable()).then(|| WriteError::Gone.to_string());
        gone.or_else(|| self.data_loss())
    }

    /// Why what was committed may be gone from the store; `None` if it is there.
    pub fn data_loss(&self) -> Option<String> {
        self.contact.load().lost.clone()
    }

    /// What opening the store found out and put right.
    pub fn opening(&self) -> OpeningReport {
        self.store.opening()
    }

    /// Since when the store has not been reached, and why; `None` if it is.
    pub fn disconnection(&self) -> Option<(Instant, String)> {
        self.contact.load().cut_off.clone()
    }

    /// Begins to note what changes; what is served. `None` if the writer is gone.
    pub(super) fn begin_reload(&self) -> Option<Arc<ServedPolicy>> {
        let (reply, answer) = mpsc::channel();
        self.inbox.send(WriterMessage::BeginReload { reply }).ok()?;
        answer.recv().ok()
    }

    /// Serves a policy, if there is another, with all that changed since [`begin`](Self::begin_reload).
    /// What was served before, then.
    pub(super) fn end_reload(
        &self,
        swap: Option<(View, Arc<Declarations>)>,
    ) -> Option<Arc<ServedPolicy>> {
        let (reply, answer) = mpsc::channel();
        let swap = swap.map(Box::new);
        self.inbox.send(WriterMessage::EndReload { swap, reply }).ok()?;
        answer.recv().ok()?
    }
}
