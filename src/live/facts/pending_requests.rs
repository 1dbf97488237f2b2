//! The reverse index of pending friend requests: records hold them only at the recipient.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::facts::{Record, RecordKey};

/// The recipients of the pending friend requests of each user.
#[derive(Clone, Default, Debug)]
pub(in crate::live) struct PendingRequests(BTreeMap<String, Arc<BTreeSet<String>>>);

impl PendingRequests {
    /// The recipients of a user's pending requests, in order.
    pub(super) fn requested_by(&self, user: &str) -> Vec<String> {
        self.0.get(user).into_iter().flat_map(|requested| requested.iter().cloned()).collect()
    }

    /// Applies a change of a record.
    pub(super) fn apply(&mut self, key: &RecordKey, old: Option<&Record>, new: Option<&Record>) {
        let RecordKey::User(id) = key else { return };
        for from in requests(old) {
            if let Some(requested) = self.0.get_mut(from) {
                Arc::make_mut(requested).remove(id);
                if requested.is_empty() {
                    self.0.remove(from);
                }
            }
        }
        for from in requests(new) {
            Arc::make_mut(self.0.entry(from.to_owned()).or_default()).insert(id.clone());
        }
    }
}

fn requests(record: Option<&Record>) -> impl Iterator<Item = &str> {
    let user = match record {
        Some(Record::User(user)) => Some(user),
        _ => None,
    };
    user.into_iter().flat_map(|user| user.requests.keys().map(String::as_str))
}
