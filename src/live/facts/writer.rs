//! The single writer of facts: it plans, commits and publishes changes.

use std::{
    collections::{HashMap, VecDeque},
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use tokio::sync::{oneshot, watch};
use tracing::{error, warn};

use super::{
    batch::{WriteBatch, WriteReply},
    batch_plan::{BatchPlan, BatchPlanner},
    ended::{self, SweepPlace},
    handle::{FactsHandle, ReloadedView, StoreHealth, WriterMessage},
    history::{HistoryNumbers, HistoryRetention, HistorySweeper},
    idempotency,
    pending_requests::PendingRequests,
    records::{StoreRecords, UncommittedRecords},
    write_metrics::WriteMetrics,
};
use crate::{
    compile::{self, Advance, Declarations},
    facts::{ChangeSet, RecordChange, RecordKey, WriteError, WriteOutcome},
    live::{
        Clock, ServedPolicy,
        current_view::CurrentView,
        staleness::{Freshness, Lapse, Staleness},
    },
    request::Moment,
    snapshot::{Concerned, View},
    store::{CommitResult, OpenedCopy, Store, StoreError},
};

/// The writer thread's state: while there are facts, only this thread changes the served policy.
pub(in crate::live) struct Writer {
    pub(super) store: Arc<dyn Store>,
    served: Arc<CurrentView>,
    pub(super) inbox: mpsc::Receiver<WriterMessage>,
    /// The messages that came while the writer waited for another.
    pub(super) waiting: VecDeque<WriterMessage>,
    pub(super) view: View,
    /// Those whose answers may differ between the served view and this one.
    pub(super) concerned: Concerned,
    /// The revision of the last known change of the facts.
    pub(super) changed: u64,
    pub(super) declarations: Arc<Declarations>,
    pub(super) requests: PendingRequests,
    /// The changes since a reload began; `None` if none is under way.
    pub(super) journal: Option<Journal>,
    seen: watch::Sender<u64>,
    /// The time of the last sweep of idempotency keys, and the key at which the next one begins.
    swept: Instant,
    sweep_from: Option<RecordKey>,
    history: HistoryNumbers,
    pub(super) history_sweeper: HistorySweeper,
    /// The place at which the next sweep of what has ended begins.
    sweep_ended_from: SweepPlace,
    pub(super) contact: Arc<ArcSwap<StoreHealth>>,
    meter: Arc<WriteMetrics>,
    pub(super) staleness: Arc<Staleness>,
    pub(super) clock: Arc<dyn Clock>,
}

/// Changes of records, in order.
pub type Journal = Vec<RecordChange>;

/// The greatest number of batches in one commit.
const MAX_BATCHES_PER_COMMIT: usize = 256;

/// The greatest number of times that a batch is planned, when other daemons change what it reads.
const MAX_ATTEMPTS: usize = 20;

/// The interval between sweeps of expired idempotency keys.
const SWEEP_EVERY: Duration = Duration::from_secs(10);

/// A batch that was planned.
struct PlannedBatch {
    batch: WriteBatch,
    reply: Reply,
    /// The position of its set in the group; `None` if nothing is to be committed.
    set: Option<usize>,
    /// The reply once all earlier batches are durable.
    result: Result<WriteReply, WriteError>,
}

type Reply = oneshot::Sender<Result<WriteReply, WriteError>>;

/// The options of the writer.
pub(in crate::live) struct WriterOptions {
    pub(in crate::live) staleness: Arc<Staleness>,
    pub(in crate::live) clock: Arc<dyn Clock>,
    pub(in crate::live) history: HistoryRetention,
}

/// Batches that are planned one after the other and committed together.
struct CommitGroup {
    working: View,
    sets: Vec<ChangeSet>,
    /// Whether the commit fails if anything changed since.
    is_exact: bool,
    /// The number of records that they read and write, and of the history's entries.
    records: usize,
    entries: usize,
    changes: Vec<RecordChange>,
    planned: Vec<PlannedBatch>,
}

type PendingWrite = (WriteBatch, Reply);

impl Writer {
    /// Starts the writer thread on the served policy: from now on, it serves each change of the facts.
    ///
    /// # Errors
    /// If no thread can be started.
    pub(in crate::live) fn start(
        store: Arc<dyn Store>,
        served: &Arc<CurrentView>,
        declarations: Arc<Declarations>,
        pending: PendingRequests,
        options: WriterOptions,
    ) -> std::io::Result<FactsHandle> {
        let (send, inbox) = mpsc::channel();
        let view = served.load().view.clone();
        let revision = view.revision.facts;
        let (seen, watching) = watch::channel(revision);
        let copy = store.opening().copy;
        let WriterOptions { staleness, clock, history } = options;
        let cut_off = copy.map(|OpenedCopy { age, why, .. }| Lapse::of_age(age, why));
        staleness.set_store(cut_off.clone());
        let contact = Arc::new(ArcSwap::from_pointee(StoreHealth { cut_off, lost: None }));
        let facts = FactsHandle {
            store: Arc::clone(&store),
            inbox: send.clone(),
            served_revision: watching,
            contact: Arc::clone(&contact),
            meter: Arc::default(),
            history,
        };
        if store.is_shared() {
            let store = Arc::clone(&store);
            thread::Builder::new().name("facts-watch".into()).spawn(move || {
                store.watch(revision, &mut |event| match send.send(WriterMessage::Event(event)) {
                    Ok(()) => std::ops::ControlFlow::Continue(()),
                    Err(_) => std::ops::ControlFlow::Break(()),
                });
            })?;
        }
        let mut writer = Self {
            store,
            served: Arc::clone(served),
            inbox,
            waiting: VecDeque::new(),
            view,
            concerned: Concerned::default(),
            changed: revision,
            declarations,
            requests: pending,
            journal: None,
            seen,
            swept: Instant::now(),
            sweep_from: None,
            history: HistoryNumbers::new(history),
            history_sweeper: HistorySweeper::new(history),
            sweep_ended_from: SweepPlace::default(),
            contact,
            meter: Arc::clone(&facts.meter),
            staleness,
            clock,
        };
        thread::Builder::new().name("facts".into()).spawn(move || {
            if catch_unwind(AssertUnwindSafe(|| writer.run())).is_err() {
                error!("the writer of facts has failed: facts can't be written until a restart");
                writer.meter.set_writer_gone();
                if writer.store.is_shared() {
                    let why = "the writer of facts, which follows the store, has failed";
                    writer.set_disconnection(Some(Lapse::new(why)));
                }
            }
        })?;
        Ok(facts)
    }

    fn run(&mut self) {
        while let Some(message) = self.next_message() {
            match message {
                WriterMessage::Write { batch, reply } => {
                    let mut batches = vec![(batch, reply)];
                    self.collect_batches(&mut batches);
                    self.write(batches);
                }
                WriterMessage::Event(event) => self.handle_event(&event),
                WriterMessage::BeginReload { reply } => {
                    self.journal = Some(Journal::new());
                    // The receiver is dropped only when the daemon stops.
                    let _ = reply.send(self.served.load_full());
                }
                WriterMessage::EndReload { swap, reply } => {
                    let _ = reply.send(self.end_reload(swap));
                }
                WriterMessage::Advance { now, reply } => {
                    self.advance(now);
                    let _ = reply.send(());
                    self.sweep();
                }
                WriterMessage::Stop => return,
            }
        }
    }

    /// Adds the batches that are waiting already, to share one commit.
    fn collect_batches(&mut self, batches: &mut Vec<PendingWrite>) {
        while batches.len() < MAX_BATCHES_PER_COMMIT {
            match self.waiting.pop_front().or_else(|| self.inbox.try_recv().ok()) {
                Some(WriterMessage::Write { batch, reply }) => batches.push((batch, reply)),
                // Events are handled in order: an earlier one must not wait while a commit handles later ones.
                Some(WriterMessage::Event(event)) => self.handle_event(&event),
                Some(other) => return self.waiting.push_front(other),
                None => return,
            }
        }
    }

    /// Ends a reload; returns the replaced policy if there is a new one.
    fn end_reload(&mut self, swap: Option<Box<ReloadedView>>) -> Option<Arc<ServedPolicy>> {
        let journal = self.journal.take().unwrap_or_default();
        let ReloadedView { mut view, declarations, concerned } = *swap?;
        compile::replay_changes(&mut view, &declarations, &journal);
        view.revision.facts = self.view.revision.facts;
        (self.view, self.declarations) = (view, declarations);
        self.concerned.merge(concerned);
        Some(self.publish())
    }

    /// Serves the view as of this moment, if anything ended since.
    fn advance(&mut self, now: Moment) {
        let records = StoreRecords(&*self.store);
        match compile::advance_with_records(&mut self.view, now, &self.declarations, &records) {
            Ok(Advance { has_changed, concerned }) => {
                self.concerned.merge(concerned);
                if has_changed {
                    self.publish();
                }
            }
            Err(error) => error!(%error, "what has ended stays until the facts can be read"),
        }
    }

    /// Serves the current view; returns the replaced policy.
    pub(super) fn publish(&mut self) -> Arc<ServedPolicy> {
        let served = ServedPolicy::new(self.view.clone(), Some(Arc::clone(&self.declarations)));
        let replaced = self.served.swap(served, mem::take(&mut self.concerned));
        self.seen.send_replace(self.view.revision.facts);
        replaced
    }

    /// Carries out batches, and replies to each.
    fn write(&mut self, batches: Vec<PendingWrite>) {
        // Commands are decided as of now.
        self.advance(self.clock.now());
        let mut batches = batches;
        for _ in 0..MAX_ATTEMPTS {
            let Some(again) = self.attempt(batches) else { return };
            batches = again;
            if !self.absorb_pending() {
                return reply_all(batches, &WriteError::Behind);
            }
            // The larger the group, the more likely is a conflict.
            let fewer = batches.len().div_ceil(2);
            self.requeue(batches.split_off(fewer));
        }
        reply_all(batches, &WriteError::Contended);
    }

    /// Puts batches at the front of the queue.
    fn requeue(&mut self, batches: Vec<PendingWrite>) {
        for (batch, reply) in batches.into_iter().rev() {
            self.waiting.push_front(WriterMessage::Write { batch, reply });
        }
    }

    /// Plans batches one after the other, and commits them together. Returns them if they must be
    /// planned again, since records that they read have changed in the store.
    fn attempt(&mut self, batches: Vec<PendingWrite>) -> Option<Vec<PendingWrite>> {
        let store = Arc::clone(&self.store);
        let CommitGroup { working, sets, is_exact, changes, planned, .. } =
            self.plan(batches, &*store);
        let begun = Instant::now();
        let committed = if sets.is_empty() {
            Ok(CommitResult::Committed(Vec::new()))
        } else if is_exact {
            store.commit_after(self.view.revision.facts, &sets)
        } else {
            store.commit(&sets)
        };
        if !sets.is_empty() {
            self.meter.record_commit(begun.elapsed());
        }
        match committed {
            Ok(CommitResult::Committed(revisions)) => {
                if !revisions.is_empty() {
                    self.update_health(None);
                }
                let is_served = self.adopt_commit(working, changes, &revisions);
                let latest = self.view.revision.facts;
                for PlannedBatch { reply, set, result, .. } in planned {
                    let revision = set.and_then(|at| revisions.get(at)).copied();
                    // The receiver may have been dropped.
                    let _ = reply.send(match (result, revision) {
                        (Err(error), _) => Err(error),
                        (Ok(_), Some(revision)) if !is_served => {
                            Err(WriteError::NotServed(revision))
                        }
                        (Ok(written), revision) => {
                            Ok(committed_at(revision.unwrap_or(latest), written))
                        }
                    });
                }
                self.sweep();
                None
            }
            Ok(CommitResult::Stale) => {
                self.undo_requests(&changes);
                Some(planned.into_iter().map(|planned| (planned.batch, planned.reply)).collect())
            }
            Err(error) => {
                error!(%error, "facts could not be written");
                self.update_health(Some(&error));
                self.undo_requests(&changes);
                let error = WriteError::from(error);
                for PlannedBatch { reply, .. } in planned {
                    let _ = reply.send(Err(error.clone()));
                }
                None
            }
        }
    }

    fn plan(&mut self, batches: Vec<PendingWrite>, store: &dyn Store) -> CommitGroup {
        let before = self.view.revision.facts;
        let mut pending = UncommittedRecords::new(store);
        let mut group = CommitGroup {
            working: self.view.clone(),
            sets: Vec::new(),
            is_exact: false,
            records: 0,
            entries: 0,
            changes: Vec::new(),
            planned: Vec::new(),
        };
        let mut put_off: Vec<PendingWrite> = Vec::new();
        for (batch, reply) in batches {
            // Only a store that no other daemon writes to has a predictable next revision.
            let is_first = group.sets.is_empty();
            let is_exact = store.is_shared() && batch.if_revision.is_some();
            if !put_off.is_empty() || is_exact && !is_first {
                put_off.push((batch, reply));
                continue;
            }
            let revision = if store.is_shared() {
                self.changed..=before
            } else {
                let next = before + group.sets.len() as u64;
                next..=next
            };
            let mut attempt = BatchPlanner {
                working: group.working.clone(),
                changes: Vec::new(),
                places: HashMap::new(),
                declarations: &self.declarations,
                requests: &mut self.requests,
                history: &mut self.history,
                now: self.clock.now(),
                denies: self.staleness.freshness() == Freshness::Denied,
            };
            let planning = AssertUnwindSafe(|| attempt.plan(&batch, &revision, &pending));
            let Ok(planned) = catch_unwind(planning) else {
                error!("a batch could not be planned");
                attempt.undo();
                let result = Err(WriteError::Panicked);
                group.planned.push(PlannedBatch { batch, reply, set: None, result });
                continue;
            };
            let BatchPlan { set, reply: written } = match planned {
                Ok(plan) => plan,
                Err(error) => {
                    let result = Err(error);
                    group.planned.push(PlannedBatch { batch, reply, set: None, result });
                    continue;
                }
            };
            let found = set.reads.len().max(set.writes.len());
            let most = store.most_records().unwrap_or(usize::MAX);
            let entries = set.history.len();
            let most_entries = |records| store.most_history(records).unwrap_or(usize::MAX);
            // In a shared store, even a batch without writes must check that what it read is current.
            let (set, result) = if set.is_empty() && (set.reads.is_empty() || !store.is_shared()) {
                (None, Ok(written))
            } else if found > most {
                attempt.undo();
                (None, Err(StoreError::TooLarge { found, most }.into()))
            } else if entries > most_entries(found) {
                attempt.undo();
                let most = most_entries(found);
                (None, Err(StoreError::TooManyEntries { found: entries, most }.into()))
            } else if group.records + found > most
                || group.entries + entries > most_entries(group.records + found)
            {
                attempt.undo();
                put_off.push((batch, reply));
                continue;
            } else {
                // A refused batch was planned up to a command that is not committed.
                if !set.is_empty() {
                    group.working = attempt.working;
                    group.changes.extend(attempt.changes);
                }
                group.records += found;
                group.entries += entries;
                group.is_exact |= is_exact;
                pending.write(&set);
                group.sets.push(set);
                (Some(group.sets.len() - 1), Ok(written))
            };
            group.planned.push(PlannedBatch { batch, reply, set, result });
        }
        self.requeue(put_off);
        group
    }

    /// Removes old entries of the history and expired idempotency keys, one page at a time.
    fn sweep(&mut self) {
        self.history_sweeper.sweep(&*self.store, self.clock.now());
        if self.swept.elapsed() < SWEEP_EVERY {
            return;
        }
        self.swept = Instant::now();
        let now = self.clock.now().millis();
        let removed =
            idempotency::expired_keys(&*self.store, &mut self.sweep_from, now).and_then(|set| {
                if set.is_empty() { Ok(None) } else { self.store.commit(&[set]).map(Some) }
            });
        match removed {
            Ok(Some(CommitResult::Committed(revisions))) => {
                let (working, last) = (self.view.clone(), revisions);
                self.adopt_commit(working, Vec::new(), &last);
            }
            Ok(_) => {}
            Err(error) => warn!(%error, "expired idempotency keys could not be removed"),
        }
        self.sweep_ended();
    }

    /// Removes what ended long ago from records, one page at a time.
    fn sweep_ended(&mut self) {
        let now = self.clock.now();
        let found = match ended::ended_facts(&*self.store, &mut self.sweep_ended_from, now) {
            Ok(found) => found,
            Err(error) => return warn!(%error, "what has ended could not be removed from records"),
        };
        if found.set.is_empty() {
            return;
        }
        match self.store.commit(&[found.set]) {
            Ok(CommitResult::Committed(revisions)) => {
                let mut working = self.view.clone();
                compile::apply_records(&mut working, &self.declarations, &found.changes);
                for change in &found.changes {
                    let (old, new) = (change.old.as_deref(), change.new.as_deref());
                    self.requests.apply(&change.key, old, new);
                }
                self.adopt_commit(working, found.changes, &revisions);
            }
            // Another daemon of the fleet was faster.
            Ok(CommitResult::Stale) => {}
            Err(error) => warn!(%error, "what has ended could not be removed from records"),
        }
    }

    /// Serves a commit: as planned, or with a shared store, once its events arrive. Returns whether it
    /// is served.
    fn adopt_commit(
        &mut self,
        working: View,
        changes: Vec<RecordChange>,
        revisions: &[u64],
    ) -> bool {
        let Some(&last) = revisions.last() else { return true };
        if self.store.is_shared() {
            self.undo_requests(&changes);
            return self.wait_for_commit(last);
        }
        let concerned = compile::concerned_by_records(&self.view, &working, &changes);
        self.concerned.merge(concerned);
        self.view = working;
        self.view.revision.facts = last;
        self.changed = last;
        if let Some(journal) = &mut self.journal {
            journal.extend(changes);
        }
        self.publish();
        true
    }

    /// Reverts the changes that planning made to the pending requests.
    fn undo_requests(&mut self, changes: &[RecordChange]) {
        for change in changes.iter().rev() {
            self.requests.apply(&change.key, change.new.as_deref(), change.old.as_deref());
        }
    }
}

/// A reply with the revision of the commit in which the batch took effect.
fn committed_at(revision: u64, reply: WriteReply) -> WriteReply {
    match reply {
        WriteReply::New(WriteOutcome::Applied { outcomes, .. }) => {
            WriteReply::New(WriteOutcome::Applied { revision, outcomes })
        }
        other => other,
    }
}

fn reply_all(batches: Vec<PendingWrite>, error: &WriteError) {
    for (_, reply) in batches {
        let _ = reply.send(Err(error.clone()));
    }
}
