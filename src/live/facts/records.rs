//! Views of a store's records for compiling and planning.

use std::{cell::RefCell, collections::BTreeMap, sync::Arc};

use super::pending_requests::PendingRequests;

use crate::{
    compile,
    facts::{ChangeSet, Record, RecordKey, RecordKind, RecordSource, Version},
    store::{Store, StoreError},
};

/// The records of a store, as a view is compiled with them.
#[derive(Clone, Copy, Debug)]
pub struct StoreRecords<'s>(pub &'s dyn Store);

/// The number of records that are listed at once.
const PAGE: usize = 1000;

impl compile::FactsSource for StoreRecords<'_> {
    type Error = StoreError;

    fn get(&self, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        Ok(self.0.get(key)?.map(|entry| entry.record))
    }

    fn each(
        &self,
        kind: RecordKind,
        each: &mut dyn FnMut(RecordKey, Record),
    ) -> Result<(), StoreError> {
        let mut after: Option<RecordKey> = None;
        loop {
            let page = self.0.list(kind, after.as_ref(), PAGE)?;
            let is_last = page.len() < PAGE;
            after = page.last().map(|entry| entry.key.clone());
            page.into_iter().for_each(|entry| each(entry.key, entry.record));
            if is_last {
                return Ok(());
            }
        }
    }
}

/// The records of a store as they are loaded for the first time.
#[derive(Debug)]
pub(in crate::live) struct InitialLoad<'s> {
    store: &'s dyn Store,
    requests: RefCell<PendingRequests>,
}

impl<'s> InitialLoad<'s> {
    pub(in crate::live) fn new(store: &'s dyn Store) -> Self {
        Self { store, requests: RefCell::default() }
    }

    /// The pending requests of all records that were loaded.
    pub(in crate::live) fn into_pending_requests(self) -> PendingRequests {
        self.requests.into_inner()
    }
}

impl compile::FactsSource for InitialLoad<'_> {
    type Error = StoreError;

    fn get(&self, key: &RecordKey) -> Result<Option<Record>, StoreError> {
        StoreRecords(self.store).get(key)
    }

    fn each(
        &self,
        kind: RecordKind,
        each: &mut dyn FnMut(RecordKey, Record),
    ) -> Result<(), StoreError> {
        StoreRecords(self.store).each(kind, each)
    }

    fn all(&self, each: &mut dyn FnMut(RecordKey, Record)) -> Result<u64, StoreError> {
        self.store.load(&mut |entry| {
            self.requests.borrow_mut().apply(&entry.key, None, Some(&entry.record));
            each(entry.key, entry.record);
        })
    }
}

/// The records of a store, with those that are planned to be written and not committed yet.
#[derive(Debug)]
pub(super) struct UncommittedRecords<'s> {
    pub(super) store: &'s dyn Store,
    written: BTreeMap<RecordKey, Option<Arc<Record>>>,
}

/// The version of a record that is not committed yet: no store compares it.
const PLANNED: Version = Version::MAX;

impl<'s> UncommittedRecords<'s> {
    pub(super) fn new(store: &'s dyn Store) -> Self {
        Self { store, written: BTreeMap::new() }
    }

    /// Adds the writes of a set.
    pub(super) fn write(&mut self, set: &ChangeSet) {
        for write in &set.writes {
            self.written.insert(write.key.clone(), write.record.clone().map(Arc::new));
        }
    }
}

impl RecordSource for UncommittedRecords<'_> {
    type Error = StoreError;

    fn get(&self, key: &RecordKey) -> Result<Option<(Version, Record)>, StoreError> {
        match self.written.get(key) {
            Some(written) => Ok(written.as_ref().map(|record| (PLANNED, Record::clone(record)))),
            None => Ok(self.store.get(key)?.map(|entry| (entry.version, entry.record))),
        }
    }
}
