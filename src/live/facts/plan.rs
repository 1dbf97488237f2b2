use std::{collections::HashMap, ops::RangeInclusive};

use super::{
    Batch, Written,
    asked::Asked,
    effective::{Effective, now},
    once,
    records::Pending,
};
use crate::{
    compile::{self, Basis, Changed},
    facts::{
        self, ChangeSet, Failure, Key, Once, Outcome, Read, Record, Records as _, Refusal, Write,
    },
    snapshot::View,
    store::StoreError,
};

/// What planning a batch came to.
pub(super) enum Done {
    /// It is answered without looking further.
    Answered(Written),
    /// It is refused because of what was read.
    Refused(ChangeSet, Written),
    Planned(ChangeSet, Vec<Result<Outcome, Refusal>>),
}

/// A batch as it is planned.
pub(super) struct Attempt<'a> {
    pub(super) working: View,
    /// What the commands so far come to, each record once.
    pub(super) changes: Vec<Changed>,
    /// Where in `changes` each record is.
    pub(super) places: HashMap<Key, usize>,
    pub(super) basis: &'a Basis,
    pub(super) asked: &'a mut Asked,
}

impl Attempt<'_> {
    /// Plans a batch on the view, one command after the other; `current` are the revisions that the
    /// facts are known to be of.
    pub(super) fn plan(
        &mut self,
        batch: &Batch,
        current: &RangeInclusive<u64>,
        pending: &Pending<'_>,
    ) -> Result<Done, StoreError> {
        let revision = *current.end();
        let mut kept_version = None;
        if let Some(key) = &batch.once
            && let Some((version, Record::Once(kept))) = pending.get(&key.key())?
        {
            kept_version = Some(version);
            if !once::is_over(&kept, now()) {
                return Ok(Done::Answered(if kept.sent == key.sent {
                    Written::Replayed { revision, outcomes: kept.outcomes }
                } else {
                    Written::KeyReused { revision }
                }));
            }
        }
        if batch.if_revision.is_some_and(|wanted| !current.contains(&wanted)) {
            return Ok(Done::Answered(Written::OtherRevision { revision }));
        }
        let mut plan = facts::Batch::default();
        let mut outcomes = Vec::with_capacity(batch.commands.len());
        for (at, command) in batch.commands.iter().enumerate() {
            let world = Effective { view: &self.working, basis: self.basis, asked: &*self.asked };
            match facts::plan(&mut plan, command, batch.authority, &world, pending) {
                Ok(planned) => {
                    for change in &planned.changes {
                        let (old, new) = (change.old.as_deref(), change.new.as_deref());
                        self.asked.follow(&change.key, old, new);
                    }
                    compile::follow(&mut self.working, self.basis, &planned.changes);
                    planned.changes.into_iter().for_each(|change| self.note(change));
                    outcomes.push(Ok(planned.outcome));
                }
                Err(Failure::Refused(refusal)) if batch.each => outcomes.push(Err(refusal)),
                Err(Failure::Refused(refusal)) => {
                    self.undo();
                    let reads = ChangeSet { writes: Vec::new(), ..plan.into_changes() };
                    return Ok(Done::Refused(reads, Written::Refused { revision, at, refusal }));
                }
                Err(Failure::Unread(error)) => {
                    self.undo();
                    return Err(error);
                }
            }
        }
        let mut set = plan.into_changes();
        if let Some(key) = &batch.once {
            let encoded = |came: &Result<Outcome, Refusal>| match came {
                Ok(outcome) => outcome.encode(),
                Err(refusal) => refusal.encode(),
            };
            let answered = outcomes.iter().map(encoded).collect();
            let record = Once { sent: key.sent.clone(), at: now(), outcomes: answered };
            set.reads.push(Read { key: key.key(), version: kept_version });
            set.writes.push(Write { key: key.key(), record: Some(Record::Once(record)) });
        }
        Ok(Done::Planned(set, outcomes))
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
            self.asked.follow(&change.key, change.new.as_deref(), change.old.as_deref());
        }
    }
}
