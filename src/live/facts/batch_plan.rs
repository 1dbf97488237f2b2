use std::{collections::HashMap, ops::RangeInclusive};

use super::{
    batch::{WriteBatch, WriteOutcome},
    idempotency,
    pending_requests::PendingRequests,
    planning_view::{PlanningView, now_millis},
    records::UncommittedRecords,
};
use crate::{
    compile::{self, Changed, Declarations},
    facts::{
        self, ChangeSet, CommandError, CommandOutcome, IdempotencyRecord, PlanError, Record,
        RecordKey, RecordRead, RecordSource as _, RecordWrite,
    },
    snapshot::View,
    store::StoreError,
};

/// What planning a batch came to.
pub(super) enum BatchPlan {
    /// It is answered without looking further.
    Answered(WriteOutcome),
    /// It is refused because of what was read.
    Refused(ChangeSet, WriteOutcome),
    Planned(ChangeSet, Vec<Result<CommandOutcome, CommandError>>),
}

/// A batch as it is planned.
pub(super) struct BatchPlanner<'a> {
    pub(super) working: View,
    /// What the commands so far come to, each record once.
    pub(super) changes: Vec<Changed>,
    /// Where in `changes` each record is.
    pub(super) places: HashMap<RecordKey, usize>,
    pub(super) basis: &'a Declarations,
    pub(super) requests: &'a mut PendingRequests,
}

impl BatchPlanner<'_> {
    /// Plans a batch on the view, one command after the other; `current` are the revisions that the
    /// facts are known to be of.
    pub(super) fn plan(
        &mut self,
        batch: &WriteBatch,
        current: &RangeInclusive<u64>,
        pending: &UncommittedRecords<'_>,
    ) -> Result<BatchPlan, StoreError> {
        let revision = *current.end();
        let mut kept_version = None;
        if let Some(key) = &batch.idempotency_key
            && let Some((version, Record::Idempotency(kept))) = pending.get(&key.key())?
        {
            kept_version = Some(version);
            if !idempotency::is_expired(&kept, now_millis()) {
                return Ok(BatchPlan::Answered(if kept.sent == key.digest {
                    WriteOutcome::Replayed { revision, outcomes: kept.outcomes }
                } else {
                    WriteOutcome::KeyReused { revision }
                }));
            }
        }
        if batch.if_revision.is_some_and(|wanted| !current.contains(&wanted)) {
            return Ok(BatchPlan::Answered(WriteOutcome::OtherRevision { revision }));
        }
        let mut plan = facts::ChangeBuffer::default();
        let mut outcomes = Vec::with_capacity(batch.commands.len());
        for (at, command) in batch.commands.iter().enumerate() {
            let world =
                PlanningView { view: &self.working, basis: self.basis, asked: &*self.requests };
            match facts::plan(&mut plan, command, batch.authority, &world, pending) {
                Ok(planned) => {
                    for change in &planned.changes {
                        let (old, new) = (change.old.as_deref(), change.new.as_deref());
                        self.requests.apply(&change.key, old, new);
                    }
                    compile::apply_records(&mut self.working, self.basis, &planned.changes);
                    planned.changes.into_iter().for_each(|change| self.note(change));
                    outcomes.push(Ok(planned.outcome));
                }
                Err(PlanError::Refused(refusal)) if batch.each => outcomes.push(Err(refusal)),
                Err(PlanError::Refused(refusal)) => {
                    self.undo();
                    let reads = ChangeSet { writes: Vec::new(), ..plan.into_change_set() };
                    return Ok(BatchPlan::Refused(
                        reads,
                        WriteOutcome::Refused { revision, at, refusal },
                    ));
                }
                Err(PlanError::RecordUnreadable(error)) => {
                    self.undo();
                    return Err(error);
                }
            }
        }
        let mut set = plan.into_change_set();
        if let Some(key) = &batch.idempotency_key {
            let encoded = |came: &Result<CommandOutcome, CommandError>| match came {
                Ok(outcome) => outcome.encode(),
                Err(refusal) => refusal.encode(),
            };
            let answered = outcomes.iter().map(encoded).collect();
            let record = IdempotencyRecord {
                sent: key.digest.clone(),
                at: now_millis(),
                outcomes: answered,
            };
            set.reads.push(RecordRead { key: key.key(), version: kept_version });
            set.writes
                .push(RecordWrite { key: key.key(), record: Some(Record::Idempotency(record)) });
        }
        Ok(BatchPlan::Planned(set, outcomes))
    }

    /// Notes a change. How a record was between commands of a batch is never seen, and many big ones
    /// would be too many to keep.
    fn note(&mut self, change: Changed) {
        let place = *self.places.entry(change.key.clone()).or_insert(self.changes.len());
        match self.changes.get_mut(place) {
            Some(before) => before.new = change.new,
            None => self.changes.push(change),
        }
    }

    /// Takes back what was noted beside the view, which is thrown away.
    pub(super) fn undo(&mut self) {
        for change in self.changes.drain(..).rev() {
            self.requests.apply(&change.key, change.new.as_deref(), change.old.as_deref());
        }
    }
}
