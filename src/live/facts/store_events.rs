//! The events of a store that others write to, as the writer applies them.

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

/// How long to wait for what was committed to come back from a store that others write to.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(10);

impl Writer {
    /// Takes events in until what was committed at a revision has come; whether it has.
    pub(super) fn wait_for_commit(&mut self, revision: u64) -> bool {
        let begun = Instant::now();
        while self.view.revision.facts < revision {
            let left = COMMIT_TIMEOUT.saturating_sub(begun.elapsed());
            match self.inbox.recv_timeout(left) {
                Ok(WriterMessage::Event(event)) => self.handle_event(&event),
                Ok(other) => self.waiting.push_back(other),
                Err(_) => {
                    warn!(revision, "what was committed has not come back yet");
                    return false;
                }
            }
        }
        true
    }

    /// Takes in what others changed, as far as it has come, and waits for it if nothing has; whether
    /// anything came.
    pub(super) fn absorb_pending(&mut self) -> bool {
        let begun = Instant::now();
        let mut is_news = !self.store.is_shared();
        loop {
            let left =
                if is_news { Duration::ZERO } else { NEWS_TIMEOUT.saturating_sub(begun.elapsed()) };
            match self.inbox.recv_timeout(left) {
                Ok(WriterMessage::Event(event)) => {
                    is_news |=
                        matches!(event, StoreEvent::Changed { .. } | StoreEvent::Relisted { .. });
                    self.handle_event(&event);
                }
                Ok(other) => self.waiting.push_back(other),
                Err(_) => return is_news,
            }
        }
    }

    pub(super) fn handle_event(&mut self, event: &StoreEvent) {
        if let Err(error) = self.absorb(event) {
            error!(%error, "what changed in the store could not be read");
        }
    }

    /// Takes in what happened in a store that others write to, and serves it.
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
                if self.contact.load().cut_off.is_none() {
                    warn!(why, "the store can't be reached; answering from what is known");
                }
                self.set_disconnection(Some(Lapse::of_age(Some(*since), why)));
            }
        }
        Ok(())
    }

    fn apply_changes(&mut self, changes: Vec<RecordChange>) {
        for change in &changes {
            self.requests.apply(&change.key, change.old.as_deref(), change.new.as_deref());
        }
        compile::apply_records(&mut self.view, &self.basis, &changes);
        if let Some(journal) = &mut self.journal {
            journal.extend(changes);
        }
    }

    /// Serves the facts of a revision.
    fn serve_revision(&mut self, event: &StoreEvent, revision: u64) {
        self.store.absorb(event);
        if self.contact.load().cut_off.is_some() {
            info!("the store is reached again");
            self.set_disconnection(None);
        }
        // A cluster that was restored from a backup begins at an earlier one.
        let is_new = !matches!(event, StoreEvent::Current { .. });
        if is_new || revision > self.view.revision.facts {
            self.view.revision.facts = revision;
            self.publish();
        }
    }

    /// The changes from the records that were known to those there are.
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
