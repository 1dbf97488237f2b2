//! The writer's handling of events of a shared store.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use tracing::{error, info, warn};

use super::{
    handle::{NEWS_TIMEOUT, WriterMessage},
    records::StoreRecords,
    writer::Writer,
};
use crate::{
    compile::{self, FactsSource as _},
    facts::{Record, RecordChange, RecordKey, RecordKind},
    live::Lapse,
    store::{StoreError, StoreEvent},
};

/// The longest wait for a commit to come back as an event of a shared store.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(10);

impl Writer {
    /// Handles events until those of the commit at a revision have arrived; returns whether they have.
    pub(super) fn wait_for_commit(&mut self, revision: u64) -> bool {
        let begun = Instant::now();
        while self.view.revision.facts < revision {
            let left = COMMIT_TIMEOUT.saturating_sub(begun.elapsed());
            match self.inbox.recv_timeout(left) {
                Ok(WriterMessage::Event(event)) => self.handle_event(&event),
                Ok(other) => self.waiting.push_back(other),
                Err(_) => {
                    warn!(revision, "the store has not delivered the commit yet");
                    return false;
                }
            }
        }
        true
    }

    /// Handles the pending events of other daemons' changes, and waits for one if there are none;
    /// returns whether any arrived.
    pub(super) fn absorb_pending(&mut self) -> bool {
        let begun = Instant::now();
        let mut has_changes = !self.store.is_shared();
        loop {
            let left = if has_changes {
                Duration::ZERO
            } else {
                NEWS_TIMEOUT.saturating_sub(begun.elapsed())
            };
            match self.inbox.recv_timeout(left) {
                Ok(WriterMessage::Event(event)) => {
                    has_changes |=
                        matches!(event, StoreEvent::Changed { .. } | StoreEvent::Relisted { .. });
                    self.handle_event(&event);
                }
                Ok(other) => self.waiting.push_back(other),
                Err(_) => return has_changes,
            }
        }
    }

    pub(super) fn handle_event(&mut self, event: &StoreEvent) {
        if let Err(error) = self.absorb(event) {
            error!(%error, "a change of the store could not be read");
        }
    }

    /// Applies an event of a shared store, and serves the result.
    fn absorb(&mut self, event: &StoreEvent) -> Result<(), StoreError> {
        match event {
            StoreEvent::Changed { revision, records } => {
                let records = records.iter().map(|(key, now)| {
                    (key.clone(), now.as_ref().map(|(_, record)| record.clone()))
                });
                let changes = records
                    .map(|(key, new)| {
                        let old = self.store.get(&key)?.map(|entry| entry.record);
                        Ok(record_change(key, old, new))
                    })
                    .collect::<Result<Vec<_>, StoreError>>()?;
                self.apply_changes(changes);
                self.changed = *revision;
                self.serve_revision(event, *revision);
            }
            StoreEvent::Relisted { revision, records } => {
                info!(revision, "the store was read again: changes in between are lost");
                let changes = self.difference(records)?;
                self.apply_changes(changes);
                self.changed = *revision;
                self.serve_revision(event, *revision);
            }
            StoreEvent::Current { revision } => self.serve_revision(event, *revision),
            StoreEvent::Disconnected { since, why } => {
                let before = self.contact.load().cut_off.clone();
                if before.is_none() {
                    warn!(why, "the store can't be reached; the served facts may be out of date");
                }
                // It began when the first was noted, or with the copy from which the daemon started.
                let lapse = Lapse::of_age(Some(*since), why);
                self.set_disconnection(Some(lapse.continuing(before)));
            }
        }
        Ok(())
    }

    fn apply_changes(&mut self, changes: Vec<RecordChange>) {
        for change in &changes {
            self.requests.apply(&change.key, change.old.as_deref(), change.new.as_deref());
        }
        let before = self.view.clone();
        compile::apply_records(&mut self.view, &self.declarations, &changes);
        let concerned = compile::concerned_by_records(&before, &self.view, &changes);
        self.concerned.merge(concerned);
        if let Some(journal) = &mut self.journal {
            journal.extend(changes);
        }
    }

    /// Serves the facts of a revision.
    fn serve_revision(&mut self, event: &StoreEvent, revision: u64) {
        self.store.absorb(event);
        if self.contact.load().cut_off.is_some() {
            info!("the store can be reached again");
            self.set_disconnection(None);
        }
        // A cluster that was restored from a backup begins at an earlier one.
        let is_new = !matches!(event, StoreEvent::Current { .. });
        if is_new || revision > self.view.revision.facts {
            self.view.revision.facts = revision;
            self.publish();
        }
    }

    /// The changes from the known records to those of a new listing.
    fn difference(
        &self,
        now: &[crate::store::StoredRecord],
    ) -> Result<Vec<RecordChange>, StoreError> {
        let mut now: BTreeMap<&RecordKey, &Record> =
            now.iter().map(|entry| (&entry.key, &entry.record)).collect();
        let mut changes = Vec::new();
        for kind in RecordKind::ALL {
            StoreRecords(&*self.store).each(kind, &mut |key, old| {
                let new = now.remove(&key);
                if new != Some(&old) {
                    changes.push(record_change(key, Some(old), new.cloned()));
                }
            })?;
        }
        changes.extend(
            now.into_iter().map(|(key, new)| record_change(key.clone(), None, Some(new.clone()))),
        );
        Ok(changes)
    }
}

fn record_change(key: RecordKey, old: Option<Record>, new: Option<Record>) -> RecordChange {
    RecordChange { key, old: old.map(Arc::new), new: new.map(Arc::new) }
}
