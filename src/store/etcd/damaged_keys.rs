//! The records whose value can't be read.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use crate::{facts::RecordKey, store::StoreError};

/// The records whose value can't be read, and why.
#[derive(Default, Debug)]
pub(super) struct DamagedKeys(Mutex<BTreeMap<RecordKey, String>>);

impl DamagedKeys {
    pub(super) fn note(&self, key: RecordKey, why: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, why);
    }

    pub(super) fn forget(&self, key: &RecordKey) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// Checks that no key is of a damaged record.
    ///
    /// # Errors
    /// If one is.
    pub(super) fn check<'k>(
        &self,
        keys: impl IntoIterator<Item = &'k RecordKey>,
    ) -> Result<(), StoreError> {
        let damaged = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = keys.into_iter().find_map(|key| damaged.get_key_value(key));
        found.map_or(Ok(()), |(key, what)| Err(unreadable(&key.to_string(), what)))
    }
}

/// The error for a record that can't be read.
pub(super) fn unreadable(key: &str, what: &str) -> StoreError {
    StoreError::Record { key: key.escape_debug().to_string(), what: what.to_owned() }
}
