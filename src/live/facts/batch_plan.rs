//! The planning of a batch: one command after the other, on a working view.

use std::{collections::HashMap, ops::RangeInclusive};

use super::{
    batch::{WriteBatch, WriteReply},
    history::HistoryNumbers,
    idempotency,
    pending_requests::PendingRequests,
    planning_view::PlanningView,
    records::UncommittedRecords,
};
use crate::{
    compile::{self, Declarations},
    facts::{
        self, BatchMode, ChangeSet, IdempotencyRecord, PlanError, Record, RecordChange, RecordKey,
        RecordRead, RecordSource as _, RecordWrite, WriteError, WriteOutcome,
    },
    request::Moment,
    snapshot::View,
};

/// A planned batch: the records that it reads and writes, and the reply once they are committed.
pub(super) struct BatchPlan {
    pub(super) set: ChangeSet,
    /// The reply once the set is committed; its revision is replaced by that of the commit.
    pub(super) reply: WriteReply,
}

/// A batch as it is planned.
pub(super) struct BatchPlanner<'a> {
    pub(super) working: View,
    /// The changes of the commands so far, each record once.
    pub(super) changes: Vec<RecordChange>,
    /// The position of each record in `changes`.
    pub(super) places: HashMap<RecordKey, usize>,
    pub(super) declarations: &'a Declarations,
    pub(super) requests: &'a mut PendingRequests,
    pub(super) history: &'a mut HistoryNumbers,
    /// The moment at which the commands take effect.
    pub(super) now: Moment,
    /// Whether commands on behalf of a user are denied, since the served view is stale.
    pub(super) denies: bool,
}

impl BatchPlanner<'_> {
    /// Plans a batch on the view, one command after the other; `current` are the revisions at
    /// which the facts were as they are now.
    pub(super) fn plan(
        &mut self,
        batch: &WriteBatch,
        current: &RangeInclusive<u64>,
        pending: &UncommittedRecords<'_>,
    ) -> Result<BatchPlan, WriteError> {
        let revision = *current.end();
        let mut kept_version = None;
        if let Some(key) = &batch.idempotency_key
            && let Some((version, Record::Idempotency(kept))) = pending.get(&key.key())?
        {
            kept_version = Some(version);
            if !idempotency::is_expired(&kept, self.now.millis()) {
                if kept.sent != key.digest {
                    return Err(WriteError::KeyReused { revision });
                }
                let reply = WriteReply::Replayed { revision, outcomes: kept.outcomes };
                return Ok(BatchPlan { set: ChangeSet::default(), reply });
            }
        }
        if batch.if_revision.is_some_and(|wanted| !current.contains(&wanted)) {
            return Err(WriteError::RevisionChanged { revision });
        }
        let mut plan = facts::ChangeBuffer::default();
        let now = self.now.millis();
        let mut history = self.history.imported(&batch.history);
        let mut outcomes = Vec::with_capacity(batch.commands.len());
        for (index, command) in batch.commands.iter().enumerate() {
            let world = PlanningView {
                view: &self.working,
                declarations: self.declarations,
                requests: &*self.requests,
                now: self.now,
                denies: self.denies,
            };
            match facts::plan(&mut plan, command, &batch.sender, &world, pending) {
                Ok(planned) => {
                    for change in &planned.changes {
                        let (old, new) = (change.old.as_deref(), change.new.as_deref());
                        self.requests.apply(&change.key, old, new);
                    }
                    compile::apply_records(&mut self.working, self.declarations, &planned.changes);
                    planned.changes.into_iter().for_each(|change| self.note(change));
                    let by = batch.sender.author(command.on_behalf.as_ref());
                    history.extend(self.history.entry(command, by, &planned.outcome, now));
                    outcomes.push(Ok(planned.outcome));
                }
                Err(PlanError::Refused(error)) if batch.mode == BatchMode::Independent => {
                    outcomes.push(Err(error));
                }
                Err(PlanError::Refused(error)) => {
                    self.undo();
                    let set = ChangeSet { writes: Vec::new(), ..plan.into_change_set() };
                    let refused = WriteOutcome::Refused { revision, index, error };
                    return Ok(BatchPlan { set, reply: WriteReply::New(refused) });
                }
                Err(PlanError::RecordUnreadable(error)) => {
                    self.undo();
                    return Err(error.into());
                }
            }
        }
        let mut set = ChangeSet { history, ..plan.into_change_set() };
        if let Some(key) = &batch.idempotency_key {
            let answered = outcomes.iter().map(facts::encode_outcome).collect();
            let record = IdempotencyRecord {
                sent: key.digest.clone(),
                at: self.now.millis(),
                outcomes: answered,
            };
            set.reads.push(RecordRead { key: key.key(), version: kept_version });
            set.writes
                .push(RecordWrite { key: key.key(), record: Some(Record::Idempotency(record)) });
        }
        let reply = WriteReply::New(WriteOutcome::Applied { revision, outcomes });
        Ok(BatchPlan { set, reply })
    }

    /// Adds a change, merged with an earlier one of the same record: intermediate states within a batch
    /// are never visible, and would take too much memory.
    fn note(&mut self, change: RecordChange) {
        let place = *self.places.entry(change.key.clone()).or_insert(self.changes.len());
        match self.changes.get_mut(place) {
            Some(before) => before.new = change.new,
            None => self.changes.push(change),
        }
    }

    /// Reverts the changes of the pending requests; the working view is dropped by the caller.
    pub(super) fn undo(&mut self) {
        for change in self.changes.drain(..).rev() {
            self.requests.apply(&change.key, change.new.as_deref(), change.old.as_deref());
        }
    }
}
